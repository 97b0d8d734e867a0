/**
 * Kept messages and notes in PostgreSQL: a hand in their rows is told, or counts for nothing; what meets in two
 * transactions leaves no message of a record that is gone; and where two keys meet, one is overtaken.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Store } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { at, EPOCH, live, make, place, remove, rewrapOf, wrapSet, write } from "../../src/store-contract/changes.ts";
import { keyOnly, keyRewrapOf, newcomer, newKey } from "../../src/store-contract/key-changes.ts";
import type { KeptItem } from "../../src/stores/kept.ts";
import { fileServer, newKeySchema, newSchema } from "./support/storage.ts";
import type { TestSchema } from "./support/storage.ts";

const { pool } = await fileServer();

/** Ada, whose kept row is changed, and Eve, whose is not. */
async function given(t: TestContext): Promise<TestSchema & { readonly store: Store }> {
  const made = await newSchema(t, pool);
  const store = await made.open();
  await store.gate.flip({ from: EPOCH.none, digest: "the first key set" });
  for (const id of ["ada", "eve"]) {
    await make(store, write(at(id), null, 1));
    assert.deepEqual(await store.inventory.rewrap(await keeping(store, id)), { kind: "made" });
  }
  return { ...made, store };
}

const keeping = (store: Store, id: string) => rewrapOf(store, id, 1, { keeps: true, wrapSet: wrapSet(["new"]) });
const all = ({ kept }: Store): Promise<readonly KeptItem[]> => kept.list({ after: null, limit: 9 });
const ofAda = "record = (select key from s.records where id = 'ada')";

async function restoreOf(store: Store, id: string): Promise<string> {
  const { place: found, seen, epoch, at: when } = await rewrapOf(store, id, 1);
  return (await store.kept.restore({ place: found, seen, epoch, at: when, lease: null })).kind;
}

for (const set of ["wrap_set = 987654321", "wrap_set = -1", "wrap_set = 2147483647", "message = ''"])
  test(`is no message to put back, and is let go of: ${set}`, async (t) => {
    const { store, forge } = await given(t);
    await forge(`update s.kept set ${set} where ${ofAda}`);
    assert.equal(await store.kept.read(place("ada", 1)), null);
    assert.equal(await restoreOf(store, "ada"), "overtaken");
    assert.deepEqual((await all(store)).map((item) => item.place?.id).toSorted(), ["ada", "eve"]);
    const isUnknown = set.startsWith("wrap_set");
    const unknown = (await store.inventory.sets()).filter((known) => known.set === null).map(({ id }) => id);
    assert.equal(unknown.length, isUnknown ? 1 : 0);
    assert.equal(await store.kept.any(unknown), isUnknown);
    await store.kept.drop([place("ada", 1)], null);
    assert.equal(await restoreOf(store, "eve"), "made");
    assert.deepEqual(await all(store), []);
  });

test("a row of a version that is gone is listed without a place, and goes by where it lies", async (t) => {
  const { store, forge } = await given(t);
  await forge(`update s.kept set bucket = 32767 where ${ofAda}`, `delete from s.versions where ${ofAda}`);
  const last = await store.kept.list({ buckets: { from: 255, to: 256 }, after: null, limit: 9 });
  const orphan = last.find((item) => item.place === null);
  assert.ok(orphan !== undefined, "whoever has the last buckets finds it");
  await store.kept.drop([place("ada", 1)], null);
  assert.equal((await all(store)).length, 1, "by the row's own name, which is still there");
  await forge("insert into s.kept values (987654321, 1, 1, -5, 'x')");
  const [gone] = await store.kept.list({ buckets: { from: 0, to: 1 }, after: null, limit: 1 });
  assert.equal(gone?.place, null);
  await store.kept.drop([{ position: gone.position }, { position: "x" }, { position: "1,2" }], null);
  assert.deepEqual(
    (await all(store)).map((item) => item.place?.id),
    ["eve"],
  );
});

test("a removal waits for a rewrap that keeps, and takes away what it kept", async (t) => {
  const { store, schema } = await given(t);
  for (const isFirst of [true, false]) {
    const [id, client] = [isFirst ? "ada" : "eve", await pool.connect()];
    defer(t, async () => {
      client.release();
    });
    await client.query("begin");
    const [head] = await store.records.heads([at(id)]);
    assert.deepEqual(head?.head, live(1));
    // As a rewrap does it, and ends before the removal or after it has begun.
    await client.query(`update ${schema}.versions v set revision = revision + 1 from ${schema}.records r
      where r.id = '${id}' and v.record = r.key`);
    await client.query(`insert into ${schema}.kept select v.record, v.version + 7, v.wrap_set, v.bucket, v.message
      from ${schema}.versions v join ${schema}.records r on r.key = v.record where r.id = '${id}'`);
    if (isFirst) await client.query("commit");
    const removing = store.records.apply([remove(at(id), live(1), 1)], { atomic: true });
    if (!isFirst) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      await client.query("commit");
    }
    assert.deepEqual(await removing, [{ kind: "made" }]);
    const { rows } = await pool.query(`select 1 from ${schema}.kept k join ${schema}.records r on r.key = k.record
      where r.id = '${id}'`);
    assert.deepEqual(rows, []);
  }
});

test("a caller's removal at a snapshot of before a rewrap that keeps leaves nothing behind", async (t) => {
  const { store, schema } = await given(t);
  await make(store, write(at("bob"), null, 1));
  const client = await pool.connect();
  defer(t, async () => {
    client.release();
  });
  for (const isolation of ["repeatable read", "serializable"]) {
    await client.query(`begin isolation level ${isolation}`);
    await client.query(`select count(*) from ${schema}.kept`);
    assert.deepEqual(await store.inventory.rewrap(await keeping(store, "bob")), { kind: "made" });
    const units = await store.transaction!(client);
    await assert.rejects(units.apply([remove(at("bob"), live(1), 1)]));
    await client.query("rollback");
    assert.deepEqual((await store.records.heads([at("bob")]))[0]?.head, live(1));
    assert.notEqual(await store.kept.read(place("bob", 1)), null);
  }
});

test("a key that is made while another moves to its place: one of them is, and it is no error", async (t) => {
  const made = await newKeySchema(t, pool);
  const store = await made.open();
  await store.gate.flip({ from: EPOCH.none, digest: "the first key set" });
  for (let round = 0; round < 30; round++) {
    const { key, name } = newcomer();
    assert.deepEqual(await store.keys.create([{ epoch: EPOCH.first, name, key }]), [{ kind: "made" }]);
    const moved = { generation: 1, check: key.check, as: { kind: "tenant-subject", ordinal: 1 } } as const;
    const [[creation], move] = await Promise.all([
      store.keys.create([keyOnly(newKey(key.owner, { kind: "tenant-subject" }))]),
      store.inventory.rewrap(await keyRewrapOf(store, key, { moved })),
    ]);
    assert.deepEqual(
      [creation!.kind, move.kind].toSorted(),
      creation!.kind === "made" ? ["made", "overtaken"] : ["exists", "made"],
    );
    assert.equal((await store.keys.versions({ kind: "tenant-subject", owner: key.owner })).length, 1);
  }
});

for (const text of ["''", "repeat('a', 16385)", "repeat('\u00e4', 9000)"])
  test(`a note that holds ${text} is none, and is replaced by whoever saw none`, async (t) => {
    const { store, forge } = await given(t);
    for (const name of ["a", "b"]) await store.notes.replace(name, "one", null);
    await forge(`update s.notes set text = ${text} where name = 'a'`);
    assert.deepEqual(await store.notes.list(""), [{ name: "b", text: "one" }]);
    assert.equal(await store.notes.replace("a", "two", "one"), "overtaken");
    assert.equal(await store.notes.replace("a", "two", null), "replaced");
    await forge(`update s.notes set text = ${text} where name = 'b'`);
    assert.equal(await store.notes.replace("b", null, null), "replaced");
    assert.deepEqual(await store.notes.list(""), [{ name: "a", text: "two" }]);
  });

test("notes under names that nobody gives hide nothing", async (t) => {
  const { store, forge } = await given(t);
  await store.notes.replace("z", "one", null);
  await forge(
    "insert into s.notes select 'a' || lpad(n::text, 5, '0') || 'A', 'x' from generate_series(1, 1200) n",
    "insert into s.notes values ('', 'x'), (repeat('a', 200), 'x'), ('b%', 'x'), (E'b\\n', 'x')",
  );
  assert.deepEqual(await store.notes.list(""), [{ name: "z", text: "one" }]);
});

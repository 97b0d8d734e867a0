/**
 * Units in a transaction of the caller's own: what it must not change of the session, what it must not wait for, and the
 * gate at the levels whose snapshot is older than a flip.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openVault } from "@strongroom/vault";
import { postgresStore } from "@strongroom/vault/postgres";
import { defer } from "../../../../tests/support/defer.ts";
import { rejectsWith } from "../support/errors.ts";
import { aesKeyring } from "../support/vault.ts";
import { begin, fileServer, newSchema, poolOf } from "./support/storage.ts";
import { get, put, writeUnit } from "./support/units.ts";

const { server, pool, url } = await fileServer();

test("ten callers on a pool of two all finish, and who rolls back leaves nothing", async (t) => {
  const { schema } = await newSchema(t, pool);
  const two = poolOf(url, 2);
  defer(t, () => two.end());
  const vault = await openVault({ store: await postgresStore(two, { schema }), keyring: aesKeyring() });
  await vault.put({ collection: "people", id: "shared" }, { count: 0 });
  const results = await Promise.all(
    Array.from({ length: 10 }, async (_, caller) => {
      const address = { collection: "people", id: `caller-${caller}` };
      const prepared = await vault.prepare(address, { caller });
      const client = await two.connect();
      try {
        await client.query("begin");
        await client.query("create temp table if not exists orders (caller int)");
        await client.query("insert into orders values ($1)", [caller]);
        await vault.withTransaction(client, [prepared]);
        await client.query(caller % 2 === 0 ? "commit" : "rollback");
      } finally {
        client.release();
      }
      return caller;
    }),
  );
  assert.equal(results.length, 10);
  const { items } = await vault.list("people");
  assert.deepEqual(
    items.map(({ id }) => id),
    ["caller-0", "caller-2", "caller-4", "caller-6", "caller-8", "shared"],
  );
  await vault.close();
});

for (const level of ["repeatable read", "serializable"])
  test(`at ${level} a flip after the snapshot is the caller's serialization failure, and nothing is late`, async (t) => {
    const { schema, open } = await newSchema(t, pool);
    const store = await open();
    const early = await begin(pool, level);
    await early.client.query(`select count(*) from ${schema}.heads`);
    assert.equal(await store.gate.flip({ from: 0 as never, digest: "first" }), "flipped");
    const units = await store.transaction?.(early.client);
    await assert.rejects(
      async () => units?.apply([writeUnit("late", null, 1)]),
      (error: unknown) => (error as { code: string }).code === "40001" && (error as Error).name === "error",
    );
    await early.rollback();
    assert.equal(await get(store, "late"), null);

    const holder = await begin(pool, level);
    const held = await store.transaction?.(holder.client);
    assert.deepEqual(await held?.apply([writeUnit("ada", null, 1, { epoch: 1 })]), [{ kind: "made" }]);
    let isFlipped = false;
    const flip = store.gate.flip({ from: 1 as never, digest: "second" }).finally(() => {
      isFlipped = true;
    });
    await waitUntil(async () => (await waiting(schema)) > 0);
    assert.equal(isFlipped, false);
    await holder.commit();
    assert.equal(await flip, "flipped");
    assert.equal(await get(store, "ada"), "message 1");
  });

/** Sessions that wait for a lock of this schema. */
async function waiting(schema: string): Promise<number> {
  const [row] = await server.query<{ n: number }>(
    "select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and query like $1",
    [`%${schema}%`],
  );
  return row?.n ?? 0;
}

async function waitUntil(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end;) if (await isSo()) return;
  assert.fail("it did not come about");
}

test("in each of 60 flips no write of the set before comes after the answer", async (t) => {
  const { schema, open } = await newSchema(t, pool);
  const store = await open();
  let epoch = 0;
  let isOver = false;
  const writers = ["read committed", "repeatable read", "serializable"].map(async (level, writer) => {
    for (let n = 0; !isOver; n++) {
      const own = epoch;
      const { client, commit, rollback } = await begin(pool, level);
      try {
        const units = await store.transaction?.(client);
        await units?.apply([writeUnit(`w${writer}-${n}`, null, 1, { epoch: own, message: Buffer.of(own) })]);
        // It stands still between its write and its commit, for a flip to come in between.
        await client.query("select pg_sleep(0.005)");
        await commit();
      } catch (error) {
        assert.equal((error as { code: string }).code, "40001", String(error));
        await rollback();
      }
    }
  });
  const rowsOf = async (round: number): Promise<number> => {
    const query = `select count(*)::int as n from ${schema}.versions where get_byte(message, 0) = $1`;
    return ((await pool.query(query, [round])).rows[0] as { n: number }).n;
  };
  const atTheAnswer: number[] = [];
  for (let round = 0; round < 60; round++) {
    assert.equal(await store.gate.flip({ from: round as never, digest: `set ${round}` }), "flipped");
    atTheAnswer.push(await rowsOf(round));
    epoch = round + 1;
  }
  isOver = true;
  await Promise.all(writers);
  assert.ok(atTheAnswer.some((rows) => rows > 0));
  for (const [round, rows] of atTheAnswer.entries()) assert.equal(await rowsOf(round), rows, `epoch ${round}`);
});

test("nothing of the caller's session is changed, and nothing of his is run", async (t) => {
  const { schema, open } = await newSchema(t, pool);
  const store = await open();
  await put(store, "ada", null, 1);
  const { client, rollback } = await begin(pool);
  for (const table of ["records", "heads", "versions", "vault", "settled", "wrap_sets"])
    await client.query(`create temp table ${table} (id int)`);
  await client.query("set local search_path = pg_temp, public");
  await client.query(
    "create function pg_temp.evil(bytea, int, int) returns bytea language sql as 'select ''evil''::bytea'",
  );
  await client.query("set local lock_timeout = '3s'");
  await client.query("set local statement_timeout = '7s'");
  const names =
    "'search_path', 'lock_timeout', 'statement_timeout', 'enable_seqscan', 'plan_cache_mode', 'synchronous_commit'";
  const settings = async (): Promise<unknown> =>
    (await client.query(`select name, setting from pg_settings where name in (${names}) order by name`)).rows;
  const before = await settings();
  const units = await store.transaction?.(client);
  assert.deepEqual(await units?.apply([writeUnit("ada", 1, 2), writeUnit("bob", null, 1)]), [
    { kind: "made" },
    { kind: "made" },
  ]);
  assert.deepEqual(await units?.apply([writeUnit("carl", null, 1)]), [{ kind: "made" }]);
  assert.deepEqual(await settings(), before);
  await rollback();
  assert.equal(await get(store, "ada"), "message 1");
  assert.equal(await get(store, "bob"), null);
  assert.equal((await pool.query(`select count(*)::int as n from ${schema}.records`)).rows[0]?.n, 1);
});

test("units of many bytes are several statements, and a conflict in the last leaves nothing of the first", async (t) => {
  const { open } = await newSchema(t, pool);
  const store = await open();
  await put(store, "c", null, 1);
  const { client, commit } = await begin(pool);
  const units = await store.transaction?.(client);
  assert.deepEqual(await units?.apply([writeUnit("first", null, 1)]), [{ kind: "made" }]);
  const large = (id: string, next = 1) => writeUnit(id, null, next, { message: Buffer.alloc(17 << 20, id) });
  const told = await units?.apply([large("a"), large("b"), large("c")]);
  assert.deepEqual(
    told?.map(({ kind }) => kind),
    ["not-made", "not-made", "conflict"],
  );
  assert.deepEqual(await units?.apply([large("a"), large("b")]), [{ kind: "made" }, { kind: "made" }]);
  await commit();
  assert.equal((await get(store, "b"))?.length, 17 << 20);
  assert.equal(await get(store, "first"), "message 1");
});

test("what is no transaction in which the gate can be held is refused, each for its reason", async (t) => {
  const { schema, open } = await newSchema(t, pool);
  const store = await open();
  const other = poolOf(await server.createDatabase());
  defer(t, () => other.end());
  const refuse = async (client: unknown, why: RegExp): Promise<void> => {
    const error = await rejectsWith("transaction-refused", async () => store.transaction?.(client));
    assert.match(error.message, why);
  };
  await refuse(pool, /no transaction/);
  const bare = await pool.connect();
  await refuse(bare, /no transaction/);
  bare.release();
  const failed = await begin(pool);
  await failed.client.query("select 1/0").catch(() => undefined);
  await refuse(failed.client, /failed before/);
  await failed.rollback();
  const reading = await begin(pool);
  await reading.client.query("set transaction read only");
  await refuse(reading.client, /read-only/);
  await reading.rollback();
  const another = await newSchema(t, pool);
  const { client, rollback } = await begin(pool);
  await pool.query(`update ${schema}.vault set id = 'another'`);
  await refuse(client, /another vault/);
  await rollback();
  assert.ok(another.schema !== schema);
});

/**
 * A hand in the rows of an outbox, of its streams, of the entries that heads name and of the checkpoint: whatever it puts
 * into a column is told, and fails nothing else.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Store } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import {
  append,
  idsOf,
  newEntries,
  newEntry,
  newStream,
  newTag,
  withEntry,
} from "../../../src/store-contract/entries.ts";
import type { OutboxEntry, StreamId, WaitingEntry } from "../../../src/stores/outbox.ts";
import { rejectsWith } from "../../support/errors.ts";
import { hand, keysFile } from "../../support/keys-file.ts";
import { at, live, make, remove, write } from "../../support/records.ts";
import { temporaryFolder } from "../../support/storage.ts";

interface Given {
  readonly path: string;
  readonly store: Store;
  readonly stream: StreamId;
  readonly entries: readonly OutboxEntry[];
}

/** Three entries of one stream that wait, each of an address. */
async function given(t: TestContext): Promise<Given> {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path);
  defer(t, () => store.close());
  const stream = newStream();
  const entries = [1, 2, 3].map((number) => newEntry(stream, number, { tag: newTag(), ends: number === 3 }));
  await append(store, ...entries);
  return { path, store, stream, entries };
}

const OLDEST = "where number = 1";
const MOST = "9223372036854775807";
const LEAST = "-9223372036854775808";

/** What is put where -> what is told of the entry. */
const OF_ENTRIES: readonly (readonly [set: string, told: Partial<WaitingEntry>])[] = [
  ...["x'00'", "x''", "zeroblob(16)", "zeroblob(100000)"].flatMap((value) => [
    [`id = ${value}`, { id: "" } as unknown as WaitingEntry] as const,
    [`stream = ${value}`, { stream: "" } as unknown as WaitingEntry] as const,
  ]),
  ...["0", "-1", MOST, LEAST].map((value) => [`number = ${value}`, { number: 0 }] as const),
  ...["7", "-1", MOST].map((value) => [`ends = ${value}`, { ends: false }] as const),
  ...["''", "'x'", "printf('%.22c', '+')", "printf('%.100000c', 'x')", "cast(zeroblob(22) as text)", "null"].map(
    (value) => [`tag = ${value}`, { tag: null }] as const,
  ),
  ...["x''", "x'00'", "zeroblob(33)", "zeroblob(100000)"].map(
    (value) => [`mac = ${value}`, { mac: new Uint8Array() }] as const,
  ),
  ...["x''", "zeroblob(1048577)", "zeroblob(5000000)"].map(
    (value) => [`text = ${value}`, { text: new Uint8Array() }] as const,
  ),
];

for (const [set, told] of OF_ENTRIES) {
  test(`an entry is told as what it is, and the others wait as ever: ${set}`, async (t) => {
    const { path, store, stream, entries } = await given(t);
    hand(path, `update outbox set ${set} ${OLDEST}`);
    const waiting = await store.outbox.take(9);
    const [damaged, ...others] = waiting;
    for (const [name, value] of Object.entries(told))
      assert.deepEqual(damaged![name as keyof WaitingEntry], value, name);
    assert.deepEqual(idsOf(others), idsOf(entries.slice(1)));
    assert.deepEqual(idsOf(await store.outbox.pending(entries.map(({ tag }) => tag!))).slice(-2), idsOf(others));
    const next = newEntry(stream, 4);
    await append(store, next);
    await store.outbox.drop([damaged!.position]);
    assert.deepEqual(idsOf(await store.outbox.take(9)), idsOf([...others, next]));
  });
}

for (const position of [LEAST, "-1", "4611686018427387904", MOST]) {
  test(`an entry in a place of a hand's own is found and goes, and others come after each other: ${position}`, async (t) => {
    const { path, store, stream, entries } = await given(t);
    hand(path, `update outbox set position = ${position} ${OLDEST}`);
    const more = newEntries(3, stream, 3);
    for (const entry of more) await append(store, entry);
    const waiting = await store.outbox.take(9);
    const moved = waiting.find(({ id }) => id === entries[0]!.id);
    assert.equal(String(moved?.position), position);
    const rest = waiting.filter((entry) => entry !== moved);
    assert.deepEqual(idsOf(rest), idsOf([...entries.slice(1), ...more]));
    await store.outbox.drop([moved!.position]);
    assert.equal((await store.outbox.waiting(9)).entries, 5);
  });
}

for (const moment of ["-1", MOST, LEAST])
  test(`since when what waits does is a date, whatever the row holds: ${moment}`, async (t) => {
    const { path, store, stream } = await given(t);
    hand(path, `update outbox set at = ${moment} ${OLDEST}`);
    hand(path, `update streams set at = ${moment}`);
    const { entries, since } = await store.outbox.waiting(9);
    assert.deepEqual([entries, since], [3, "1970-01-01T00:00:00.000Z"]);
    assert.equal((await store.outbox.streams([stream]))[0]?.at, "1970-01-01T00:00:00.000Z");
  });

for (const last of ["0", "-1", MOST, LEAST])
  test(`nothing goes on from a stream that is nowhere, and others do: ${last}`, async (t) => {
    const { path, store, stream } = await given(t);
    hand(path, `update streams set last = ${last}`);
    assert.equal((await store.outbox.streams([stream]))[0]?.last, 0);
    assert.equal((await store.outbox.listStreams({ after: null, limit: 9 }))[0]?.last, 0);
    for (const number of [1, 4])
      await rejectsWith("store-altered", () => store.outbox.append([newEntry(stream, number)], []));
    const unit = withEntry(write("ada", null, 1), stream, 4);
    await rejectsWith("store-altered", () => store.records.apply([unit], { atomic: true }));
    await append(store, newEntry(newStream(), 1));
    await make(store, withEntry(write("ada", null, 1), newStream(), 1));
    assert.equal((await store.outbox.waiting(9)).entries, 5);
  });

test("rows that are no stream's hide none, and take no place of a page", async (t) => {
  const { path, store, stream } = await given(t);
  hand(path, "update streams set stream = x'ff'");
  assert.deepEqual(await store.outbox.streams([stream]), [null]);
  assert.deepEqual(await store.outbox.append([newEntry(stream, 4)], []), { kind: "stream-moved", stream, last: 0 });
  hand(
    path,
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 50)
    insert into streams select cast(zeroblob(12) || printf('%04d', i) as blob), 1, 0 from n`,
  );
  const own = newStream();
  await append(store, newEntry(own, 1));
  const page = await store.outbox.listStreams({ after: null, limit: 1 });
  assert.deepEqual(
    page.map((row) => row.stream),
    [own],
  );
});

test("a number of changes that is none is no position", async (t) => {
  const { path, store, stream, entries } = await given(t);
  await store.close();
  hand(path, `update gate set commits = ${2 ** 52}`);
  const again = await sqliteStore(path);
  defer(t, () => again.close());
  const next = newEntry(stream, 4);
  await append(again, next);
  assert.deepEqual(idsOf(await again.outbox.take(9)), idsOf([...entries, next]));
});

for (const entry of ["x''", "x'00'", "zeroblob(16)", "zeroblob(100000)"])
  test(`an entry that a head names and that is none is told as damage: ${entry}`, async (t) => {
    const { path, store, stream } = await given(t);
    await make(store, withEntry(write("ada", null, 1), stream, 4), write("bob", null, 1));
    hand(path, `update heads set entry = ${entry} where entry is not null`);
    for (const { damage, entry: told } of [
      await store.records.read(at("ada"), null),
      ...(await store.records.heads([at("ada")])),
      await store.records.versions(at("ada"), { before: null, limit: 9 }),
      ...((await store.records.list(at("ada").collection, { after: null, limit: 1 })) ?? []),
    ])
      assert.deepEqual([damage, told], ["heads.entry", undefined]);
    const onto = withEntry(write("ada", live(1), 2), stream, 5);
    assert.deepEqual(await store.records.apply([onto], { atomic: true }), [{ kind: "conflict" }]);
    assert.equal((await store.records.read(at("bob"), null)).damage, undefined);
    await make(store, withEntry(remove("ada", "damaged", 1), stream, 5));
    const [gone] = await store.records.heads([at("ada")]);
    assert.deepEqual([gone?.head?.state, typeof gone?.entry, gone?.damage], ["removed", "string", undefined]);
  });

for (const note of ["''", "printf('%.65537c', 'x')", "printf('%.1000000c', 'x')"])
  test(`a checkpoint that is none is told, and is replaced by no one who has not seen it: ${note}`, async (t) => {
    const { path, store } = await keysFile(t);
    assert.equal(await store.checkpoint.replace("first", null), "replaced");
    hand(path, `update checkpoint set note = ${note}`);
    if (note === "''") assert.equal(await store.checkpoint.read(), "");
    else await rejectsWith("store-altered", () => store.checkpoint.read());
    for (const seen of ["first", null]) assert.equal(await store.checkpoint.replace("next", seen), "overtaken");
    await append(store, newEntry(newStream(), 1));
    await store.keys.counts();
  });

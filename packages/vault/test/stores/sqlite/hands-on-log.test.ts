/**
 * A hand in the rows of the audit's log: whatever it puts into a column, each question is answered or refused by an error
 * of the vault, and what was not touched is told as ever. That nothing of it is believed is for who verifies the log.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Lease } from "@strongroom/vault";
import { sqliteAuditLog } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import {
  add,
  addition,
  newHead,
  newLogEntries,
  newLogStream,
  newMessage,
  newSubtree,
} from "../../../src/store-contract/additions.ts";
import { day, leaseOf } from "../../../src/store-contract/changes.ts";
import { idsOf, newTag } from "../../../src/store-contract/entries.ts";
import type { AuditLog, KnownMessage, LogStream, NewLogEntry } from "../../../src/stores/audit-log.ts";
import { rejectsWith } from "../../support/errors.ts";
import { hand } from "../../support/keys-file.ts";
import { temporaryFolder } from "../../support/storage.ts";

const PERSON = "0b7d7f4e-0c55-4d3c-9d8e-55b1b0f7a3c1";

interface Given {
  readonly path: string;
  readonly log: AuditLog;
  readonly lease: Lease;
  readonly entries: readonly NewLogEntry[];
  readonly messages: readonly KnownMessage[];
  readonly streams: readonly LogStream[];
}

/** Three entries about somebody, two addresses, two streams: of each the first is for the hand. */
async function given(t: TestContext): Promise<Given> {
  const path = join(await temporaryFolder(t), "audit.sqlite");
  const log = await sqliteAuditLog(path);
  defer(t, () => log.close());
  const lease = await leaseOf(log);
  const entries = newLogEntries(3, { people: [PERSON, "vault"], at: day(2) });
  const messages = ["A", "B"].map((first) => newMessage(newTag().replace(/^./, first) as KnownMessage["tag"], 1));
  const heads = messages.map(({ tag }) => newHead(tag, 1));
  const streams = [newLogStream(4), newLogStream(5)].sort((a, b) => (a.stream < b.stream ? -1 : 1));
  await add(log, lease, { entries, messages, heads, streams, subtrees: [newSubtree(8, 0), newSubtree(8, 1)] });
  return { path, log, lease, entries, messages, streams };
}

const FIRST_STREAM = "stream = (select min(stream) from delivered)";
const NUMBERS = ["-1", "9223372036854775807", "-9223372036854775808"];
const TEXTS = ["''", "'x'", "printf('%.100000c', 'x')", "cast(x'ff00ff' as text)", "char(0)"];
const BYTES = ["x''", "x'00'", "zeroblob(16)", "zeroblob(33)", "zeroblob(2000000)"];

/** A table, which row of it is for the hand, and its columns -> what is put there. */
const ROWS: readonly (readonly [table: string, row: string, columns: Readonly<Record<string, readonly string[]>>])[] = [
  ["entries", "position = 0", { position: NUMBERS, at: NUMBERS }],
  ["entries", "position = 0", { id: BYTES, leaf: BYTES, text: [...BYTES, "null"] }],
  ["entries", "position = 0", { principal: TEXTS, action: TEXTS, collection: [...TEXTS, "null"] }],
  ["entry_people", "position = 0", { position: NUMBERS }],
  ["entry_people", "position = 0 and person <> 'vault'", { person: [...BYTES, ...TEXTS, "7", "1e300"] }],
  ["spans", "true", { span: NUMBERS, least: NUMBERS, greatest: NUMBERS }],
  ["subtrees", "place = 0", { height: NUMBERS, place: NUMBERS, hash: BYTES }],
  ["addresses", "tag < 'B'", { tag: TEXTS, version: NUMBERS, state: TEXTS, entry: [...BYTES, "null"] }],
  ["messages", "tag < 'B'", { tag: TEXTS, version: NUMBERS, sha256: BYTES }],
  ["delivered", FIRST_STREAM, { outbox: TEXTS, stream: BYTES, number: NUMBERS, ended: NUMBERS }],
];

const CHANGES = ROWS.flatMap(([table, row, columns]) =>
  Object.entries(columns).flatMap(([column, values]) =>
    values.map((value) => `update ${table} set ${column} = ${value} where ${row}`),
  ),
);

for (const sql of CHANGES)
  test(`what was not touched is told as ever: ${sql}`, async (t) => {
    const { path, log, lease, entries, messages, streams } = await given(t);
    hand(path, sql);
    const [, message] = messages;
    const { tag, ...ofVersion } = message!;
    const latest = await log.latest(messages.map((one) => ({ tag: one.tag, message: ofVersion })));
    assert.deepEqual([latest[1]!.head?.version, latest[1]!.isKnown], [1, true]);
    const rows = await log.entries({ from: 0, limit: 9 });
    for (const id of idsOf(entries.slice(1))) assert.ok(rows.some((row) => row.id === id));
    assert.deepEqual(await log.positions(idsOf(entries.slice(1))), [1, 2]);
    assert.ok((await log.heads({ only: "live", after: null, limit: 9 })).some((head) => head.tag === tag));
    assert.ok(
      (await log.streams("records", { after: null, limit: 9 })).some(({ stream }) => stream === streams[1]!.stream),
    );
    assert.equal((await log.hashes({ height: 0, start: 1, end: 9 })).length, 2);
    assert.equal((await log.hashes({ height: 8, start: 1, end: 2 })).length, 1);
    for (const order of ["oldest", "newest"] as const)
      for (const query of [
        {},
        { people: [PERSON] },
        { people: ["vault"] },
        { principal: "local" },
        { action: "read" },
      ]) {
        const found = idsOf(await log.find(query, { order, after: null, limit: 9 }));
        for (const id of idsOf(entries.slice(1))) assert.ok(found.includes(id), JSON.stringify(query));
      }
    await log.find({ since: day(1), until: day(3) }, { order: "oldest", after: null, limit: 9 });
    await log.counts();
    const last = newLogEntries(1, { at: day(4) });
    await add(log, lease, { entries: last, heads: [newHead(tag, 2)] });
    assert.deepEqual(await log.positions(idsOf(last)), [3]);
    assert.ok((await log.forgettable({ before: day(3), keep: [], from: 0, limit: 9 })).length >= 1);
    assert.ok((await log.forget([{ from: 1, to: 2 }])) === 1);
    assert.equal((await log.entries({ from: 1, limit: 1 }))[0]?.text, null);
  });

for (const set of [
  ...TEXTS.map((value) => `history = ${value}`),
  ...NUMBERS.flatMap((value) => ["size", "published", "adopted", "forgotten"].map((column) => `${column} = ${value}`)),
  ...["x'00'", "zeroblob(34)", "zeroblob(3300000)"].map((value) => `peaks = ${value}`),
])
  test(`a log that does not say how far it is says that, and nothing is added: ${set}`, async (t) => {
    const { path, log, lease, entries } = await given(t);
    const before = await log.state();
    hand(path, `update log_state set ${set}`);
    await rejectsWith("store-altered", () => log.state());
    await rejectsWith("store-altered", () =>
      log.integrate(before, addition(before, { entries: newLogEntries(1) }), lease),
    );
    assert.deepEqual(idsOf(await log.entries({ from: 0, limit: 9 })), idsOf(entries));
  });

test("a log without the row that says how far it is says that", async (t) => {
  const { path, log } = await given(t);
  hand(path, "delete from log_state");
  await rejectsWith("store-altered", () => log.state());
  await log.counts();
});

test("an entry in the place of the next one is not written over", async (t) => {
  const { path, log, lease, entries } = await given(t);
  hand(
    path,
    `insert into entries select 3, zeroblob(16), leaf, at, principal, action, collection, text
    from entries where position = 0`,
  );
  const before = await log.state();
  const more = newLogEntries(1);
  await rejectsWith("store-failed", () => log.integrate(before, addition(before, { entries: more }), lease));
  assert.deepEqual(await log.positions(idsOf([...more, ...entries])), [null, 0, 1, 2]);
});

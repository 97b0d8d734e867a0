/**
 * Somebody changes what waits in an outbox before it is carried to the log: whatever it is, it is told by name.
 */
import assert from "node:assert/strict";
import test from "node:test";
import type { KeptEntry } from "../../src/stores/memory/outbox-table.ts";
import { verifyAuditLog } from "../../src/audit/verify-log.ts";
import { Rig } from "./support/rig.ts";
import type { Lane, TestProcess } from "./support/rig.ts";
import { changeRows, tables } from "./support/snapshot.ts";

type Change = (row: KeptEntry, index: number) => KeptEntry | readonly KeptEntry[] | null;

/** Three entries of one lane wait while somebody changes them; then they are carried. */
async function carriedAfter(
  change: Change,
  then: (one: TestProcess, lane: Lane) => Promise<void> = async () => undefined,
) {
  const rig = new Rig();
  const one = await rig.open();
  const lane = one.lane();
  const ids = [await one.append(lane), await one.append(lane), await one.write(lane, "ada")];
  changeRows(rig, "records", change);
  await then(one, lane);
  one.service.start();
  await one.sequence().catch(() => undefined);
  const told = await tellings(one);
  await one.service.close();
  const { key } = await one.service.status();
  assert.deepEqual((await verifyAuditLog(one.stores.log, { key })).problems, [], "the log is whole all the same");
  assert.equal((await one.stores.store.outbox.waiting(10)).entries, 0);
  const inLog = (await one.stores.log.positions(ids)).map((position) => position !== null);
  return { told, lane, alarms: one.alarms.map(({ code }) => code), inLog, one };
}

/** What the log says of itself, but for the adoption. */
async function tellings({ stores: { log } }: TestProcess): Promise<readonly (readonly [string, unknown])[]> {
  const rows = await log.entries({ from: 0, limit: 100 });
  return rows.flatMap(({ text }) => {
    const { action, details } = JSON.parse(Buffer.from(text ?? "{}").toString()) as {
      action: string;
      details: unknown;
    };
    return action === "gap" || action === "altered" ? [[action, details] as const] : [];
  });
}

const second: (change: (row: KeptEntry) => KeptEntry | readonly KeptEntry[] | null) => Change =
  (change) => (row, index) => (index === 1 ? change(row) : row);

test("a row that is taken away is a hole that has a name", async () => {
  const { told, lane, alarms, inLog } = await carriedAfter(second(() => null));
  assert.deepEqual(told, [["gap", { outbox: "records", stream: lane.stream, from: 2, to: 2 }]]);
  assert.deepEqual(alarms, ["gap"]);
  assert.deepEqual(inLog, [true, false, true]);
});

test("so are the last rows of a stream, and all of them", async () => {
  for (const from of [1, 0]) {
    const { told, lane, alarms } = await carriedAfter((row, index) => (index < from ? row : null));
    assert.deepEqual(told, [["gap", { outbox: "records", stream: lane.stream, from: from + 1, to: 3 }]]);
    assert.deepEqual(alarms, ["gap"]);
  }
});

test("a text or an authentication code that is changed is never a part of the log", async () => {
  const changes: readonly ((row: KeptEntry) => KeptEntry)[] = [
    (row) => ({ ...row, text: Buffer.from(Buffer.from(row.text).toString().replace("local", "other")) }),
    (row) => ({ ...row, text: Buffer.from("") }),
    (row) => ({ ...row, mac: Buffer.alloc(32) }),
    (row) => ({ ...row, mac: Buffer.alloc(0) }),
  ];
  for (const change of changes) {
    const { told, lane, alarms, inLog } = await carriedAfter(second(change));
    assert.equal(told.length, 1);
    const [action, details] = told[0]!;
    assert.equal(action, "altered");
    assert.deepEqual(
      { ...(details as object), entry: null },
      { outbox: "records", stream: lane.stream, number: 2, entry: null, what: "text" },
    );
    assert.deepEqual(alarms, ["altered"]);
    assert.deepEqual(inLog, [true, false, true]);
  }
});

test("what stands beside a text that is changed does not change where it belongs", async () => {
  const other = "11111111-1111-4111-8111-111111111111";
  const changes: readonly ((row: KeptEntry) => KeptEntry)[] = [
    (row) => ({ ...row, number: 7 }),
    (row) => ({ ...row, stream: other as typeof row.stream }),
    (row) => ({ ...row, id: other as typeof row.id }),
    (row) => ({ ...row, ends: true }),
    (row) => ({ ...row, tag: "A".repeat(22) as typeof row.tag }),
  ];
  for (const change of changes) {
    const { told, alarms, inLog } = await carriedAfter(second(change));
    assert.deepEqual(
      told.map(([action, details]) => [action, (details as { what?: string }).what]),
      [["altered", "columns"]],
    );
    assert.deepEqual(alarms, ["altered"]);
    assert.deepEqual(inLog, [true, true, true]);
  }
});

test("a text under another number, or the number of another, is told", async () => {
  // The number in the text too: without the key nobody makes its code.
  const { told } = await carriedAfter(
    second((row) => ({
      ...row,
      number: 3,
      text: Buffer.from(Buffer.from(row.text).toString().replace('"number":2', '"number":3')),
    })),
  );
  assert.deepEqual(
    told.map(([action]) => action),
    ["altered", "gap"],
  );
});

test("a row that is there twice, or again, is told, and is in the log once", async () => {
  const { told, alarms, inLog } = await carriedAfter(second((row) => [row, row]));
  assert.deepEqual(
    told.map(([action, details]) => [action, (details as { what?: string }).what]),
    [["altered", "copy"]],
  );
  assert.deepEqual(alarms, ["altered"]);
  assert.deepEqual(inLog, [true, true, true]);
});

test("a row that was carried and dropped comes back", async () => {
  const rig = new Rig();
  const one = await rig.open();
  const lane = one.lane();
  await one.append(lane);
  const [kept] = tables(rig, "records").outbox.first(1);
  one.service.start();
  await one.sequence();
  tables(rig, "records").outbox.add(kept!);
  await one.append(lane);
  await one.sequence();
  await one.service.close();
  assert.deepEqual(
    one.alarms.map(({ code }) => code),
    ["altered"],
  );
  assert.match(
    one.alarms[0]!.message,
    new RegExp(`number 1 of stream ${lane.stream} in the records outbox was put there again`),
  );
});

test("rows of two outboxes that are swapped are told", async () => {
  const rig = new Rig();
  const one = await rig.open();
  const [ofRecords, ofKeys] = [one.lane(), one.lane("keys")];
  await one.append(ofRecords);
  await one.append(ofKeys);
  const [a] = tables(rig, "records").outbox.first(1);
  const [b] = tables(rig, "keys").outbox.first(1);
  changeRows(rig, "records", () => b!);
  changeRows(rig, "keys", () => a!);
  one.service.start();
  await one.sequence().catch(() => undefined);
  await one.service.close();
  assert.ok(one.alarms.length > 0);
});

test("a write that builds on what was not the newest is told", async () => {
  const rig = new Rig();
  const one = await rig.open();
  const lane = one.lane();
  one.service.start();
  await one.write(lane, "ada");
  await one.sequence();
  const kept = one.records.get("ada")!;
  await one.write(lane, "ada");
  await one.sequence();
  // The row is set back, and the writer did not look at the log.
  const rows = (tables(rig, "records") as unknown as { records: Map<string, object> }).records;
  const [[place, row]] = [...rows] as [[string, { versions: readonly object[] }]];
  rows.set(place, { ...row, head: kept.head, entry: kept.entry, versions: row.versions.slice(0, 1) });
  one.records.set("ada", kept);
  await one.write(lane, "ada");
  await one.sequence();
  await one.service.close();
  assert.deepEqual(
    one.alarms.map(({ code }) => code),
    ["altered"],
  );
  assert.match(one.alarms[0]!.message, /builds on a state of its record that was not the newest/);
});

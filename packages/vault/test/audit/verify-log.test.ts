/**
 * The log as a whole, verified after every kind of change to every column that it has.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import test from "node:test";
import { leafHash } from "@strongroom/tlog/tree";
import { verifyAuditLog } from "../../src/audit/verify-log.ts";
import type { LogTables } from "../../src/stores/memory/log-tables.ts";
import type { AddressTag, EntryId, StreamId } from "../../src/stores/outbox.ts";
import { Rig } from "./support/rig.ts";
import type { TestProcess } from "./support/rig.ts";
import { keep, logTables } from "./support/snapshot.ts";

/** A log with entries of every kind. */
async function filled(rig: Rig): Promise<TestProcess> {
  const before = await rig.open();
  await before.write(before.lane(), "from before", { audited: false });
  const one = await rig.open();
  await one.tellStores("open");
  one.service.start();
  const lanes = [one.lane(), one.lane(), one.lane("keys")] as const;
  const key = "22222222-2222-4222-8222-222222222222";
  const people = [{ key, sealed: "A".repeat(64) }];
  for (let count = 0; count < 140; count++) {
    await one.append(lanes[count % 3]!, { people, collection: "people", principal: `token-${count % 4}` });
    await one.write(lanes[count % 2]!, `person-${count % 20}`, {
      removes: count % 20 === 7 && count > 20 && count < 40,
    });
  }
  await one.sequence();
  for (let turns = 0; turns < 100 && !(await one.stores.log.state()).adopted; turns++) await one.sequence();
  await one.close(lanes[0], lanes[2]);
  return one;
}

type Change = (tables: LogTables) => void;

const MIDDLE = 100;

function entry(
  change: (entry: LogTables["entries"][number]) => Partial<LogTables["entries"][number]>,
  at = MIDDLE,
): Change {
  return ({ entries }) => {
    entries[at] = { ...entries[at]!, ...change(entries[at]!) };
  };
}

const state =
  (change: (state: LogTables["state"]) => Partial<LogTables["state"]>): Change =>
  (tables) => {
    tables.state = { ...tables.state, ...change(tables.state) };
  };

/** The first row of a table, changed; null: taken away. */
function row<Key, Row>(table: (tables: LogTables) => Map<Key, Row>, change: (row: Row) => Row | null): Change {
  return (tables) => {
    const rows = table(tables);
    const [[key, first]] = [...rows] as [[Key, Row]];
    const changed = change(first);
    if (changed === null) rows.delete(key);
    else rows.set(key, changed);
  };
}

const textOf = ({ text }: { readonly text: Uint8Array | null }): string => Buffer.from(text ?? "").toString("utf8");

const CHANGES: Readonly<Record<string, Change>> = {
  "entry: gone": ({ entries }) => void entries.splice(MIDDLE, 1),
  "entry: last gone": ({ entries }) => void entries.pop(),
  "entry: twice": ({ entries }) => void entries.splice(MIDDLE, 0, entries[MIDDLE]!),
  "entry: two swapped": ({ entries }) => {
    [entries[MIDDLE], entries[MIDDLE + 1]] = [entries[MIDDLE + 1]!, entries[MIDDLE]!];
  },
  "entry: one more": ({ entries }) => void entries.push({ ...entries[MIDDLE]!, position: entries.length }),
  "entry: position": entry(({ position }) => ({ position: position + 1 })),
  "entry: id": entry(() => ({ id: randomUUID() as string as EntryId })),
  "entry: text": entry((one) => ({
    text: Buffer.from(textOf(one).replace("local", "other").replace("token", "nekot")),
  })),
  "entry: text and leaf": entry((one) => {
    const text = Buffer.from(textOf(one).replace("local", "other").replace("token", "nekot"));
    return { text, leaf: leafHash(text) };
  }),
  "entry: text emptied": entry(() => ({ text: Buffer.alloc(0) })),
  "entry: text forgotten": entry(() => ({ text: null, people: [] })),
  "entry: leaf": entry(() => ({ leaf: randomBytes(32) })),
  "entry: at": entry(() => ({ at: "2020-01-01T00:00:00.000Z" })),
  "entry: principal": entry(() => ({ principal: "somebody" })),
  "entry: action": entry(({ action }) => ({ action: action === "read" ? "list" : "read" })),
  "entry: collection": entry(() => ({ collection: "others" })),
  "entry: collection gone": entry(() => ({ collection: null })),
  "entry: people": entry(() => ({ people: [randomUUID()] })),
  "entry: index of ids": ({ positions, entries }) => void positions.set(entries[MIDDLE]!.id, 3),
  "entry: not in the index of ids": ({ positions, entries }) => void positions.delete(entries[MIDDLE]!.id),
  "state: history": state(() => ({ history: randomUUID() })),
  "state: history gone": state(() => ({ history: null })),
  "state: size": state(({ size }) => ({ size: size - 1 })),
  "state: subtrees": state(({ subtrees }) => ({ subtrees: subtrees.slice(1) })),
  "state: subtree's hash": state(({ subtrees }) => ({
    subtrees: subtrees.map((one) => ({ ...one, hash: randomBytes(32) })),
  })),
  "state: checkpoint": state(({ checkpoint }) => ({ checkpoint: checkpoint!.replace("\n\n", "\nmore\n\n") })),
  "state: checkpoint gone": state(() => ({ checkpoint: null })),
  "subtree: hash": row(
    ({ subtrees }) => subtrees,
    () => randomBytes(32),
  ),
  "subtree: gone": row(
    ({ subtrees }) => subtrees,
    () => null,
  ),
  "subtree: one more": ({ subtrees }) => void subtrees.set("8/7", randomBytes(32)),
  "head: version": row(
    ({ heads }) => heads,
    (head) => ({ ...head, version: (head.version + 1) as typeof head.version }),
  ),
  "head: state": row(
    ({ heads }) => heads,
    (head) => ({ ...head, state: head.state === "live" ? ("removed" as const) : ("live" as const) }),
  ),
  "head: entry": row(
    ({ heads }) => heads,
    (head) => ({ ...head, entry: randomUUID() as string as EntryId }),
  ),
  "head: entry gone": ({ heads }) => {
    const found = [...heads.values()].find(({ entry: id }) => id !== null)!;
    heads.set(found.tag, { ...found, entry: null });
  },
  "head: gone": row(
    ({ heads }) => heads,
    () => null,
  ),
  "head: one more": ({ heads }) => {
    const [head] = [...heads.values()];
    heads.set("B".repeat(22) as AddressTag, { ...head!, tag: "B".repeat(22) as AddressTag });
  },
  "message: another": row(
    ({ messages }) => messages,
    (known) => new Set([`1/${"0".repeat(64)}`, ...[...known].slice(1)]),
  ),
  "message: gone": row(
    ({ messages }) => messages,
    () => null,
  ),
  "message: one more": row(
    ({ messages }) => messages,
    (known) => new Set([...known, `1/${"0".repeat(64)}`]),
  ),
  "stream: number": row(
    ({ known }) => known.records,
    (stream) => ({ ...stream, number: stream.number + 1 }),
  ),
  "stream: of the store, gone": row(
    ({ known }) => known.records,
    () => null,
  ),
  "stream: one more": ({ known }) => {
    const stream = randomUUID() as string as StreamId;
    known.records.set(stream, { outbox: "records", stream, number: 3, ended: false });
  },
};

test("a whole log has no problems, and each change to it has", async () => {
  const rig = new Rig();
  const one = await filled(rig);
  const { key } = await one.service.status();
  const verified = (): Promise<{ readonly problems: readonly unknown[] }> => verifyAuditLog(one.stores.log, { key });
  assert.deepEqual((await verified()).problems, []);
  const whole = keep(rig, "log");
  const unseen: string[] = [];
  for (const [name, change] of Object.entries(CHANGES)) {
    change(logTables(rig));
    const { problems } = await verified();
    if (problems.length === 0) unseen.push(name);
    whole();
  }
  assert.deepEqual(unseen, []);
  assert.deepEqual((await verified()).problems, []);
});

test("a log goes on from checkpoints that were kept, and from no other", async () => {
  const rig = new Rig();
  const one = await rig.open();
  const lane = one.lane();
  one.service.start();
  const notes: string[] = [];
  for (let count = 0; count < 12; count++) {
    await one.append(lane);
    await one.sequence();
    notes.push((await one.stores.log.state()).checkpoint!);
  }
  await one.service.close();
  const { key } = await one.service.status();
  const checkpoints = [...notes].reverse();
  assert.deepEqual((await verifyAuditLog(one.stores.log, { key, checkpoints })).problems, []);
  // Another log of the same vault, by the same key: the entries have other ids.
  const forked = new Rig();
  const other = await forked.open();
  other.service.start();
  await other.append(other.lane());
  await other.sequence();
  await other.service.close();
  const { problems } = await verifyAuditLog(other.stores.log, { key, checkpoints });
  assert.equal(problems.length, notes.length);
  const foreign = await verifyAuditLog(one.stores.log, { key, checkpoints: ["nothing"] });
  assert.deepEqual(
    foreign.problems.map(({ code }) => code),
    ["checkpoint"],
  );
});

test("what was forgotten is counted, and the tree stays", async () => {
  const rig = new Rig();
  await filled(rig);
  const one = await rig.open();
  one.service.start();
  const { log } = one.stores;
  const { key } = await one.service.status();
  const gone = await one.forget(one.lane());
  const report = await verifyAuditLog(log, { key });
  assert.deepEqual(report.problems, []);
  assert.ok(gone > 280);
  assert.equal(report.forgotten, gone);
});

test("a verification can be ended, and tells how far it is", async () => {
  const one = await filled(new Rig());
  const { key, size } = await one.service.status();
  const told: number[] = [];
  await verifyAuditLog(one.stores.log, { key, progress: (done) => told.push(done) });
  assert.equal(told.at(-1), size);
  await assert.rejects(verifyAuditLog(one.stores.log, { key, signal: AbortSignal.abort() }), { code: "aborted" });
  await assert.rejects(verifyAuditLog(one.stores.log, { key: "no key" }), { code: "vault-option-invalid" });
});

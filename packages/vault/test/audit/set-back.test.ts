/**
 * Whole stores put back to an older copy, one, two or all three of them, at rest and while the vault is open.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { isVaultError } from "../../src/errors.ts";
import { verifyAuditLog } from "../../src/audit/verify-log.ts";
import type { LogState } from "../../src/stores/audit-log.ts";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { recordKey } from "../../src/stores/memory/tables.ts";
import { FaultyCalls } from "./support/faults.ts";
import { MemoryWitness } from "./support/memory-witness.ts";
import { Rig } from "./support/rig.ts";
import type { TestProcess } from "./support/rig.ts";
import { keep, logTables, STORE_NAMES } from "./support/snapshot.ts";
import type { StoreName } from "./support/snapshot.ts";

const ALL: readonly (readonly StoreName[])[] = [
  ["records"],
  ["keys"],
  ["log"],
  ["records", "keys"],
  ["records", "log"],
  ["keys", "log"],
];

/** One process from its beginning to its end. */
async function session(rig: Rig, witness: MemoryWitness, id: string): Promise<TestProcess> {
  const one = await rig.open({ witnesses: [witness] });
  await one.tellStores("open");
  one.service.start();
  const lanes = [one.lane(), one.lane("keys")] as const;
  await one.write(lanes[0], id);
  await one.append(lanes[1]);
  await one.sequence();
  await one.close(...lanes);
  assert.deepEqual([one.alarms, one.faults], [[], []]);
  return one;
}

const keepAll = (rig: Rig): Readonly<Record<StoreName, () => void>> => ({
  records: keep(rig, "records"),
  keys: keep(rig, "keys"),
  log: keep(rig, "log"),
});

const recordTables = (rig: Rig): ReturnType<typeof tablesOf> => tablesOf(rig.records);

const isRolledBack = (error: unknown): boolean => isVaultError(error) && error.code === "store-rolled-back";

test("a store or two of them that are set back at rest are refused, and named", async () => {
  const named: Readonly<Record<string, RegExp>> = {
    records: /the record store is older than the audit's log/,
    keys: /the key store is older than the audit's log/,
    log: /the key store has seen \d+ entries of the audit's log, and there are \d+/,
  };
  for (const names of ALL) {
    const rig = new Rig();
    const witness = new MemoryWitness();
    await session(rig, witness, "ada");
    const older = keepAll(rig);
    await session(rig, witness, "grace");
    const newest = keepAll(rig);
    for (const name of names) older[name]();
    await assert.rejects(rig.open(), (error: Error) => {
      assert.ok(isRolledBack(error), `${names.join(", ")}: ${error.message}`);
      const [only] = names;
      if (names.length === 1 && only !== undefined) assert.match(error.message, named[only]!);
      return true;
    });
    for (const name of names) newest[name]();
    await session(rig, witness, "joan");
  }
});

test("all three that are set back agree with each other: a witness tells", async () => {
  const rig = new Rig();
  const witness = new MemoryWitness();
  await session(rig, witness, "ada");
  const older = keepAll(rig);
  await session(rig, witness, "grace");
  for (const name of STORE_NAMES) older[name]();
  await assert.rejects(rig.open({ witnesses: [witness] }), /the witness has seen \d+ entries of the audit's log/);
  const unseen = await rig.open();
  await unseen.service.close();
});

test("stores that are emptied are refused", async () => {
  for (const names of [...ALL, STORE_NAMES]) {
    const rig = new Rig();
    const witness = new MemoryWitness();
    const empty = keepAll(rig);
    await session(rig, witness, "ada");
    for (const name of names) empty[name]();
    await assert.rejects(rig.open({ witnesses: [witness] }), isRolledBack, names.join(", "));
  }
});

test("a store or two of them that are set back while the vault is open end it", async () => {
  for (const names of ALL) {
    const rig = new Rig();
    const witness = new MemoryWitness();
    const one = await rig.open({ witnesses: [witness] });
    await one.tellStores("open");
    one.service.start();
    const [lane, ofKeys] = [one.lane(), one.lane("keys")];
    await one.write(lane, "ada");
    await one.append(ofKeys);
    await one.sequence();
    const older = keepAll(rig);
    await one.write(lane, "grace");
    await one.append(ofKeys);
    await one.sequence();
    one.service.requireWhole();
    for (const name of names) older[name]();
    rig.pass(20_000);
    for (let turns = 0; turns < 2000 && one.alarms.length === 0; turns++) await setImmediate();
    assert.ok(one.alarms.length > 0, names.join(", "));
    const isRefused = one.alarms.some(({ code }) => code === "store-rolled-back");
    if (isRefused)
      assert.throws(() => {
        one.service.requireWhole();
      }, isRolledBack);
    // The log and the key store together, while no process opens or closes: what is gone from the log is told as holes.
    assert.equal(isRefused, true, names.join(", "));
    await one.service.close();
  }
});

test("a log that is replaced by another vault's, or forged, is refused", async () => {
  const rig = new Rig();
  await session(rig, new MemoryWitness(), "ada");
  const own = logTables(rig);
  const newest = own.state;
  const cases: readonly (readonly [Partial<LogState>, RegExp])[] = [
    [{ checkpoint: newest.checkpoint?.replace(/ [A-Za-z0-9+/]/, " B") ?? null }, /not signed by its key/],
    [{ size: newest.size - 1 }, /another tree than its checkpoint/],
    [{ checkpoint: null }, /not signed/],
    [{ history: "0".repeat(36) }, /another history/],
    [{ subtrees: newest.subtrees.slice(1) }, /another tree than its checkpoint/],
    [{ published: newest.published + 1 }, /the key store is older/],
  ];
  for (const [change, message] of cases) {
    own.state = { ...newest, ...change };
    await assert.rejects(rig.open(), message);
  }
  own.state = newest;
  await (await rig.open()).service.close();
});

test("a restore is accepted, with what was lost, and everything goes on", async () => {
  for (const names of [...ALL, STORE_NAMES]) {
    const rig = new Rig();
    const witness = new MemoryWitness();
    await session(rig, witness, "ada");
    const older = keepAll(rig);
    await session(rig, witness, "grace");
    await session(rig, witness, "ada");
    for (const name of names) older[name]();
    const label = names.join(", ");
    const one = await rig.open({ witnesses: [witness], acceptRestore: "a disk was lost" });
    assert.deepEqual(
      one.alarms.map(({ code }) => code).filter((code) => code !== "gap"),
      ["accept-restore"],
      label,
    );
    // Before anybody reads: until then any record would be taken as it is.
    assert.equal((await one.stores.log.state()).adopted, true, label);
    await one.tellStores("open");
    one.service.start();
    const lane = one.lane();
    await one.write(lane, "joan");
    await one.sequence();
    await one.close(lane);
    const said = await one.stores.log.find({ action: "accept-restore" }, { order: "newest", after: null, limit: 2 });
    assert.equal(said.length, 1, label);
    const { details } = JSON.parse(Buffer.from(said[0]?.text ?? "").toString()) as { details: Record<string, unknown> };
    assert.equal(details["reason"], "a disk was lost");
    const [records, log] = [names.includes("records"), names.includes("log")];
    const found = [details["recordsDiffering"], details["recordsMissing"]];
    assert.deepEqual(found, [records === log ? 0 : 1, records && !log ? 1 : 0], label);
    // For the same reason it is done once.
    await assert.rejects(async () => {
      const newest = keepAll(rig);
      older.records();
      await rig.open({ witnesses: [witness], acceptRestore: "a disk was lost" }).finally(() => {
        newest.records();
      });
    }, /entry \d+ of the audit has accepted a restore for the very reason/);
    // From then on it is a vault as every other.
    const next = await session(rig, witness, "mary");
    const { key } = await next.service.status();
    assert.deepEqual((await verifyAuditLog(next.stores.log, { key })).problems, [], label);
    // And what was given up stays so: put back, it is refused.
    for (const name of names) older[name]();
    await assert.rejects(rig.open({ witnesses: [witness] }), isRolledBack, label);
  }
});

test("a process that ends while a restore is accepted leaves it to be accepted again", async () => {
  let isOver = false;
  for (let at = 1; !isOver; at++) {
    const rig = new Rig();
    const witness = new MemoryWitness();
    await session(rig, witness, "ada");
    const older = keepAll(rig);
    await session(rig, witness, "grace");
    older.records();
    const faulty = new FaultyCalls(at, "dies after");
    await rig.open({ acceptRestore: "a test" }, faulty.stores(rig.stores())).then(
      async (one) => one.service.close(),
      () => undefined,
    );
    isOver = faulty.calls < at;
    const next = await rig.open({ acceptRestore: "a test" });
    assert.equal((await next.stores.log.state()).adopted, true, `dies after call ${at}`);
    next.service.start();
    await next.sequence();
    await next.service.close();
    await session(rig, witness, "joan");
  }
});

test("the lost tail of a standby is accepted by itself, and no more than that", async () => {
  const rig = new Rig();
  const witness = new MemoryWitness();
  const one = await rig.open({ witnesses: [witness] });
  await one.tellStores("open");
  one.service.start();
  const lane = one.lane();
  await one.write(lane, "ada");
  await one.sequence();
  const older = keepAll(rig);
  await one.write(lane, "grace");
  rig.pass(3000);
  await one.write(lane, "joan");
  await one.sequence();
  await one.service.close();
  older.records();
  await assert.rejects(rig.open({ witnesses: [witness], acceptTailMs: 2000 }), isRolledBack);
  const next = await rig.open({ witnesses: [witness], acceptTailMs: 60_000 });
  assert.deepEqual(
    next.alarms.map(({ code }) => code),
    ["accept-restore"],
  );
  await next.service.close();
  await session(rig, witness, "mary");
});

test("a process opens behind more bytes than an outbox gives out at once, which is no log that was set back", async () => {
  const rig = new Rig();
  await session(rig, new MemoryWitness(), "ada");
  const killed = await rig.open();
  const lane = killed.lane();
  const details = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`n${index}`, "x".repeat(65_000)]));
  for (let count = 0; count < 20; count++) await killed.append(lane, { details });
  await killed.tellStores("open");
  const next = await rig.open();
  next.service.start();
  await next.sequence();
  assert.deepEqual([next.alarms, next.faults], [[], []]);
  await next.service.close();
});

describe("what is passed off as the lost tail of a standby", () => {
  /** A vault in which ada's removal was the last of its stream, and others went on for a while. */
  async function removed({ after }: { readonly after: number }): Promise<{
    readonly rig: Rig;
    readonly undo: (...ids: readonly string[]) => void;
  }> {
    const rig = new Rig();
    const one = await rig.open();
    await one.tellStores("open");
    one.service.start();
    const [lane, other] = [one.lane(), one.lane()];
    await one.write(lane, "ada");
    await one.write(other, "eve");
    await one.sequence();
    while (!(await one.stores.log.state()).adopted) await setImmediate();
    const own = recordTables(rig);
    const [records, stream] = [new Map(own.records), own.streams.get(lane.stream)!];
    rig.pass(1000);
    await one.write(other, "eve");
    await one.write(lane, "ada", { removes: true });
    // Time passes while it is waited for.
    if (after > 0) await one.sequence();
    rig.pass(after);
    await one.append(other);
    await one.sequence();
    await one.service.close();
    const undo = (...ids: readonly string[]): void => {
      for (const [key, row] of records) if (ids.includes(row.address.id)) own.records.set(key, row);
      own.streams.set(lane.stream, stream);
    };
    return { rig, undo };
  }

  const accepts = async ({ rig }: { readonly rig: Rig }): Promise<void> => {
    const next = await rig.open({ acceptTailMs: 1000 });
    assert.deepEqual(
      next.alarms.map(({ code }) => code),
      ["accept-restore"],
    );
    await next.service.close();
  };
  const refuses = async ({ rig }: { readonly rig: Rig }): Promise<void> =>
    assert.rejects(rig.open({ acceptTailMs: 1000 }), isRolledBack);

  test("is one where the entry that is missing was written a moment ago", async () => {
    const vault = await removed({ after: 0 });
    vault.undo("ada");
    await accepts(vault);
  });

  test("is none where others have written for long since", async () => {
    const vault = await removed({ after: 3_600_000 });
    vault.undo("ada");
    await refuses(vault);
  });

  test("is none where other records were set back with it, or are gone, or were planted", async () => {
    const setBack = await removed({ after: 0 });
    setBack.undo("ada", "eve");
    await refuses(setBack);
    const gone = await removed({ after: 0 });
    gone.undo("ada");
    const { records } = recordTables(gone.rig);
    const [key, row] = [...records].find(([, { address }]) => address.id === "eve")!;
    records.delete(key);
    await refuses(gone);
    records.set(key, row);
    const planted = { ...row, address: { ...row.address, id: "mallory" as never } };
    records.set(recordKey(planted.address), planted);
    await refuses(gone);
    records.delete(recordKey(planted.address));
    await accepts(gone);
  });
});

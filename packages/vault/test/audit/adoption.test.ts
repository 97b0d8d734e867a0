/**
 * Records of before the audit get entries, while others go on writing.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { verifyAuditLog } from "../../src/audit/verify-log.ts";
import { at } from "../../src/store-contract/changes.ts";
import { FaultyCalls } from "./support/faults.ts";
import { Rig } from "./support/rig.ts";
import type { TestProcess } from "./support/rig.ts";

async function adopted(one: TestProcess): Promise<void> {
  for (let turns = 0; turns < 5000; turns++) {
    if ((await one.stores.log.state()).adopted) return;
    await setImmediate();
  }
  assert.fail("it does not end");
}

/** Every version of every record is known to the log, and its head is the record's. */
async function assertKnown(one: TestProcess, ids: readonly string[]): Promise<void> {
  const { store, log } = one.stores;
  for (const id of ids) {
    const { head, entry, versions } = await store.records.versions(at(id), { before: null, limit: 100 });
    for (const { version } of versions) {
      const { stored } = await store.records.read(at(id), version);
      const sha256 = hash("sha256", stored!.message, "buffer");
      const [latest] = await log.latest([{ tag: one.rig.keys.tag(at(id)), message: { version, sha256 } }]);
      assert.equal(latest?.isKnown, true, `version ${version} of ${id}`);
      assert.deepEqual(latest.head, { version: head!.version, state: head?.state, entry: entry ?? null }, id);
    }
  }
}

test("everything that is there is adopted, while writes and removals go on", async () => {
  const rig = new Rig();
  const before = await rig.open();
  const ids = Array.from({ length: 300 }, (_, index) => `person-${String(index).padStart(4, "0")}`);
  for (const id of ids) await before.write(before.lane(), id, { audited: false });
  for (const id of ids.slice(0, 50)) await before.write(before.lane(), id, { audited: false });
  for (const id of ids.slice(0, 5)) await before.write(before.lane(), id, { audited: false, removes: true });
  const one = await rig.open();
  const lanes = [one.lane(), one.lane()] as const;
  one.service.start();
  for (let index = 5; index < 300; index += 3) {
    await one.write(lanes[index % 2]!, ids[index]!, { removes: index % 9 === 2 });
    if (index % 4 === 0) await setImmediate();
  }
  await one.write(lanes[0], ids[1]!);
  await one.write(lanes[0], "new");
  await adopted(one);
  await one.sequence();
  await one.service.close();
  assert.deepEqual([one.alarms, one.faults], [[], []]);
  await assertKnown(one, [...ids, "new"]);
  const { key } = await one.service.status();
  assert.deepEqual((await verifyAuditLog(one.stores.log, { key })).problems, []);
});

test("an adoption that ended in the middle goes on where it was", async () => {
  for (const fault of ["dies after", "refuses"] as const)
    for (let call = 20; call < 400; call += 23) {
      const rig = new Rig();
      const before = await rig.open();
      const ids = Array.from({ length: 120 }, (_, index) => `person-${index}`);
      for (const id of ids) await before.write(before.lane(), id, { audited: false });
      const faulty = new FaultyCalls(call, fault);
      const killed = await rig.open({}, faulty.stores(rig.stores())).catch(() => null);
      killed?.service.start();
      for (let turns = 0; turns < 150; turns++) await setImmediate();
      await killed?.service.close();
      const one = await rig.open();
      one.service.start();
      await adopted(one);
      await one.service.close();
      assert.deepEqual([one.alarms, one.faults], [[], []]);
      await assertKnown(one, ids);
      const said = await one.stores.log.find({ action: "adopted" }, { order: "oldest", after: null, limit: 10 });
      assert.equal(said.length, 1);
    }
});

test("an empty vault is adopted at once", async () => {
  const one = await new Rig().open();
  one.service.start();
  await adopted(one);
  await one.service.close();
  assert.equal((await one.stores.log.state()).size, 1);
});

test("what is written between two looks of the adoption is carried first", async () => {
  for (const look of ["list", "versions", "read"] as const) {
    const rig = new Rig();
    const before = await rig.open();
    await before.write(before.lane(), "ada", { audited: false });
    const stores = rig.stores();
    const writer = await rig.open();
    const lane = writer.lane();
    const { records } = stores.store;
    const writing = async (): Promise<void> => {
      for (let count = 0; count < 3; count++) await writer.write(lane, "ada");
    };
    const interrupted = {
      ...records,
      [look]: async (...args: never[]) => {
        if (look === "list") await writing();
        const answer = await (records[look] as (...all: never[]) => Promise<unknown>)(...args);
        if (look !== "list" && lane.next === 1) await writing();
        return answer;
      },
    };
    const one = await rig.open({}, { ...stores, store: { ...stores.store, records: interrupted } });
    one.service.start();
    await adopted(one);
    await one.sequence();
    assert.deepEqual([one.alarms, one.faults], [[], []], look);
    await assertKnown(one, ["ada"]);
  }
});

/** Messages that were read so far. */
interface Reads {
  count: number;
}

async function begun(reads: Reads): Promise<void> {
  while (reads.count < MANY / 8) await setImmediate();
}

/** Stores in which each message that is read takes a tenth of a second. */
function slowly(rig: Rig, reads: Reads): ReturnType<Rig["stores"]> {
  const stores = rig.stores();
  const { records } = stores.store;
  const slow = Object.assign(Object.create(records) as typeof records, {
    read: async (...args: Parameters<typeof records.read>) => {
      await setImmediate();
      reads.count++;
      rig.pass(100);
      return records.read(...args);
    },
  });
  return { ...stores, store: Object.assign(Object.create(stores.store) as typeof stores.store, { records: slow }) };
}

const MANY = 800;

async function withManyVersions(rig: Rig): Promise<void> {
  const before = await rig.open();
  const lane = before.lane();
  for (let count = 0; count < MANY; count++) await before.write(lane, "ada", { audited: false });
}

test("a record of more versions than a lease lasts is adopted, and what is written meanwhile does not wait", async () => {
  const rig = new Rig();
  await withManyVersions(rig);
  const reads = { count: 0 };
  const processes = [await rig.open({}, slowly(rig, reads)), await rig.open({}, slowly(rig, reads))] as const;
  const [one, other] = processes;
  for (const { service } of processes) service.start();
  const lane = one.lane();
  await begun(reads);
  const id = await one.append(lane);
  while ((await one.stores.log.positions([id]))[0] === null) await setImmediate();
  assert.equal((await one.stores.log.state()).adopted, false, "it was carried in between");
  await adopted(one);
  for (const { service } of processes) await service.close();
  assert.deepEqual([one.faults, other.faults, one.alarms, other.alarms], [[], [], [], []]);
  const { key } = await one.service.status();
  assert.deepEqual((await verifyAuditLog(one.stores.log, { key })).problems, []);
  const latest = await one.stores.log.latest([{ tag: rig.keys.tag(at("ada")), message: null }]);
  assert.equal(latest[0]?.head?.version, MANY);
});

test("a close ends an adoption that is under way, and another process goes on with it", async () => {
  const rig = new Rig();
  await withManyVersions(rig);
  const reads = { count: 0 };
  const one = await rig.open({}, slowly(rig, reads));
  one.service.start();
  await begun(reads);
  const began = rig.clock().getTime();
  await one.service.close();
  assert.ok(rig.clock().getTime() - began < 5000, "it did not wait for all of the record");
  assert.deepEqual([(await one.stores.log.state()).adopted, one.faults], [false, []]);
  const next = await rig.open();
  next.service.start();
  await adopted(next);
  await next.service.close();
  const latest = await next.stores.log.latest([{ tag: rig.keys.tag(at("ada")), message: null }]);
  assert.equal(latest[0]?.head?.version, MANY);
});

test("a record that is removed while its versions are read is not known afterwards", async () => {
  const rig = new Rig();
  await withManyVersions(rig);
  const reads = { count: 0 };
  const one = await rig.open({}, slowly(rig, reads));
  one.service.start();
  await begun(reads);
  const id = await one.write(one.lane(), "ada", { removes: true });
  while ((await one.stores.log.positions([id]))[0] === null) await setImmediate();
  await adopted(one);
  await one.service.close();
  assert.equal((await one.stores.log.counts()).messages, 0);
  const latest = await one.stores.log.latest([{ tag: rig.keys.tag(at("ada")), message: null }]);
  assert.equal(latest[0]?.head?.state, "removed");
  assert.deepEqual([one.faults, one.alarms], [[], []]);
});

/**
 * Entries on their way to the log: each of them once, in the order of their streams, whoever carries them.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { setImmediate } from "node:timers/promises";
import { verifyAuditLog } from "../../src/audit/verify-log.ts";
import type { EntryId } from "../../src/stores/outbox.ts";
import { STORE_STREAM } from "../../src/stores/outbox.ts";
import { FaultyCalls } from "./support/faults.ts";
import { Rig } from "./support/rig.ts";
import type { Lane, TestProcess } from "./support/rig.ts";

async function problems({ service, stores: { log } }: TestProcess): Promise<unknown> {
  const { key } = await service.status();
  return (await verifyAuditLog(log, { key })).problems;
}

/** Stream and number of everything in the log, in its order. */
async function places({
  stores: { log },
}: TestProcess): Promise<readonly { stream: string; number: number; id: string }[]> {
  const { size } = await log.state();
  const rows = [];
  while (rows.length < size) rows.push(...(await log.entries({ from: rows.length, limit: 1000 })));
  return rows.map(({ text, id }) => ({
    ...(JSON.parse(Buffer.from(text ?? "").toString()) as { stream: string; number: number }),
    id,
  }));
}

/** That the log has each stream without holes and in order. */
async function assertInOrder(one: TestProcess, ids: readonly EntryId[]): Promise<void> {
  const all = await places(one);
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length, "each entry is in it once");
  const inLog = new Set<string>(all.map(({ id }) => id));
  for (const id of ids) assert.ok(inLog.has(id));
  const last = new Map<string, number>();
  for (const { stream, number } of all) {
    if (stream === STORE_STREAM || stream.endsWith("000000000001")) continue;
    assert.equal(number, (last.get(stream) ?? 0) + 1);
    last.set(stream, number);
  }
}

test("carries what waits to the log, once, and drops it", async () => {
  const rig = new Rig();
  const one = await rig.open();
  const lane = one.lane();
  await one.tellStores("open");
  one.service.start();
  const ids = [await one.append(lane), await one.append(lane), await one.write(lane, "ada")];
  await one.sequence();
  const { log, store } = one.stores;
  assert.ok((await log.positions(ids)).every((position) => position !== null));
  assert.equal((await store.outbox.waiting(10)).entries, 0);
  await one.close(lane);
  assert.deepEqual([one.alarms, one.faults], [[], []]);
  assert.deepEqual(await problems(one), []);
  assert.deepEqual(await store.outbox.streams([lane.stream]), [null], "a stream that has ended is gone");
});

test("a stream that has ended goes from the log when it is gone from its store", async () => {
  const rig = new Rig();
  const one = await rig.open();
  one.service.start();
  for (let count = 0; count < 5; count++) {
    const lane = one.lane();
    await one.append(lane);
    await one.append(lane, { ends: true });
    await one.sequence();
  }
  const listed = await one.stores.log.streams("records", { after: null, limit: 100 });
  assert.ok(listed.length <= 1, `there are ${listed.length} left`);
  await one.service.close();
});

test("two sequencers at once, with many streams, that take the log from each other", async () => {
  const rig = new Rig();
  const [one, other] = [await rig.open(), await rig.open()];
  const lanes: (readonly [TestProcess, Lane])[] = [];
  for (let count = 0; count < 20; count++)
    lanes.push([one, one.lane()], [other, other.lane(count % 2 === 0 ? "records" : "keys")]);
  one.service.start();
  other.service.start();
  const ids: EntryId[] = [];
  for (let round = 0; round < 30; round++) {
    for (const [process, lane] of lanes) ids.push(await process.append(lane));
    // Leases run out under whoever has them.
    rig.pass(4000);
    await setImmediate();
  }
  await one.sequence();
  await other.sequence();
  await Promise.all([one.service.close(), other.service.close()]);
  await assertInOrder(one, ids);
  assert.deepEqual([one.alarms, other.alarms], [[], []]);
  assert.deepEqual([one.faults, other.faults], [[], []]);
  assert.deepEqual(await problems(one), []);
});

test("a sequencer killed again and again between adding and dropping adds nothing twice", async () => {
  const rig = new Rig();
  const ids: EntryId[] = [];
  const writer = await rig.open();
  const lanes = [writer.lane(), writer.lane(), writer.lane("keys")];
  for (let round = 0; round < 40; round++) {
    for (const lane of lanes) ids.push(await writer.append(lane));
    const faulty = new FaultyCalls(10 + (round % 37), "dies after");
    const killed = await rig.open({}, faulty.stores(rig.stores())).catch(() => null);
    killed?.service.start();
    for (let turns = 0; turns < 60 && !faulty.isDead; turns++) await setImmediate();
    assert.deepEqual(killed?.alarms ?? [], []);
    await killed?.service.close();
  }
  const last = await rig.open();
  last.service.start();
  await last.sequence();
  await last.service.close();
  await assertInOrder(last, ids);
  assert.deepEqual([last.alarms, last.faults], [[], []]);
  assert.deepEqual(await problems(last), []);
});

test("more than one batch, and batches of all stored heights", async () => {
  const rig = new Rig();
  const one = await rig.open();
  const lane = one.lane();
  for (let count = 0; count < 2600; count++) await one.append(lane);
  one.service.start();
  await one.sequence();
  await one.service.close();
  assert.deepEqual(await problems(one), []);
  assert.equal((await one.stores.log.counts()).subtrees, 10);
});

test("streams that nobody used for a day are closed, and a process that only slept is told", async () => {
  const rig = new Rig();
  const one = await rig.open();
  const lane = one.lane();
  await one.append(lane);
  one.service.start();
  await one.sequence();
  rig.pass(25 * 3_600_000);
  for (let turns = 0; turns < 1000; turns++) {
    await setImmediate();
    const [row] = await one.stores.store.outbox.streams([lane.stream]);
    if (row === null) break;
  }
  assert.deepEqual(await one.stores.store.outbox.streams([lane.stream]), [null]);
  await assert.rejects(one.append(lane), /stream-moved/);
  await one.append(one.lane());
  await one.sequence();
  await one.service.close();
  assert.deepEqual([one.alarms, one.faults], [[], []]);
  assert.deepEqual(await problems(one), []);
  await (await rig.open()).service.close();
});

test("a store that fails for a while is tried again, and told", async () => {
  const rig = new Rig();
  let isAway = true;
  const stores = rig.stores();
  const log = {
    ...stores.log,
    integrate: (...args: Parameters<typeof stores.log.integrate>) => {
      if (isAway) throw new Error("no space left");
      return stores.log.integrate(...args);
    },
  };
  const one = await rig.open({}, { ...stores, log });
  const lane = one.lane();
  const id = await one.append(lane);
  one.service.start();
  for (let turns = 0; turns < 100; turns++) await setImmediate();
  assert.ok(one.faults.length > 1);
  isAway = false;
  await one.sequence();
  await one.service.close();
  assert.deepEqual(one.alarms, []);
  assert.notDeepEqual(await stores.log.positions([id]), [null]);
});

test("a vault that is not used writes nothing: the lease is given back, and taken when something waits", async () => {
  const rig = new Rig();
  const stores = rig.stores();
  const changes: string[] = [];
  const told = <Calls extends object>(calls: Calls, names: readonly string[]): Calls =>
    new Proxy(calls, {
      get: (target, name) => {
        if (names.includes(String(name))) changes.push(String(name));
        return Reflect.get(target, name) as unknown;
      },
    });
  const jobs = told(stores.log.jobs, ["lease", "save", "finish"]);
  const log = told({ ...stores.log, jobs }, ["integrate", "published"]);
  const one = await rig.open({}, { ...stores, log });
  const lane = one.lane();
  one.service.start();
  await one.append(lane);
  await one.sequence();
  for (let turns = 0; turns < 4000 && changes.at(-1) !== "finish"; turns++) await setImmediate();
  assert.equal(changes.at(-1), "finish");
  changes.length = 0;
  for (let turns = 0; turns < 1000; turns++) await setImmediate();
  assert.deepEqual(changes, []);
  // A process that has the audit open and writes to the stores, and then is killed before it could carry anything.
  const other = await rig.open({}, stores);
  const id = await other.append(other.lane());
  for (let turns = 0; turns < 1000 && changes.length === 0; turns++) await setImmediate();
  await one.sequence();
  assert.notDeepEqual(await stores.log.positions([id]), [null]);
  assert.equal(changes[0], "lease");
  assert.deepEqual([one.alarms, one.faults, await problems(one)], [[], [], []]);
});

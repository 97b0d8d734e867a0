/**
 * Entries on their way to the log: each of them once, in the order of their streams, whoever carries them.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { verifyAuditLog } from "../../src/audit/verify-log.ts";
import { Rig } from "./support/rig.ts";
import type { TestProcess } from "./support/rig.ts";

async function report({ service, stores: { log } }: TestProcess): Promise<unknown> {
  const { key } = await service.status();
  return (await verifyAuditLog(log, { key })).problems;
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
  const positions = await log.positions(ids);
  assert.ok(positions.every((position) => position !== null));
  assert.equal((await store.outbox.waiting(10)).entries, 0);
  await one.close(lane);
  assert.deepEqual(one.alarms, []);
  assert.deepEqual(one.faults, []);
  assert.deepEqual(await report(one), []);
  assert.deepEqual(await store.outbox.streams([lane.stream]), [null]);
});

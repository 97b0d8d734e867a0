/**
 * A pass over all items: what fails waits, and is tried at once when somebody says that the run is to go on.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VaultError } from "@strongroom/vault";
import type { VersionPlace } from "@strongroom/vault";
import { memoryStore } from "@strongroom/vault/memory";
import { isPassed, passOverAll } from "../../src/convergence/full-pass.ts";
import type { FullPass, PassPace } from "../../src/convergence/full-pass.ts";
import { DEFAULT_REPAIR_SETTINGS } from "../../src/convergence/schedule.ts";
import type { InventoryItem } from "../../src/stores/inventory.ts";
import type { WrapSetId } from "../../src/stores/wrap-set.ts";
import type { WorkOutcome } from "../../src/convergence/work.ts";

const JOB = "pass-1";
const SETTLED: WorkOutcome = { kind: "settled" };

function passOf(take: () => Promise<WorkOutcome>): {
  readonly pass: FullPass<VersionPlace>;
  readonly failed: string[];
} {
  const failed: string[] = [];
  const item = { place: {} as VersionPlace, failure: null, position: "1" } as InventoryItem;
  const pass: FullPass<VersionPlace> = {
    job: JOB,
    jobs: memoryStore().jobs,
    clock: () => new Date(),
    damaged: "record-tampered",
    inventory: {
      list: ({ buckets }) => Promise.resolve(buckets?.from === 0 ? [item] : []),
      fail: (_, __, { code }) => {
        failed.push(code);
        return Promise.resolve();
      },
    },
    sets: () => Promise.resolve([1 as WrapSetId]),
    isWanted: () => true,
    take,
  };
  return { pass, failed };
}

function pace(retries: boolean): PassPace {
  const nothing = (): void => undefined;
  const told = { ended: nothing, done: nothing, failed: nothing };
  const settings = DEFAULT_REPAIR_SETTINGS;
  return { settings, retries, begin: () => Promise.resolve(true), ...told, stop: new AbortController().signal };
}

test("what failed is not tried again before its time, but when it is told to", async () => {
  let isBroken = true;
  const { pass, failed } = passOf(() =>
    isBroken ? Promise.reject(new VaultError("record-tampered", "on purpose")) : Promise.resolve(SETTLED),
  );
  await passOverAll(pass, pace(true));
  assert.deepEqual(failed, ["record-tampered"]);
  await passOverAll(pass, pace(false));
  assert.deepEqual(failed, ["record-tampered"], "its partition waits");
  await passOverAll(pass, pace(true));
  assert.deepEqual(failed, ["record-tampered", "record-tampered"]);
  assert.equal(await isPassed(pass.jobs, JOB), false);
  isBroken = false;
  await passOverAll(pass, pace(true));
  assert.equal(await isPassed(pass.jobs, JOB), true);
});

test("what others change meanwhile is taken again, and a partition where that goes on is not finished", async () => {
  let faster = 3;
  const { pass } = passOf(() => Promise.resolve(faster-- > 0 ? { kind: "overtaken" } : SETTLED));
  await passOverAll(pass, pace(true));
  assert.deepEqual([faster, await isPassed(pass.jobs, JOB)], [-1, true]);
  const stop = new AbortController();
  let taken = 0;
  const { pass: another } = passOf(() => {
    if (++taken === 40) stop.abort();
    return Promise.resolve({ kind: "overtaken" });
  });
  await passOverAll(another, { ...pace(true), stop: stop.signal });
  assert.equal(await isPassed(another.jobs, JOB), false);
});

test("what is gone is done with", async () => {
  let taken = 0;
  const { pass } = passOf(() => {
    taken += 1;
    return Promise.resolve({ kind: "overtaken", isGone: true });
  });
  await passOverAll(pass, pace(true));
  assert.deepEqual([taken, await isPassed(pass.jobs, JOB)], [1, true]);
});

test("what came under a set that was not there when a pass began is gone through too", async () => {
  const listed: (readonly WrapSetId[])[] = [];
  const { pass } = passOf(() => Promise.resolve(SETTLED));
  const [first, second] = [1 as WrapSetId, 2 as WrapSetId];
  const list: typeof pass.inventory.list = ({ sets, buckets }) => {
    if (buckets?.from === 0) listed.push(sets);
    return Promise.resolve([]);
  };
  // As by a repair, while the first partition is gone through.
  const sets = (): Promise<readonly WrapSetId[]> => Promise.resolve(listed.length === 0 ? [first] : [first, second]);
  await passOverAll({ ...pass, sets, inventory: { ...pass.inventory, list } }, pace(true));
  while (!(await isPassed(pass.jobs, JOB)))
    await passOverAll({ ...pass, sets, inventory: { ...pass.inventory, list } }, pace(false));
  assert.deepEqual(listed, [[first], [first, second]]);
});

/**
 * Goes through all items of a store, partition by partition, for what no wrap set tells. A partition is gone through
 * from its beginning to its end, and is finished once a pass has met none that failed; the job is a run's own, so that
 * what is finished in it says nothing to the next run.
 */
import { mapBounded } from "@strongroom/base/work";
import { envelopeFailure } from "../envelope-failure.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { BucketRange, InventoryItem } from "../stores/inventory.ts";
import type { JobStore, Leased } from "../stores/jobs.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import { bucketsOf, holderName, REPAIR_PARTITIONS } from "./partitions.ts";
import { originOf, waitMs } from "./schedule.ts";
import type { RepairSettings } from "./schedule.ts";
import type { WorkInventory, WorkOutcome } from "./work.ts";

/** How a pass goes about it, and who is told. */
export interface PassPace {
  readonly settings: RepairSettings;
  /** Begins with what has failed and is to wait, too. */
  readonly retries: boolean;
  /** Whether another item may be begun. */
  begin(): Promise<boolean>;
  ended(): void;
  done(): void;
  failed(code: VaultErrorCode): void;
  readonly stop: AbortSignal;
}

/** What is gone through, and what is done to it. */
export interface FullPass<Place> {
  readonly job: string;
  readonly inventory: Pick<WorkInventory<Place>, "list" | "fail">;
  readonly jobs: JobStore;
  readonly clock: () => Date;
  /** What is told of an item whose row holds what nobody writes. */
  readonly damaged: VaultErrorCode;
  /** Sets of which items may be meant. */
  sets(): Promise<readonly WrapSetId[]>;
  isWanted(item: InventoryItem<Place>): boolean;
  /** @throws VaultError */
  take(place: Place, lease: Leased): Promise<WorkOutcome>;
}

/** A partition that has some that failed is due again after so long at least. */
const NEXT_MS = 1;

/** Whether all partitions of a job are finished. @throws VaultError of the store */
export async function isPassed(jobs: JobStore, job: string): Promise<boolean> {
  const own = (await jobs.list()).filter((partition) => partition.job === job);
  return own.length >= REPAIR_PARTITIONS.length && own.every(({ state }) => state === "finished");
}

/** Goes through the partitions that this process gets hold of. @throws VaultError of the store */
export async function passOverAll<Place>(pass: FullPass<Place>, pace: PassPace): Promise<void> {
  const { jobs, job } = pass;
  await jobs.add(job, REPAIR_PARTITIONS);
  if (pace.retries) await jobs.wake(job);
  const holder = holderName();
  const isOver = (): boolean => pace.stop.aborted;
  while (!isOver()) {
    const leased = await jobs.lease({ job, holder, ms: pace.settings.leaseMs });
    if (leased === null) break;
    const buckets = bucketsOf(leased.partition);
    if (buckets !== null) await visit(pass, pace, { leased, buckets });
  }
}

/** Tries of an item while others change its record. */
const TAKE_ATTEMPTS = 8;

/** What became of an item. `left`: nothing was done to it. */
type Ended = "done" | "left" | { readonly failed: VaultErrorCode; readonly waitMs: number };

/** From the beginning, also where another process had begun: what had failed there is met again. */
async function visit<Place>(
  pass: FullPass<Place>,
  pace: PassPace,
  { leased, buckets }: { readonly leased: Leased; readonly buckets: BucketRange },
): Promise<void> {
  const { inventory, jobs, clock } = pass;
  const { settings, stop } = pace;
  const sets = await pass.sets();
  let [after, wait, isWhole]: [string | null, number, boolean] = [null, 0, true];
  do {
    const until = clock().getTime() + settings.leaseMs;
    const limit = settings.convergeItems;
    const items: readonly InventoryItem<Place>[] =
      sets.length === 0 ? [] : await inventory.list({ sets, buckets, after, limit });
    const wanted = items.filter((item) => pass.isWanted(item));
    const ended = await mapBounded(wanted, settings.convergeAtOnce, (item) =>
      taken(pass, pace, { item, leased, until }),
    );
    const failed = ended.flatMap((end) => (typeof end === "object" ? [end] : []));
    isWhole &&= !ended.includes("left");
    for (const end of failed) wait = Math.max(wait, end.waitMs);
    after = items.length < limit || stop.aborted || !isWhole ? null : (items.at(-1)?.position ?? null);
    const code = failed.at(-1)?.failed;
    const progress = {
      ...{ cursor: null, done: ended.filter((end) => end === "done").length, failed: failed.length },
      problem: code === undefined ? null : { code, at: clock().toISOString() },
    };
    // What came under another set meanwhile, as by a repair, is in none of the pages.
    if (after === null && isWhole) isWhole = (await pass.sets()).every((set) => sets.includes(set));
    const isFinished = isWhole && wait === 0 && !stop.aborted;
    if (after === null) await jobs.finish(leased, progress, isFinished ? null : Math.max(wait, NEXT_MS));
    else if ((await jobs.save(leased, progress, settings.leaseMs)) === "overtaken") return;
  } while (after !== null);
}

async function taken<Place>(
  pass: FullPass<Place>,
  pace: PassPace,
  { item, leased, until }: { readonly item: InventoryItem<Place>; readonly leased: Leased; readonly until: number },
): Promise<Ended> {
  const { inventory, clock, damaged } = pass;
  const { place, failure } = item;
  if (place === null) return { failed: damaged, waitMs: pace.settings.itemWaitMs };
  // A lease that has run out is somebody else's by now.
  if (pace.stop.aborted || !(await pace.begin()) || clock().getTime() >= until) return "left";
  try {
    for (let attempt = 1; attempt <= TAKE_ATTEMPTS; attempt++) {
      const outcome = await pass.take(place, leased);
      if (outcome.kind !== "overtaken") pace.done();
      // Who was faster has not made of it what is asked for: a write of the same record leaves its older versions as
      // they were, and nothing but this pass finds them.
      if (outcome.kind !== "overtaken" || outcome.isGone === true) return "done";
    }
    return "left";
  } catch (error) {
    const { code } = envelopeFailure(error);
    const origin = originOf(code);
    if (origin === "store") throw error;
    if (origin === "caller" || origin === "load") return "left";
    const wait = waitMs(origin, (failure?.attempts ?? 0) + 1, pace.settings);
    await inventory.fail(leased, place, { code, at: clock().toISOString(), waitMs: wait });
    pace.failed(code);
    return { failed: code, waitMs: wait };
  } finally {
    pace.ended();
  }
}

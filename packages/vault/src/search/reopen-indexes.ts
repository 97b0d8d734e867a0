/**
 * A store that was restored has its indexes and none of their tags, which no backup has. They are built anew from the
 * first record on: a place where a build of before had come to is one behind which there are tags no more.
 */
import { setTimeout as delay } from "node:timers/promises";
import { holderName } from "../convergence/partitions.ts";
import { VaultError } from "../errors.ts";
import type { IndexRow } from "../stores/indexes.ts";
import type { JobStore } from "../stores/jobs.ts";
import type { Store } from "../stores/store.ts";
import { BUILDS, LEASE_MS } from "./build.ts";

/** How long it is held, and how often it is asked for: whoever held it when the backup was made holds it no longer. */
const HELD_MS = 10_000;
const LOOK_MS = 200;

/**
 * Before a vault is opened on it, and nobody else uses it: every index is `building`, and found by when
 * `vault.indexes.apply()` has built it.
 *
 * @returns how many there are
 * @throws VaultError `key-set-moved`: somebody else uses it; `record-contended`: a build is held; the store's
 * @example
 * ```ts
 * import { reopenIndexes } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 *
 * console.log(await reopenIndexes(memoryStore())); // prints: 0
 * ```
 */
export async function reopenIndexes({ indexes, jobs }: Pick<Store, "indexes" | "jobs">): Promise<number> {
  const { epoch, indexes: rows } = await indexes.list();
  const set = rows.filter(({ state }) => state === "ready").map((row): IndexRow => ({ ...row, state: "building" }));
  if (set.length > 0 && (await indexes.change({ from: epoch, set })) === "moved")
    throw new VaultError("key-set-moved", "Another process changed the indexes while they were reopened");
  for (const job of new Set((await unfinished(jobs)).map(({ job: name }) => name))) await finish(jobs, job);
  return rows.filter(({ state }) => state !== "dropped").length;
}

const unfinished = async (jobs: JobStore): ReturnType<JobStore["list"]> =>
  (await jobs.list()).filter(({ job, state }) => job.startsWith(BUILDS) && state !== "finished");

async function finish(jobs: JobStore, job: string): Promise<void> {
  const holder = holderName();
  const until = performance.now() + 2 * LEASE_MS;
  while ((await unfinished(jobs)).some((one) => one.job === job)) {
    const lease = await jobs.lease({ job, holder, ms: HELD_MS });
    if (lease !== null) await jobs.finish(lease, { cursor: null, done: 0, failed: 0, problem: null }, null);
    else if (performance.now() > until) throw new VaultError("record-contended", "A build of indexes is still held");
    else await delay(LOOK_MS);
  }
}

/**
 * Goes through the messages that are kept, partition by partition, in pages: they go once nothing wants to go back to
 * them, or come back. They have no inventory of what is due: each pass sees all that there are.
 */
import type { JobStore, Leased, Progress } from "../stores/jobs.ts";
import type { KeptItem, KeptMessages } from "../stores/kept.ts";
import { bucketsOf, holderName, KEPT_JOB, REPAIR_PARTITIONS } from "./partitions.ts";

/** What a pass works with. */
export interface KeptPassDependencies {
  readonly kept: Pick<KeptMessages, "list">;
  readonly jobs: JobStore;
  readonly leaseMs: number;
  readonly clock: () => Date;
  readonly stop: AbortSignal;
}

/** What became of a page. */
export interface KeptDone {
  readonly done: number;
  readonly failed: number;
}

/** Kept messages of one page. */
const PAGE = 500;

/** A partition is due again so much after a pass: behind those that nobody has taken in this one. */
const NEXT_MS = 1;

/**
 * Does it to every kept message of the partitions that this process gets hold of. Tells how many it was done to.
 *
 * @param work to a page, under the lease, until a moment after which it is somebody else's
 * @throws VaultError of the store, and what `work` throws
 */
export async function passOverKept(
  { kept, jobs, leaseMs, clock, stop }: KeptPassDependencies,
  work: (items: readonly KeptItem[], lease: Leased, until: number) => Promise<KeptDone>,
): Promise<number> {
  if ((await kept.list({ after: null, limit: 1 })).length === 0) return 0;
  await jobs.add(KEPT_JOB, REPAIR_PARTITIONS);
  const holder = holderName();
  const isOver = (): boolean => stop.aborted;
  const seen = new Set<string>();
  let done = 0;
  while (!isOver()) {
    const leased = await jobs.lease({ job: KEPT_JOB, holder, ms: leaseMs });
    if (leased === null) break;
    const buckets = bucketsOf(leased.partition);
    if (seen.has(leased.partition) || buckets === null) {
      await jobs.finish(leased, NOTHING, NEXT_MS);
      break;
    }
    seen.add(leased.partition);
    let after: string | null = null;
    do {
      const until = clock().getTime() + leaseMs;
      const page: readonly KeptItem[] = await kept.list({ buckets, after, limit: PAGE });
      const counted = page.length === 0 ? NOTHING : await work(page, leased, until);
      const progress = { ...NOTHING, done: counted.done, failed: counted.failed };
      done += counted.done;
      after = page.length < PAGE || isOver() ? null : (page.at(-1)?.position ?? null);
      if (after === null) await jobs.finish(leased, progress, NEXT_MS);
      else if ((await jobs.save(leased, progress, leaseMs)) === "overtaken") after = null;
    } while (after !== null);
  }
  return done;
}

const NOTHING: Progress = { cursor: null, done: 0, failed: 0, problem: null };

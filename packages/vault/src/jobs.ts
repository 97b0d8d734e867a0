/**
 * The long work of a vault's stores as a list shows it: what runs, how far it is, what failed and why, and who does it.
 * What a store says of it is cut and escaped: it is anybody's who can write to the database.
 */
import { shown } from "@strongroom/base/shown";
import type { JobPartition, JobStore } from "./stores/jobs.ts";

/** A job with all its partitions. */
export interface JobSummary {
  /** `repair` pays owed wraps of versions, `repair-keys` those of the keys in the key store. */
  readonly job: string;
  /** How many partitions are in each state; see {@link JobPartition}. */
  readonly states: Readonly<Record<JobPartition["state"], number>>;
  /** Items done and items failed since the job was added, in all processes. */
  readonly done: number;
  readonly failed: number;
  /** Why the last item failed, of those whose partitions still tell; null: none does. */
  readonly problem: JobPartition["problem"];
  /** When a partition was last taken, and when one was last saved: ISO 8601, UTC; null: never. */
  readonly takenAt: string | null;
  readonly savedAt: string | null;
  /** In the order of their names. */
  readonly partitions: readonly JobPartition[];
}

/** `vault.jobs`: of all stores, one after the other. */
export async function jobs(stores: readonly JobStore[]): Promise<readonly JobSummary[]> {
  return (await Promise.all(stores.map(jobsOf))).flat();
}

async function jobsOf(store: JobStore): Promise<readonly JobSummary[]> {
  const byJob = new Map<string, JobPartition[]>();
  for (const found of await store.list()) {
    const partition = shownPartition(found);
    const known = byJob.get(partition.job);
    if (known === undefined) byJob.set(partition.job, [partition]);
    else known.push(partition);
  }
  return [...byJob].map(([job, partitions]) => summary(job, partitions));
}

function summary(job: string, partitions: readonly JobPartition[]): JobSummary {
  const states = { waiting: 0, due: 0, running: 0, finished: 0 };
  for (const { state } of partitions) states[state]++;
  const problems = partitions.flatMap(({ problem }) => (problem === null ? [] : [problem]));
  return {
    job,
    states,
    done: partitions.reduce((sum, partition) => sum + partition.done, 0),
    failed: partitions.reduce((sum, partition) => sum + partition.failed, 0),
    problem: problems.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null,
    takenAt: latest(partitions.map(({ takenAt }) => takenAt)),
    savedAt: latest(partitions.map(({ savedAt }) => savedAt)),
    partitions,
  };
}

function latest(moments: readonly (string | null)[]): string | null {
  return moments.reduce((last, moment) => (moment !== null && (last === null || moment > last) ? moment : last), null);
}

function shownPartition(found: JobPartition): JobPartition {
  const orNull = (text: string | null): string | null => (text === null ? null : shown(text));
  return {
    ...found,
    job: shown(found.job),
    partition: shown(found.partition),
    cursor: orNull(found.cursor),
    problem: found.problem === null ? null : { code: shown(found.problem.code), at: shown(found.problem.at) },
    holder: orNull(found.holder),
  };
}

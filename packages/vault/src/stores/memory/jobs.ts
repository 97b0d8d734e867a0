/**
 * Jobs: partitions with a lease each. Who was taken over, or has given back, has another fence than the row's, or
 * holds it no more.
 */
import type { JobPartition, JobStore, Lease, Progress } from "../jobs.ts";
import type { CommonTables, PartitionRow } from "./common-tables.ts";

/** The calls of the jobs, each done at once. */
export type JobCalls = {
  readonly [Name in keyof JobStore]: (...args: Parameters<JobStore[Name]>) => Awaited<ReturnType<JobStore[Name]>>;
};

export function memoryJobs(tables: CommonTables, now: () => number): JobCalls {
  const { partitions } = tables;

  /** The partition as it becomes; `overtaken` when the lease is somebody else's. */
  function withLease(
    lease: Lease,
    { cursor, done, failed, problem }: Progress,
    more: Pick<PartitionRow, "state" | "dueAt">,
  ): "saved" | "overtaken" {
    const row = partitions.get(partitionKey(lease));
    if (row === undefined || !isHeld(tables, lease)) return "overtaken";
    partitions.set(partitionKey(lease), {
      ...row,
      ...more,
      cursor,
      done: row.done + done,
      failed: row.failed + failed,
      problem: problem === null ? row.problem : { code: problem.code, at: problem.at },
      savedAt: now(),
      renewedAt: now(),
    });
    return "saved";
  }

  return {
    add: (job, names) => {
      for (const partition of names) {
        const key = partitionKey({ job, partition });
        if (!partitions.has(key)) partitions.set(key, { ...NEW, job, partition, dueAt: now() });
      }
    },
    lease: ({ job, holder, ms }) => {
      const at = now();
      const due = [...partitions.values()].filter((row) => row.job === job && stateOf(row, at) === "due");
      const first = due.sort((a, b) => a.dueAt - b.dueAt || compareText(a.partition, b.partition))[0];
      if (first === undefined) return null;
      const { partition, cursor } = first;
      const fence = first.fence + 1;
      const taken = { state: "held", fence, holder, takenAt: at, renewedAt: at, dueAt: at + ms } as const;
      partitions.set(partitionKey(first), { ...first, ...taken });
      return { job, partition, fence, cursor };
    },
    save: (lease, progress, ms) => withLease(lease, progress, { state: "held", dueAt: now() + ms }),
    finish: (lease, progress, dueInMs) =>
      withLease(
        lease,
        progress,
        dueInMs === null ? { state: "finished", dueAt: now() } : { state: "free", dueAt: now() + dueInMs },
      ),
    wake: (job) => {
      for (const [key, row] of partitions)
        if (row.job === job && row.state === "free" && row.dueAt > now()) partitions.set(key, { ...row, dueAt: now() });
    },
    list: () =>
      [...partitions.values()]
        .sort((a, b) => compareText(a.job, b.job) || compareText(a.partition, b.partition))
        .map((row) => shownPartition(row, now())),
  };
}

const NEW: Omit<PartitionRow, "job" | "partition" | "dueAt"> = {
  state: "free",
  fence: 0,
  cursor: null,
  done: 0,
  failed: 0,
  problem: null,
  holder: null,
  takenAt: null,
  savedAt: null,
  renewedAt: 0,
};

/** Whether the lease is still its holder's. One that ran out is, until somebody else takes the partition. */
export function isHeld({ partitions }: CommonTables, lease: Lease): boolean {
  const row = partitions.get(partitionKey(lease));
  return row?.state === "held" && row.fence === lease.fence;
}

function stateOf({ state, dueAt, renewedAt }: PartitionRow, now: number): JobPartition["state"] {
  if (state === "finished") return "finished";
  if (dueAt <= now) return "due";
  if (state === "free") return "waiting";
  // Taken or saved at a moment that has not come: the clock was set back, and would hold it for too long.
  return renewedAt > now ? "due" : "running";
}

function shownPartition(row: PartitionRow, now: number): JobPartition {
  const { job, partition, fence, cursor, done, failed, problem, holder, takenAt, savedAt } = row;
  return {
    job,
    partition,
    state: stateOf(row, now),
    fence,
    cursor,
    done,
    failed,
    problem: problem === null ? null : { ...problem },
    holder,
    takenAt: moment(takenAt),
    savedAt: moment(savedAt),
  };
}

const moment = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());

/** As JSON: no text of the one can be taken for a part of the other. */
const partitionKey = ({ job, partition }: Pick<Lease, "job" | "partition">): string => JSON.stringify([job, partition]);

const compareText = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

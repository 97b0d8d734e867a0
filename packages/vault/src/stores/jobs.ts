/**
 * Long work, cut into partitions that processes take in turn. A lease says who works on a partition and until when, by
 * the store's clock; its fence says it for certain: every write of a job names the fence, and one that was taken over
 * changes nothing more.
 */

/** A partition that is held. */
export interface Lease {
  readonly job: string;
  readonly partition: string;
  /** Raised each time that the partition is taken. */
  readonly fence: number;
}

/** A partition that was taken, with what was saved of it. */
export interface Leased extends Lease {
  /** Where the work goes on; null: at the beginning. */
  readonly cursor: string | null;
}

/** How far a partition is. Counters are added to what they were. */
export interface Progress {
  readonly cursor: string | null;
  readonly done: number;
  readonly failed: number;
  /** Why the last item failed: ISO 8601, UTC; null: none has failed since. */
  readonly problem: { readonly code: string; readonly at: string } | null;
}

/** A partition as a list shows it. */
export interface JobPartition {
  readonly job: string;
  readonly partition: string;
  /** `waiting`: not due. `due`: anyone may take it. `running`: it is held. `finished`: nothing is left of it. */
  readonly state: "waiting" | "due" | "running" | "finished";
  readonly fence: number;
  readonly cursor: string | null;
  readonly done: number;
  readonly failed: number;
  readonly problem: { readonly code: string; readonly at: string } | null;
  /** Who holds it, or held it last: what that process calls itself. Null: nobody yet. */
  readonly holder: string | null;
  /** When it was last taken, and when it was last saved: ISO 8601, UTC. */
  readonly takenAt: string | null;
  readonly savedAt: string | null;
}

/** Jobs of a store. */
export interface JobStore {
  /** Adds the partitions that the job has not yet. They are due at once. */
  add(job: string, partitions: readonly string[]): Promise<void>;
  /**
   * Takes a partition of the job that is due and that nobody holds, the one that was due first; null when there is
   * none. It is held for `ms`, and longer with each `save`. A lease that seems to have been taken in the future (a
   * clock was set back) is over.
   */
  lease(request: { readonly job: string; readonly holder: string; readonly ms: number }): Promise<Leased | null>;
  /** Notes how far it is, and holds it for `ms` more. `overtaken`: it is somebody else's; nothing was changed. */
  save(lease: Lease, progress: Progress, ms: number): Promise<"saved" | "overtaken">;
  /** Gives it back. It is due again in `dueInMs`; null: never, it is finished. */
  finish(lease: Lease, progress: Progress, dueInMs: number | null): Promise<"saved" | "overtaken">;
  /** Makes what waits due: something is to be done that was not there before. */
  wake(job: string): Promise<void>;
  /** Every partition, in the order of job and partition. */
  list(): Promise<readonly JobPartition[]>;
}

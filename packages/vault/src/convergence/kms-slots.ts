/**
 * The share of a KMS's quota that this process has of what all may take together: slots, leased like the partitions of
 * any job. Nobody is asked before a call; a process that dies is taken over when its leases have run out.
 *
 * It believes that it holds a slot no longer than the store does: from before it asked. A store whose clock is set back
 * gives a slot to somebody else at once; for as long as it takes until the next renewal both have it.
 */
import type { JobStore, Lease } from "../stores/jobs.ts";
import { AHEAD_MS } from "./rate.ts";

/** The job whose partitions they are, in the record store. */
export const SLOTS_JOB = "kms-slots";

/** All of them together are the whole rate. */
export const SLOTS = 8;

const PARTITIONS: readonly string[] = Array.from({ length: SLOTS }, (_, index) => String(index));

/** How long a slot is held, and how often it is looked after, in milliseconds. */
export const SLOT_LEASE_MS = 10_000;
export const SLOT_LOOK_MS: number = SLOT_LEASE_MS / 4;

/** What slots are taken with. */
export interface SlotDependencies {
  /** Of the record store. */
  readonly jobs: Pick<JobStore, "add" | "lease" | "save" | "finish">;
  /** What this process calls itself. */
  readonly holder: string;
  /** Processes that are alive and work on the run, this one among them. */
  readonly workers: () => Promise<number>;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
}

/** A slot, and until when it surely is held. */
interface Held {
  readonly lease: Lease;
  readonly until: number;
}

/** Turns that were taken ahead are over before somebody else has the slot. */
const HELD_MS = SLOT_LEASE_MS - AHEAD_MS;

const giveBack = (jobs: SlotDependencies["jobs"], lease: Lease): Promise<unknown> =>
  jobs.finish(lease, NOTHING_DONE, AHEAD_MS);

const NOTHING_DONE = { cursor: null, done: 0, failed: 0, problem: null } as const;

export class KmsSlots {
  readonly #d: SlotDependencies;
  #held: readonly Held[] = [];
  #isAdded = false;
  #isClosed = false;

  constructor(dependencies: SlotDependencies) {
    this.#d = dependencies;
  }

  /** How many are held now. */
  get count(): number {
    const now = this.#d.now();
    return this.#held.filter(({ until }) => until > now).length;
  }

  /**
   * Renews what is held, gives back what is beyond its share and takes what is free. @throws VaultError of the store
   *
   */
  async look(): Promise<void> {
    const { jobs, holder, workers, now } = this.#d;
    if (!this.#isAdded) await jobs.add(SLOTS_JOB, PARTITIONS);
    this.#isAdded = true;
    const share = Math.ceil(SLOTS / Math.max(1, await workers()));
    const [kept, beyond] = [this.#held.slice(0, share), this.#held.slice(share)];
    this.#held = kept;
    for (const { lease } of beyond) await giveBack(jobs, lease);
    for (const held of kept) {
      const until = now() + HELD_MS;
      const isSaved = (await jobs.save(held.lease, NOTHING_DONE, SLOT_LEASE_MS)) === "saved";
      this.#held = this.#held.flatMap((own) => (own !== held ? [own] : isSaved ? [{ lease: own.lease, until }] : []));
    }
    while (this.#held.length < share && !this.#isClosed) {
      const until = now() + HELD_MS;
      const lease = await jobs.lease({ job: SLOTS_JOB, holder, ms: SLOT_LEASE_MS });
      if (lease === null) return;
      this.#held = [...this.#held, { lease, until }];
    }
  }

  /** Gives all back. What fails is over with its lease. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const held = this.#held;
    this.#held = [];
    for (const { lease } of held) await giveBack(this.#d.jobs, lease).catch(() => undefined);
  }
}

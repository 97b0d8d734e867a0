/**
 * Carries entries from the outboxes to the log in the background: one process of all that have the vault open, by a
 * lease in the log. It is woken by whoever writes in the same process, and looks by itself once a second. While nothing
 * waits nobody has the lease, so that a vault that is not used writes nothing. It never throws: what fails is told and
 * tried again, later each time. What it finds set back ends it, and everything that asks it.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setImmediate } from "node:timers/promises";
import type { LogState } from "../stores/audit-log.ts";
import type { JobStore, Leased, Progress } from "../stores/jobs.ts";
import type { Adoption } from "./adoption.ts";
import { HeldLog, Overtaken } from "./held-log.ts";
import type { LogParts } from "./held-log.ts";
import { rolledBack } from "./own-checkpoints.ts";

export const SEQUENCE_JOB = "audit-sequence";
const PARTITION = "all";

/** Why each is what it is stands beside it. In milliseconds. */
export const SEQUENCER_PACE = {
  /** The longest that an entry of another process waits: the stated delay. */
  lookMs: 1000,
  /** The shortest between two batches that are not full: a commit in three stores each. */
  gatherMs: 100,
  /** A process that died keeps the log from the others for so long. */
  leaseMs: 6000,
  renewMs: 2000,
  compareMs: 10_000,
  /** Streams that nobody uses any more are looked for also where nothing happens. */
  careMs: 3_600_000,
  firstWaitMs: 250,
  longestWaitMs: 10_000,
} as const;

/** What the sequencer does beside its entries. */
export interface SequencerParts extends LogParts {
  /** Compares the stores, and accepts what may be accepted by itself. @throws VaultError `store-rolled-back` */
  compare(held: HeldLog): Promise<"together" | "accepted">;
  /** Whether they go together, without the lease. @throws VaultError `store-rolled-back`: the log has less than that */
  areTogether(seen: LogState | null): Promise<boolean>;
  /** Adopts what was there before the audit; goes on from where the one before had come to. */
  adoption(cursor: string | null): Adoption;
  readonly onFault: (error: unknown) => void;
  /** Waits, or less when aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Work was left where it was, since the vault is closed. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** How far it is. */
interface Held {
  readonly log: HeldLog;
  readonly adoption: Adoption;
}

/** Sequences from `start` until it is closed. */
export class Sequencer {
  readonly #parts: SequencerParts;
  readonly #holder = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  #lease: Leased | null = null;
  #held: Held | null = null;
  #isAdded = false;
  /** How far the log was that this process has added to. */
  #seen: LogState | null = null;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #comparedAt = Number.NEGATIVE_INFINITY;
  /** How far the log was when the stores were last compared under the lease: no further, and nothing is left to do. */
  #sizeAtCompare = -1;
  /** How the log was when this process gave the lease back. */
  #left: LogState | null = null;
  #caredAt = Number.NEGATIVE_INFINITY;
  #carriedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  readonly #stop = new AbortController();
  #woken = new AbortController();
  #isWoken = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: SequencerParts) {
    this.#parts = parts;
  }

  /** Begins. */
  start(): void {
    this.#ended = this.#run();
  }

  /** Something waits. */
  wake(): void {
    // Once a turn: whoever reads calls this for each record.
    if (this.#isWoken) return;
    this.#isWoken = true;
    this.#woken.abort();
  }

  /** Ends: carries what waits a last time where this process has the lease, and gives it back. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#woken.abort();
    await this.#ended;
    await this.#last();
  }

  async #run(): Promise<void> {
    // Not within the turn of whoever starts it: opening a vault must not wait for it.
    await Promise.resolve();
    while (!this.#stop.signal.aborted) {
      const began = this.#now;
      const more = await this.#turn();
      if (this.#isRefused) return;
      if (more) await setImmediate();
      else await this.#rest(began);
    }
  }

  /** @returns whether there is more to do at once */
  async #turn(): Promise<boolean> {
    const isWoken = this.#isWoken;
    this.#isWoken = false;
    try {
      if (this.#lease === null && !isWoken && !(await this.#isNeeded())) return false;
      const held = await this.#hold();
      if (held === null) return false;
      const more = await this.#work(held);
      this.#failures = 0;
      return more;
    } catch (error) {
      this.#held = null;
      if (error instanceof Interrupted) return false;
      if (error instanceof Overtaken) {
        this.#lease = null;
        return false;
      }
      if (!this.#parts.alarms.refuses(error)) {
        this.#failures++;
        this.#parts.onFault(error);
      }
      return false;
    }
  }

  async #hold(): Promise<Held | null> {
    this.#lease ??= await this.#take();
    if (this.#lease === null) return null;
    this.#held ??= await this.#open(this.#lease);
    if (!isOver(this.#renewedAt, SEQUENCER_PACE.renewMs, this.#now)) return this.#held;
    if (await this.#isIdle(this.#held)) {
      await this.#giveBack(this.#held);
      return null;
    }
    await this.#renew(this.#held);
    return this.#held;
  }

  /** Whether there is anything to do under the lease. */
  async #isNeeded(): Promise<boolean> {
    if (isOver(this.#caredAt, SEQUENCER_PACE.careMs, this.#now) || (await this.#isWaiting())) return true;
    if (!isOver(this.#comparedAt, SEQUENCER_PACE.compareMs, this.#now)) return false;
    const areTogether = this.#seen?.adopted === true && (await this.#parts.areTogether(this.#seen));
    if (areTogether) this.#comparedAt = this.#now;
    return !areTogether;
  }

  async #isWaiting(): Promise<boolean> {
    const { records, keys } = this.#parts.outboxes;
    const waiting = await Promise.all([records.waiting(1), keys.waiting(1)]);
    return waiting.some(({ entries }) => entries > 0);
  }

  /** Whether nothing was carried since the stores were compared, and nothing is left to do. */
  async #isIdle({ log }: Held): Promise<boolean> {
    const { size, adopted } = log.appender.state;
    return adopted && size === this.#sizeAtCompare && !(await this.#isWaiting());
  }

  async #take(): Promise<Leased | null> {
    this.#renewedAt = this.#now;
    const taken = await takeLease(this.#parts.log.jobs, this.#holder, this.#isAdded ? "is there" : "add it");
    this.#isAdded = true;
    return taken;
  }

  async #open(lease: Leased): Promise<Held> {
    const log = await HeldLog.open(this.#parts, lease, this.#left);
    this.#left = null;
    requireAll(this.#seen, log.appender.state);
    this.#comparedAt = Number.NEGATIVE_INFINITY;
    return { log, adoption: this.#parts.adoption(lease.cursor) };
  }

  async #work(held: Held): Promise<boolean> {
    const { log, adoption } = held;
    if (isOver(this.#comparedAt, SEQUENCER_PACE.compareMs, this.#now)) {
      if ((await this.#parts.compare(log)) === "accepted") {
        // Another history has begun: everything is adopted anew.
        if (this.#lease !== null) this.#lease = { ...this.#lease, cursor: null };
        this.#held = null;
        return true;
      }
      await log.careForStreams();
      this.#comparedAt = this.#caredAt = this.#now;
      this.#sizeAtCompare = log.appender.state.size;
    }
    let more = await log.carry();
    if (!more && !log.appender.state.adopted) more = await adoption.step(log, () => this.#between(held));
    await log.publish();
    await log.notePublished("sometimes");
    this.#seen = log.appender.state;
    return more;
  }

  /** While a step of the adoption goes on: what is written meanwhile does not wait for it, nor does a close. */
  async #between(held: Held): Promise<void> {
    if (this.#stop.signal.aborted) throw new Interrupted("the vault is closed");
    const { gatherMs, renewMs } = SEQUENCER_PACE;
    if (isOver(this.#renewedAt, renewMs, this.#now)) await this.#renew(held);
    if (!isOver(this.#carriedAt, gatherMs, this.#now)) return;
    await held.log.carry();
    await held.log.publish();
    this.#carriedAt = this.#now;
  }

  async #renew({ adoption }: Held): Promise<void> {
    if (this.#lease === null) return;
    const { cursor } = adoption;
    const saved = await this.#parts.log.jobs.save(this.#lease, progress(cursor), SEQUENCER_PACE.leaseMs);
    if (saved === "overtaken") throw new Overtaken("the lease is another process's");
    this.#lease = { ...this.#lease, cursor };
    this.#renewedAt = this.#now;
  }

  async #giveBack({ log, adoption }: Held): Promise<void> {
    await log.notePublished("now");
    const lease = this.#lease;
    [this.#lease, this.#held, this.#left] = [null, null, log.appender.state];
    if (lease !== null) await this.#parts.log.jobs.finish(lease, progress(adoption.cursor), 0);
  }

  /** Until something waits, at most for a while, at least for a moment; longer after each failure. */
  async #rest(began: number): Promise<void> {
    const { lookMs, gatherMs, firstWaitMs, longestWaitMs } = SEQUENCER_PACE;
    const { sleep } = this.#parts;
    const stop = this.#stop.signal;
    if (this.#failures > 0) {
      await sleep(Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(this.#failures - 1, 10)), stop);
      return;
    }
    if (!this.#isWoken && !stop.aborted) {
      this.#woken = new AbortController();
      await sleep(lookMs, this.#woken.signal);
    }
    const since = this.#now - began;
    if (since >= 0 && since < gatherMs) await sleep(gatherMs - since, stop);
  }

  async #last(): Promise<void> {
    try {
      const held = this.#isRefused || this.#failures > 0 ? null : await this.#hold();
      if (held !== null) {
        this.#parts.signer.askOthers();
        while (await held.log.carry());
        await held.log.publish();
        await this.#giveBack(held);
      }
      const lease = this.#lease;
      if (lease !== null) await this.#parts.log.jobs.finish(lease, progress(lease.cursor), 0);
    } catch (error) {
      // It waits in the outboxes, for whoever opens the vault next.
      if (!(error instanceof Overtaken) && !this.#parts.alarms.refuses(error)) this.#parts.onFault(error);
    }
  }

  get #isRefused(): boolean {
    return this.#parts.alarms.isRefused;
  }

  get #now(): number {
    return this.#parts.clock().getTime();
  }
}

/** @throws VaultError `store-rolled-back`: the log has less than this process has seen in it */
export function requireAll(seen: Pick<LogState, "history" | "size"> | null, now: LogState): void {
  const had = seen?.history ?? null;
  if (seen === null || had === null || (now.history === had && now.size >= seen.size)) return;
  // Another process may have accepted a restore: then there is more.
  if (now.history !== seen.history && now.size > seen.size) return;
  throw rolledBack(`the audit's log has ${now.size} entries, and had ${seen.size} while the vault was open`);
}

/** Takes the lease; null: another process has it. */
export async function takeLease(
  jobs: JobStore,
  holder: string,
  job: "is there" | "add it" = "add it",
): Promise<Leased | null> {
  if (job === "add it") await jobs.add(SEQUENCE_JOB, [PARTITION]);
  return jobs.lease({ job: SEQUENCE_JOB, holder, ms: SEQUENCER_PACE.leaseMs });
}

/** How far the adoption is: the lease keeps it. */
const progress = (cursor: string | null): Progress => ({ cursor, done: 0, failed: 0, problem: null });

/** A clock that was set back ends a time too. */
const isOver = (from: number, ms: number, now: number): boolean => now - from >= ms || now < from;

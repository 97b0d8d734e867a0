/**
 * Pays owed wraps in the background: looks for versions that owe one to a region which may be asked, claims some,
 * repairs them at a bounded pace, and rests until a region comes back, a write owes something new, or the interval is
 * over. It never throws: what fails is counted, noted at the version, and tried again later.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { mapBounded } from "@strongroom/base/work";
import type { Keyring } from "@strongroom/envelope";
import { envelopeFailure } from "../envelope-failure.ts";
import { VaultError } from "../errors.ts";
import type { ClaimedVersion, ClaimRelease, RecordStore } from "../store.ts";
import { Pace } from "./pace.ts";
import { RegionGate } from "./region-gate.ts";
import type { RegionSight } from "./region-gate.ts";
import { repairVersion } from "./repair-version.ts";
import { parseRepairSettings } from "./settings.ts";
import type { RepairSettings } from "./settings.ts";
import { RepairTally } from "./status.ts";
import type { RepairStatus } from "./status.ts";
import { faultOf, waitMs } from "./waits.ts";

/** The settings, and what the worker sees and waits with. */
export interface RepairOptions extends Partial<RepairSettings> {
  /** The regions as calls have shown them; makes none. Left out: only repairs themselves show it. */
  readonly health?: () => readonly RegionSight[];
  /** Ends the repair like closing the vault does, and what is under way with it. */
  readonly signal?: AbortSignal;
  /** Told of what ended a round: the store can not be used now, or a defect. Nothing that is stored is in it. */
  readonly onFault?: (error: unknown) => void;
  /** Waits, or less when aborted. For tests that have time of their own. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface RepairWorkerParts {
  readonly store: RecordStore;
  readonly keyring: Keyring;
  readonly clock: () => Date;
}

export class RepairWorker {
  readonly #parts: RepairWorkerParts;
  readonly #settings: RepairSettings;
  readonly #health: () => readonly RegionSight[];
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #giveUp: AbortSignal | undefined;
  readonly #onFault: (error: unknown) => void;
  readonly #stopping = new AbortController();
  readonly #stop: AbortSignal;
  readonly #holder = randomUUID();
  readonly #gate: RegionGate;
  readonly #pace: Pace;
  readonly #tally = new RepairTally();
  readonly #ended: Promise<void>;
  #state: RepairStatus["state"] = "resting";
  #awake: "yes" | "no" = "no";

  /** Starts it. @throws VaultError `limit-invalid` */
  constructor(
    parts: RepairWorkerParts,
    { health = () => [], signal, onFault = () => undefined, sleep = systemSleep, ...settings }: RepairOptions,
  ) {
    this.#parts = parts;
    this.#settings = parseRepairSettings(settings);
    this.#health = health;
    this.#sleep = sleep;
    this.#giveUp = signal;
    this.#onFault = onFault;
    this.#stop = signal === undefined ? this.#stopping.signal : AbortSignal.any([this.#stopping.signal, signal]);
    this.#gate = new RegionGate(this.#settings.intervalMs);
    this.#pace = new Pace(this.#settings.itemsPerSecond);
    this.#ended = this.#run();
  }

  status(): RepairStatus {
    return this.#tally.status(this.#state);
  }

  /** Something new is owed: look at it soon. */
  wake(): void {
    this.#awake = "yes";
  }

  /** Begins nothing more, and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    // Not within the constructor's own turn: opening a vault must not wait for it.
    await Promise.resolve();
    while (!this.#stop.aborted) {
      this.#state = "working";
      await this.#round();
      this.#state = "resting";
      await this.#rest();
    }
    this.#state = "stopped";
  }

  /** Works until nothing is due in a region that may be asked. */
  async #round(): Promise<void> {
    try {
      while (!this.#stop.aborted) {
        this.#gate.look(this.#health());
        const found = await this.#claim();
        if (found === null) return;
        await mapBounded(found.claimed, this.#settings.atOnce, (item) => this.#take(item, found));
      }
    } catch (error) {
      // The store can not be used now. What is claimed comes back when the claims run out.
      this.#tally.failed(error instanceof VaultError ? error.code : "store-failed", this.#parts.clock());
      this.#onFault(error);
    }
  }

  /**
   * Versions of the first region that may be asked and has some: all that a claim takes where it is open, one to try it
   * otherwise.
   */
  async #claim(): Promise<Claimed | null> {
    const due = await this.#parts.store.dueRegions(this.#now);
    const lanes = due.map((region) => ({ region, lane: this.#gate.lane(region, this.#now) }));
    const { claimItems, leaseMs } = this.#settings;
    for (const lane of ["open", "trial"] as const) {
      for (const { region } of lanes.filter((one) => one.lane === lane)) {
        if (lane === "trial") this.#gate.tried(region, this.#now);
        const now = this.#now;
        const limit = lane === "trial" ? 1 : claimItems;
        const claimed = await this.#parts.store.claimDebts({
          holder: this.#holder,
          region,
          limit,
          now,
          until: now + leaseMs,
        });
        if (claimed.length > 0) return { region, lane, claimed, until: now + leaseMs };
      }
    }
    return null;
  }

  async #take(item: ClaimedVersion, { region, lane, until }: Claimed): Promise<void> {
    const wait = this.#pace.turn(this.#now);
    if (wait > 0) await this.#sleep(wait, this.#stop);
    this.#gate.look(this.#health());
    const closed = lane === "open" && this.#gate.lane(region, this.#now) !== "open";
    // A claim that has run out is somebody else's by now.
    if (this.#stop.aborted || closed || this.#now >= until) await this.#release(item, { waitMs: 0, problem: null });
    else await this.#repair(item, region);
  }

  /** @throws VaultError of the store */
  async #repair(item: ClaimedVersion, region: string): Promise<void> {
    const { clock } = this.#parts;
    try {
      const outcome = await repairVersion({ ...this.#parts, signal: this.#giveUp }, item, this.#settings.regionWaitMs);
      this.#tally.ended(outcome, clock());
      if (outcome.kind === "repaired") for (const gained of outcome.gained) this.#gate.gained(gained);
      if (outcome.kind === "repaired" && !outcome.gained.includes(region)) this.#gate.missed(region, this.#now);
    } catch (error) {
      const { code } = envelopeFailure(error);
      const fault = faultOf(code);
      if (fault === "store") throw error;
      if (fault === "caller") {
        await this.#release(item, { waitMs: 0, problem: null });
        return;
      }
      if (fault === "region") this.#gate.missed(region, this.#now);
      const problem = { code, at: clock().toISOString() };
      const released = await this.#release(item, { waitMs: waitMs(fault, item.attempts + 1, this.#settings), problem });
      // A claim that is gone was taken by a removal, or ran out: what was met is not how things are.
      if (released === "gone") this.#tally.ended({ kind: "overtaken" }, clock());
      else this.#tally.failed(code, clock());
    }
  }

  async #release(
    place: ClaimedVersion,
    { waitMs: wait, problem }: { readonly waitMs: number; readonly problem: ClaimRelease["problem"] },
  ): Promise<"released" | "gone"> {
    return this.#parts.store.releaseDebt({ holder: this.#holder, place, dueAt: this.#now + wait, problem });
  }

  async #rest(): Promise<void> {
    const { intervalMs, lookMs } = this.#settings;
    const began = this.#now;
    do {
      await this.#sleep(lookMs, this.#stop);
      if (this.#stop.aborted || this.#gate.look(this.#health()) || this.#awake === "yes") break;
    } while (this.#now - began < intervalMs && this.#now >= began);
    this.#awake = "no";
  }

  get #now(): number {
    return this.#parts.clock().getTime();
  }
}

interface Claimed {
  readonly region: string;
  readonly lane: "open" | "trial";
  readonly claimed: readonly ClaimedVersion[];
  readonly until: number;
}

/** Does not keep the process alive. */
async function systemSleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

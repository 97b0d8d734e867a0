/**
 * Pays owed wraps in the background: looks for versions that owe one to a region which may be asked, claims some,
 * repairs them at a bounded pace, and rests until a region comes back, a write owes something new, or the interval is
 * over. It never throws: what fails is counted, noted at the version, and tried again later.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { mapBounded } from "@strongroom/base/work";
import { isVaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import { envelopeFailure } from "../records/version.ts";
import type { ClaimedVersion, ClaimRelease } from "../store.ts";
import { repairVersion } from "./repair-version.ts";
import type { RepairOutcome } from "./repair-version.ts";
import { originOf, Pace, parseRepairSettings, RegionGate, waitMs } from "./schedule.ts";
import type { Access, RegionHealth, RepairSettings } from "./schedule.ts";

/** The settings, and what the worker sees and waits with. */
export interface RepairOptions extends Partial<RepairSettings> {
  /** The regions as calls have shown them; makes none. Left out: only repairs themselves show it. */
  readonly health?: () => readonly RegionHealth[];
  /** Ends the repair like closing the vault does, and what is under way with it. */
  readonly signal?: AbortSignal;
  /** Told of what ended a round: the store cannot be used now, or a defect. Nothing that is stored is in it. */
  readonly onFault?: (error: unknown) => void;
  /** Waits, or less when aborted. For tests that have time of their own. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What the repair of owed wraps has done since it was started, in numbers. No id, no region's words. */
export interface RepairStatus {
  /** `off`: the vault was opened without it. */
  readonly state: "off" | "resting" | "working" | "stopped";
  /** Versions that got wraps, and versions that were found to owe nothing any more. */
  readonly repaired: number;
  readonly settled: number;
  /** Repairs that met a writer, a removal or another repair, and changed nothing. */
  readonly overtaken: number;
  readonly failed: number;
  readonly failuresByCode: Readonly<Partial<Record<VaultErrorCode, number>>>;
  /** ISO 8601, UTC. */
  readonly lastRepairAt: string | null;
  readonly lastFailure: { readonly code: VaultErrorCode; readonly at: string } | null;
}

/** Repairs from when it is made until it is stopped. */
export class RepairWorker {
  readonly #dependencies: Pick<Dependencies, "store" | "keyring" | "clock">;
  readonly #settings: RepairSettings;
  readonly #health: () => readonly RegionHealth[];
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #giveUp: AbortSignal | undefined;
  readonly #onFault: (error: unknown) => void;
  readonly #stopping = new AbortController();
  readonly #stop: AbortSignal;
  readonly #holder = randomUUID();
  readonly #gate: RegionGate;
  readonly #pace: Pace;
  readonly #counters = new RepairCounters();
  readonly #ended: Promise<void>;
  #state: RepairStatus["state"] = "resting";
  #awake = false;

  /** Starts it. @throws VaultError `limit-invalid` */
  constructor(
    dependencies: Pick<Dependencies, "store" | "keyring" | "clock">,
    { health = () => [], signal, onFault = () => undefined, sleep = systemSleep, ...settings }: RepairOptions,
  ) {
    this.#dependencies = dependencies;
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
    return this.#counters.status(this.#state);
  }

  /** Something new is owed: look at it soon. */
  wake(): void {
    this.#awake = true;
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
      // The store cannot be used now. What is claimed comes back when the claims run out.
      this.#counters.failed(isVaultError(error) ? error.code : "store-failed", this.#dependencies.clock());
      this.#onFault(error);
    }
  }

  /**
   * Versions of the first region that may be asked and has some: all that a claim takes where it is open, one to try it
   * otherwise.
   */
  async #claim(): Promise<Claimed | null> {
    const due = await this.#dependencies.store.dueRegions(this.#now);
    const regions = due.map((region) => ({ region, access: this.#gate.access(region, this.#now) }));
    const { claimItems, leaseMs } = this.#settings;
    for (const access of ["open", "trial"] as const) {
      for (const { region } of regions.filter((candidate) => candidate.access === access)) {
        if (access === "trial") this.#gate.tried(region, this.#now);
        const now = this.#now;
        const limit = access === "trial" ? 1 : claimItems;
        const claimed = await this.#dependencies.store.claimDebts({
          holder: this.#holder,
          region,
          limit,
          now,
          until: now + leaseMs,
        });
        if (claimed.length > 0) return { region, access, claimed, until: now + leaseMs };
      }
    }
    return null;
  }

  async #take(item: ClaimedVersion, { region, access, until }: Claimed): Promise<void> {
    const wait = this.#pace.turn(this.#now);
    if (wait > 0) await this.#sleep(wait, this.#stop);
    this.#gate.look(this.#health());
    const closed = access === "open" && this.#gate.access(region, this.#now) !== "open";
    // A claim that has run out is somebody else's by now.
    if (this.#stop.aborted || closed || this.#now >= until) await this.#release(item, { waitMs: 0, problem: null });
    else await this.#repair(item, region);
  }

  /** @throws VaultError of the store */
  async #repair(item: ClaimedVersion, region: string): Promise<void> {
    const { clock } = this.#dependencies;
    try {
      const outcome = await repairVersion(
        { ...this.#dependencies, signal: this.#giveUp },
        item,
        this.#settings.regionWaitMs,
      );
      this.#counters.ended(outcome, clock());
      if (outcome.kind === "repaired") for (const gained of outcome.gained) this.#gate.gained(gained);
      if (outcome.kind === "repaired" && !outcome.gained.includes(region)) this.#gate.missed(region, this.#now);
    } catch (error) {
      const { code } = envelopeFailure(error);
      const origin = originOf(code);
      if (origin === "store") throw error;
      if (origin === "caller") {
        await this.#release(item, { waitMs: 0, problem: null });
        return;
      }
      if (origin === "load") {
        // Who reads and writes comes first.
        await this.#release(item, { waitMs: this.#settings.regionWaitMs, problem: null });
        return;
      }
      if (origin === "region") this.#gate.missed(region, this.#now);
      const problem = { code, at: clock().toISOString() };
      const released = await this.#release(item, {
        waitMs: waitMs(origin, item.attempts + 1, this.#settings),
        problem,
      });
      // A claim that is gone was taken by a removal, or ran out: what was met is not how things are.
      if (released === "gone") this.#counters.ended({ kind: "overtaken" }, clock());
      else this.#counters.failed(code, clock());
    }
  }

  async #release(
    place: ClaimedVersion,
    { waitMs: wait, problem }: { readonly waitMs: number; readonly problem: ClaimRelease["problem"] },
  ): Promise<"released" | "gone"> {
    return this.#dependencies.store.releaseDebt({ holder: this.#holder, place, dueAt: this.#now + wait, problem });
  }

  async #rest(): Promise<void> {
    const { intervalMs, lookMs } = this.#settings;
    const began = this.#now;
    do {
      await this.#sleep(lookMs, this.#stop);
      if (this.#stop.aborted || this.#gate.look(this.#health()) || this.#awake) break;
    } while (this.#now - began < intervalMs && this.#now >= began);
    this.#awake = false;
  }

  get #now(): number {
    return this.#dependencies.clock().getTime();
  }
}

/** Versions that were claimed together, of a region that may be asked. */
interface Claimed {
  readonly region: string;
  readonly access: Exclude<Access, "closed">;
  readonly claimed: readonly ClaimedVersion[];
  readonly until: number;
}

/** Does not keep the process alive. */
async function systemSleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

/** Counts what the repairs come to. */
export class RepairCounters {
  readonly #outcomes: Record<RepairOutcome["kind"] | "failed", number> = {
    repaired: 0,
    settled: 0,
    overtaken: 0,
    failed: 0,
  };
  readonly #codes = new Map<VaultErrorCode, number>();
  #lastRepairAt: string | null = null;
  #lastFailure: RepairStatus["lastFailure"] = null;

  ended({ kind }: RepairOutcome, at: Date): void {
    this.#outcomes[kind]++;
    if (kind === "repaired") this.#lastRepairAt = at.toISOString();
  }

  failed(code: VaultErrorCode, at: Date): void {
    this.#outcomes.failed++;
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    this.#lastFailure = { code, at: at.toISOString() };
  }

  status(state: RepairStatus["state"]): RepairStatus {
    return {
      state,
      ...this.#outcomes,
      failuresByCode: Object.fromEntries(this.#codes),
      lastRepairAt: this.#lastRepairAt,
      lastFailure: this.#lastFailure,
    };
  }
}

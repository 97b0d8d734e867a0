/**
 * Pays owed wraps in the background, by rounds: each works until nothing is due in a region that may be asked, and is
 * followed by a rest, until a region comes back, a write owes something new, or the interval is over. It never throws:
 * what fails is counted, noted at the version, and tried again later.
 */
import { setTimeout as delay } from "node:timers/promises";
import { isVaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { DebtView } from "./debt.ts";
import { REPAIR_JOB, REPAIR_PARTITIONS } from "./partitions.ts";
import { RepairRound } from "./repair-round.ts";
import type { RepairOutcome } from "./repair-version.ts";
import { Pace, parseRepairSettings, RegionGate } from "./schedule.ts";
import type { RegionHealth, RepairSettings } from "./schedule.ts";

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
  readonly #dependencies: Pick<Dependencies, "store" | "keys" | "clock">;
  readonly #settings: RepairSettings;
  readonly #debt: DebtView;
  readonly #health: () => readonly RegionHealth[];
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #onFault: (error: unknown) => void;
  readonly #stopping = new AbortController();
  readonly #stop: AbortSignal;
  readonly #gate: RegionGate;
  readonly #counters = new RepairCounters();
  readonly #round: RepairRound;
  readonly #ended: Promise<void>;
  #state: RepairStatus["state"] = "resting";
  #isAdded = false;
  #awake = true;

  /**
   * Starts it.
   *
   * @param debt is shown what each round sees to be owed
   * @throws VaultError `limit-invalid`
   */
  constructor(
    dependencies: Pick<Dependencies, "store" | "keys" | "clock">,
    debt: DebtView,
    { health = () => [], signal, onFault = () => undefined, sleep = systemSleep, ...settings }: RepairOptions,
  ) {
    this.#dependencies = dependencies;
    this.#debt = debt;
    this.#settings = parseRepairSettings(settings);
    this.#health = health;
    this.#sleep = sleep;
    this.#onFault = onFault;
    this.#stop = signal === undefined ? this.#stopping.signal : AbortSignal.any([this.#stopping.signal, signal]);
    this.#gate = new RegionGate(this.#settings.intervalMs);
    this.#round = new RepairRound({
      dependencies: { ...dependencies, signal },
      settings: this.#settings,
      gate: this.#gate,
      pace: new Pace(this.#settings.itemsPerSecond),
      counters: this.#counters,
      health,
      sleep,
      stop: this.#stop,
    });
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
      await this.#work();
      this.#state = "resting";
      await this.#rest();
    }
    this.#state = "stopped";
  }

  async #work(): Promise<void> {
    const { jobs } = this.#dependencies.store;
    try {
      if (!this.#isAdded) await jobs.add(REPAIR_JOB, REPAIR_PARTITIONS);
      this.#isAdded = true;
      if (this.#awake) await jobs.wake(REPAIR_JOB);
      this.#awake = false;
      await this.#debt.look();
      if (await this.#round.work()) await this.#debt.look();
    } catch (error) {
      // The store cannot be used now, or nothing may be written. Partitions that are held come back by themselves.
      this.#counters.failed(isVaultError(error) ? error.code : "store-failed", this.#dependencies.clock());
      this.#onFault(error);
    }
  }

  async #rest(): Promise<void> {
    const { intervalMs, lookMs } = this.#settings;
    const began = this.#now;
    do {
      await this.#sleep(lookMs, this.#stop);
      if (this.#gate.look(this.#health())) this.#awake = true;
      if (this.#stop.aborted || this.#awake) break;
    } while (this.#now - began < intervalMs && this.#now >= began);
  }

  get #now(): number {
    return this.#dependencies.clock().getTime();
  }
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

/**
 * Pays owed wraps in the background, by rounds: each works until nothing is due in a region that may be asked, and is
 * followed by a rest, until a region comes back, a write owes something new, or the interval is over. It never throws:
 * what fails is counted, noted at the version, and tried again later.
 */
import { isVaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { DebtLook } from "./debt.ts";
import { REPAIR_PARTITIONS } from "./partitions.ts";
import { Round } from "./round.ts";
import type { Work, EndedOutcome } from "./work.ts";
import { RegionGate } from "./schedule.ts";
import type { Pace, RegionHealth, RepairSettings } from "./schedule.ts";

/** What a worker works with. */
export interface WorkerDependencies<Place> {
  readonly work: Work<Place>;
  /** At the same inventory: what each round sees to be owed. */
  readonly look: DebtLook;
  readonly settings: RepairSettings;
  readonly clock: () => Date;
  /** Shared with other workers, as the counters are. */
  readonly pace: Pace;
  readonly counters: RepairCounters;
  readonly health: () => readonly RegionHealth[];
  readonly onFault: (error: unknown) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Nothing more is begun after it. */
  readonly stop: AbortSignal;
}

/** What the repair of owed wraps has done since it was started, in numbers. No id, no region's words. */
export interface RepairStatus {
  /** `off`: the vault was opened without it. */
  readonly state: "off" | RepairState;
  /** Versions and keys that got wraps, and those that were found to owe nothing any more. */
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

/** What a worker does now. */
export type RepairState = "resting" | "working" | "stopped";

/** Repairs from when it is made until it is stopped. */
export class Worker<Place> {
  readonly #d: WorkerDependencies<Place>;
  readonly #gate: RegionGate;
  readonly #round: Round<Place>;
  #state: RepairState = "resting";
  #isAdded = false;
  #awake = true;
  /** Resolves when it was stopped, and what was under way has ended. */
  readonly ended: Promise<void>;

  /** Starts it. */
  constructor(dependencies: WorkerDependencies<Place>) {
    this.#d = dependencies;
    this.#gate = new RegionGate(dependencies.settings.intervalMs);
    this.#round = new Round({ ...dependencies, gate: this.#gate });
    this.ended = this.#run();
  }

  get state(): RepairState {
    return this.#state;
  }

  /** Something new is owed: look at it soon. */
  wake(): void {
    this.#awake = true;
  }

  async #run(): Promise<void> {
    // Not within the constructor's own turn: opening a vault must not wait for it.
    await Promise.resolve();
    while (!this.#d.stop.aborted) {
      this.#state = "working";
      await this.#work();
      this.#state = "resting";
      await this.#rest();
    }
    this.#state = "stopped";
  }

  async #work(): Promise<void> {
    const { work, look, counters, clock, onFault } = this.#d;
    const { job, jobs } = work;
    try {
      if (!this.#isAdded) await jobs.add(job, REPAIR_PARTITIONS);
      this.#isAdded = true;
      if (this.#awake) await jobs.wake(job);
      this.#awake = false;
      await look.look();
      if (await this.#round.work()) await look.look();
    } catch (error) {
      // The store cannot be used now, or nothing may be written. Partitions that are held come back by themselves.
      counters.failed(isVaultError(error) ? error.code : "store-failed", clock());
      onFault(error);
    }
  }

  async #rest(): Promise<void> {
    const { settings, sleep, health, stop } = this.#d;
    const { intervalMs, lookMs } = settings;
    const began = this.#now;
    do {
      await sleep(lookMs, stop);
      if (this.#gate.look(health())) this.#awake = true;
      if (stop.aborted || this.#awake) break;
    } while (this.#now - began < intervalMs && this.#now >= began);
  }

  get #now(): number {
    return this.#d.clock().getTime();
  }
}

/** Counts what the repairs come to. */
export class RepairCounters {
  readonly #outcomes: Record<EndedOutcome["kind"] | "failed", number> = {
    repaired: 0,
    settled: 0,
    overtaken: 0,
    failed: 0,
  };
  readonly #codes = new Map<VaultErrorCode, number>();
  #lastRepairAt: string | null = null;
  #lastFailure: RepairStatus["lastFailure"] = null;

  ended({ kind }: EndedOutcome, at: Date): void {
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

/**
 * The repair of a vault: a worker for the versions of its records and, where it has a key store, one for the keys
 * there, under one pace. Neither waits for the other: a key is many versions' key, and an outage leaves few keys and
 * many versions behind, or the other way round.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { KeyPlace } from "../stores/key-store.ts";
import type { VersionPlace } from "../stores/rows.ts";
import type { DebtLook } from "./debt.ts";
import { RepairCounters, Worker } from "./worker.ts";
import type { RepairStatus } from "./worker.ts";
import type { Work } from "./work.ts";
import { Pace, parseRepairSettings } from "./schedule.ts";
import type { RegionHealth, RepairSettings } from "./schedule.ts";

/** The settings, and what the worker sees and waits with. */
export interface RepairOptions extends Partial<RepairSettings> {
  /** The regions as calls have shown them; makes none. Left out: only repairs themselves show it. */
  readonly health?: () => readonly RegionHealth[];
  /** The same of the keyring of the key store; left out: as `health`. */
  readonly keysHealth?: () => readonly RegionHealth[];
  /** Ends the repair like closing the vault does, and what is under way with it. */
  readonly signal?: AbortSignal;
  /** Told of what ended a round: the store cannot be used now, or a defect. Nothing that is stored is in it. */
  readonly onFault?: (error: unknown) => void;
  /** Waits, or less when aborted. For tests that have time of their own. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Things that are repaired, and the look at what is owed of them. */
interface Repaired<Place> {
  readonly work: Work<Place>;
  readonly look: DebtLook;
}

/** What a vault has to repair. */
export interface RepairedStores {
  readonly versions: Repaired<VersionPlace>;
  /** Null: it has no key store. */
  readonly keys: Repaired<KeyPlace> | null;
}

/** Repairs from when it is made until it is stopped. */
export class Repairs {
  readonly #workers: readonly Pick<Worker<never>, "state" | "wake" | "ended">[];
  readonly #counters = new RepairCounters();
  readonly #stopping = new AbortController();

  /**
   * Starts it.
   *
   * @throws VaultError `limit-invalid`
   */
  constructor(
    { versions, keys }: RepairedStores,
    clock: () => Date,
    { health = () => [], keysHealth = health, signal, onFault = noop, sleep = systemSleep, ...given }: RepairOptions,
  ) {
    const settings = parseRepairSettings(given);
    const stop = this.#stopping.signal;
    const shared = {
      settings,
      clock,
      pace: new Pace(settings.itemsPerSecond),
      counters: this.#counters,
      onFault,
      sleep,
      stop: signal === undefined ? stop : AbortSignal.any([stop, signal]),
    };
    this.#workers = [
      new Worker({ ...shared, ...versions, health }),
      ...(keys === null ? [] : [new Worker({ ...shared, ...keys, health: keysHealth })]),
    ];
  }

  status(): RepairStatus {
    const states = new Set(this.#workers.map(({ state }) => state));
    const state = STATES.find((some) => states.has(some)) ?? "stopped";
    return this.#counters.status(state);
  }

  /** Something new is owed: look at it soon. */
  wake(): void {
    for (const worker of this.#workers) worker.wake();
  }

  /** Begins nothing more, and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#workers.map(({ ended }) => ended));
  }
}

/** What several workers are together: the first of these that one of them is. */
const STATES = ["working", "resting", "stopped"] as const;

export function noop(): void {
  // Nobody asked to be told.
}

/** Does not keep the process alive. */
export async function systemSleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

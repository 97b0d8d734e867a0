/**
 * Goes on with erasures that were begun and not done, in each process whose vault repairs: at its start, when one stops
 * half-way, and now and then, for those of processes that ended. One process at a time does it, under a lease, which
 * saves work and nothing else: each step is the same whoever does it, and however often. It never throws.
 */
import { holderName } from "../convergence/partitions.ts";
import { Recurring } from "../convergence/recurring.ts";
import { isVaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { Leased } from "../stores/jobs.ts";
import type { PersonFiles } from "./person-files.ts";
import type { ErasureSteps } from "./steps.ts";

/** The job as the list of jobs has it. */
export const ERASURE_JOB = "erase";
const PARTITION = "all";

/** What a worker works with. */
export interface ErasureWorkerParts {
  readonly dependencies: Pick<Dependencies, "store" | "clock">;
  readonly files: PersonFiles;
  readonly steps: ErasureSteps;
  readonly onFault: (error: unknown) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** How often it looks, and how long one process has it for itself, in milliseconds. */
  readonly lookMs: number;
  readonly leaseMs: number;
}

export class ErasureWorker {
  readonly #parts: ErasureWorkerParts;
  readonly #holder = holderName();
  readonly #turns: Recurring;
  #awake = true;
  #isAdded = false;

  /** Starts it. */
  constructor(parts: ErasureWorkerParts) {
    const { lookMs, onFault, sleep } = parts;
    this.#parts = parts;
    this.#turns = new Recurring({ turn: (stop) => this.#work(stop), everyMs: lookMs, onFault, sleep });
  }

  /** Something is left to do. */
  wake(): void {
    this.#awake = true;
    this.#turns.wake();
  }

  /** Begins nothing more, and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    await this.#turns.stop();
  }

  async #work(stop: AbortSignal): Promise<void> {
    const { dependencies, files, leaseMs, lookMs } = this.#parts;
    const { jobs } = dependencies.store;
    const wasAwake = this.#awake;
    this.#awake = false;
    const isUnderWay = [...(await files.list()).values()].some(({ erasure }) => erasure !== null);
    if (!isUnderWay) return;
    if (!this.#isAdded) await jobs.add(ERASURE_JOB, [PARTITION]);
    this.#isAdded = true;
    if (wasAwake) await jobs.wake(ERASURE_JOB);
    const leased = await jobs.lease({ job: ERASURE_JOB, holder: this.#holder, ms: leaseMs });
    if (leased !== null) await this.#finishAll(leased, lookMs, stop);
  }

  async #finishAll(leased: Leased, dueInMs: number, stop: AbortSignal): Promise<void> {
    const { dependencies, files, steps, leaseMs, onFault } = this.#parts;
    const { jobs } = dependencies.store;
    let problem: { readonly code: VaultErrorCode; readonly at: string } | null = null;
    for (const [person, { erasure }] of await files.list()) {
      if (erasure === null || stop.aborted) continue;
      let [done, failed] = [0, 0];
      try {
        await steps.finish(person);
        done = 1;
      } catch (error) {
        // One that cannot go on now does not keep the others.
        onFault(error);
        failed = 1;
        problem = { code: isVaultError(error) ? error.code : "store-failed", at: dependencies.clock().toISOString() };
      }
      if ((await jobs.save(leased, { cursor: null, done, failed, problem }, leaseMs)) === "overtaken") return;
    }
    await jobs.finish(leased, { cursor: null, done: 0, failed: 0, problem }, dueInMs);
  }
}

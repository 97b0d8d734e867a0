/**
 * Goes on with erasures that were begun and not done, in each process whose vault repairs: at its start, when one stops
 * half-way, and now and then, for those of processes that ended. One process at a time does it, under a lease, which
 * saves work and nothing else: each step is the same whoever does it, and however often. It never throws.
 */
import { holderName } from "../convergence/partitions.ts";
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

/** How often it is asked whether somebody has woken it, in milliseconds. */
const STEP_MS = 250;

export class ErasureWorker {
  readonly #parts: ErasureWorkerParts;
  readonly #stopping = new AbortController();
  readonly #holder = holderName();
  #awake = true;
  #isAdded = false;
  readonly #ended: Promise<void>;

  /** Starts it. */
  constructor(parts: ErasureWorkerParts) {
    this.#parts = parts;
    this.#ended = this.#run();
  }

  /** Something is left to do. */
  wake(): void {
    this.#awake = true;
  }

  /** Begins nothing more, and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { onFault, sleep, lookMs } = this.#parts;
    const { signal } = this.#stopping;
    // Not within the constructor's own turn: opening a vault must not wait for it.
    await Promise.resolve();
    while (!signal.aborted) {
      try {
        await this.#work();
      } catch (error) {
        // The store cannot be used now.
        onFault(error);
      }
      for (let waited = 0; waited < lookMs && !this.#isAwake(); waited += STEP_MS)
        await sleep(Math.min(STEP_MS, lookMs), signal);
    }
  }

  #isAwake(): boolean {
    return this.#awake || this.#stopping.signal.aborted;
  }

  async #work(): Promise<void> {
    const { dependencies, files, leaseMs, lookMs } = this.#parts;
    const { jobs } = dependencies.store;
    const isUnderWay = [...(await files.list()).values()].some(({ erasure }) => erasure !== null);
    const wasAwake = this.#awake;
    this.#awake = false;
    if (!isUnderWay) return;
    if (!this.#isAdded) await jobs.add(ERASURE_JOB, [PARTITION]);
    this.#isAdded = true;
    if (wasAwake) await jobs.wake(ERASURE_JOB);
    const leased = await jobs.lease({ job: ERASURE_JOB, holder: this.#holder, ms: leaseMs });
    if (leased !== null) await this.#finishAll(leased, lookMs);
  }

  async #finishAll(leased: Leased, dueInMs: number): Promise<void> {
    const { dependencies, files, steps, leaseMs, onFault } = this.#parts;
    const { jobs } = dependencies.store;
    let problem: { readonly code: VaultErrorCode; readonly at: string } | null = null;
    for (const [person, { erasure }] of await files.list()) {
      if (erasure === null || this.#stopping.signal.aborted) continue;
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

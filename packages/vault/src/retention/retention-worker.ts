/**
 * Retention in the background: looks now and then whether a collection is due, and lets nothing that fails end it.
 */
import { noop, Recurring, systemSleep } from "../convergence/recurring.ts";
import { sweepDue } from "./retention.ts";
import type { RetentionParts } from "./retention.ts";

/** How it is done by itself. */
export interface RetentionWorkerOptions {
  /** Milliseconds between two looks; an hour when left out. Each collection is due once a day. */
  readonly lookMs?: number;
  /** Told of what failed, and is tried again. */
  readonly onFault?: (error: unknown) => void;
}

const HOUR_MS = 3_600_000;

export class RetentionWorker {
  readonly #begin: () => Recurring;
  #turns: Recurring | null = null;

  constructor(parts: RetentionParts, { lookMs = HOUR_MS, onFault = noop }: RetentionWorkerOptions) {
    this.#begin = () =>
      new Recurring({ turn: (stop) => sweepDue(parts, stop), everyMs: lookMs, onFault, sleep: systemSleep });
  }

  /** Not before it is known again who is held. */
  start(): void {
    this.#turns = this.#begin();
  }

  /** Resolves when what was under way has ended. */
  async stop(): Promise<void> {
    await this.#turns?.stop();
  }
}

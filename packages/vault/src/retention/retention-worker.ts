/**
 * Retention in the background: looks now and then whether a collection is due, and lets nothing that fails end it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { VaultError } from "../errors.ts";
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
  readonly #stop = new AbortController();
  readonly #begin: () => Promise<void>;
  #ended: Promise<void> = Promise.resolve();

  /** @throws VaultError `vault-option-invalid` */
  constructor(parts: RetentionParts, { lookMs = HOUR_MS, onFault = () => undefined }: RetentionWorkerOptions) {
    if (!Number.isSafeInteger(lookMs) || lookMs < 1)
      throw new VaultError("vault-option-invalid", "retention.lookMs must be a whole number from 1");
    this.#begin = () => this.#run(parts, lookMs, onFault);
  }

  /** Not before it is known again who is held. */
  start(): void {
    this.#ended = this.#begin();
  }

  /** Resolves when what was under way has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(parts: RetentionParts, lookMs: number, onFault: (error: unknown) => void): Promise<void> {
    const { signal } = this.#stop;
    // Not within the constructor's own turn: opening a vault must not wait for it.
    await Promise.resolve();
    while (!signal.aborted) {
      try {
        await sweepDue(parts, signal);
      } catch (error) {
        onFault(error);
      }
      await delay(lookMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}

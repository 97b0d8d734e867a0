/**
 * Time of a test's own, and what processes that work on a run share.
 */
import { memoryStore } from "@strongroom/vault/memory";
import { KmsSlots } from "../../src/convergence/kms-slots.ts";
import type { JobStore } from "../../src/stores/jobs.ts";
import type { Notes } from "../../src/stores/notes.ts";

/** Processes in one memory store, and time that moves on when all of them wait. */
export class World {
  now = 0;
  readonly #waiting: { readonly at: number; readonly wake: () => void }[] = [];
  readonly jobs: JobStore;
  readonly notes: Notes;
  alive = 0;

  constructor() {
    const { jobs, notes } = memoryStore({ clock: () => new Date(this.now) });
    this.jobs = jobs;
    this.notes = notes;
  }

  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      this.#waiting.push({ at: this.now + ms, wake: resolve });
      signal.addEventListener("abort", () => {
        resolve();
      });
    });

  slots(holder: string): KmsSlots {
    return new KmsSlots({ jobs: this.jobs, holder, workers: () => Promise.resolve(this.alive), now: () => this.now });
  }

  /** Moves on to each wait's end, up to so much later. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      await new Promise(setImmediate);
      this.#waiting.sort((a, b) => a.at - b.at);
      const next = this.#waiting[0];
      if (next === undefined || next.at > until) break;
      this.#waiting.shift();
      this.now = Math.max(this.now, next.at);
      next.wake();
    }
    this.now = until;
  }
}

/** How many of these moments are in a time. */
export const between = (begun: readonly number[], from: number, to: number): number =>
  begun.filter((at) => at >= from && at < to).length;

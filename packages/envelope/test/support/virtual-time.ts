/**
 * Time that passes only when nothing else is left to do: minutes in milliseconds, and latencies exact to the
 * millisecond.
 */
import { setImmediate as macrotask } from "node:timers/promises";
import type { CancelTimer, Time } from "@strongroom/envelope/aws-kms";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export class VirtualTime implements Time {
  #now = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): CancelTimer {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Timers that are still set: what an operation left behind. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass until `work` settles; rejects as it does. Also says how long it took. */
  async run<T>(work: Promise<T>): Promise<{ readonly value: T; readonly elapsedMs: number }> {
    const startedAt = this.#now;
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    work.then(mark, mark);
    for (;;) {
      await macrotask();
      // TypeScript does not see that the callback above may have run.
      if (settled as boolean) return { value: await work, elapsedMs: this.#now - startedAt };
      if (!this.#step()) throw new Error("nothing is left that could settle it");
    }
  }

  /** Lets `ms` pass with whatever happens in them. */
  async advance(ms: number): Promise<void> {
    await this.run(this.sleep(ms));
  }

  #step(): boolean {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (next === null || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    if (next === null) return false;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.callback();
    return true;
  }
}

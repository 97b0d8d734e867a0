/**
 * How fast a verification goes, and how far it is: at most so many things a second, and what is told of it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { VaultError } from "../errors.ts";

/** At most so many a second, one after the other. */
export class Pace {
  readonly #apartMs: number;
  readonly #signal: AbortSignal | undefined;
  #next = 0;

  /** @param rate things a second; null: as fast as it goes */
  constructor(rate: number | null, signal: AbortSignal | undefined) {
    this.#apartMs = rate === null ? 0 : 1000 / rate;
    this.#signal = signal;
  }

  /** Resolves when the next thing may be begun. @throws VaultError `aborted` */
  async turn(): Promise<void> {
    requireGoingOn(this.#signal);
    if (this.#apartMs === 0) return;
    const now = performance.now();
    const at = Math.max(now, this.#next);
    this.#next = at + this.#apartMs;
    if (at > now) await delay(at - now, undefined, { signal: this.#signal, ref: true }).catch(() => undefined);
    requireGoingOn(this.#signal);
  }
}

/** @throws VaultError `aborted` */
export function requireGoingOn(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new VaultError("aborted", "The caller gave up");
}

/** How far one part is. */
export class Meter {
  readonly of: number | null;
  readonly #began = performance.now();
  #done = 0;

  /** @param of how many there are; null: it is not known */
  constructor(of: number | null) {
    this.of = of;
  }

  get done(): number {
    return this.#done;
  }

  add(count: number): void {
    this.#done += count;
  }

  /** At the pace so far; null: it is not known. */
  get remainingMs(): number | null {
    if (this.of === null || this.#done === 0) return null;
    return (Math.max(0, this.of - this.#done) * (performance.now() - this.#began)) / this.#done;
  }
}

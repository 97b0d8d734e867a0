/**
 * Stores that fail, or whose process ends, at one of their calls.
 */
import type { Stores } from "./rig.ts";

/**
 * `refuses`: the call fails and does nothing. `loses`: it is done, and its answer is lost. `dies before`, `dies after`:
 * the process ends before or after it, and no later call of it does anything.
 */
export type Fault = "refuses" | "loses" | "dies before" | "dies after";

export const FAULTS: readonly Fault[] = ["refuses", "loses", "dies before", "dies after"];

/** Counts the calls of all stores, and lets one of them go wrong. */
export class FaultyCalls {
  calls = 0;
  readonly #at: number;
  readonly #fault: Fault;
  #isDead = false;

  constructor(at: number, fault: Fault) {
    this.#at = at;
    this.#fault = fault;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  stores({ store, keyStore, log }: Stores): Stores {
    return { store: this.#wrapped(store), keyStore: this.#wrapped(keyStore), log: this.#wrapped(log) };
  }

  #wrapped<Part extends object>(part: Part): Part {
    return new Proxy(part, {
      get: (target, name) => {
        const found = Reflect.get(target, name) as unknown;
        if (typeof found === "object" && found !== null && !(found instanceof Uint8Array)) return this.#wrapped(found);
        if (typeof found !== "function") return found;
        return (...args: unknown[]) => this.#call(() => (found as (...all: unknown[]) => unknown).apply(target, args));
      },
    });
  }

  async #call(work: () => unknown): Promise<unknown> {
    if (this.#isDead) throw new Error("the process has ended");
    const isIt = ++this.calls === this.#at;
    if (!isIt) return work();
    if (this.#fault === "refuses") throw new Error("the store fails");
    if (this.#fault === "dies before") this.#isDead = true;
    if (this.#isDead) throw new Error("the process ends");
    await work();
    if (this.#fault === "dies after") this.#isDead = true;
    throw new Error("the answer is lost");
  }
}

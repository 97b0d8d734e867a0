// OpenSSL wipes its copies of a key when it frees them, but Node frees them only when the garbage collector comes by:
// in an idle process, never. Threat: key material in a memory dump of a server that has had nothing to do for hours.
// So, when no call has come for a while, garbage is collected once, and memory that was freed unwiped is overwritten.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { overwriteFreedMemory } from "./freed-memory.ts";

/** After so long without a call, milliseconds. */
export const IDLE_MS = 2000;

/** Collects garbage once after the last of a row of calls. */
export class IdleSweep {
  #timer: NodeJS.Timeout | null = null;
  readonly #collect: () => void;

  constructor(collect: () => void = collector()) {
    this.#collect = collect;
  }

  /** A call has come in. */
  touch(): void {
    if (this.#timer !== null) {
      this.#timer.refresh();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#collect();
    }, IDLE_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** V8's collector; Node shows it only under a flag, which can be set at run time. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  return () => {
    collect();
    overwriteFreedMemory();
    collect();
  };
}

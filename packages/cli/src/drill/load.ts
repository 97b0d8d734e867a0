// Requests at a steady rate, whatever becomes of those before: as people ask, not as a loop does that waits for each
// answer. And repeatable chances for choosing what comes next.
import { setTimeout as sleep } from "node:timers/promises";
import type { Call, Clock } from "./figures.ts";

/** How the load is made. */
export interface LoadOptions {
  /** The requests; null where the drill was interrupted meanwhile. */
  readonly records: { read(): Promise<Call | null>; write(): Promise<Call | null> };
  /** Requests per second. */
  readonly rate: number;
  readonly writeShare: number;
  readonly seed: number;
  readonly clock: Clock;
}

/** A load that runs until it is stopped. */
export interface Load {
  /** Every call that has ended, in the order in which they did. */
  readonly calls: readonly Call[];
  /** Sends no more, and waits for what is under way. Throws what no answer of the service explains. */
  stop(): Promise<void>;
}

/** Starts it. */
export function startLoad({ records, rate, writeShare, seed, clock }: LoadOptions): Load {
  const calls: Call[] = [];
  const underWay = new Set<Promise<void>>();
  const random = seededRandom(seed);
  const stopping = new AbortController();
  const errors: unknown[] = [];

  const send = (): void => {
    const call = (random() < writeShare ? records.write() : records.read())
      .then((ended) => {
        if (ended !== null) calls.push(ended);
      })
      .catch((error: unknown) => errors.push(error))
      .then(() => {
        underWay.delete(call);
      });
    underWay.add(call);
  };
  const run = async (): Promise<void> => {
    const startedAt = clock();
    for (let request = 0; !stopping.signal.aborted; request++) {
      send();
      const waitMs = startedAt + ((request + 1) * 1000) / rate - clock();
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const running = run();

  return {
    calls,
    stop: async () => {
      stopping.abort();
      await running;
      await Promise.all(underWay);
      if (errors.length > 0) throw errors[0];
    },
  };
}

/**
 * Repeatable chances, never for keys: mulberry32, numbers in [0, 1). The same seed gives the same numbers.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

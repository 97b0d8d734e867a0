// Samples the wrap debt of the service over time, as GET /v1/regions tells it.
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@strongroom/client";
import type { Clock } from "./figures.ts";

/** Between two samples, in milliseconds. */
export const SAMPLE_EVERY_MS = 250;

/** What was owed at a moment, in milliseconds since the drill began. */
export interface DebtSample {
  readonly at: number;
  readonly items: number;
}

/** Samples at intervals until it is stopped. */
export interface DebtSampler {
  readonly samples: readonly DebtSample[];
  /** What is owed now, asked at once. */
  sample(): Promise<number>;
  /** Waits until at most `items` are owed, or until `endsAt`. Throws what the service says if it cannot be asked. */
  untilPaid(options: { readonly items: number; readonly endsAt: number }): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it. `signal` ends every wait. */
export function sampleDebt({
  service,
  clock,
  signal,
}: {
  readonly service: Pick<Client, "regions">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): DebtSampler {
  const samples: DebtSample[] = [];
  const stopping = new AbortController();
  const ending = AbortSignal.any([signal, stopping.signal]);
  const sample = async (): Promise<number> => {
    const { items } = (await service.regions()).wrapDebt;
    samples.push({ at: clock(), items });
    return items;
  };
  const run = async (): Promise<void> => {
    while (!ending.aborted) {
      // Somebody who waits for the debt asks as well, and is told why the service does not answer.
      await sample().catch(() => undefined);
      await sleep(SAMPLE_EVERY_MS, undefined, { signal: ending }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    samples,
    sample,
    untilPaid: async ({ items, endsAt }) => {
      while ((await sample()) > items && clock() < endsAt) await sleep(SAMPLE_EVERY_MS, undefined, { signal });
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

// The clock: warm up, then run in batches until the time is used. The clock stands still while a batch's results are
// verified, all of them.

import type { Work } from "./contender.ts";

export interface Effort {
  /** Milliseconds of unrecorded runs before the clock starts; 0 for work whose one run is long. */
  readonly warmupMs: number;
  /** Milliseconds on the clock; the batch that is running when they are used up is finished. */
  readonly measureMs: number;
  /** Runs between two verifications. */
  readonly batch: number;
  /** Runs in flight at once. */
  readonly concurrency: number;
}

export interface Sample {
  /** Units per second on the clock. */
  readonly rate: number;
  /** Processor time per unit, all threads of the process, in microseconds. */
  readonly cpuMicrosPerUnit: number;
  /** Highest resident memory of the process at the last stop of the clock, before that batch was verified, in MiB. */
  readonly peakRssMiB: number;
  /** Results verified, those of the warm-up included. */
  readonly verified: number;
  /** Time of single runs in milliseconds, where runs overlap; null where the rate says the same. */
  readonly latencyMs: { readonly p50: number; readonly p99: number } | null;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Measures one prepared work in this process. Rejects with the work's own error when a result is wrong. */
export async function measure(work: Work, effort: Effort): Promise<Sample> {
  const latencies: number[] = [];
  const runBatch = effort.concurrency === 1 ? sequential : overlapping(effort.concurrency, latencies);
  const results = new Array<unknown>(effort.batch);
  let verified = 0;
  const verifyBatch = async (): Promise<void> => {
    for (const result of results) await work.verify(result);
    verified += results.length;
  };

  const warmupStart = performance.now();
  const warmupCpu = process.cpuUsage();
  while (!isSpent(effort.warmupMs, performance.now() - warmupStart, microsOf(process.cpuUsage(warmupCpu)))) {
    await runBatch(work, results);
    await verifyBatch();
  }
  latencies.length = 0;

  let elapsedMs = 0;
  let cpuMicros = 0;
  let runs = 0;
  let peakRssMiB = 0;
  while (!isSpent(effort.measureMs, elapsedMs, cpuMicros)) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    await runBatch(work, results);
    elapsedMs += performance.now() - start;
    cpuMicros += microsOf(process.cpuUsage(cpu));
    runs += effort.batch;
    peakRssMiB = process.resourceUsage().maxRSS / 1024;
    await verifyBatch();
  }
  const units = runs * (work.unitsPerRun ?? 1);
  return {
    rate: units / (elapsedMs / 1000),
    cpuMicrosPerUnit: cpuMicros / units,
    peakRssMiB,
    verified,
    latencyMs: latencies.length === 0 ? null : { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) },
    metrics: (await work.metrics?.()) ?? {},
  };
}

/**
 * A budget is spent when its time has passed and the process had most of it on a processor: on a busy machine a second
 * of waiting warms nothing up. Work that waits by its nature gets four times its budget, not for ever.
 */
function isSpent(budgetMs: number, elapsedMs: number, cpuMicros: number): boolean {
  return elapsedMs >= budgetMs && (cpuMicros / 1_000 >= budgetMs * 0.75 || elapsedMs >= budgetMs * 4);
}

const microsOf = ({ user, system }: NodeJS.CpuUsage): number => user + system;

type RunBatch = (work: Work, results: unknown[]) => Promise<void>;

const sequential: RunBatch = async (work, results) => {
  for (let i = 0; i < results.length; i++) {
    const result = work.run();
    results[i] = result instanceof Promise ? await result : result;
  }
};

function overlapping(concurrency: number, latencies: number[]): RunBatch {
  return async (work, results) => {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < results.length) {
        const index = next++;
        const start = performance.now();
        results[index] = await work.run();
        latencies.push(performance.now() - start);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  };
}

/** Nearest-rank percentile of a non-empty list; `fraction` from 0 to 1. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("a percentile needs at least one value");
  return value;
}

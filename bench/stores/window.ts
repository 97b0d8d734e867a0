// What several processes did while all of them were at it. Each notes when its operations ended; what counts is the
// stretch of time in which every one of them had warmed up and none had stopped.

import { percentile } from "../harness/measure.ts";

/** What one process did. Times in milliseconds of a clock that all processes of the machine share. */
export interface Trace {
  /** From when to when it was measured: it was fully at work before, throughout, and after. */
  readonly from: number;
  readonly to: number;
  /** When each operation ended, and how long it took. */
  readonly ended: Float64Array;
  readonly took: Float64Array;
  /** Processor time of all threads of the process for each operation, in microseconds. */
  readonly cpuMicros: number;
}

/** What all of them did together. */
export interface Together {
  readonly windowMs: number;
  readonly operations: number;
  /** Records per second. */
  readonly rate: number;
  /** Of an operation. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  /** For each record, in whichever process. */
  readonly cpuMicros: number;
}

/**
 * @param units records of one operation
 * @throws when they were hardly at work at the same time: such figures say nothing of processes that share a store
 */
export function together(traces: readonly Trace[], units: number): Together {
  const from = traces.reduce((latest, trace) => Math.max(latest, trace.from), -Infinity);
  const to = traces.reduce((earliest, trace) => Math.min(earliest, trace.to), Infinity);
  const shortest = traces.reduce((least, trace) => Math.min(least, trace.to - trace.from), Infinity);
  const windowMs = to - from;
  if (!(windowMs >= shortest / 2))
    throw new Error(`the processes were at work together for ${Math.round(windowMs)} of ${Math.round(shortest)} ms`);
  const took: number[] = [];
  let cpuMicros = 0;
  for (const trace of traces) {
    const before = took.length;
    for (const [index, ended] of trace.ended.entries()) {
      const latency = trace.took[index];
      if (latency !== undefined && ended >= from && ended < to) took.push(latency);
    }
    cpuMicros += trace.cpuMicros * (took.length - before);
  }
  if (took.length === 0) throw new Error(`no operation ended in the ${Math.round(windowMs)} ms that were measured`);
  return {
    windowMs,
    operations: took.length,
    rate: (took.length * units) / (windowMs / 1_000),
    latencyMs: { p50: percentile(took, 0.5), p99: percentile(took, 0.99) },
    cpuMicros: cpuMicros / (took.length * units),
  };
}

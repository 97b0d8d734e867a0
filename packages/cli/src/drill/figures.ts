// What one request of the drill came to, and what was felt in one phase, from the calls that fell into it.
import { PROMISED } from "./settings.ts";

/** Milliseconds since the drill began. */
export type Clock = () => number;

interface Timed {
  readonly startedAt: number;
  readonly elapsedMs: number;
  /** The service's code where the request was not answered as asked, or the drill's own `not-equal`. */
  readonly code: string | null;
}

/** A record asked for, and whether what came was what had been written. */
export interface ReadCall extends Timed {
  readonly kind: "read";
  readonly outcome: "ok" | "failed";
}

/** A record written: `refused` when too few regions could wrap it, `failed` for every other reason. */
export interface WriteCall extends Timed {
  readonly kind: "write";
  readonly outcome: "ok" | "refused" | "failed";
  /** Wraps that the acknowledged version has; 0 where there is none. */
  readonly stored: number;
  /** Regions whose wrap it owes. */
  readonly missing: readonly string[];
  /** Whether it was about somebody new, whose key the regions have to wrap: that of others may be in memory. */
  readonly isNew: boolean;
}

/** One request. */
export type Call = ReadCall | WriteCall;

/** When a call was over. */
export function endOf({ startedAt, elapsedMs }: Call): number {
  return startedAt + elapsedMs;
}

/** Times of the calls that were answered as asked, in milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** One phase as its requests felt it. */
export interface PhaseFigures {
  readonly seconds: number;
  readonly reads: number;
  readonly failedReads: number;
  readonly writes: number;
  /** Refused because too few regions could wrap. */
  readonly refusedWrites: number;
  readonly failedWrites: number;
  /** Acknowledged writes with fewer wraps than wanted. */
  readonly missingWraps: number;
  readonly readMs: Latency | null;
  readonly writeMs: Latency | null;
  /** The longest call, whatever came of it. */
  readonly slowestMs: number;
  /** Code -> how many calls failed with it. */
  readonly codes: Readonly<Record<string, number>>;
}

/** A stretch of the drill, in milliseconds since it began. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Counts the calls of a phase that lasted for `span`. */
export function phaseFigures(calls: readonly Call[], { from, to }: Span): PhaseFigures {
  const reads = calls.filter((call): call is ReadCall => call.kind === "read");
  const writes = calls.filter((call): call is WriteCall => call.kind === "write");
  const codes: Record<string, number> = {};
  for (const { code } of calls) if (code !== null) codes[code] = (codes[code] ?? 0) + 1;
  return {
    seconds: (to - from) / 1000,
    reads: reads.length,
    failedReads: reads.filter(({ outcome }) => outcome === "failed").length,
    writes: writes.length,
    refusedWrites: writes.filter(({ outcome }) => outcome === "refused").length,
    failedWrites: writes.filter(({ outcome }) => outcome === "failed").length,
    missingWraps: writes.filter(({ missing }) => missing.length > 0).length,
    readMs: latency(reads),
    writeMs: latency(writes),
    slowestMs: calls.reduce((slowest, { elapsedMs }) => Math.max(slowest, elapsedMs), 0),
    codes,
  };
}

/** The quantile by nearest rank; null of nothing. */
export function quantile(values: readonly number[], fraction: number): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? null;
}

function latency(calls: readonly Call[]): Latency | null {
  const answered = calls.filter(({ outcome }) => outcome === "ok").map(({ elapsedMs }) => elapsedMs);
  const [p50, p99] = [quantile(answered, 0.5), quantile(answered, 0.99)];
  return p50 === null || p99 === null ? null : { p50, p99 };
}

/**
 * How long latency must stay normal before it counts as back, and the share of calls that may be slow meanwhile: one in
 * twenty is slower than p95.
 */
const SETTLED_MS = 1000;
const SLOW_SHARE = 0.05;

/**
 * Milliseconds from the loss until latency was back in its normal band (the healthy phase's p99 and `PROMISED.bandMs`);
 * 0 where it never left it, null where it had not come back when the phase ended. Refused writes are not slow: they are
 * an answer.
 */
export function failoverMs(lost: readonly Call[], healthy: PhaseFigures, { from, to }: Span): number | null {
  const band = {
    read: (healthy.readMs?.p99 ?? 0) + PROMISED.bandMs,
    write: (healthy.writeMs?.p99 ?? 0) + PROMISED.bandMs,
  };
  const isSlow = (call: Call): boolean => call.outcome === "failed" || call.elapsedMs > band[call.kind];
  const candidates = [from, ...lost.filter(isSlow).map(endOf)]
    .filter((at) => at <= to)
    .toSorted((one, other) => one - other);
  const settled = candidates.find((at) => {
    const after = lost.filter(({ startedAt }) => startedAt >= at && startedAt < at + SETTLED_MS);
    return after.length > 0 && after.filter(isSlow).length <= SLOW_SHARE * after.length;
  });
  return settled === undefined ? null : settled - from;
}

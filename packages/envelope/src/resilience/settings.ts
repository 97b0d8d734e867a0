/**
 * Every number of the resilience policy, its default, why it has this value, and its bounds. Invalid numbers are
 * refused, never replaced by a default.
 */

import { objectOf, option, thatIs, wholeNumber } from "../options.ts";
import type { Reader, Rows } from "../options.ts";

/** All times in milliseconds. */
export interface ResilienceSettings {
  /** Longest an operation may take, whatever the regions do. */
  readonly deadlineMs: number;
  /** Longest one call to one region may take; the deadline cuts it shorter where it must. */
  readonly attemptTimeoutMs: number;
  /** Shortest, longest wait for a region before the next one is asked beside it; between them its p95 counts. */
  readonly hedgeMinMs: number;
  readonly hedgeMaxMs: number;
  /** Successful calls to a region before its p95 is believed. */
  readonly hedgeMinSamples: number;
  /** Hedged calls earned by each ordinary call, and how many can be saved up. */
  readonly hedgeRatio: number;
  readonly hedgeReserve: number;
  /** A write that has its minimum waits for each further region this many times that region's hedge delay. */
  readonly stragglerFactor: number;
  /** Shortest such wait. */
  readonly stragglerMinMs: number;
  /** Failures in a row that open a region's breaker. */
  readonly breakerStrikes: number;
  /** First and longest rest of an open breaker; the rest doubles from the one to the other. */
  readonly breakerFirstRestMs: number;
  readonly breakerLongestRestMs: number;
  /** Closed for this long a region is stable, and its next rest is the first one again. */
  readonly breakerStableMs: number;
  /** A probe without an answer after this long is given up. */
  readonly breakerProbeLeaseMs: number;
  /** Reads at once, and writes at once, at most; what is more waits. */
  readonly operationsAtOnce: number;
  /** Of each, how many may wait, and the longest wait; what is more is refused before any region is asked. */
  readonly operationsWaiting: number;
  readonly operationsWaitMs: number;
  /** Calls at once to a region: to begin with, and between which bounds the limit finds its place. */
  readonly callsAtOnce: number;
  readonly callsAtOnceMin: number;
  readonly callsAtOnceMax: number;
  /** Calls at once to a region that rests, made when no other region is left. */
  readonly lastResortCalls: number;
  /** Honest answers in a row that a region needs after it lied. */
  readonly quarantineProbes: number;
  /** With `proveWraps: "sampled"`: how likely a wrap is proven, and how long after the last the next one is. */
  readonly proveShare: number;
  readonly proveEveryMs: number;
  /** Calls per second that a throttling region is always asked. */
  readonly throttleMinRate: number;
  /** Calls per second that one success adds to a throttled region's rate. */
  readonly throttleGain: number;
  /** Without a throttled answer for this long a region is asked freely again. */
  readonly throttleCalmMs: number;
  /** Throttled answers within this long count as one. */
  readonly throttleWindowMs: number;
}

export const RESILIENCE_DEFAULTS: ResilienceSettings = {
  /** What a person still takes for one action; far above three far regions one after another. */
  deadlineMs: 2_000,
  /**
   * Two silent regions still leave a third its time inside the deadline; a first call over TLS to another continent
   * takes less.
   */
  attemptTimeoutMs: 750,
  /** Below 20 ms a hedge reacts to garbage collection and timers, not to regions. */
  hedgeMinMs: 20,
  /** A region slower than this at p95 is felt as an outage: the next one is asked. */
  hedgeMaxMs: 250,
  /** The first calls of a process open connections; with fewer than 8 samples p95 is only their slowest. */
  hedgeMinSamples: 8,
  /**
   * Below the 5 % of calls that are slower than p95 by definition, so that a healthy fleet never pays more than 5 %
   * extra.
   */
  hedgeRatio: 0.04,
  /** Enough to carry the calls in flight when a region falls silent, until its breaker opens. */
  hedgeReserve: 10,
  /**
   * Twice the p95: a healthy region misses it about once in hundreds of writes, a silent one costs two hedge delays.
   */
  stragglerFactor: 2,
  /**
   * A read loses nothing by asking elsewhere, a write loses a wrap: a pause of this process or its machine (a busy
   * import, garbage collection) must not cost one. A region that is silent for longer is felt by three writes, then its
   * breaker is open.
   */
  stragglerMinMs: 250,
  /** One failure is an accident, three in a row are not; each of them already went to the next region. */
  breakerStrikes: 3,
  /** Short enough for a restarted host, long enough that probing costs nothing. */
  breakerFirstRestMs: 1_000,
  /** With one call a second to carry the probe, a recovery is noticed within 5 s. */
  breakerLongestRestMs: 3_500,
  breakerStableMs: 10_000,
  /** Longer than an attempt may take. */
  breakerProbeLeaseMs: 2_000,
  /** Nine hundred a second over two round trips of 70 ms: more than a process has the time to make. */
  operationsAtOnce: 128,
  /** As many as are served in the longest wait, at a thousand a second. */
  operationsWaiting: 512,
  /** A quarter of the deadline: what was let in late still has the time that it needs. */
  operationsWaitMs: 500,
  /** Few enough for regions on one small machine; twice as many after each round of answers as fast as usual. */
  callsAtOnce: 8,
  /** Never so few that a far region could not recover. */
  callsAtOnceMin: 4,
  /** The connections of an AWS SDK client: a call beyond them would wait inside of it, and look like silence. */
  callsAtOnceMax: 50,
  /** Enough to notice within a round trip that a region is back; too few to keep one down that is overloaded. */
  lastResortCalls: 4,
  /** A region that lied must be right three times in a row: one right answer may be chance. */
  quarantineProbes: 3,
  /** Two calls more in a hundred wraps; a region that lies in every tenth is found out within a few hundred. */
  proveShare: 0.02,
  /** A liar that has just begun lasts no longer, and a quiet service proves nearly all of its wraps. */
  proveEveryMs: 10_000,
  throttleMinRate: 1,
  /** At rate r a region answers r times a second, so its rate grows by half each second. */
  throttleGain: 0.5,
  throttleCalmMs: 5_000,
  /** The answers to calls that were in flight together arrive within about a second. */
  throttleWindowMs: 1_000,
};

/** Lowest and highest sensible value of each number. */
const BOUNDS: Readonly<
  Record<keyof ResilienceSettings, readonly [lowest: number, highest: number, unit: "ms" | "whole" | "any"]>
> = {
  deadlineMs: [10, 600_000, "ms"],
  attemptTimeoutMs: [10, 600_000, "ms"],
  hedgeMinMs: [1, 60_000, "ms"],
  hedgeMaxMs: [1, 60_000, "ms"],
  hedgeMinSamples: [1, 128, "whole"],
  hedgeRatio: [0, 1, "any"],
  hedgeReserve: [0, 10_000, "any"],
  stragglerFactor: [1, 100, "any"],
  stragglerMinMs: [1, 60_000, "ms"],
  breakerStrikes: [1, 1_000, "whole"],
  breakerFirstRestMs: [1, 600_000, "ms"],
  breakerLongestRestMs: [1, 600_000, "ms"],
  breakerStableMs: [0, 3_600_000, "ms"],
  breakerProbeLeaseMs: [10, 600_000, "ms"],
  operationsAtOnce: [1, 10_000, "whole"],
  operationsWaiting: [0, 100_000, "whole"],
  operationsWaitMs: [1, 60_000, "ms"],
  callsAtOnce: [1, 10_000, "whole"],
  callsAtOnceMin: [1, 10_000, "whole"],
  callsAtOnceMax: [1, 10_000, "whole"],
  lastResortCalls: [1, 10_000, "whole"],
  quarantineProbes: [1, 100, "whole"],
  proveShare: [0, 1, "any"],
  proveEveryMs: [1, 86_400_000, "ms"],
  throttleMinRate: [0.01, 100_000, "any"],
  throttleGain: [0, 100_000, "any"],
  throttleCalmMs: [1, 3_600_000, "ms"],
  throttleWindowMs: [0, 3_600_000, "ms"],
};

/** Pairs of which the first may not be larger than the second. */
const ORDERED: readonly (readonly [keyof ResilienceSettings, keyof ResilienceSettings])[] = [
  ["hedgeMinMs", "hedgeMaxMs"],
  ["breakerFirstRestMs", "breakerLongestRestMs"],
  ["callsAtOnceMin", "callsAtOnce"],
  ["callsAtOnce", "callsAtOnceMax"],
];

const NAMES = Object.keys(BOUNDS) as readonly (keyof ResilienceSettings)[];

/** Every number as an option. */
export const SETTINGS_ROWS: Rows<ResilienceSettings> = Object.fromEntries(
  NAMES.map((name) => [name, option(numberWithin(BOUNDS[name]), RESILIENCE_DEFAULTS[name])]),
) as Rows<ResilienceSettings>;

function numberWithin([lowest, highest, unit]: (typeof BOUNDS)[keyof ResilienceSettings]): Reader<number> {
  if (unit === "whole") return wholeNumber(lowest, highest);
  return thatIs(
    (value): value is number => typeof value === "number" && value >= lowest && value <= highest,
    `a number from ${lowest} to ${highest}${unit === "ms" ? " (milliseconds)" : ""}`,
  );
}

const read = objectOf(SETTINGS_ROWS);

/** The options with defaults filled in; every problem is added to `problems`. */
export function resolveSettings(options: Partial<ResilienceSettings>, problems: string[]): ResilienceSettings {
  const settings = read(options, "", problems);
  noteOrderProblems(settings, problems);
  return settings;
}

/** Adds to `problems` what is wrong with numbers that are right each by itself. */
export function noteOrderProblems(settings: ResilienceSettings, problems: string[]): void {
  for (const [smaller, larger] of ORDERED) {
    if (settings[smaller] > settings[larger])
      problems.push(`${smaller} (${settings[smaller]}) must not be larger than ${larger} (${settings[larger]})`);
  }
}

/** The numbers alone. */
export function settingsOf(values: ResilienceSettings): ResilienceSettings {
  const settings = { ...RESILIENCE_DEFAULTS };
  for (const name of NAMES) settings[name] = values[name];
  return settings;
}

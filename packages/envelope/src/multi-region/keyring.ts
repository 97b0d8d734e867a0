/**
 * The multi-region keyring: one data key, wrapped by a key in each of several regions; any one of them opens it again.
 * What it does when a region fails is this folder, over wrapping keys of any provider. docs/resilience-matrix.md shows
 * what it promises and keeps. In the order in which to read it:
 *
 * 1. wrapping-key.ts: what a key can do; FAILURE_RULES of ../errors.ts: what each kind of failure means;
 * 2. this file: the options, and how a read, a write and a probe begin and end;
 * 3. read.ts: which region opens which encrypted data key, in which order, with failover and hedging;
 * 4. write.ts: the data key; parallel-wraps.ts and write-plan.ts: its wraps in parallel, stragglers, minimum, target,
 *    substitutes; wrap-proofs.ts: which of them are opened before they count;
 * 5. rewrap-sources.ts, rewrap.ts, opened-once.ts, refused-pairs.ts: the wraps of a key that is kept wrapped elsewhere;
 * 6. region.ts and region-state.ts: a call to a region, and whether it may be called now, by its breaker, limits and
 *    latencies; hedging.ts: how long to wait before another is asked beside it, and what that may cost;
 * 7. telemetry.ts: the events, counters and health that come out;
 * 8. ../resilience: the state machines beneath. time.ts (deadline), listening-clock.ts, admission.ts (operations at
 *    once), calls.ts (one call, a race of several), circuit-breaker.ts, call-limits.ts, settings.ts (every number, and
 *    why).
 */
import { EnvelopeError, isEnvelopeError, requireNotAborted } from "../errors.ts";
import type { Keyring } from "../keyrings/keyring.ts";
import { requireNoDataKey } from "../keyrings/data-keys.ts";
import { KEY_LENGTH } from "../keyrings/kept-keys.ts";
import { abortSignal, needed, objectOf, oneOf, option, readOptions, text, wholeNumber } from "../options.ts";
import type { Rows, RowsFor } from "../options.ts";
import { Admission } from "../resilience/admission.ts";
import { SharedLoad, ThrottleBucket } from "../resilience/call-limits.ts";
import type { CallResult } from "../resilience/calls.ts";
import { noteOrderProblems, SETTINGS_ROWS, settingsOf } from "../resilience/settings.ts";
import type { ResilienceSettings } from "../resilience/settings.ts";
import { Deadline, systemTime, timeOption } from "../resilience/time.ts";
import type { Time } from "../resilience/time.ts";
import { Hedging } from "./hedging.ts";
import { readDataKey } from "./read.ts";
import { RefusedPairs } from "./refused-pairs.ts";
import { asSource, reEncrypts, rewrapKept } from "./rewrap-sources.ts";
import { Region } from "./region.ts";
import type { OfMaterial, RegionOptions } from "./region.ts";
import { Counters, publish } from "./telemetry.ts";
import type { CounterName, KeyringCounters, RegionHealth } from "./telemetry.ts";
import { proveWrapsOption } from "./wrap-proofs.ts";
import type { ProveWraps } from "./wrap-proofs.ts";
import { writeDataKey } from "./write.ts";

export interface MultiRegionKeyring extends Keyring {
  /** Each region as the calls made so far have shown it, in the configured order. Makes no call. */
  health(): readonly RegionHealth[];
  /** How often each decision of the policy was taken. */
  counters(): KeyringCounters;
  /** Asks every region whether its key is usable, in parallel, within the deadline; then answers as `health` does. */
  probe(options?: { readonly signal?: AbortSignal }): Promise<readonly RegionHealth[]>;
}

/** A region's place in the policy. */
export interface RegionPlace {
  /** The geographic area it belongs to, such as `europe`. Regions without one form one area together. */
  readonly group?: string;
  /**
   * `preferred` regions are asked for a wrap by every write. A `substitute` is asked when a preferred region of the
   * same group is out, so that the target is still reached and the key stays in its area.
   */
  readonly role?: "preferred" | "substitute";
}

/** The numbers of the policy are options too: see RESILIENCE_DEFAULTS. */
export interface PolicyOptions extends Partial<ResilienceSettings> {
  /** In the order of preference, nearest first. */
  readonly regions: readonly RegionPlace[];
  /** Wraps that a write needs to succeed. */
  readonly minimum: number;
  /** Wraps that are wanted; as many as there are preferred regions by default. */
  readonly target?: number;
  /**
   * Which wraps are opened by their region before they count: `all`, `sampled` (the default) or `off`. A proof is a
   * Decrypt: a writer that may not decrypt says `off`.
   */
  readonly proveWraps?: ProveWraps;
  /** Where time comes from; for tests and simulations. */
  readonly time?: Time;
}

export interface Policy {
  readonly minimum: number;
  readonly target: number;
  readonly proveWraps: ProveWraps;
  readonly settings: ResilienceSettings;
  readonly time: Time;
}

/** The options of the policy as they are read; those of a provider's regions are beside them. */
export interface PolicyValues extends ResilienceSettings {
  readonly minimum: number;
  readonly target: number | undefined;
  readonly proveWraps: ProveWraps;
  readonly time: Time;
}

export const POLICY_ROWS: Rows<PolicyValues> = {
  ...SETTINGS_ROWS,
  minimum: needed(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
  target: option(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
  proveWraps: option(proveWrapsOption, "sampled"),
  time: option(timeOption, systemTime),
} satisfies RowsFor<Omit<PolicyOptions, "regions">>;

export const PLACE_ROWS: Rows<ReadPlace> = {
  group: option(text),
  role: option(oneOf(["preferred", "substitute"]), "preferred"),
} satisfies RowsFor<RegionPlace>;

/** A {@link RegionPlace} as it is read. */
export interface ReadPlace {
  readonly group: string | undefined;
  readonly role: "preferred" | "substitute";
}

/** The policy for these places; every problem is added to `problems`, and it is of no use when there is one. */
export function resolvePolicy(values: PolicyValues, places: readonly ReadPlace[], problems: string[]): Policy {
  const { minimum, proveWraps, time } = values;
  const settings = settingsOf(values);
  noteOrderProblems(settings, problems);
  const preferred = places.filter(({ role }) => role === "preferred");
  const { target = preferred.length } = values;
  if (places.length === 0) problems.push("regions is empty");
  for (const [index, { role, group }] of places.entries()) {
    if (role === "substitute" && !preferred.some((other) => other.group === group))
      problems.push(`regions[${index}] is a substitute in a group without a preferred region`);
  }
  if (minimum > preferred.length)
    problems.push(
      `minimum must be at most ${preferred.length}: no target is higher than the number of preferred regions`,
    );
  else if (target < minimum || target > preferred.length)
    problems.push("target must be a whole number from minimum to the number of preferred regions");
  return { minimum, target, proveWraps, settings, time };
}

/** The keyring over these keys, in the order of preference. */
export function keyringOver(options: readonly RegionOptions[], policy: Policy): MultiRegionKeyring {
  const { minimum, target, settings, time } = policy;
  const { attemptTimeoutMs, deadlineMs } = settings;
  const regions = regionsOf(options, policy);
  const counters = new Counters();
  const hedging = new Hedging(settings, counters);
  const refusedPairs = new RefusedPairs();
  const admissions = {
    read: new Admission(() => placesFor("read", regions, settings), settings, time),
    write: new Admission(() => placesFor("write", regions, settings, minimum), settings, time),
  };
  const health = (): readonly RegionHealth[] => regions.map(({ state }) => state.snapshot());

  async function operate<T>(
    kind: "read" | "write",
    signal: AbortSignal | undefined,
    run: (deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    using deadline = new Deadline({ time, deadlineMs, signal });
    counters.add(COUNTED[kind].all);
    let code: string | null = null;
    try {
      return await admissions[kind].run(deadline, () => run(deadline));
    } catch (error) {
      counters.add(COUNTED[kind].failed);
      code = isEnvelopeError(error) ? error.code : "unknown";
      if (code === "keyring-overloaded") counters.add("overloaded");
      throw error;
    } finally {
      publish(() => ({ kind: "operation", operation: kind, code, elapsedMs: deadline.elapsedMs }));
    }
  }

  /** Asks them all, in parallel. */
  async function describeAll(signal: AbortSignal | undefined): Promise<readonly CallResult<OfMaterial>[]> {
    using deadline = new Deadline({ time, deadlineMs, signal });
    const calls = regions.map((region) => region.describe({ purpose: "health-check", timeoutMs: attemptTimeoutMs }));
    const results = await deadline.guard({
      result: Promise.all(calls.map(({ result }) => result)),
      stop: (why) => {
        for (const call of calls) call.stop(why);
      },
    });
    if (deadline.cutShort() === "aborted") throw new EnvelopeError("aborted", "The probe was aborted");
    return results;
  }

  const keyring: MultiRegionKeyring = {
    target,

    onEncrypt: (materials, { signal, keyArnEntry, onCall }) =>
      operate("write", signal, async (deadline) => {
        const { dataKey, encryptedDataKeys, report, substitutions } = await writeDataKey({
          regions,
          minimum,
          target,
          context: Object.fromEntries(materials.encryptionContext.pairs),
          keyArnEntry,
          keyLength: materials.suite.keyLength,
          dataKey: materials.dataKey,
          deadline,
          hedging,
          counters,
          attemptTimeoutMs,
          onCall,
        });
        counters.add("substitutions", substitutions);
        if (report.stored.length < target) {
          counters.add("writesBelowTarget");
          const missing = report.missing.map(({ region, reason }) => ({ region, reason }));
          publish(() => ({ kind: "wraps-missing", stored: report.stored.length, target, missing }));
        }
        return {
          ...materials,
          dataKey,
          encryptedDataKeys: [...materials.encryptedDataKeys, ...encryptedDataKeys],
          wraps: report,
        };
      }),

    onDecrypt: (materials, encryptedDataKeys, { signal, keyArnEntry, onCall }) =>
      operate("read", signal, async (deadline) => {
        requireNoDataKey(materials);
        const opened = await readDataKey({
          regions,
          encryptedDataKeys,
          keyLength: materials.suite.keyLength,
          context: Object.fromEntries(materials.encryptionContext.pairs),
          keyArnEntry,
          accepts: (candidate) => materials.accepts(candidate),
          deadline,
          hedging,
          attemptTimeoutMs,
          onCall,
        });
        return { ...materials, ...opened };
      }),

    onRewrap: (request, call) =>
      operate("write", call.signal, (deadline) =>
        rewrapKept(
          { regions, target, keyLength: KEY_LENGTH, refusedPairs, deadline, hedging, counters, attemptTimeoutMs },
          request,
          call,
        ),
      ),

    reEncrypts: (source, from, to) => reEncrypts(regions, source, from, to),

    async currentMaterials({ signal }) {
      requireNotAborted(signal);
      const results = await describeAll(signal);
      return regions.flatMap(({ key: { keyId: key } }, index): readonly KeyMaterial[] => {
        const result = results[index];
        if (result?.kind !== "done") return [{ key, material: null }];
        return result.value.material === null ? [] : [{ key, material: result.value.material }];
      });
    },

    health,
    counters: () => counters.snapshot(hedging.budget.saved),

    async probe(options = {}) {
      const { signal } = readOptions(PROBE_OPTIONS, options);
      requireNotAborted(signal);
      await describeAll(signal);
      return health();
    },
  };
  asSource(keyring, regions);
  return keyring;
}

type KeyMaterial = Awaited<ReturnType<NonNullable<Keyring["currentMaterials"]>>>[number];

const PROBE_OPTIONS = objectOf({ signal: option(abortSignal) });

const COUNTED: Readonly<Record<"read" | "write", { readonly all: CounterName; readonly failed: CounterName }>> = {
  read: { all: "reads", failed: "readsFailed" },
  write: { all: "writes", failed: "writesFailed" },
};

/**
 * How many operations of a kind are let in at once: as many as the regions take calls, so that a call hardly ever waits
 * for another of ours. A read asks one of the regions that are well, a write all that it wants a wrap from. Where fewer
 * are well than are needed, the operations wait for what the last resorts find, and not for one another.
 */
function placesFor(
  kind: "read" | "write",
  regions: readonly Region[],
  { operationsAtOnce }: ResilienceSettings,
  needed = 1,
): number {
  let [well, all, fewest] = [0, 0, Infinity];
  for (const { role, state } of regions) {
    if (!state.isHealthy || (kind === "write" && role === "substitute")) continue;
    well += 1;
    all += state.callsAtOnce;
    fewest = Math.min(fewest, state.callsAtOnce);
  }
  return well < needed ? operationsAtOnce : Math.min(operationsAtOnce, kind === "read" ? all : fewest);
}

/** The keys of one provider in one region share its quota, so they share what is known of its throttling. */
function regionsOf(options: readonly RegionOptions[], { settings, proveWraps, time }: Policy): readonly Region[] {
  const fullShareMs = Math.min(settings.attemptTimeoutMs, settings.deadlineMs / options.length);
  const buckets = new Map<string, ThrottleBucket>();
  const load = new SharedLoad(settings.callsAtOnceMin * options.length);
  return options.map((each) => {
    const quota = `${each.key.providerId} ${each.key.region}`;
    const bucket = buckets.get(quota) ?? new ThrottleBucket(settings);
    buckets.set(quota, bucket);
    return new Region(each, { settings, proveWraps, time, bucket, load, fullShareMs });
  });
}

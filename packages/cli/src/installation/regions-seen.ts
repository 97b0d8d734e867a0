// The regions as the keyrings of an installation saw them together: that of the records and that of the key store call
// the same regions, each with keys of its own.
import type { MultiRegionKeyring, RegionHealth } from "@strongroom/envelope/aws-kms";

/** The worst of two first. */
const STATES: readonly RegionHealth["state"][] = ["down", "up", "unknown"];
const BREAKERS: readonly RegionHealth["breaker"]["state"][] = ["open", "half-open", "closed"];

/** Each region once, in the order of the first keyring. */
export function regionsSeen(keyrings: readonly Pick<MultiRegionKeyring, "health">[]): readonly RegionHealth[] {
  const regions = new Map<string, RegionHealth>();
  for (const keyring of new Set(keyrings))
    for (const health of keyring.health()) {
      const known = regions.get(health.region);
      regions.set(health.region, known === undefined ? health : together(known, health));
    }
  return [...regions.values()];
}

/** What both keyrings have counted. */
export function countersOf(
  keyrings: readonly Pick<MultiRegionKeyring, "counters">[],
): ReturnType<MultiRegionKeyring["counters"]> {
  const [first, ...others] = new Set(keyrings);
  if (first === undefined) throw new TypeError("an installation has a keyring");
  return others.reduce((sum, keyring) => sums(sum, keyring.counters()), first.counters());
}

function together(one: RegionHealth, other: RegionHealth): RegionHealth {
  const [busier, quieter] = one.calls >= other.calls ? [one, other] : [other, one];
  const by = <Value>(order: readonly Value[], value: (health: RegionHealth) => Value): RegionHealth =>
    order.indexOf(value(one)) <= order.indexOf(value(other)) ? one : other;
  const latest = (value: (health: RegionHealth) => string | null): RegionHealth =>
    (value(one) ?? "") >= (value(other) ?? "") ? one : other;
  return {
    ...busier,
    state: by(STATES, ({ state }) => state).state,
    latencyMs: busier.latencyMs ?? quieter.latencyMs,
    calls: one.calls + other.calls,
    failures: one.failures + other.failures,
    failuresByKind: sums(one.failuresByKind, other.failuresByKind),
    lastFailure: latest(({ lastFailure }) => lastFailure?.at ?? null).lastFailure,
    lastSuccessAt: latest(({ lastSuccessAt }) => lastSuccessAt).lastSuccessAt,
    breaker: by(BREAKERS, ({ breaker }) => breaker.state).breaker,
    callsPerSecond: lower(one.callsPerSecond, other.callsPerSecond),
    callsByPurpose: sums(one.callsByPurpose, other.callsByPurpose),
    overtaken: one.overtaken + other.overtaken,
    alarm: one.alarm ?? other.alarm,
  };
}

const lower = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

/** Counts by the names of both. */
function sums<Counts extends object>(one: Counts, other: Counts): Counts {
  const counts = new Map<string, number>(Object.entries(one));
  for (const [name, count] of Object.entries(other) as [string, number][])
    counts.set(name, (counts.get(name) ?? 0) + count);
  return Object.fromEntries(counts) as Counts;
}

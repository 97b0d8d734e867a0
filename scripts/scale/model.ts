// What people come to in calls of a KMS, time, money and bytes, by arithmetic: nothing is asked, nothing is measured.
// scripts/test/scale.test.ts holds its small cases against what the project's own KMS has counted.
import type { Numbers } from "./assumptions.ts";

export const SCOPES = ["record", "subject", "tenant"] as const;
export type Scope = (typeof SCOPES)[number];
export const STORES = ["sqlite", "postgres"] as const;
export type StoreKind = (typeof STORES)[number];

/**
 * Calls for one purpose: in the region that is asked first, and in each of the others. `wrap` is GenerateDataKey or
 * Encrypt, `rewrap` ReEncrypt, `open` and `prove` are Decrypt.
 */
export interface CallLine {
  readonly purpose: "wrap" | "rewrap" | "open" | "prove";
  readonly first: number;
  readonly further: number;
}

/** In every region alike. */
const everywhere = (purpose: CallLine["purpose"], calls: number): CallLine => ({
  purpose,
  first: calls,
  further: calls,
});
/** In one region, which is the first as long as it answers. */
const once = (purpose: CallLine["purpose"], calls: number): CallLine => ({ purpose, first: calls, further: 0 });

export function callsOf(lines: readonly CallLine[], { regions }: Pick<Numbers, "regions">): number {
  return lines.reduce((sum, { first, further }) => sum + first + (regions - 1) * further, 0);
}

/** Calls in the region that has the most. */
export function busiest(lines: readonly CallLine[]): number {
  const sum = (of: "first" | "further"): number => lines.reduce((all, line) => all + line[of], 0);
  return Math.max(sum("first"), sum("further"));
}

export function dollarsOf(calls: number, { dollarsPer10000 }: Numbers): number {
  return (calls / 10_000) * dollarsPer10000;
}

/** People whose keys or messages there are. */
export interface Population {
  readonly people: number;
  readonly records: number;
  readonly versions: number;
  readonly tenants: number;
}

export function populationOf(people: number, numbers: Numbers): Population {
  const records = people * numbers.recordsPerPerson;
  return {
    people,
    records,
    versions: records * numbers.versionsPerRecord,
    tenants: Math.max(1, Math.ceil(people / numbers.peoplePerTenant)),
  };
}

/** Keys in the key store that the regions wrap. */
export function wrappedKeys(scope: Scope, { people, tenants }: Population, { ownKeys }: Numbers): number {
  return { record: 0, subject: people, tenant: tenants }[scope] + ownKeys;
}

/** The first import: one version of each record, everybody new, in one process and cache age. */
export function importing(scope: Scope, population: Population, numbers: Numbers): readonly CallLine[] {
  const wrapped = wrappedKeys(scope, population, numbers) + (scope === "record" ? population.records : 0);
  return [
    everywhere("wrap", wrapped),
    once("open", numbers.ownKeys),
    everywhere("prove", wrapped * numbers.proveShare),
  ];
}

/** Another key set for everything. With `verify`, each new wrap is opened by its own key before it counts. */
export function rotating(
  scope: Scope,
  population: Population,
  { verify, ...numbers }: Numbers & { readonly verify: boolean },
): readonly CallLine[] {
  const keys = wrappedKeys(scope, population, numbers);
  const versions = scope === "record" ? population.versions : 0;
  return [
    everywhere("rewrap", keys),
    // A message gets no second header: it is opened, and sealed anew under a data key of its own.
    once("open", versions),
    everywhere("wrap", versions),
    everywhere("prove", versions * numbers.proveShare),
    // Each new wrap, of a key or of a message.
    ...(verify ? [everywhere("prove", keys + versions)] : []),
  ];
}

/** Seconds at so many calls a second and region. */
export function secondsAt(perSecond: number, lines: readonly CallLine[]): number {
  return busiest(lines) / perSecond;
}

/** Whether all requests about somebody come to one process, or each to any. */
export type Routing = "anywhere" | "together";

/** Traffic at its peak. */
export interface Traffic {
  readonly requests: number;
  readonly visits: number;
  readonly processes: number;
}

export function trafficOf(people: number, numbers: Numbers): Traffic {
  const visits = ((people * numbers.visitsPerDay) / DAY_SECONDS) * numbers.peakFactor;
  return trafficAt(visits * requestsPerVisit(numbers), numbers);
}

/** So many requests a second. */
export function trafficAt(requests: number, numbers: Numbers): Traffic {
  const processes = Math.max(numbers.leastProcesses, Math.ceil(requests / numbers.requestsPerProcess));
  return { requests, visits: requests / requestsPerVisit(numbers), processes };
}

const requestsPerVisit = ({ readsPerVisit, writesPerVisit }: Numbers): number => readsPerVisit + writesPerVisit;

export const DAY_SECONDS = 86_400;
export const MONTH_DAYS = 30;

/** Calls a second of steady traffic. */
export function steady(scope: Scope, traffic: Traffic, tenants: number, routing: Routing, numbers: Numbers): Steady {
  const { visits, processes } = traffic;
  const { newShare, ownKeys, cacheSeconds } = numbers;
  const own = (ownKeys * processes) / cacheSeconds;
  const made = { record: visits * numbers.writesPerVisit, subject: visits * newShare, tenant: 0 }[scope];
  const opened = {
    record: visits * numbers.readsPerVisit,
    subject: visits * opensPerVisit(traffic, routing, numbers),
    tenant: tenantOpens(traffic, tenants, numbers),
  }[scope];
  const lines = [everywhere("wrap", made), once("open", opened + own), everywhere("prove", made * numbers.proveShare)];
  return { lines, opened, made, hitShare: Math.max(0, 1 - opened / traffic.requests) };
}

export interface Steady {
  readonly lines: readonly CallLine[];
  /** Keys of people, tenants or messages that are opened, a second. */
  readonly opened: number;
  /** Of which wraps are made in each region, a second. */
  readonly made: number;
  /** Requests that find what they need in memory. */
  readonly hitShare: number;
}

/**
 * How often somebody's key is opened in one visit, at most. The requests of a visit come at random to as many processes;
 * a process opens the key for the first of them, and again for the first one behind each age of its cache. What a full
 * cache loses before its age is found by going round: more opens, a shorter stay, more opens.
 */
export function opensPerVisit({ visits, processes }: Traffic, routing: Routing, numbers: Numbers): number {
  const among = routing === "together" ? 1 : processes;
  const { visitSeconds, cacheSeconds, cacheKeys } = numbers;
  const requests = requestsPerVisit(numbers) / among;
  // All requests to one process: the first one opens the key for certain.
  const reached = (count: number): number => (among === 1 ? 1 : 1 - Math.exp(-count));
  let opens = among * reached(requests);
  for (let round = 0; round < ROUNDS; round++) {
    const perProcess = (visits * opens) / processes;
    const stay = Math.min(cacheSeconds, perProcess === 0 ? cacheSeconds : cacheKeys / perProcess);
    const windows = Math.max(1, visitSeconds / stay);
    const next = Math.min(requestsPerVisit(numbers), among * windows * reached(requests / windows));
    // Half of the way: a full cache would swing between two answers.
    opens = (opens + next) / 2;
  }
  return opens;
}

const ROUNDS = 60;

/** Each process opens the key of each tenant that it meets, once in a cache age. */
function tenantOpens({ requests, processes }: Traffic, tenants: number, { cacheSeconds }: Numbers): number {
  const met = (requests / processes) * cacheSeconds;
  return (processes * tenants * (1 - Math.exp(-met / tenants))) / cacheSeconds;
}

/** The first region is lost while so many requests come. */
export interface Outage {
  readonly traffic: Traffic;
  /** A second, before: in the region that is asked first. */
  readonly before: number;
  /** A second, meanwhile: in the region that is asked next, and in the last one. */
  readonly next: number;
  readonly last: number;
  /** Once, until every process has noticed: calls that failed, and calls beside them. */
  readonly noticing: number;
  /** A second: tries whether the region is back. */
  readonly trials: number;
  /** Keys that are opened before all that are in use are in memory again, where the processes are lost too. */
  readonly cold: number;
  /** Wraps that are owed, a second, and in the end. */
  readonly owedPerSecond: number;
  readonly owed: number;
  /** What paying them takes. */
  readonly repair: readonly CallLine[];
  /** Of which, in the region that has the most. */
  readonly repairBusiest: number;
}

export function outage(scope: Scope, routing: Routing, numbers: Numbers): Outage {
  const traffic = trafficAt(numbers.outageRequests, numbers);
  const people = (traffic.visits * DAY_SECONDS) / (numbers.visitsPerDay * numbers.peakFactor);
  const { tenants } = populationOf(people, numbers);
  const { lines, made, opened } = steady(scope, traffic, tenants, routing, numbers);
  const calls = (of: "first" | "further"): number => lines.reduce((sum, line) => sum + line[of], 0);
  const owed = made * numbers.outageSeconds;
  const inUse = traffic.visits * numbers.visitSeconds;
  return {
    traffic,
    before: calls("first"),
    next: calls("first"),
    last: calls("further"),
    noticing: traffic.processes * (numbers.breakerStrikes + numbers.hedgeReserve),
    trials: traffic.processes / numbers.trialSeconds,
    cold: { record: 0, subject: (inUse * opened) / traffic.visits, tenant: tenants * traffic.processes }[scope],
    owedPerSecond: made,
    owed,
    ...repairing(scope, owed, numbers),
  };
}

/**
 * A key is opened where it has a wrap, gets the one that it lacks, and that is proven, always. A message is opened, and
 * sealed anew with a wrap in every region.
 */
function repairing(scope: Scope, owed: number, numbers: Numbers): Pick<Outage, "repair" | "repairBusiest"> {
  // In one of the regions that were there.
  const open: CallLine = { purpose: "open", first: 0, further: owed / (numbers.regions - 1) };
  if (scope !== "record") return { repair: [open, once("wrap", owed), once("prove", owed)], repairBusiest: 2 * owed };
  const sealed = [everywhere("wrap", owed), everywhere("prove", owed * numbers.proveShare)];
  return { repair: [open, ...sealed], repairBusiest: owed + busiest(sealed) };
}

/** Seconds until what is owed is paid, with a share of the quota; the pace of a process bounds it too. */
export function repairSeconds({ traffic, owed, repairBusiest }: Outage, share: number, numbers: Numbers): number {
  return Math.max(
    repairBusiest / (numbers.quotaPerSecond * share),
    owed / (traffic.processes * numbers.repairPerProcess),
  );
}

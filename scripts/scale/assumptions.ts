// What docs/scale.md assumes, each number with its unit and where it comes from. Those that are the project's own are
// taken from its sources, so that the page changes with them.
import { MULTI_REGION_DEFAULTS } from "@strongroom/envelope/aws-kms";
import { DEFAULT_KEY_CACHE, DEFAULT_REPAIR_SETTINGS } from "@strongroom/vault";

export interface Assumption {
  readonly value: number;
  readonly unit: string;
  readonly what: string;
  readonly source: string;
}

const QUOTAS =
  "[AWS KMS request quotas](https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html)";
const PRICES = "[AWS KMS pricing](https://aws.amazon.com/kms/pricing/)";
const CHOSEN = "chosen for this page";

export const ASSUMPTIONS = {
  regions: { value: 3, unit: "regions", what: "regions that wrap each key", source: CHOSEN },
  quotaPerSecond: {
    value: 10_000,
    unit: "calls/s",
    what: "symmetric operations that an account may make in a region, all programs together, unless raised",
    source: `${QUOTAS}; 20,000 or 100,000 in some regions, and adjustable`,
  },
  dollarsPer10000: { value: 0.03, unit: "dollars", what: "10,000 calls", source: PRICES },
  ownKeys: {
    value: 3,
    unit: "keys",
    what: "keys of the vault itself: to find people, to name them, and the audit's root",
    source: "`packages/vault/src/keys/vault-keys.ts`, `packages/vault/src/audit/audit-keys.ts`",
  },
  proveShare: {
    value: MULTI_REGION_DEFAULTS.proveShare,
    unit: "of wraps",
    what: "wraps that are opened as a proof when they are made",
    source: "`proveShare`, [Resilience](resilience.md#proving-wraps)",
  },
  recordsPerPerson: { value: 3, unit: "records", what: "records about each person", source: CHOSEN },
  versionsPerRecord: {
    value: 2,
    unit: "versions",
    what: "versions of each record that are there when keys are rotated; an import makes one",
    source: CHOSEN,
  },
  peoplePerTenant: { value: 1_000_000, unit: "people", what: "people of one tenant, at most", source: CHOSEN },
  visitsPerDay: {
    value: 0.1,
    unit: "a day",
    what: "visits a person: each in ten days, by themselves or by whoever works on their records",
    source: CHOSEN,
  },
  readsPerVisit: { value: 10, unit: "reads", what: "reads in a visit", source: CHOSEN },
  writesPerVisit: { value: 1, unit: "writes", what: "writes in a visit", source: CHOSEN },
  visitSeconds: { value: 120, unit: "s", what: "length of a visit", source: CHOSEN },
  newShare: {
    value: 0.003,
    unit: "of visits",
    what: "visits that are the first of somebody new: a tenth more people in a year",
    source: CHOSEN,
  },
  peakFactor: { value: 3, unit: "times", what: "the busiest hour beside the day's mean", source: CHOSEN },
  requestsPerProcess: {
    value: 500,
    unit: "requests/s",
    what: "requests that a process serves at the peak",
    source: "less than half of what one serves over HTTP on two cores, [Performance](performance.md)",
  },
  leastProcesses: { value: 2, unit: "processes", what: "processes at least", source: CHOSEN },
  cacheSeconds: {
    value: DEFAULT_KEY_CACHE.maxAgeMs / 1000,
    unit: "s",
    what: "how long an opened key is kept in memory",
    source: "`keys.cacheAgeMs`, [Settings](settings.md)",
  },
  cacheKeys: {
    value: DEFAULT_KEY_CACHE.capacity,
    unit: "keys",
    what: "how many opened keys a process keeps",
    source: "`keys.cacheKeys`, [Settings](settings.md)",
  },
  runRate: {
    value: 100,
    unit: "calls/s",
    what: "calls a second and region of a run that was given no rate",
    source: "`rate` of `vault.convergence.apply`",
  },
  callsPerProcess: {
    value: 1_000,
    unit: "calls/s",
    what: "KMS calls that a process makes beside its other work",
    source: "0.44 ms of processor a call in the AWS SDK's client, measured: half of a core",
  },
  outageRequests: { value: 100_000, unit: "requests/s", what: "requests when a region is lost", source: CHOSEN },
  outageSeconds: { value: 3_600, unit: "s", what: "how long it is lost", source: CHOSEN },
  breakerStrikes: {
    value: MULTI_REGION_DEFAULTS.breakerStrikes,
    unit: "calls",
    what: "failed calls until a process leaves a region alone",
    source: "`breakerStrikes`, [Resilience](resilience.md#leaving-a-region-alone-and-coming-back-to-it)",
  },
  hedgeReserve: {
    value: MULTI_REGION_DEFAULTS.hedgeReserve,
    unit: "calls",
    what: "calls beside silent ones that a process has saved up",
    source: "`hedgeReserve`, [Resilience](resilience.md#asking-a-second-region-beside-a-silent-one)",
  },
  hedgeRatio: {
    value: MULTI_REGION_DEFAULTS.hedgeRatio,
    unit: "of calls",
    what: "calls beside slow ones, at most",
    source: "`hedgeRatio`, [Resilience](resilience.md#asking-a-second-region-beside-a-silent-one)",
  },
  trialSeconds: {
    value: MULTI_REGION_DEFAULTS.breakerLongestRestMs / 1000,
    unit: "s",
    what: "between two tries of a lost region, in each process",
    source: "`breakerLongestRestMs`, [Resilience](resilience.md#leaving-a-region-alone-and-coming-back-to-it)",
  },
  repairPerProcess: {
    value: DEFAULT_REPAIR_SETTINGS.itemsPerSecond,
    unit: "items/s",
    what: "owed wraps that a process pays at most",
    source: "`packages/vault/src/convergence/schedule.ts`",
  },
} as const satisfies Readonly<Record<string, Assumption>>;

/** The numbers alone: what the model works with. */
export type Numbers = Readonly<Record<keyof typeof ASSUMPTIONS, number>>;

export const NUMBERS: Numbers = Object.fromEntries(
  Object.entries(ASSUMPTIONS).map(([name, { value }]) => [name, value]),
) as Numbers;

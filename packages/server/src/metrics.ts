/**
 * What the service counts, in the text format of Prometheus. Labels are route patterns, regions, operations and
 * outcomes: never an id of a record, a token or a key, and never what a client sent.
 *
 * What happens is counted when it happens (requests, calls); what is (breakers, load) is looked up when it is asked
 * for. The store is asked for nothing: how much is owed is what was last seen, with its age.
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Vault } from "@strongroom/vault";
import type { AuditLook } from "./audit/audit-look.ts";
import { auditMetrics } from "./audit/audit-metrics.ts";
import type { AdmissionFigures } from "./admission/admission.ts";
import type { ConnectionFigures } from "./admission/connections.ts";
import type { RunFeed } from "./convergence/run-feed.ts";
import { runMetrics } from "./convergence/run-metrics.ts";
import type { EndedRequest } from "./http/request.ts";
import { lookedUp } from "./looked-up.ts";
import { extraCalls } from "./regions.ts";
import type { BreakerState, RegionCounters, RegionHealth, ProbedRegions } from "./regions.ts";

export interface Metrics {
  readonly contentType: string;
  request(ended: Omit<EndedRequest, "code">): void;
  /** The page. */
  text(): Promise<string>;
  /** Stops listening to calls. */
  close(): void;
}

/** Seconds: from a read out of the file system's cache to the request's own deadline. */
const REQUEST_BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30];
/** Seconds: from a KMS next door to an attempt's time-out. */
const CALL_BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.75, 2];

const BREAKER_STATES: readonly BreakerState[] = ["closed", "half-open", "open"];

/** Decisions of the keyring -> what the metric says of them. */
const DECISIONS: Readonly<Record<keyof RegionCounters, string>> = {
  reads: "read",
  readsFailed: "read-failed",
  writes: "write",
  writesFailed: "write-failed",
  failovers: "failover",
  hedges: "hedge",
  hedgesWon: "hedge-won",
  hedgesDenied: "hedge-denied",
  substitutions: "substitution",
  writesBelowTarget: "write-below-target",
  overloaded: "overloaded",
  proofs: "proof",
  proofsFailed: "proof-failed",
};

/** How the disk of the data is. */
export interface DiskState {
  /** Bytes. */
  readonly free: number;
  /** When it is full if it goes on like this, in milliseconds since the epoch; null when that cannot be said. */
  readonly fullAt: number | null;
  /** Whether somebody should make room. */
  readonly alarm: boolean;
}

/** How old the material of a key in force is. */
export interface KeyAge {
  readonly region: string;
  /** What it wraps. */
  readonly purpose: "records" | "people";
  /** Days since it has that material. */
  readonly days: number;
  /** Days for which it is to be used. */
  readonly period: number;
}

/** What knows how busy the service is. */
export interface LoadFigures {
  readonly admission: { figures(): AdmissionFigures };
  readonly finds: { readonly refused: number };
  readonly connections: { figures(): ConnectionFigures };
  readonly streams: { readonly size: number };
}

/** What is measured of the vault and of what it stands on. */
export interface MeasuredParts {
  readonly vault: Vault;
  readonly audit: AuditLook;
  readonly regions: ProbedRegions;
  readonly feed: RunFeed;
  readonly keyAges: () => readonly KeyAge[];
}

export function serverMetrics(
  { vault, audit, regions, feed, keyAges }: MeasuredParts,
  load: LoadFigures,
  disk: () => DiskState | null = () => null,
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: "strongroom_http_requests_total",
    help: "Requests by route and status",
    labelNames: ["method", "route", "status"],
    registers,
  });
  const durations = new Histogram({
    name: "strongroom_http_request_duration_seconds",
    help: "Time until a request was answered",
    labelNames: ["method", "route"],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const damagedRecords = new Counter({
    name: "strongroom_damaged_records_total",
    help: "Records that were refused, or named in a list, because their rows are not as they were written",
    labelNames: ["route"],
    registers,
  });
  const calls = new Counter({
    name: "strongroom_kms_calls_total",
    help: "Calls to KMS regions by why they were made and what they came to",
    labelNames: ["region", "operation", "purpose", "outcome"],
    registers,
  });
  const callDurations = new Histogram({
    name: "strongroom_kms_call_duration_seconds",
    help: "Time of answered calls to KMS regions",
    labelNames: ["region", "operation"],
    buckets: CALL_BUCKETS,
    registers,
  });
  const stopListening = regions.onCall(({ region, operation, purpose, outcome, elapsedMs }) => {
    calls.inc({ region, operation, purpose, outcome });
    if (outcome === "answered") callDurations.observe({ region, operation }, elapsedMs / 1000);
  });
  loadMetrics(registry, load);
  regionMetrics(registry, regions);
  diskMetrics(registry, disk);
  keyAgeMetrics(registry, keyAges);
  auditMetrics(registry, audit);
  runMetrics(registry, feed);
  const showDebt = debtMetrics(registry, vault);
  return {
    contentType: registry.contentType,
    request: ({ method, route, status, durationMs, damaged, isStream }) => {
      // Without a route the path is the client's word, and so might the method be.
      const labels = route === null ? { method: "any", route: "none" } : { method, route };
      requests.inc({ ...labels, status: String(status) });
      if (!isStream) durations.observe(labels, durationMs / 1000);
      if (damaged > 0) damagedRecords.inc({ route: labels.route }, damaged);
    },
    text: async () => {
      showDebt();
      return registry.metrics();
    },
    close: stopListening,
  };
}

/** Looked up when the page is asked for. */
function loadMetrics(registry: Registry, { admission, finds, connections, streams }: LoadFigures): void {
  const registers = [registry];
  const { gauge, total } = lookedUp(registry);
  gauge("strongroom_admission_in_use", "Records that are worked on", () => admission.figures().inUse);
  gauge("strongroom_admission_waiting", "Records that wait for their turn", () => admission.figures().waiting);
  new Counter({
    name: "strongroom_admission_refused_total",
    help: "Requests that were not admitted, by why",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(admission.figures().refused)) this.inc({ reason }, count);
      this.inc({ reason: "find-limit" }, finds.refused);
    },
  });
  gauge("strongroom_streams", "Answers that go on: of those who follow a run", () => streams.size);
  gauge("strongroom_connections", "Open connections", () => connections.figures().open);
  total("strongroom_connections_refused_total", "Connections beyond the limit", () => connections.figures().refused);
  total(
    "strongroom_answers_unread_total",
    "Connections that were ended because an answer was not read",
    () => connections.figures().unread,
  );
}

function regionMetrics(registry: Registry, regions: ProbedRegions): void {
  const each = (name: string, help: string, value: (region: RegionHealth) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ["region"],
      registers: [registry],
      collect() {
        for (const status of regions.seen()) this.set({ region: status.region }, value(status));
      },
    });
  };
  each("strongroom_region_up", "1 while a region is known to be up", ({ state }) => (state === "up" ? 1 : 0));
  each(
    "strongroom_region_alarm",
    "1 while a region needs somebody: its key, permissions, or the truth of its answers",
    ({ alarm }) => (alarm === null ? 0 : 1),
  );
  each("strongroom_region_extra_calls", "Hedges, probes and checks so far", extraCalls);
  new Gauge({
    name: "strongroom_region_breaker",
    help: "1 for the state that a region's breaker is in",
    labelNames: ["region", "state"],
    registers: [registry],
    collect() {
      for (const { region, breaker } of regions.seen())
        for (const state of BREAKER_STATES) this.set({ region, state }, breaker.state === state ? 1 : 0);
    },
  });
  new Counter({
    name: "strongroom_keyring_decisions_total",
    help: "Reads, writes, failovers, hedges and substitutions",
    labelNames: ["decision"],
    registers: [registry],
    collect() {
      const counters = regions.counters();
      this.reset();
      if (counters !== null)
        for (const name of Object.keys(DECISIONS) as (keyof RegionCounters)[])
          this.inc({ decision: DECISIONS[name] }, counters[name]);
    },
  });
}

function diskMetrics(registry: Registry, disk: () => DiskState | null): void {
  const { gauge } = lookedUp(registry);
  const each = (name: string, help: string, value: (state: DiskState) => number | null): void => {
    gauge(name, help, () => {
      const state = disk();
      const told = state === null ? null : value(state);
      // A gauge that was never set would say 0.
      return told ?? Number.NaN;
    });
  };
  each("strongroom_disk_free_bytes", "Room on the disk of the data folder", ({ free }) => free);
  each("strongroom_disk_alarm", "1 while somebody should make room on it", ({ alarm }) => (alarm ? 1 : 0));
  each(
    "strongroom_disk_full_timestamp_seconds",
    "When it is full if it goes on like this; NaN when that cannot be said",
    ({ fullAt }) => (fullAt === null ? null : Math.round(fullAt / 1000)),
  );
}

function keyAgeMetrics(registry: Registry, keyAges: () => readonly KeyAge[]): void {
  const each = (name: string, help: string, value: (age: KeyAge) => number): void => {
    new Gauge({
      ...{ name, help, labelNames: ["region", "purpose"], registers: [registry] },
      collect() {
        this.reset();
        for (const age of keyAges()) this.set({ region: age.region, purpose: age.purpose }, value(age));
      },
    });
  };
  each("strongroom_key_material_age_days", "Age of the material of a key in force", ({ days }) => days);
  each("strongroom_key_cryptoperiod_days", "For how long it is to be used", ({ period }) => period);
}

/** The gauges are of one look at the store, which the repair took; the returned function sets them. */
function debtMetrics(registry: Registry, vault: Vault): () => void {
  const registers = [registry];
  const oldest = new Gauge({
    name: "strongroom_wrap_debt_oldest_seconds",
    help: "Age of the oldest debt in a region",
    labelNames: ["region"],
    registers,
  });
  const wraps = new Gauge({
    name: "strongroom_wrap_debt_wraps",
    help: "Wraps that a region owes",
    labelNames: ["region"],
    registers,
  });
  const versions = new Gauge({
    name: "strongroom_wrap_debt_versions",
    help: "Versions and keys that have fewer wraps than they should",
    registers,
  });
  const capped = new Gauge({
    name: "strongroom_wrap_debt_capped",
    help: "1 when more is owed than was counted",
    registers,
  });
  const age = new Gauge({
    name: "strongroom_wrap_debt_age_seconds",
    help: "How long ago it was looked what is owed; NaN before the first look",
    registers,
  });
  new Counter({
    name: "strongroom_repairs_total",
    help: "Repairs of owed wraps by what they came to",
    labelNames: ["outcome"],
    registers,
    collect() {
      const { repaired, settled, overtaken, failed } = vault.repairStatus();
      this.reset();
      for (const [outcome, count] of Object.entries({ repaired, settled, overtaken, failed }))
        this.inc({ outcome }, count);
    },
  });
  return () => {
    const debt = vault.debtSeen();
    for (const gauge of [versions, wraps, oldest]) gauge.reset();
    // A gauge that was never set would say 0.
    age.set(debt === null ? Number.NaN : secondsSince(debt.at));
    capped.set(debt === null ? Number.NaN : debt.capped ? 1 : 0);
    if (debt === null) return;
    versions.set(debt.items);
    for (const { region, items, oldest: since } of debt.regions) {
      wraps.set({ region }, items);
      if (since !== null) oldest.set({ region }, secondsSince(since));
    }
  };
}

function secondsSince(moment: string): number {
  return Math.max(0, (Date.now() - Date.parse(moment)) / 1000);
}

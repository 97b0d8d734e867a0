// The forms of the service's answers, as the command relies on them. Unknown members are ignored: a newer service may
// say more.
import { z } from "zod";

/** Answer to a write. */
export interface PutAnswer {
  readonly collection: string;
  readonly id: string;
  readonly subject: string;
  readonly version: number;
  readonly createdAt: string;
  readonly outcome: "created" | "replaced";
  /** Regions that wrapped the record's key, those that should have, and the names of the missing. */
  readonly wraps: { readonly stored: number; readonly target: number; readonly missing: readonly string[] };
}

/** What became of one item of a batch. */
export interface BatchResult {
  readonly id: string;
  readonly outcome: "created" | "replaced" | "unchanged" | "kept" | "refused";
  readonly version?: number | undefined;
  /** Of a new version: the regions whose wrap is missing. */
  readonly wraps?: { readonly missing: readonly string[] } | undefined;
  readonly code?: string | undefined;
  readonly detail?: string | undefined;
}

/** One version of a record. */
export interface VersionInfo {
  readonly version: number;
  readonly subject: string;
  readonly createdAt: string;
}

/** One page of a collection's ids. */
export interface Listing {
  readonly items: readonly { readonly id: string; readonly version: number; readonly updatedAt: string }[];
  readonly next: string | null;
}

/** A collection and how many records it holds. */
export interface CollectionInfo {
  readonly collection: string;
  readonly records: number;
}

/** Health of one region, as the service saw it in real calls. */
export interface RegionInfo {
  readonly region: string;
  readonly state: "up" | "down" | "unknown";
  readonly latencyMs: { readonly p50: number; readonly p95: number } | null;
  readonly calls: number;
  readonly failures: number;
  readonly failuresByKind: Readonly<Record<string, number>>;
  readonly lastFailure: { readonly kind: string; readonly at: string } | null;
  readonly lastSuccessAt: string | null;
  /** Hedges, probes and checks: not needed had every region been up and quick. */
  readonly extraCalls: number;
  readonly callsByPurpose: Readonly<Record<string, number>>;
  readonly breaker: { readonly state: "closed" | "open" | "half-open"; readonly quarantined: boolean };
  readonly alarm: { readonly kind: string } | null;
}

/** Answer about the regions. */
export interface RegionsAnswer {
  /** Wraps that a write needs. */
  readonly minimum: number;
  readonly regions: readonly RegionInfo[];
  /** Versions that have fewer wraps than they should, in all and by region. */
  readonly wrapDebt: {
    readonly items: number;
    readonly oldestSeconds: number | null;
    readonly regions: readonly { readonly region: string; readonly items: number }[];
  };
  /** What the service's repair of owed wraps does. */
  readonly repair: {
    readonly state: "off" | "resting" | "working" | "stopped";
    readonly repaired: number;
    readonly failed: number;
  };
}

/** A version that owes a wrap. */
export interface OwedVersion {
  readonly collection: string;
  readonly id: string;
  readonly version: number;
  readonly regions: readonly { readonly region: string; readonly reason: string }[];
  readonly since: string;
  readonly attempts: number;
  readonly lastProblem: { readonly code: string; readonly at: string } | null;
}

/** One page of the versions that owe a wrap. */
export interface DebtListing {
  readonly items: readonly OwedVersion[];
  readonly next: string | null;
}

const count = z.int().nonnegative();
const version = z.int().positive();

/** PUT of a record. */
export const putSchema: z.ZodType<PutAnswer> = z.object({
  collection: z.string(),
  id: z.string(),
  subject: z.string(),
  version,
  createdAt: z.string(),
  outcome: z.enum(["created", "replaced"]),
  wraps: z.object({ stored: count, target: count, missing: z.array(z.string()) }),
});

/** POST of a batch. */
export const batchSchema: z.ZodType<{ readonly results: readonly BatchResult[] }> = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      outcome: z.enum(["created", "replaced", "unchanged", "kept", "refused"]),
      version: version.optional(),
      wraps: z.object({ missing: z.array(z.string()) }).optional(),
      code: z.string().optional(),
      detail: z.string().optional(),
    }),
  ),
});

/** GET of a record's versions. */
export const versionsSchema: z.ZodType<{ readonly versions: readonly VersionInfo[] }> = z.object({
  versions: z.array(z.object({ version, subject: z.string(), createdAt: z.string() })),
});

/** GET of a collection's ids. */
export const listingSchema: z.ZodType<Listing> = z.object({
  items: z.array(z.object({ id: z.string(), version, updatedAt: z.string() })),
  next: z.string().nullable(),
});

/** GET of the collections. */
export const collectionsSchema: z.ZodType<{ readonly collections: readonly CollectionInfo[] }> = z.object({
  collections: z.array(z.object({ collection: z.string(), records: count })),
});

/** GET of the regions. */
export const regionsSchema: z.ZodType<RegionsAnswer> = z.object({
  minimum: count,
  wrapDebt: z.object({
    items: count,
    oldestSeconds: count.nullable(),
    regions: z.array(z.object({ region: z.string(), items: count })),
  }),
  repair: z.object({ state: z.enum(["off", "resting", "working", "stopped"]), repaired: count, failed: count }),
  regions: z.array(
    z.object({
      region: z.string(),
      state: z.enum(["up", "down", "unknown"]),
      latencyMs: z.object({ p50: z.number(), p95: z.number() }).nullable(),
      calls: count,
      failures: count,
      failuresByKind: z.record(z.string(), count),
      lastFailure: z.object({ kind: z.string(), at: z.string() }).nullable(),
      lastSuccessAt: z.string().nullable(),
      extraCalls: count,
      callsByPurpose: z.record(z.string(), count),
      breaker: z.object({ state: z.enum(["closed", "open", "half-open"]), quarantined: z.boolean() }),
      alarm: z.object({ kind: z.string() }).nullable(),
    }),
  ),
});

/** GET of the versions that owe a wrap. */
export const debtSchema: z.ZodType<DebtListing> = z.object({
  items: z.array(
    z.object({
      collection: z.string(),
      id: z.string(),
      version,
      regions: z.array(z.object({ region: z.string(), reason: z.string() })),
      since: z.string(),
      attempts: count,
      lastProblem: z.object({ code: z.string(), at: z.string() }).nullable(),
    }),
  ),
  next: z.string().nullable(),
});

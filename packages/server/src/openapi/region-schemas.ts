/**
 * The forms of the answers about regions, owed wraps and readiness.
 */
import type {
  CollectionCount,
  DamagedRecord,
  DebtPage,
  OwedKey,
  OwedVersion,
  RepairStatus,
  WrapDebt,
} from "@strongroom/vault";
import { z } from "zod";
import type { RegionCounters, RegionHealth } from "../regions.ts";
import { collectionName, count, recordId, timestamp, version } from "./schemas.ts";

export interface RegionAnswer extends RegionHealth {
  readonly extraCalls: number;
}

export interface RegionsAnswer {
  readonly minimum: number;
  readonly regions: readonly RegionAnswer[];
  /** Null: the keyring does not count. */
  readonly totals: RegionCounters | null;
  readonly wrapDebt: WrapDebt & {
    readonly oldest: string | null;
    readonly oldestSeconds: number | null;
    /** When it was looked at. Left out by services older than this. */
    readonly at?: string | undefined;
    /** Whether there are more than were counted. Left out by services older than this. */
    readonly capped?: boolean | undefined;
  };
  readonly repair: Omit<RepairStatus, "failuresByCode">;
}

export type DebtAnswer = DebtPage;

export interface ReadyAnswer {
  readonly status: "ready" | "not-ready";
  /** `problem`: the code of what is the matter with it, null when it is ok. */
  readonly store: { readonly ok: boolean; readonly problem: string | null };
  readonly regions: {
    readonly ok: boolean;
    readonly minimum: number;
    readonly notDown: number;
    readonly states: readonly Pick<RegionHealth, "region" | "state">[];
  };
  /** Null: the vault has none. */
  readonly audit?:
    | {
        readonly ok: boolean;
        readonly problem: string | null;
        /** In words, where the problem is one of the log's database. */
        readonly detail?: string | undefined;
        readonly alarms: number;
      }
    | null
    | undefined;
  /** As last seen; null: not looked at yet. */
  readonly wrapDebt: { readonly items: number } | null;
}

const region = z.string().meta({ examples: ["eu-west-1"] });
const regionState = z.enum(["up", "down", "unknown"]);
const counts = z.record(z.string(), count) as unknown as z.ZodType<Readonly<Record<string, number>>>;

const totals = z
  .object({
    reads: count,
    writes: count,
    readsFailed: count,
    writesFailed: count,
    failovers: count.meta({ description: "Calls made because the region before failed." }),
    hedges: count.meta({ description: "Calls made because the region before kept us waiting." }),
    hedgesWon: count.meta({ description: "Those of them that were faster." }),
    hedgesDenied: count.meta({ description: "Those that the budget did not allow." }),
    substitutions: count.meta({ description: "Wraps made in place of a preferred region's." }),
    writesBelowTarget: count.meta({ description: "Writes stored with fewer wraps than wanted." }),
    overloaded: count.meta({ description: "Reads and writes refused because too many were under way." }),
    proofs: count.meta({ description: "Wraps that were opened before they counted." }),
    proofsFailed: count.meta({ description: "Those of them that did not open to the data key." }),
  })
  .meta({ id: "RegionTotals" });

export const regionsAnswer: z.ZodType<RegionsAnswer> = z
  .object({
    minimum: count.meta({ description: "Wraps that a write needs." }),
    regions: z.array(
      z.object({
        region,
        state: regionState,
        latencyMs: z
          .object({ p50: z.number(), p95: z.number() })
          .nullable()
          .meta({ description: "Of the last successful calls." }),
        calls: count,
        extraCalls: count.meta({
          description: "Calls that were hedges, probes or checks: not needed had every region been up and quick.",
        }),
        callsByPurpose: counts.meta({ description: "Calls by why they were made." }),
        overtaken: count.meta({ description: "Calls that another region's answer made superfluous." }),
        failures: count,
        failuresByKind: counts,
        lastFailure: z.object({ kind: z.string(), at: timestamp }).nullable(),
        lastSuccessAt: timestamp.nullable(),
        breaker: z.object({
          state: z.enum(["closed", "open", "half-open"]),
          quarantined: z.boolean().meta({ description: "It rests because it answered untruly." }),
          restMs: count.nullable().meta({ description: "Milliseconds until it is tried again, null while closed." }),
        }),
        callsPerSecond: z.number().nullable().meta({ description: "The rate it is limited to after throttling." }),
        alarm: z
          .object({ kind: z.string(), since: timestamp })
          .nullable()
          .meta({ description: "What needs somebody: its key, permissions, or the truth of its answers." }),
      }),
    ),
    totals: totals.nullable(),
    wrapDebt: z
      .object({
        items: count,
        oldest: timestamp.nullable(),
        oldestSeconds: count.nullable().meta({ description: "Age of the oldest debt." }),
        regions: z.array(z.object({ region, items: count, oldest: timestamp.nullable() })),
        at: timestamp.optional().meta({ description: "When this was seen: the repair looks at each of its rounds." }),
        capped: z.boolean().optional().meta({ description: "Whether there are more: not all of them were counted." }),
      })
      .meta({ description: "Versions and keys that have fewer wraps than they should, as they were last seen." }),
    repair: z
      .object({
        state: z.enum(["off", "resting", "working", "stopped"]),
        repaired: count,
        settled: count.meta({ description: "Found to owe nothing any more." }),
        overtaken: count.meta({ description: "Met a writer, a removal or another repair, and changed nothing." }),
        failed: count,
        lastRepairAt: timestamp.nullable(),
        lastFailure: z
          .object({
            code: z.string() as unknown as z.ZodType<NonNullable<RepairStatus["lastFailure"]>["code"]>,
            at: timestamp,
          })
          .nullable(),
      })
      .meta({ description: "The repair of owed wraps in this process, since it was started." }),
  })
  .meta({ id: "RegionsAnswer" });

/** What is the same of everything that owes a wrap. */
const owed = {
  regions: z
    .array(z.object({ region, reason: z.string() }))
    .meta({ description: "Where a wrap is missing, and what the region said when it was to be made." }),
  since: timestamp.meta({ description: "Since when it has the wraps that it has." }),
  attempts: count.meta({ description: "Repairs that failed one after the other." }),
  lastProblem: z
    .object({ code: z.string(), at: timestamp })
    .nullable()
    .meta({ description: "Why the last of them failed." }),
};

const owedVersion = z.object({
  kind: z.literal("version"),
  collection: collectionName as unknown as z.ZodType<CollectionCount["collection"]>,
  id: recordId as unknown as z.ZodType<OwedVersion["id"]>,
  version: version as unknown as z.ZodType<OwedVersion["version"]>,
  ...owed,
});

const owedKey = z.object({
  kind: z.literal("key"),
  key: z.object({
    kind: z.string().meta({ description: "What the key is for.", examples: ["subject"] }) as unknown as z.ZodType<
      OwedKey["key"]["kind"]
    >,
    owner: z.string().meta({ description: "A person's opaque id, a tenant or a collection; never a person's name." }),
    version: z.string() as unknown as z.ZodType<OwedKey["key"]["version"]>,
  }),
  ...owed,
});

export const debtAnswer: z.ZodType<DebtAnswer> = z
  .object({
    items: z.array(z.union([owedVersion, owedKey])),
    damaged: z
      .array(
        z.object({
          kind: z.enum(["version", "key"]),
          collection: z.string().meta({ description: "Of a key, its kind." }),
          id: z.string().meta({ description: "Of a key, its owner." }),
          code: z.string() as unknown as z.ZodType<DamagedRecord["code"]>,
        }),
      )
      .optional()
      .meta({ description: "Rows that are no debts, cut and escaped; left out without any." }),
    next: z.string().nullable().meta({ description: "Cursor of the next page, null on the last one." }),
  })
  .meta({ id: "DebtAnswer" });

export const readyAnswer: z.ZodType<ReadyAnswer> = z
  .object({
    status: z.enum(["ready", "not-ready"]),
    store: z.object({
      ok: z.boolean(),
      problem: z
        .string()
        .nullable()
        .meta({ description: "The code of what is the matter with it.", examples: ["store-replaced"] }),
    }),
    regions: z.object({
      ok: z.boolean(),
      minimum: count,
      notDown: count.meta({ description: "Regions that are up, or not known to be down." }),
      states: z.array(z.object({ region: z.string(), state: regionState })),
    }),
    audit: z
      .object({
        ok: z.boolean(),
        problem: z
          .string()
          .nullable()
          .meta({ description: "The code of why nothing is released now.", examples: ["audit-unavailable"] }),
        detail: z
          .string()
          .optional()
          .meta({
            description: "In words, where the log's database is not to be used.",
            examples: ["The log of the audit: The database file was deleted or replaced"],
          }),
        alarms: count.meta({ description: "What was found wrong since the process started: GET /v1/audit/status." }),
      })
      .nullable()
      .optional()
      .meta({ description: "Without its entry nothing is released. Null: the vault has no audit." }),
    wrapDebt: z
      .object({ items: count })
      .nullable()
      .meta({
        description:
          "Versions and keys that owe a wrap, as last seen; null before the first look. They are safe by the " +
          "minimum: owing alone is not a reason not to be ready.",
      }),
  })
  .meta({ id: "ReadyAnswer" });

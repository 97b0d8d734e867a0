/**
 * The forms of requests and answers about convergence: the plan, a run, what is stored under each key.
 */
import type {
  ConvergenceFailure,
  ConvergencePlan,
  ConvergenceStatus,
  ConvergeOptions,
  FailurePage,
  Forecast,
  InventoryLine,
  KeyProbe,
  PlanLine,
  StorePlan,
} from "@strongroom/vault";
import { z } from "zod";
import { count, timestamp } from "./schemas.ts";

/** How a run is to be made, as the query of a URL says it. */
export interface PlanQuery {
  readonly verify?: number | undefined;
  readonly keepOld?: "true" | "false" | undefined;
  readonly rate?: number | undefined;
  readonly material?: "any" | "current" | undefined;
  readonly scopes?: "true" | "false" | undefined;
  readonly fresh?: "true" | "false" | undefined;
}

/** The members that may be left out may be undefined, too: what zod gives is of this form. */
export type RunRequest = { readonly [Name in keyof ConvergeOptions]?: ConvergeOptions[Name] | undefined };

const WORDS = {
  verify: "Share of the new wraps that their own key opens before they count, from 0 to 1. Left out: 1, all of them.",
  keepOld: "Stops before old wraps are dropped: until another run drops them, this one can be undone.",
  rate: "Calls of a KMS a second and region, of all processes together. Left out: 100.",
  material: "`current`: wraps under older material of a key, after the KMS's own rotation, are replaced too.",
  scopes: "Whether records are sealed anew in the scope that their collection declares. Left out: true.",
  fresh: "Seals every record anew under a fresh data key.",
  force: "Puts the declared keys in force although a process that is alive does not know them, and will not write.",
} as const satisfies Readonly<Record<keyof ConvergeOptions, string>>;

/** What a KMS may be asked at all: AWS's own quotas are below it. */
const HIGHEST_RATE = 1_000_000;

const material = z.enum(["any", "current"], "must be any or current");
const flag = z.enum(["true", "false"], "must be true or false");

export const planQuery: z.ZodType<PlanQuery> = z.strictObject({
  verify: z.coerce.number().min(0).max(1).optional().meta({ description: WORDS.verify }),
  keepOld: flag.optional().meta({ description: WORDS.keepOld }),
  rate: z.coerce.number().gt(0).max(HIGHEST_RATE).optional().meta({ description: WORDS.rate }),
  material: material.optional().meta({ description: WORDS.material }),
  scopes: flag.optional().meta({ description: WORDS.scopes }),
  fresh: flag.optional().meta({ description: WORDS.fresh }),
});

export const runRequest: z.ZodType<RunRequest> = z
  .strictObject({
    verify: z.number().min(0).max(1).optional().meta({ description: WORDS.verify }),
    keepOld: z.boolean().optional().meta({ description: WORDS.keepOld }),
    rate: z.number().gt(0).max(HIGHEST_RATE).optional().meta({ description: WORDS.rate }),
    material: material.optional().meta({ description: WORDS.material }),
    scopes: z.boolean().optional().meta({ description: WORDS.scopes }),
    fresh: z.boolean().optional().meta({ description: WORDS.fresh }),
    force: z.boolean().optional().meta({ description: WORDS.force }),
  })
  .meta({ id: "RunRequest", examples: [{ verify: 0.1, rate: 500 }] });

/** Characters of a reason: it is in the audit for ever. */
const LONGEST_REASON = 200;

export const reasonRequest: z.ZodType<{ readonly reason: string }> = z
  .strictObject({
    reason: z
      .string()
      .trim()
      .min(1, "must not be empty")
      .max(LONGEST_REASON)
      .regex(/^[^\p{Cc}]*$/u, "must have no control characters")
      .meta({ description: "Why; it is in the audit.", examples: ["KMS quota is needed for the import"] }),
  })
  .meta({ id: "ReasonRequest" });

export const probeQuery: z.ZodType<{ readonly key: string }> = z.strictObject({
  key: z
    .string()
    .min(1, "must not be empty")
    .max(2048)
    .meta({
      description: "The wrapping key, as an inventory names it: an ARN.",
      examples: ["arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    }),
});

const store = z.enum(["keys", "records"]).meta({ description: "`keys`: of people. `records`: of versions." });
const key = z.string().meta({ description: "The wrapping key: its ARN, or what its provider calls it." });
const region = z.string().nullable().meta({ description: "Null: it lives in none." });
const keyMaterial = z.string().nullable().meta({ description: "Material of the key; null: it is not known." });

const planLine: z.ZodType<PlanLine> = z.object({
  items: count.meta({ description: "How many lie under these wraps." }),
  wraps: z.array(
    z.object({
      provider: z.string(),
      key,
      region,
      material: keyMaterial,
      change: z.enum(["stays", "comes", "goes"]),
    }),
  ),
  change: z.enum(["none", "add", "drop", "add-and-drop", "seal-anew", "inner", "unknown"]).meta({
    description:
      "`none`: as declared. `add`, `drop`, `add-and-drop`: wraps come, go, or first come and then go. `seal-anew`: " +
      "messages are replaced. `inner`: under another key of the vault, which has its own line. `unknown`: the row of " +
      "their wraps is damaged, and nothing is done.",
  }),
});

const storePlan: z.ZodType<StorePlan> = z.object({
  store,
  epoch: count,
  inForce: z.string().nullable().meta({ description: "Digest of the key set in force; null: none yet." }),
  declared: z.object({
    digest: z.string(),
    keys: z.array(z.string()).nullable().meta({ description: "Null: keys without names, and nothing can be planned." }),
    target: count.meta({ description: "Wraps that each item is to have." }),
  }),
  flips: z.boolean().meta({ description: "Whether the declared set is put in force first." }),
  lines: z.array(planLine),
  kept: count.meta({ description: "Old messages that are kept for now." }),
});

const calls = z
  .array(z.object({ region: z.string(), operation: z.string(), calls: count }))
  .meta({ description: "Calls of a KMS, by region and operation." });

const forecast: z.ZodType<Forecast> = z
  .object({
    calls,
    total: count,
    dollars: z.number().meta({ description: "At `price` dollars for 10,000 calls." }),
    price: z.number(),
    seconds: z.number().meta({ description: "At `rate` calls a second and region." }),
    rate: z.number(),
    bytes: count.meta({ description: "That are written to the stores, about." }),
    keptBytes: count.meta({ description: "That old messages take while they are kept, about." }),
  })
  .meta({ id: "Forecast" });

export const planAnswer: z.ZodType<ConvergencePlan> = z
  .object({
    at: timestamp,
    stores: z.array(storePlan),
    scopes: z
      .array(
        z.object({
          collection: z.string(),
          to: z.enum(["record", "subject", "tenant"]),
          items: count.nullable().meta({ description: "Versions; null: not counted." }),
        }),
      )
      .meta({ description: "Collections with records that are not in the scope that they declare." }),
    forecast,
    problems: z.array(
      z.object({
        code: z.enum(["fleet-differs", "names-missing", "sets-damaged", "run-under-way", "nothing-to-do"]),
        message: z.string(),
        blocks: z.boolean().meta({ description: "Whether a run is refused because of it." }),
      }),
    ),
  })
  .meta({ id: "PlanAnswer" });

export interface InventoryAnswer {
  readonly lines: readonly InventoryLine[];
}

export const inventoryAnswer: z.ZodType<InventoryAnswer> = z
  .object({
    lines: z.array(
      z.object({
        store,
        provider: z.string(),
        key,
        region,
        material: keyMaterial,
        items: count.meta({ description: "Keys of people, or versions of records." }),
        oldest: timestamp.nullable().meta({ description: "Since when the oldest of them; null: no date is told." }),
        isInForce: z.boolean().meta({ description: "Whether the key is in the set that is in force." }),
      }),
    ),
  })
  .meta({ id: "InventoryAnswer" });

const run = z.object({
  id: z.string(),
  state: z.enum(["running", "paused", "done", "cancelled", "undone"]),
  phase: z.enum(["flip", "add", "hold", "drop", "undo", "end"]).meta({
    description:
      "`flip`: the declared keys are put in force. `add`: items get their new wraps. `hold`: all have them, old ones " +
      "are kept until another run drops them. `drop`: old ones go. `undo`: back to the keys of before.",
  }),
  by: z.string().meta({ description: "Who began it.", examples: ["token:4f0c2a91b7de"] }),
  beganAt: timestamp,
  endedAt: timestamp.nullable(),
  reason: z.string().nullable().meta({ description: "Why it was paused, cancelled or undone; null: it was not." }),
  options: z.object({
    verify: z.number(),
    keepOld: z.boolean(),
    rate: z.number(),
    material: z.enum(["any", "current"]),
    scopes: z.boolean(),
    fresh: z.boolean(),
  }),
  forecast,
  progress: z.object({
    of: count.nullable().meta({ description: "Items of the phase when it began; null: found while it goes." }),
    done: count,
    failed: count.meta({ description: "Items whose last try failed, and that are tried again." }),
    rate: z.number().meta({ description: "Items a second, of late." }),
    remainingSeconds: z.number().nullable().meta({ description: "Null: it cannot be told." }),
    calls,
    throttled: count,
    bytes: count,
    seconds: z.number().meta({ description: "How long it worked, over all phases." }),
    waits: z.string().nullable().meta({ description: "Why it goes slower than it might; null: nothing." }),
  }),
  undoable: z.boolean().meta({ description: "Whether it can still be undone." }),
});

export const runAnswer: z.ZodType<ConvergenceStatus> = z
  .object({
    run: run.nullable().meta({ description: "The present run, or the last one; null: there never was one." }),
    fleet: z
      .array(
        z.object({
          process: z.string(),
          seenAt: timestamp,
          isAlive: z.boolean().meta({ description: "Whether it said so within the last minute." }),
          knowsInForce: z.boolean(),
          knowsDeclared: z.boolean(),
          declaresScopes: z.boolean(),
          works: z.boolean().meta({ description: "Whether it works on a run." }),
        }),
      )
      .meta({ description: "Processes that use the stores." }),
  })
  .meta({ id: "RunAnswer" });

const place = z.union([
  z.object({ collection: z.string(), id: z.string(), version: count }),
  z.object({
    kind: z.string(),
    owner: z.string().meta({ description: "A person's opaque id, a tenant or a collection; never a person's name." }),
    version: z.string(),
  }),
]) as unknown as z.ZodType<ConvergenceFailure["place"]>;

export const failuresAnswer: z.ZodType<FailurePage> = z
  .object({
    failures: z.array(
      z.object({
        store,
        place: place.meta({ description: "Of a version its address, of a key its owner." }),
        code: z.string().meta({ description: "Why the last try failed.", examples: ["wraps-still-missing"] }),
        attempts: count,
        at: timestamp,
      }),
    ),
    next: z.string().nullable().meta({ description: "Cursor of the next page, null on the last one." }),
  })
  .meta({ id: "FailuresAnswer" });

const stores = z.array(store);

export const probeAnswer: z.ZodType<KeyProbe> = z
  .object({
    key,
    inForce: stores.meta({ description: "Stores whose set in force names it." }),
    items: stores.meta({ description: "Stores with an item under it." }),
    kept: z.boolean().meta({ description: "Whether old messages that are kept are under it." }),
    unknown: stores.meta({ description: "Stores with items whose wraps nobody can tell: then nothing is proved." }),
    epochs: z
      .object({ keys: count.optional(), records: count.optional() })
      .meta({ description: "Epoch of each store's gate when it was looked at." }) as unknown as z.ZodType<
      KeyProbe["epochs"]
    >,
    at: timestamp,
  })
  .meta({ id: "ProbeAnswer" });

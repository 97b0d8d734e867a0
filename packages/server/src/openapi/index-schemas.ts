/**
 * The forms of requests and answers about indexes.
 */
import type { IndexLeakage, IndexPlanLine } from "@strongroom/vault";
import { z } from "zod";
import type { IndexWork } from "../search/index-work.ts";
import { collectionName, count, timestamp } from "./schemas.ts";

/** Which collection it is about. */
export interface OfCollection {
  readonly collection?: string | undefined;
}

export interface DropRequest {
  readonly collection: string;
  readonly index: string;
}

const index = z.string().meta({
  description: "A field's path, with `:prefix` or `:range` behind it; of several fields the declared name.",
  examples: ["email"],
});

export const indexesQuery: z.ZodType<OfCollection> = z.strictObject({
  collection: collectionName.optional().meta({ description: "Only of this one." }),
});

export const applyRequest: z.ZodType<OfCollection> = z
  .strictObject({ collection: collectionName.optional().meta({ description: "Only this one." }) })
  .meta({ id: "IndexApplyRequest" });

export const dropRequest: z.ZodType<DropRequest> = z
  .strictObject({ collection: collectionName, index })
  .meta({ id: "IndexDropRequest" });

const line: z.ZodType<IndexPlanLine> = z
  .object({
    collection: collectionName,
    index,
    step: z.enum(["ready", "build", "building", "rekey", "drop", "purge"]).meta({
      description:
        "`ready`: as declared. `build`: not there yet; a collection without records gets it with its first one. " +
        "`building`: there, and not all records have its tags. `rekey`: under an older key. `drop`: not declared any " +
        "more. `purge`: dropped, with tags that are there still.",
    }),
    isUnique: z.boolean(),
    fields: z.array(z.string()),
  })
  .meta({ id: "IndexPlanLine" });

export const indexesAnswer: z.ZodType<{ readonly indexes: readonly IndexPlanLine[] }> = z
  .object({ indexes: z.array(line) })
  .meta({ id: "IndexesAnswer" });

const unopened = z.array(z.object({ collection: z.string(), id: z.string(), code: z.string() }));

const applied = z.object({
  built: z.array(z.string()).meta({ description: "Indexes that are ready now and were not: `COLLECTION/INDEX`." }),
  dropped: z.array(z.string()),
  purged: count.meta({ description: "Tags that were taken away." }),
  records: count.meta({ description: "Records that were opened." }),
  duplicates: z.array(z.object({ collection: z.string(), index: z.string(), ids: z.array(z.string()) })).meta({
    description: "Records with one value of an index that is to be unique: it is not ready until they differ.",
  }),
  unopened: unopened.meta({ description: "Not found: could not be opened, or has too many values." }),
});

const documents = z.object({
  records: count,
  unfitCount: count,
  unfit: z
    .array(z.object({ collection: z.string(), id: z.string(), fields: z.array(z.string()) }))
    .meta({ description: "The first documents that do not fit what is declared, and their fields." }),
  unopened,
});

const work = z
  .object({
    id: z.string(),
    what: z.enum(["apply", "rotate-key", "drop", "documents"]),
    collection: collectionName.nullable().meta({ description: "Null: every collection." }),
    state: z.enum(["running", "done", "failed"]),
    records: count.meta({ description: "Records that were opened so far." }),
    beganAt: timestamp,
    endedAt: timestamp.nullable(),
    problem: z.object({ code: z.string(), detail: z.string() }).nullable(),
    applied: applied.nullable(),
    documents: documents.nullable(),
  })
  .meta({ id: "IndexWork" });

export const workAnswer: z.ZodType<{ readonly work: IndexWork }> = (
  z.object({ work }) as unknown as z.ZodType<{ readonly work: IndexWork }>
).meta({ id: "IndexWorkBegun" });

export const lastWorkAnswer: z.ZodType<{ readonly work: IndexWork | null }> = (
  z.object({ work: work.nullable() }) as unknown as z.ZodType<{ readonly work: IndexWork | null }>
).meta({ id: "IndexWorkAnswer" });

const share = z.number().min(0).max(1);

export const leakageAnswer: z.ZodType<{ readonly indexes: readonly IndexLeakage[] }> = z
  .object({
    indexes: z.array(
      z.object({
        collection: collectionName,
        index,
        fields: z.array(z.string()),
        tags: count,
        values: count.meta({ description: "Different tags." }),
        named: share.meta({
          description:
            "The share of tags whose value is named by its rank, by whoever has the database and knows how often " +
            "each value comes.",
        }),
        guessed: share.meta({ description: "The same of somebody who guesses." }),
        isAccepted: z.boolean(),
        isTooMuch: z.boolean().meta({ description: "More than an index tells whose leaking nobody had to accept." }),
      }),
    ),
  })
  .meta({ id: "LeakageAnswer" });

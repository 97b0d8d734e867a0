/**
 * The forms of what is looked for and of what is found. Queries are read by the vault itself: they are only described
 * here.
 */
import { DEFAULT_FIND_LIMIT } from "@strongroom/vault";
import type {
  DamagedRecord,
  FindExplanation,
  FindQuery,
  FoundCount,
  JsonObject,
  RecordVersion,
} from "@strongroom/vault";
import { z } from "zod";
import { collectionName, count, damagedRecord, documentBody, recordId, timestamp, version } from "./schemas.ts";

/** Most records of a page. */
const MOST_FOUND = 500;

export interface FindRequest {
  readonly query: FindQuery;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
  readonly fields?: readonly string[] | undefined;
  readonly tenant?: string | undefined;
}

/** A record that was found, as its reader sees it. */
export interface FoundRecord extends RecordVersion {
  readonly document: JsonObject;
}

export interface FindAnswer {
  readonly items: readonly FoundRecord[];
  readonly withheld?: readonly DamagedRecord[] | undefined;
  readonly next: string | null;
}

/** Passed through untouched, as documents are. */
const query = (z.any() as unknown as z.ZodType<FindQuery>).meta({
  type: "object",
  additionalProperties: true,
  description:
    "By the path of each field a value, `{ prefix }`, or `{ from, to }`; 1 to 8 of them, all of which a record must " +
    "meet. Fields are those that the collection declares with `find`.",
  examples: [{ email: "ada@example.com" }, { born: { from: "1815-01-01", to: "1815-12-31" } }],
});
const tenant = z.string().optional().meta({
  description: "Whose records; as declared when left out, and needed where a field of the document says it.",
});

const counted = { query, tenant };

export const countRequest: z.ZodType<Pick<FindRequest, "query" | "tenant">> = z
  .strictObject(counted)
  .meta({ id: "CountFoundRequest" });

export const explainRequest: z.ZodType<Pick<FindRequest, "query">> = z
  .strictObject({ query })
  .meta({ id: "ExplainFindRequest" });

export const findRequest: z.ZodType<FindRequest> = z
  .strictObject({
    ...counted,
    cursor: z.string().optional().meta({ description: "`next` of the page before, of the same query." }),
    limit: z
      .int()
      .min(1)
      .max(MOST_FOUND)
      .optional()
      .meta({ description: `Records that are opened for the page; ${DEFAULT_FIND_LIMIT} when left out.` }),
    fields: z
      .array(z.string())
      .optional()
      .meta({
        description: "1 to 64 paths of what is shown of each; left out: all that the token may see.",
        examples: [["name", "address.postcode"]],
      }),
  })
  .meta({ id: "FindRequest" });

export const findAnswer: z.ZodType<FindAnswer> = z
  .object({
    items: z.array(
      z.object({
        collection: collectionName,
        id: recordId,
        subject: z
          .string()
          .nullable()
          .meta({ description: "Whom it is about; null: about nobody, or the token does not see documents whole." }),
        about: z.array(z.string()).optional(),
        version,
        createdAt: timestamp,
        document: documentBody,
      }),
    ),
    withheld: z
      .array(damagedRecord)
      .optional()
      .meta({
        description:
          "Records that have the tags and cannot be given: damaged, or about somebody who is restricted. Whether " +
          "they are what was looked for is not known. Left out without any.",
      }),
    next: z
      .string()
      .nullable()
      .meta({ description: "Cursor of the next page, null on the last one. A page may have fewer records, or none." }),
  })
  .meta({ id: "FindAnswer" });

export const countAnswer: z.ZodType<FoundCount> = z
  .object({
    atMost: count.meta({ description: "An upper bound: nothing was opened, and nothing proves it." }),
    isCapped: z.boolean().meta({ description: "Whether there are more, which were not counted." }),
  })
  .meta({ id: "CountFoundAnswer" });

export const explainAnswer: z.ZodType<FindExplanation> = z
  .object({
    indexes: z
      .array(
        z.object({
          name: z.string().meta({ examples: ["email"] }),
          fields: z.array(z.string()),
          tags: count.meta({ description: "For how many tags it is asked; a record must have one of them." }),
        }),
      )
      .meta({ description: "A record must have a tag of each." }),
    compared: z.array(z.string()).meta({ description: "Fields that only the opened records are compared by." }),
  })
  .meta({ id: "ExplainFindAnswer" });

/**
 * The forms of requests and answers, once: zod checks requests by them, the OpenAPI document is made from them. What
 * the vault itself parses (ids, subjects, documents) is only described here, so that its own codes and messages come
 * through.
 */
import { MAX_ID_BYTES } from "@strongroom/vault";
import type {
  CollectionCount,
  DamagedRecord,
  JsonObject,
  ListResult,
  OnExisting,
  PutResult,
  RemoveResult,
  VersionInfo,
} from "@strongroom/vault";
import { z } from "zod";
import { ACTOR_PATTERNS } from "../audit/actor.ts";
import type { ActorHeaders } from "../audit/actor.ts";
import { PROBLEMS } from "../http/problems.ts";
import type { ProblemCode } from "../http/problems.ts";
import type { WhomHeaders } from "../http/record-headers.ts";

export interface RecordParams {
  readonly collection: string;
  readonly id: string;
}

export interface WriteHeaders extends ActorHeaders {
  readonly "if-match"?: string | undefined;
  readonly "if-none-match"?: string | undefined;
}

export interface ReadHeaders extends WriteHeaders {
  readonly "if-modified-since"?: string | undefined;
  readonly "if-unmodified-since"?: string | undefined;
}

export interface BatchRequest {
  readonly records: readonly {
    readonly id: string;
    readonly document: JsonObject;
    readonly subject?: string | undefined;
    readonly about?: readonly string[] | undefined;
    readonly repoint?: boolean | undefined;
    readonly tenant?: string | undefined;
  }[];
  readonly onExisting: OnExisting;
}

export const timestamp: z.ZodType<string> = z
  .string()
  .meta({ format: "date-time", description: "ISO 8601, UTC.", examples: ["2026-03-04T05:06:07.890Z"] });
export const version: z.ZodType<number> = z
  .int()
  .min(1)
  .meta({
    description: "Number of the version. Never used twice for one record, also not after a removal.",
    examples: [3],
  });
export const count: z.ZodType<number> = z.int().min(0);

export const collectionName: z.ZodType<string> = z.string().meta({
  description: "A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.",
  pattern: "^[a-z][a-z0-9_-]{0,62}$",
  examples: ["people"],
});
export const recordId: z.ZodType<string> = z.string().meta({
  description: `1 to ${MAX_ID_BYTES} bytes of UTF-8 in normal form C; no control characters, no \`/\` or \`\\\`, not \`.\` or \`..\`. Percent-encoded in URLs.`,
  minLength: 1,
  examples: ["C000127"],
});
const subject = z.string().meta({
  description:
    "Whom the record is about, by the name that its writers use. Database and KMS know them by an opaque id alone; " +
    "only a service without a key store hands the name on in clear.",
  examples: ["person-8f14e45f"],
});
const about = z
  .array(z.string())
  .meta({ description: "Further people whom the record is about.", examples: [["person-1679091c"]] });
const tenant = z.string().meta({
  description:
    "Whose people the names are of; `default` when left out and not declared. The KMS logs it in clear: no personal " +
    "data.",
  examples: ["acme"],
});
const REPOINT = "Whether the record may come to be about somebody else: it is encrypted anew under their key.";

/** Passed through untouched: the vault checks it, and a copy made key by key would lose a key named `__proto__`. */
const document = (z.any() as unknown as z.ZodType<JsonObject>).meta({
  id: "Document",
  type: "object",
  additionalProperties: true,
  description:
    "Any JSON object. Comes back equal; the order of its keys and its spacing are not kept. A number that a double " +
    "cannot hold exactly is refused.",
  examples: [{ name: "Ada Lovelace", born: 1815 }],
});

export const documentBody: z.ZodType<JsonObject> = document;

export const collectionParams: z.ZodType<Pick<RecordParams, "collection">> = z.object({ collection: collectionName });
export const recordParams: z.ZodType<RecordParams> = z.object({ collection: collectionName, id: recordId });
export const versionParams: z.ZodType<RecordParams & { readonly version: string }> = z.object({
  collection: collectionName,
  id: recordId,
  version: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, "must be a whole number from 1")
    .meta({ description: "Number of the version.", examples: ["3"] }),
});

/** Checked where they are read, with a code of their own. */
const actorForm = {
  "strongroom-purpose": z
    .string()
    .optional()
    .meta({
      description: "Why: a code. A collection may declare some, and then one of them is needed.",
      pattern: ACTOR_PATTERNS["strongroom-purpose"],
      examples: ["support"],
    }),
  "strongroom-ticket": z
    .string()
    .optional()
    .meta({
      description: "What it is done for, in another system. The audit has it sealed.",
      pattern: ACTOR_PATTERNS["strongroom-ticket"],
      examples: ["HELP-4711"],
    }),
  "strongroom-export": z
    .string()
    .optional()
    .meta({
      description: "The export that it is a part of, a UUID: in each of its entries.",
      pattern: ACTOR_PATTERNS["strongroom-export"],
      examples: ["0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e"],
    }),
};

export const actorHeaders: z.ZodType<ActorHeaders> = z.looseObject(actorForm);
export const readHeaders: z.ZodType<ReadHeaders> = z.looseObject({
  ...actorForm,
  "if-match": z.string().optional().meta({ description: "Versions of which this must be one, else 412." }),
  "if-modified-since": z.string().optional().meta({ description: "304 when it was not written later." }),
  "if-unmodified-since": z.string().optional().meta({ description: "412 when it was written later." }),
  "if-none-match": z
    .string()
    .optional()
    .meta({ description: 'A version the client has, `"3"`: 304 when it is still the one.' }),
});
const conditionHeaders = z.looseObject({
  ...actorForm,
  "if-match": z
    .string()
    .optional()
    .meta({ description: 'Write only on this version, `"3"`, or only if the record is there, `*`.' }),
  "if-none-match": z.string().optional().meta({ description: "`*`: write only if there is no such record." }),
});
export const writeHeaders: z.ZodType<WriteHeaders> = conditionHeaders;
export const putHeaders: z.ZodType<WriteHeaders & WhomHeaders> = conditionHeaders.extend({
  "strongroom-subject": z
    .string()
    .optional()
    .meta({
      description:
        "Whom the record is about, percent-encoded. Left out: as it is; of a new record as its collection declares, " +
        "or `COLLECTION/ID`.",
    }),
  "strongroom-about": z
    .string()
    .optional()
    .meta({
      description:
        "Further people whom it is about: a list with commas, each percent-encoded; empty for nobody. Left out: as " +
        "it is.",
      examples: ["person-1679091c, person-c81e728d"],
    }),
  "strongroom-repoint": z.enum(["true", "false"], "must be true or false").optional().meta({ description: REPOINT }),
  "strongroom-tenant": tenant.optional(),
});

/** Whose entries of the audit are asked for: a name is personal, and no URL has it. */
export const auditHeaders: z.ZodType<ActorHeaders & WhomHeaders> = z.looseObject({
  ...actorForm,
  "strongroom-subject": z
    .string()
    .optional()
    .meta({ description: "Only entries about this person, by the name that writers use, percent-encoded." }),
  "strongroom-tenant": tenant.optional(),
});

/** Which page of a list, and how long it is. @param things what the list is of, as the first word of a sentence */
export const pageFields = (
  things: string,
  most: number,
): { readonly cursor: z.ZodOptional<z.ZodString>; readonly limit: z.ZodOptional<z.ZodCoercedNumber> } => ({
  cursor: z.string().optional().meta({ description: "`next` of the page before." }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(most)
    .optional()
    .meta({ description: `${things} of the page; 100 when left out.` }),
});

/** Which fields of a document are asked for. */
export interface FieldsQuery {
  readonly fields?: string | undefined;
}

/** Longer than any list of fields that is taken. */
const LONGEST_FIELDS = 16_384;

export const fieldsQuery: z.ZodType<FieldsQuery> = z.object({
  fields: z
    .string()
    .max(LONGEST_FIELDS)
    .optional()
    .meta({
      description: "1 to 64 paths of fields, with commas between; left out: all that the token may see.",
      examples: ["name,address.postcode"],
    }),
});

export const listQuery = (
  most: number,
): z.ZodType<{ readonly cursor?: string | undefined; readonly limit?: number | undefined }> =>
  z.strictObject(pageFields("Items", most));

const wraps = z
  .object({
    stored: count.meta({
      description: "Regions that hold a wrap: of the person's key, or in `record` scope of the version's data key.",
    }),
    target: count.meta({ description: "Regions that should." }),
    missing: z.array(z.string()).meta({ description: "Regions whose wrap is owed.", examples: [["eu-west-2"]] }),
  })
  .meta({ id: "Wraps" });

/** What a writer who may not read is not told is left out. */
export type PutAnswer = Omit<PutResult, "subject" | "about"> & {
  readonly [Member in "subject" | "about"]?: PutResult[Member] | undefined;
};

export const putAnswer: z.ZodType<PutAnswer> = z
  .object({
    collection: collectionName,
    id: recordId,
    subject: subject.nullable().optional().meta({
      description: "Null: about nobody. Left out where it was not sent and the token may not read.",
    }),
    about: about.optional().meta({ description: "Left out where there is nobody further, and as `subject` is." }),
    version,
    createdAt: timestamp,
    outcome: z.enum(["created", "replaced"]),
    wraps,
  })
  .meta({ id: "PutAnswer" });

/** An answer without a body. */
export const notModified: z.ZodType<null> = z.null().meta({ description: "The client's version is still the one." });

export const removeAnswer: z.ZodType<RemoveResult> = z
  .object({ collection: collectionName, id: recordId, lastVersion: version, removedAt: timestamp })
  .meta({ id: "RemoveAnswer" });

/** A record that is named and not given. */
export const damagedRecord: z.ZodType<DamagedRecord> = z
  .object({
    id: z.string().meta({ description: "As it lies in the database, cut and escaped: it need not be an id." }),
    code: z.string().meta({ examples: ["record-tampered"] }) as unknown as z.ZodType<DamagedRecord["code"]>,
  })
  .meta({ id: "DamagedRecord" });

export const listAnswer: z.ZodType<ListResult> = z
  .object({
    items: z.array(z.object({ id: recordId, version, updatedAt: timestamp })),
    damaged: z
      .array(damagedRecord)
      .optional()
      .meta({ description: "Records of the page whose rows are not as they were written; left out without any." }),
    next: z.string().nullable().meta({ description: "Cursor of the next page, null on the last one." }),
  })
  .meta({ id: "ListAnswer" });

export const versionsAnswer: z.ZodType<{ readonly versions: readonly VersionInfo[] }> = z
  .object({
    versions: z
      .array(
        z.object({
          version,
          subject: subject
            .nullable()
            .meta({ description: "Null: about nobody, or about somebody who may not be read about." }),
          about: about.optional(),
          createdAt: timestamp,
          messageBytes: count.meta({ description: "Length of the stored message." }),
          wraps: z.object({ stored: count, target: count }),
        }),
      )
      .meta({ description: "Newest first. Not opened: reading a version is what proves it." }),
  })
  .meta({ id: "VersionsAnswer" });

export const collectionsAnswer: z.ZodType<{ readonly collections: readonly CollectionCount[] }> = z
  .object({
    collections: z.array(
      z.object({ collection: collectionName as unknown as z.ZodType<CollectionCount["collection"]>, records: count }),
    ),
  })
  .meta({ id: "CollectionsAnswer" });

export const batchRequest = (most: number): z.ZodType<BatchRequest> =>
  z
    .strictObject({
      records: z
        .array(
          z.strictObject({
            id: recordId,
            document,
            subject: subject.optional(),
            about: about.optional(),
            repoint: z.boolean().optional().meta({ description: REPOINT }),
            tenant: tenant.optional(),
          }),
        )
        .max(most),
      onExisting: z
        .enum(["compare", "replace", "keep"])
        .default("compare")
        .meta({
          description:
            "What to do with a record that is there: `compare` writes a new version only when the document differs " +
            "(so a batch may be sent again) and needs the scope `read` as well, `replace` always does, `keep` never " +
            "does.",
        }),
    })
    .meta({
      id: "BatchRequest",
      examples: [
        {
          records: [{ id: "C000127", document: { name: "Ada Lovelace" }, subject: "person-8f14e45f" }],
          onExisting: "compare",
        },
      ],
    });

/** Codes of starting, of the repair, and of clients that are gone: no answer has them. */
const NEVER_ANSWERED: ReadonlySet<string> = new Set<ProblemCode>([
  "aborted",
  "audit-foreign",
  "key-store-behind",
  "key-store-foreign",
  "key-store-lost",
  "option-invalid",
  "store-newer",
  "token-absent",
  "vault-option-invalid",
  "wraps-still-missing",
  "wraps-would-be-lost",
]);

const ANSWERED = Object.entries(PROBLEMS)
  .filter(([code]) => !NEVER_ANSWERED.has(code))
  .map(([code, { title, remedy, outcome, status }]) => ({ code, title, remedy, outcome, status }));

/**
 * A code of a problem, or of a refused item of a batch: a closed choice, and each code's row of the error tables beside
 * it, so that a client has titles, remedies and outcomes from here and needs no table of its own.
 */
const errorCode: z.ZodType = z.enum(ANSWERED.map(({ code }) => code)).meta({
  id: "ErrorCode",
  description:
    "Stable; what a program decides by. `x-strongroom-errors` says of each code what it means, what to do, how a " +
    "command ends with it, and the status of the answer.",
  "x-strongroom-errors": ANSWERED,
});

export const batchAnswer: z.ZodType = z
  .object({
    results: z
      .array(
        z.object({
          id: z.string(),
          outcome: z.enum(["created", "replaced", "unchanged", "kept", "refused"]),
          version: version.optional(),
          wraps: wraps.optional(),
          code: errorCode.optional(),
          detail: z.string().optional(),
        }),
      )
      .meta({ description: "One for each record of the request, in its order." }),
  })
  .meta({ id: "BatchAnswer" });

export const healthAnswer: z.ZodType<{ readonly status: "ok" }> = z
  .object({ status: z.literal("ok") })
  .meta({ id: "HealthAnswer" });

export const problem: z.ZodType = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: errorCode,
    detail: z.string().meta({ description: "What is the matter this time." }),
    remedy: z.string().meta({ description: "What to do about it." }),
    requestId: z.string().meta({ description: "Also in the service's log." }),
    regions: z
      .array(z.object({ region: z.string(), reason: z.string() }))
      .optional()
      .meta({ description: "What each region said." }),
    problems: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: "Parts of the request that are wrong." }),
    currentVersion: z.int().nullable().optional().meta({ description: "The version there is, null for no record." }),
  })
  .meta({
    id: "Problem",
    examples: [
      {
        type: "urn:strongroom:error:record-absent",
        title: "There is no such record",
        status: 404,
        code: "record-absent",
        detail: "There is no such record",
        remedy: "Check the collection and the id; list the collection to see what is there.",
        requestId: "0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e",
      },
    ],
  });

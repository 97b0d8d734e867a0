/**
 * The forms of requests and answers about people's rights. A person's name is in bodies only: URLs stand in logs.
 */
import type {
  Consent,
  Exposure,
  JsonObject,
  PersonExportPage,
  PersonHeld,
  ProcessingReport,
  Recipient,
  Rectified,
  RetentionReport,
  SubjectState,
} from "@strongroom/vault";
import { z } from "zod";
import { moment } from "./audit-schemas.ts";
import { count, documentBody, timestamp, version } from "./schemas.ts";

const text = (most: number): z.ZodString => z.string().min(1).max(most);
const purpose = z
  .string()
  .regex(/^[a-z0-9.-]{1,64}$/, "must be 1 to 64 characters of a-z 0-9 . -")
  .meta({ examples: ["marketing"] });
const subjectState = z.enum(["active", "restricted", "erasing", "erased"]);
const scope = z.enum(["record", "subject", "tenant"]);

/** Whom a request is about. */
export interface PersonBody {
  readonly subject: string;
  readonly tenant?: string | undefined;
}

const person = {
  // The vault says whether it is a name.
  subject: text(1_024).meta({ description: "By the name that writers use.", examples: ["C000127"] }),
  tenant: text(63).optional().meta({ description: "Whose person it is; `default` when left out." }),
};
const cursor = z.string().max(16_384).optional().meta({ description: "`next` of the page before." });

const body = <Body extends PersonBody>(id: string, more: z.ZodRawShape = {}): z.ZodType<Body> =>
  z.strictObject({ ...person, ...more }).meta({ id }) as unknown as z.ZodType<Body>;

export const personRequest: z.ZodType<PersonBody> = body("PersonRequest");

export interface ShowBody extends PersonBody {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}
export const showRequest = (most: number): z.ZodType<ShowBody> =>
  body("PersonShowRequest", { cursor, limit: z.int().min(1).max(most).optional() });

export interface ExportBody extends PersonBody {
  readonly recipient: string;
  readonly versions?: "newest" | "all" | undefined;
  readonly cursor?: string | undefined;
}
export const exportRequest: z.ZodType<ExportBody> = body("PersonExportRequest", {
  recipient: text(200).meta({ description: "To whom it is given. The audit keeps it, sealed." }),
  versions: z.enum(["newest", "all"]).optional().meta({ description: "`newest` when left out." }),
  cursor,
});

export interface RestrictBody extends PersonBody {
  readonly except?: readonly string[] | undefined;
}
export const restrictRequest: z.ZodType<RestrictBody> = body("RestrictRequest", {
  except: z.array(purpose).max(8).optional().meta({ description: "Purposes for which they are read all the same." }),
});

export interface RectifyBody extends PersonBody {
  readonly collection: string;
  readonly id: string;
  readonly changes: JsonObject;
  readonly reason: string;
}
export const rectifyRequest: z.ZodType<RectifyBody> = body("RectifyRequest", {
  collection: text(63),
  id: text(256),
  changes: documentBody,
  reason: purpose.meta({ description: "Why, as a code.", examples: ["data-subject-request"] }),
});

export interface ConsentBody extends PersonBody {
  readonly purpose: string;
  readonly state: "given" | "withdrawn";
  readonly evidence?: string | undefined;
}
export const consentRequest: z.ZodType<ConsentBody> = body("ConsentRequest", {
  purpose,
  state: z.enum(["given", "withdrawn"]),
  evidence: text(300).optional().meta({ description: "Which wording was agreed to. It lies sealed." }),
});

export interface ExposureBody {
  readonly principal: string;
  readonly since: string;
  readonly until?: string | undefined;
  readonly names?: boolean | undefined;
}
export const exposureRequest: z.ZodType<ExposureBody> = z
  .strictObject({
    principal: text(128).meta({ examples: ["token:4f0c2a91b7de"] }),
    since: moment,
    until: moment.optional(),
    names: z.boolean().optional().meta({ description: "Whether people are named, and not only their opaque ids." }),
  })
  .meta({ id: "ExposureRequest" });

export const personState: z.ZodType<{ readonly state: SubjectState }> = z
  .object({ state: subjectState })
  .meta({ id: "PersonState" });

export const personHeld: z.ZodType<PersonHeld> = z
  .object({
    state: subjectState,
    except: z.array(z.string()).meta({ description: "Of who is restricted: for what they are read all the same." }),
    keys: z.object({ subject: count, tenant: count }).meta({ description: "Versions of their keys, by scope." }),
    collections: z.array(
      z.object({
        collection: z.string(),
        scope,
        purposes: z.array(z.string()),
        retention: z.string().nullable(),
        recipients: z.array(z.string()),
      }),
    ),
    records: z.array(
      z.object({
        collection: z.string(),
        id: z.string().nullable(),
        version: version.nullable(),
        versions: count,
        since: timestamp.nullable(),
        newestAt: timestamp.nullable(),
        others: count.meta({ description: "How many others it is about." }),
        isAbout: z.boolean().meta({ description: "False: the newest version is about others only." }),
        until: timestamp.nullable(),
      }),
    ),
    next: z.string().nullable(),
  })
  .meta({ id: "PersonHeld" });

const given = z.object({
  kind: z.literal("record"),
  collection: z.string(),
  id: z.string().nullable(),
  version,
  createdAt: timestamp,
  others: count,
  purposes: z.array(z.string()),
  document: documentBody,
});
const withheld = z.object({
  kind: z.literal("withheld"),
  collection: z.string(),
  id: z.string().nullable(),
  version: version.nullable(),
  reason: z.string().meta({ description: "`third-parties`, `re-pointed`, or a code.", examples: ["third-parties"] }),
});

export const exportAnswer: z.ZodType<PersonExportPage> = z
  .object({
    export: z.string().meta({ description: "Names the export in the audit; of all pages the same." }),
    items: z.array(z.union([given, withheld])),
    next: z.string().nullable().meta({ description: "Null: it is complete." }),
  })
  .meta({ id: "PersonExportPage" }) as unknown as z.ZodType<PersonExportPage>;

const recipient = z
  .object({
    export: z.string(),
    recipient: z.string().nullable().meta({ description: "Null: it was an export of a collection." }),
    kind: z.enum(["person", "collection"]),
    principal: z.string(),
    purpose: z.string().nullable(),
    from: timestamp,
    to: timestamp,
    outcome: z.enum(["complete", "interrupted", "untold"]),
    records: z.array(z.object({ collection: z.string(), id: z.string(), version: version.nullable() })),
  })
  .meta({ id: "PersonRecipient" });

export const recipientsAnswer: z.ZodType<{ readonly recipients: readonly Recipient[] }> = z
  .object({ recipients: z.array(recipient) })
  .meta({ id: "PersonRecipients" });

export const rectifyAnswer: z.ZodType<Rectified> = z
  .object({ collection: z.string(), id: z.string(), version, recipients: z.array(recipient) })
  .meta({ id: "RectifyAnswer" });

const consent = z
  .object({
    purpose: z.string(),
    state: z.enum(["given", "withdrawn"]),
    at: timestamp,
    evidence: z.string().nullable(),
    version,
  })
  .meta({ id: "PersonConsent" });
export const consentAnswer: z.ZodType<Consent> = consent;
export const consentsAnswer: z.ZodType<{ readonly consents: readonly Consent[] }> = z
  .object({ consents: z.array(consent) })
  .meta({ id: "PersonConsents" });

export const exposureAnswer: z.ZodType<Exposure> = z
  .object({
    principal: z.string(),
    since: timestamp,
    until: timestamp.nullable(),
    entries: count,
    unopened: count.meta({ description: "Entries whose parts do not open any more." }),
    records: z.array(
      z.object({
        collection: z.string(),
        id: z.string().nullable(),
        versions: z.array(version).meta({ description: "Whose content was given; none: that it is there was." }),
        firstAt: timestamp,
        lastAt: timestamp,
      }),
    ),
    people: z.array(z.object({ id: z.string(), name: z.string().nullable(), isContent: z.boolean() })),
  })
  .meta({ id: "Exposure" });

export const processingAnswer: z.ZodType<ProcessingReport> = z
  .object({
    at: timestamp,
    regions: z.array(z.string()),
    collections: z.array(
      z.object({
        collection: z.string(),
        subject: z.string(),
        scope,
        ids: z.enum(["public", "sealed"]),
        purposes: z.array(
          z.object({
            code: z.string(),
            consent: z.boolean().optional(),
            basis: z.string().optional(),
            description: z.string().optional(),
          }),
        ),
        fields: z.array(z.string()),
        retention: z.object({ after: z.string(), from: z.string().nullable() }).nullable(),
        recipients: z.array(z.string()),
        thirdParties: z.enum(["omit", "include"]),
      }),
    ),
  })
  .meta({ id: "ProcessingReport" }) as unknown as z.ZodType<ProcessingReport>;

export const retentionAnswer: z.ZodType<RetentionReport> = z
  .object({
    at: timestamp,
    collections: z.array(
      z.object({
        collection: z.string(),
        after: z.string(),
        from: z.string().nullable(),
        looked: count,
        due: count,
        removed: count,
        held: count,
        undated: count,
        changed: count,
        failed: z.record(z.string(), count),
        outcome: z.enum(["complete", "interrupted", "elsewhere"]),
      }),
    ),
  })
  .meta({ id: "RetentionReport" });

/**
 * The forms of requests and answers about the audit.
 */
import { AUDIT_ACTIONS } from "@strongroom/vault";
import type { AccessLog, AuditEvent, AuditPage, AuditQuery, AuditStatus } from "@strongroom/vault";
import { z } from "zod";
import { count, pageFields, timestamp, version } from "./schemas.ts";

/** What a client may ask of the audit's events. */
export type AuditQueryString = { readonly [Name in keyof AuditQuery]?: AuditQuery[Name] | undefined };

/** As a request says it. */
export const moment: z.ZodType<string> = z.iso.datetime({
  error: "must be a time in UTC, such as 2026-03-04T05:06:07Z",
});

/** Of `GET /v1/audit`. */
export const auditQuery = (most: number): z.ZodType<AuditQueryString> =>
  z.strictObject({
    principal: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .meta({ description: "Only what this principal did: `token:ID`.", examples: ["token:4f0c2a91b7de"] }),
    action: z.enum(AUDIT_ACTIONS).optional().meta({ description: "Only this action." }),
    collection: z
      .string()
      .optional()
      .meta({ description: "Only of this collection.", examples: ["people"] }),
    since: moment.optional().meta({ description: "Only from this time on." }),
    until: moment.optional().meta({ description: "Only before this time." }),
    order: z.enum(["oldest", "newest"]).optional().meta({ description: "What comes first; `newest` when left out." }),
    ...pageFields("Events", most),
  });

/** Of `GET /v1/audit/access-log`. */
export const accessLogQuery: z.ZodType<Pick<AuditQueryString, "since">> = z.strictObject({
  since: moment.optional().meta({ description: "Only from this time on." }),
});

const plainValues = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

const auditEvent = z
  .object({
    position: count.nullable().meta({ description: "In the log, from 0; null: it is not in it yet." }),
    id: z.string().meta({ description: "Of the entry; of a write also that of the write." }),
    at: timestamp,
    action: z.string().meta({ examples: ["read", "write", "remove", "list", "audit-read"] }),
    result: z.string().meta({
      description: "`done`, `begun`, or the code of the error with which it was refused.",
      examples: ["done"],
    }),
    principal: z.string().meta({
      description: "Who: an id that never changes. `token:ID`; `anonymous` without a known token.",
      examples: ["token:4f0c2a91b7de"],
    }),
    purpose: z.string().nullable(),
    ticket: z.string().nullable(),
    collection: z.string().nullable(),
    records: z
      .array(
        z.object({
          id: z.string().nullable().meta({ description: "Null: its key is gone, or it was not known." }),
          version: version.nullable(),
          subject: z.string().nullable().meta({ description: "The opaque id of the person, or `collection:NAME`." }),
        }),
      )
      .meta({ description: "The records that it is about." }),
    people: z.array(z.string()).meta({ description: "Opaque ids of everybody whom it is about." }),
    kms: z
      .array(
        z.object({
          region: z.string(),
          key: z.string().meta({ description: "Of the wrapping key: its ARN." }),
          requestId: z.string().meta({ description: "As the KMS's own log has it." }),
        }),
      )
      .meta({ description: "Calls of a KMS that it took." }),
    export: z.string().nullable(),
    label: z
      .string()
      .nullable()
      .meta({ description: "What an entry `principal` calls its principal: the name of a token." }),
    details: plainValues,
  })
  .meta({ id: "AuditEvent" }) as unknown as z.ZodType<AuditEvent>;

export const auditPage: z.ZodType<AuditPage> = z
  .object({
    events: z.array(auditEvent),
    next: z.string().nullable().meta({ description: "Cursor of the next page, null on the last one." }),
  })
  .meta({ id: "AuditPage" });

export const auditStatus: z.ZodType<AuditStatus> = z
  .object({
    history: z.string().nullable().meta({
      description:
        "Which history of the log. A restore that was accepted begins another one; null: nothing is in it yet.",
    }),
    size: count.meta({ description: "Entries in the log." }),
    root: z.string().meta({ description: "Of its tree: base64." }),
    waiting: count.meta({ description: "Entries that are durable and not in the log yet, counted up to 10,000." }),
    waitingMs: z.number().meta({ description: "For how long the oldest of them has waited, in milliseconds." }),
    published: count.meta({ description: "The largest size that the key store knows." }),
    adopted: z.boolean().meta({ description: "Whether every record from before the audit has an entry by now." }),
    witnesses: z.array(
      z.object({
        name: z.string(),
        state: z.enum(["current", "behind", "away"]),
        size: count.meta({ description: "The size that it has seen." }),
      }),
    ),
    groups: z
      .object({ appends: count, entries: count })
      .meta({ description: "Of this process: how often readers' entries were appended together, and how many." }),
    alarms: z
      .array(z.object({ code: z.string(), message: z.string(), at: timestamp }))
      .meta({ description: "What was found wrong since the process started, newest last." }),
    key: z.string().meta({ description: "The verifier key of its checkpoints (c2sp.org/signed-note)." }),
  })
  .meta({ id: "AuditStatus" });

export const accessLogAnswer: z.ZodType<AccessLog> = z
  .object({
    checkpoint: z.string().meta({ description: "The newest: a signed note (c2sp.org/tlog-checkpoint)." }),
    key: z.string().meta({ description: "The verifier key of the checkpoint." }),
    entries: z.array(
      z.object({
        event: auditEvent,
        text: z
          .string()
          .nullable()
          .meta({ description: "The entry as it is hashed into the log; null: it was forgotten, its time was over." }),
        proof: z.string().meta({ description: "That it is in the log (c2sp.org/tlog-proof)." }),
      }),
    ),
  })
  .meta({ id: "AccessLog" });

/** How an export ended. */
export interface ExportEnd {
  readonly collection: string;
  readonly outcome: "complete" | "interrupted";
  readonly records: number;
}

export const exportParams: z.ZodType<{ readonly export: string }> = z.object({
  export: z.string().meta({
    description: "The UUID that its reads had in `Strongroom-Export`.",
    examples: ["0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e"],
  }),
});

export const exportEnd: z.ZodType<ExportEnd> = z
  .strictObject({
    collection: z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, "must be a collection's name"),
    outcome: z.enum(["complete", "interrupted"]),
    records: count.meta({ description: "Records that it has written." }),
  })
  .meta({ id: "ExportEnd" });

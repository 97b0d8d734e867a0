/**
 * The audit of a service: who did what, how its log is, and what is proven of one person. All but the end of an export
 * needs a token with the scope `audit`.
 */
import type { Answers, operations } from "./api-types.ts";
import { type Caller, type CallOptions, unintelligible } from "./call.ts";
import { encoded, present } from "./encoded.ts";
import { type Listing, listing } from "./paging.ts";

/** An entry of the audit. */
export type AuditEvent = Answers["AuditEvent"];
/** How the audit is. */
export type AuditStatus = Answers["AuditStatus"];
/** Everything about one person, with proofs. */
export type AccessLog = Answers["AccessLog"];
/** How an export ended. */
export type ExportEnd = Answers["ExportEnd"];

/** Which entries. All conditions that are given hold. */
export interface AuditQuery extends CallOptions {
  /** Only what is about this person, by the name that writers use; the question itself is in the audit, too. */
  readonly subject?: string | undefined;
  /** Whose person that is. */
  readonly tenant?: string | undefined;
  /** Only what this principal did: `token:ID`. */
  readonly principal?: string | undefined;
  /** As `read`, `write`, `remove`, `list`: GET /openapi.json has all of them. */
  readonly action?: AuditAction | undefined;
  readonly collection?: string | undefined;
  /** Times in UTC, `2026-03-04T05:06:07Z`: from, and up to but without. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** What comes first; left out: `newest`. */
  readonly order?: "oldest" | "newest" | undefined;
}

/** What was done, as a query names it. */
export type AuditAction = NonNullable<NonNullable<operations["listAuditEvents"]["parameters"]["query"]>["action"]>;

/** The audit. Every method throws ClientError. */
export interface Audit {
  /** Entries, the newest first unless the query says otherwise: `for await`, or a page at a time. */
  events(query?: AuditQuery): Listing<AuditEvent>;
  status(options?: CallOptions): Promise<AuditStatus>;
  /** The newest signed checkpoint: a note of c2sp.org/tlog-checkpoint. Throws `checkpoint-absent` before the first. */
  checkpoint(options?: CallOptions): Promise<string>;
  /** Everything about somebody, oldest first, each entry with its proof. Throws `subject-unknown`. */
  accessLog(
    subject: string,
    options?: CallOptions & { readonly tenant?: string | undefined; readonly since?: string | undefined },
  ): Promise<AccessLog>;
  /** Says that an export is over, whose reads were made with this id as `export`. Needs the scope `read`. */
  endExport(id: string, end: ExportEnd, options?: CallOptions): Promise<void>;
}

/** Most entries that the service gives in one page. */
const LARGEST_PAGE = 500;

/** The form of a signed checkpoint. Whether it is to be believed, whoever has the key says. */
const CHECKPOINT = /^[^\p{Cc}]+\n\d{1,16}\n[A-Za-z0-9+/]{43}=\n(?:[^\p{Cc}]+\n)*\n(?:\u2014 [^\p{Cc}]+\n)+$/u;

/** The audit over a caller. */
export function auditOf({ answer, text }: Caller): Audit {
  return {
    events: (query = {}) => {
      const { subject, tenant, principal, action, collection, since, until, order } = query;
      const header = whomHeader(subject, tenant);
      return listing(async (page) => {
        const given = present({ principal, action, collection, since, until, order, ...page });
        const { events, next } = await answer("AuditPage", query, (http, init) =>
          http.GET("/v1/audit", { ...init, params: { header, query: given } }),
        );
        return { items: events, next };
      }, LARGEST_PAGE);
    },
    status: (options = {}) => answer("AuditStatus", options, (http, init) => http.GET("/v1/audit/status", init)),
    checkpoint: async (options = {}) => {
      const note = await text(options, (http, init) => http.GET("/v1/audit/checkpoint", { ...init, parseAs: "text" }));
      if (!CHECKPOINT.test(note.text)) throw unintelligible("it is no checkpoint");
      return note.text;
    },
    accessLog: (subject, options = {}) => {
      const { tenant, since } = options;
      const params = { header: whomHeader(subject, tenant), query: present({ since }) };
      return answer("AccessLog", options, (http, init) => http.GET("/v1/audit/access-log", { ...init, params }));
    },
    endExport: async (id, end, options = {}) => {
      await answer("ExportEnd", { ...options, export: id }, (http, init) =>
        http.POST("/v1/exports/{export}", { ...init, params: { path: { export: id } }, body: end }),
      );
    },
  };
}

function whomHeader(subject: string | undefined, tenant: string | undefined) {
  return present({
    "strongroom-subject": subject === undefined ? undefined : encoded(subject, "subject-invalid"),
    "strongroom-tenant": tenant === undefined ? undefined : encoded(tenant, "tenant-invalid"),
  });
}

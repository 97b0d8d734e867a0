/**
 * GET /v1/audit: who did what. GET /v1/audit/status and /v1/audit/checkpoint: how the log is. GET
 * /v1/audit/access-log: everything about one person, with proofs. POST /v1/exports/{export}: an export has ended. A
 * person's name travels in a header: URLs stand in logs.
 */
import { VaultError } from "@strongroom/vault";
import type { AuditQuery, VaultAudit } from "@strongroom/vault";
import { z } from "zod";
import type { Api, ApiContext } from "../api.ts";
import { actingOf } from "../audit/acting.ts";
import { ServerError } from "../errors.ts";
import { decodeText } from "../http/record-headers.ts";
import type { WhomHeaders } from "../http/record-headers.ts";
import { ACTING, BODY, NAMING, problemAnswers } from "../openapi/answers.ts";
import {
  accessLogAnswer,
  accessLogQuery,
  auditPage,
  auditQuery,
  auditStatus,
  exportEnd,
  exportParams,
} from "../openapi/audit-schemas.ts";
import type { AuditQueryString } from "../openapi/audit-schemas.ts";
import { actorHeaders, auditHeaders } from "../openapi/schemas.ts";

/** As many as the vault gives at once. */
const MOST_EVENTS = 500;

const ASKING = ["audit-missing", "subject-invalid", "subject-unknown", "tenant-invalid", ...ACTING, ...NAMING] as const;

/** Adds the routes that show the audit. */
export function auditRoutes(app: Api, { limits }: ApiContext): void {
  app.get(
    "/audit",
    {
      config: { scope: "audit" },
      schema: {
        operationId: "listAuditEvents",
        summary: "Who did what",
        description:
          "With `Strongroom-Subject`, who read, wrote or asked for what is about one person; the question is in the " +
          "audit, too. Entries come a second or two after what they tell.",
        tags: ["audit"],
        headers: auditHeaders,
        querystring: auditQuery(Math.min(limits.listItems, MOST_EVENTS)),
        response: {
          200: { description: "One page.", content: { "application/json": { schema: auditPage } } },
          ...problemAnswers("cursor-invalid", "limit-invalid", ...ASKING),
        },
      },
    },
    async (request, reply) => {
      const audit = requireAudit(actingOf(request).audit);
      const query = queryOf(request.query);
      const who = personOf(request.headers);
      return reply.send(
        await (who === null ? audit.events(query) : audit.whoRead(who.name, { ...query, ...who.tenant })),
      );
    },
  );

  app.get(
    "/audit/access-log",
    {
      config: { scope: "audit" },
      schema: {
        operationId: "getAccessLog",
        summary: "Everything about one person, with proofs",
        description:
          "For the person whom `Strongroom-Subject` names: each entry as it is hashed into the log, a proof that it " +
          "is in the tree of the checkpoint, and what it says. Oldest first.",
        tags: ["audit"],
        headers: auditHeaders,
        querystring: accessLogQuery,
        response: {
          200: { description: "All of it.", content: { "application/json": { schema: accessLogAnswer } } },
          ...problemAnswers(...ASKING),
        },
      },
    },
    async (request, reply) => {
      const audit = requireAudit(actingOf(request).audit);
      const who = personOf(request.headers);
      if (who === null) throw new VaultError("subject-invalid", "The header Strongroom-Subject says whose log it is");
      const { since } = request.query;
      return reply.send(await audit.accessLog(who.name, { ...who.tenant, ...(since === undefined ? {} : { since }) }));
    },
  );
}

/** Adds the routes that tell how the audit is, also while the service is overloaded. */
export function auditStateRoutes(app: Api, { vault }: ApiContext): void {
  app.get(
    "/audit/status",
    {
      config: { scope: "audit", work: "none" },
      schema: {
        operationId: "getAuditStatus",
        summary: "How the audit is",
        tags: ["audit"],
        response: {
          200: { description: "As it is now.", content: { "application/json": { schema: auditStatus } } },
          ...problemAnswers("audit-missing"),
        },
      },
    },
    async (_request, reply) => reply.send(await requireAudit(vault.audit).status()),
  );

  app.get(
    "/audit/checkpoint",
    {
      config: { scope: "audit", work: "none" },
      schema: {
        operationId: "getAuditCheckpoint",
        summary: "The newest signed checkpoint",
        description:
          "A signed note (c2sp.org/tlog-checkpoint): which log, how many entries, which root. Kept elsewhere, it " +
          "shows later whether the log goes on from here.",
        tags: ["audit"],
        response: {
          200: { description: "The note.", content: { "text/plain": { schema: z.string() } } },
          ...problemAnswers("audit-missing", "checkpoint-absent"),
        },
      },
      // The note is text as it is, not JSON.
      serializerCompiler: () => (note) => note as string,
    },
    async (_request, reply) => {
      const note = await requireAudit(vault.audit).checkpoint();
      if (note === null) throw new ServerError("checkpoint-absent", "Nothing is in the log yet");
      return reply.type("text/plain; charset=utf-8").send(note);
    },
  );
}

/** Adds the route by which whoever exports says that it is over. */
export function exportRoutes(app: Api): void {
  app.post(
    "/exports/:export",
    {
      config: { scope: "read", isDecidedByVault: true },
      schema: {
        operationId: "endExport",
        summary: "Say that an export has ended",
        description:
          "An entry of the audit. The reads of an export name it in `Strongroom-Export`, and so does this; one that " +
          "was killed has reads, and no end.",
        tags: ["audit"],
        params: exportParams,
        headers: actorHeaders,
        body: exportEnd,
        response: {
          200: { description: "It is in the audit.", content: { "application/json": { schema: exportEnd } } },
          ...problemAnswers(...BODY, ...ACTING),
        },
      },
    },
    async (request, reply) => {
      const { collection, outcome, records } = request.body;
      if (request.headers["strongroom-export"] !== request.params.export)
        throw new VaultError("audit-actor-invalid", "The header Strongroom-Export and the path name two exports");
      await actingOf(request).audit?.tell("export-ended", outcome === "complete" ? "done" : "aborted", {
        collection,
        details: { records },
      });
      return reply.send(request.body);
    },
  );
}

/** A vault that a program opened without one has none. @throws VaultError `audit-missing` */
function requireAudit(audit: VaultAudit | null): VaultAudit {
  if (audit !== null) return audit;
  throw new VaultError("audit-missing", "The vault of this service has no audit");
}

interface Person {
  readonly name: string;
  readonly tenant: { readonly tenant?: string };
}

/** Null: nobody is named. The vault says whether it is a name. */
function personOf(headers: WhomHeaders): Person | null {
  const { "strongroom-subject": subject, "strongroom-tenant": tenant } = headers;
  if (subject === undefined) return null;
  return {
    name: decodeText(subject, "Strongroom-Subject"),
    tenant: tenant === undefined ? {} : { tenant },
  };
}

function queryOf(query: AuditQueryString): AuditQuery {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
}

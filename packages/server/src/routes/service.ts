/**
 * GET /healthz: the process lives. GET /readyz: it can do its work. GET /metrics: for Prometheus. All without a token,
 * for whoever runs the service: a scraper that needed one would hold a token that reads records.
 */
import { isVaultError, VAULT_ERRORS } from "@strongroom/vault";
import { z } from "zod";
import type { Api, ApiContext } from "../api.ts";
import type { AuditSeen } from "../audit/audit-look.ts";
import type { Metrics } from "../metrics.ts";
import { readyAnswer } from "../openapi/region-schemas.ts";
import type { ReadyAnswer } from "../openapi/region-schemas.ts";
import { healthAnswer } from "../openapi/schemas.ts";

/** Adds the two routes that tell how the service is. */
export function healthRoutes(app: Api, context: ApiContext): void {
  app.get(
    "/healthz",
    {
      config: { work: "none" },
      schema: {
        operationId: "getHealth",
        summary: "Is the process alive?",
        tags: ["service"],
        security: [],
        response: { 200: { description: "It is.", content: { "application/json": { schema: healthAnswer } } } },
      },
    },
    async (_request, reply) => reply.send({ status: "ok" }),
  );

  app.get(
    "/readyz",
    {
      config: { work: "none" },
      schema: {
        operationId: "getReadiness",
        summary: "Can the service do its work?",
        description:
          "The store and the audit answer, and no more regions are known to be down than a write can do without. " +
          "Owed wraps are shown, and are no reason not to be ready.",
        tags: ["service"],
        security: [],
        response: {
          200: { description: "Ready.", content: { "application/json": { schema: readyAnswer } } },
          503: {
            description: "Not ready: the members that are not `ok` say why.",
            content: { "application/json": { schema: readyAnswer } },
          },
        },
      },
    },
    async (_request, reply) => {
      const answer = await readiness(context);
      return reply.code(answer.status === "ready" ? 200 : 503).send(answer);
    },
  );
}

async function readiness({ vault, regions, audit: look }: ApiContext): Promise<ReadyAnswer> {
  const pinged = vault.ping().then(() => SOUND, problemsOf);
  // What was last seen: how much is owed is not counted for whoever asks whether the service is well.
  const debt = vault.debtSeen();
  const seen = await regions.current();
  const notDown = seen.filter(({ state }) => state !== "down").length;
  const { store: problem, log } = await pinged;
  const audited = await look.current();
  const audit = audited === null ? null : auditOf(audited, log);
  const store = { ok: problem === null, problem };
  const regionsOk = notDown >= regions.minimum;
  return {
    status: store.ok && regionsOk && audit?.ok !== false ? "ready" : "not-ready",
    store,
    regions: {
      ok: regionsOk,
      minimum: regions.minimum,
      notDown,
      states: seen.map(({ region, state }) => ({ region, state })),
    },
    audit,
    wrapDebt: debt === null ? null : { items: debt.items },
  };
}

/** What a ping of the vault says: of the stores, and of the log of the audit. */
interface Pinged {
  readonly store: string | null;
  readonly log: { readonly problem: string; readonly detail: string | undefined } | null;
}

const SOUND: Pinged = { store: null, log: null };

function problemsOf(error: unknown): Pinged {
  if (!isVaultError(error)) return { store: "store-failed", log: null };
  if (error.code !== "audit-unavailable") return { store: error.code, log: null };
  // The title alone: whoever asks has no token, and a message may say more than a person without one should see.
  const { cause } = error;
  const detail = isVaultError(cause) ? `The log of the audit: ${VAULT_ERRORS[cause.code].title}` : undefined;
  return { store: null, log: { problem: error.code, detail } };
}

function auditOf({ problem, status }: AuditSeen, log: Pinged["log"]): NonNullable<ReadyAnswer["audit"]> {
  const alarms = status?.alarms.length ?? 0;
  if (log === null) return { ok: problem === null, problem, alarms };
  return { ok: false, ...log, alarms };
}

/** Adds the page of the metrics. */
export function metricsRoute(app: Api, metrics: Metrics): void {
  app.get(
    "/metrics",
    {
      config: { work: "none" },
      schema: {
        operationId: "getMetrics",
        summary: "What the service counts",
        description: "The text format of Prometheus. No label holds an id of a record, a token or a key.",
        tags: ["service"],
        security: [],
        response: { 200: { description: "The page.", content: { "text/plain": { schema: z.string() } } } },
      },
      // The page is text as it is, not JSON.
      serializerCompiler: () => (page) => page as string,
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}

/**
 * Collections as a whole: GET /v1/collections, GET and POST /v1/records/{collection}.
 */
import { DEFAULT_VAULT_LIMITS } from "@strongroom/vault";
import type { FastifyRequest } from "fastify";
import type { Api, ApiContext } from "../api.ts";
import { actingOf } from "../audit/acting.ts";
import { ServerError } from "../errors.ts";
import { requireUnconditional } from "../http/record-headers.ts";
import { ACTING, NAMING, problemAnswers, WRITING } from "../openapi/answers.ts";
import {
  actorHeaders,
  batchAnswer,
  batchRequest,
  collectionParams,
  collectionsAnswer,
  listAnswer,
  listQuery,
} from "../openapi/schemas.ts";
import type { BatchRequest } from "../openapi/schemas.ts";
import { mayRead } from "../tokens/access.ts";

export function collectionRoutes(app: Api, { vault, policy, limits }: ApiContext): void {
  app.get(
    "/collections",
    {
      config: { scope: "read" },
      schema: {
        operationId: "listCollections",
        summary: "List the collections",
        tags: ["collections"],
        response: {
          200: {
            description: "Every collection that ever had a record.",
            content: { "application/json": { schema: collectionsAnswer } },
          },
          ...problemAnswers(),
        },
      },
    },
    async (_request, reply) => reply.send({ collections: await vault.collections() }),
  );

  app.get(
    "/records/:collection",
    {
      config: { scope: "read", isDecidedByVault: true },
      schema: {
        operationId: "listRecords",
        summary: "List a collection's ids",
        description:
          "In the order of the ids' UTF-8 bytes; where the collection's ids are sealed, in no order. A cursor is a " +
          "place, not a snapshot: what is written behind it is not seen.",
        tags: ["collections"],
        params: collectionParams,
        headers: actorHeaders,
        querystring: listQuery(limits.listItems),
        response: {
          200: { description: "One page.", content: { "application/json": { schema: listAnswer } } },
          ...problemAnswers(
            "collection-invalid",
            "collection-unknown",
            "collection-absent",
            "cursor-invalid",
            "limit-invalid",
            "approval-missing",
            ...ACTING,
            ...NAMING,
          ),
        },
      },
    },
    async (request, reply) => {
      const { cursor, limit } = request.query;
      const page = await actingOf(request).list(request.params.collection, {
        ...(cursor === undefined ? {} : { cursor }),
        ...(limit === undefined ? {} : { limit }),
      });
      request.damaged = page.damaged?.length ?? 0;
      return reply.send(page);
    },
  );

  app.post(
    "/records/:collection",
    {
      config: { scope: "write", isDecidedByVault: true, tellsBy: "write", work: batchWork },
      bodyLimit: limits.batchBytes,
      schema: {
        operationId: "putRecords",
        summary: "Write many records",
        description:
          "In one transaction. What is wrong with one record refuses that record; what is wrong with the regions " +
          "or the store fails the request, and nothing of it is stored.",
        tags: ["collections"],
        params: collectionParams,
        headers: actorHeaders,
        body: batchRequest(limits.batchItems),
        response: {
          200: { description: "What became of each record.", content: { "application/json": { schema: batchAnswer } } },
          ...problemAnswers(
            "collection-invalid",
            "collection-unknown",
            "batch-too-large",
            "condition-invalid",
            ...NAMING,
            ...WRITING,
          ),
        },
      },
    },
    async (request, reply) => {
      const items = request.body.records.map(({ id, document, subject, about, repoint, tenant }) => ({
        id,
        document,
        ...(subject === undefined ? {} : { subject }),
        ...(about === undefined ? {} : { about }),
        ...(repoint === undefined ? {} : { repoint }),
        ...(tenant === undefined ? {} : { tenant }),
      }));
      const { onExisting } = request.body;
      requireUnconditional(request.headers);
      // Threat: `unchanged` says that a guess at a document was right.
      if (onExisting === "compare" && !mayRead(request, policy, request.params.collection)) {
        const why = "Comparing with what is stored needs the scope read; the choices replace and keep do not";
        throw new ServerError("scope-missing", why, { scope: "read" });
      }
      const results = await actingOf(request).putMany(request.params.collection, items, {
        onExisting,
        signal: request.deadline,
      });
      request.taken = results.filter((one) => one.outcome === "refused" && one.code === "value-taken").length;
      return reply.send({ results });
    },
  );
}

/** The vault takes so many records of a batch at once; the rest of them waits inside. */
function batchWork({ body }: FastifyRequest): number {
  return Math.min((body as BatchRequest).records.length, DEFAULT_VAULT_LIMITS.batchConcurrency);
}

/**
 * POST /v1/records/{collection}/find, …/find/count and …/find/explain. What is looked for is personal data: it comes in
 * the body, which no log, proxy or history of a browser has, and never in the URL.
 */
import { DEFAULT_FIND_LIMIT, DEFAULT_VAULT_LIMITS } from "@strongroom/vault";
import type { FastifyRequest } from "fastify";
import type { Api, ApiContext } from "../api.ts";
import { actingOf } from "../audit/acting.ts";
import type { ProblemCode } from "../http/problems.ts";
import { ACTING, BODY, NAMING, OPENING, problemAnswers } from "../openapi/answers.ts";
import {
  countAnswer,
  countRequest,
  explainAnswer,
  explainRequest,
  findAnswer,
  findRequest,
} from "../openapi/find-schemas.ts";
import type { FindRequest } from "../openapi/find-schemas.ts";
import { actorHeaders, collectionParams } from "../openapi/schemas.ts";

/** What a query may be refused for before anything is opened. */
const ASKING: readonly ProblemCode[] = [
  ...ACTING,
  "collection-invalid",
  "collection-unknown",
  "field-forbidden",
  "find-invalid",
  "find-limit",
  "index-not-ready",
  "tenant-invalid",
  "record-contended",
  ...BODY,
  "document-invalid",
];

/** Adds the routes by which records are found. */
export function findRoutes(app: Api, { limits }: ApiContext): void {
  const bodyLimit = limits.documentBytes;
  const url = "/records/:collection/find";
  const config = { scope: "read", isDecidedByVault: true, tellsBy: "find" } as const;
  const common = { tags: ["collections"], params: collectionParams, headers: actorHeaders };

  app.post(
    url,
    {
      config: { ...config, work: findWork },
      bodyLimit,
      schema: {
        ...common,
        operationId: "findRecords",
        summary: "Find records by their fields",
        description:
          "By the fields that the collection declares with `find`, in whichever spelling their values are written. " +
          "Each record is opened and compared before it is given, as the token's roles show it. A token with roles " +
          "needs `find` of every field that it names, or `read`. The audit has the names of the fields and how much " +
          "was found, also where nothing was.",
        body: findRequest,
        response: {
          200: { description: "One page.", content: { "application/json": { schema: findAnswer } } },
          ...problemAnswers(
            ...ASKING,
            ...OPENING,
            "approval-missing",
            "fields-invalid",
            "cursor-invalid",
            "limit-invalid",
          ),
        },
      },
    },
    async (request, reply) => {
      const { query, ...options } = request.body;
      const page = await actingOf(request).find(request.params.collection, query, {
        ...present(options),
        signal: request.deadline,
      });
      request.damaged = page.withheld?.filter(({ code }) => code !== "subject-restricted").length ?? 0;
      return reply.send(page);
    },
  );

  app.post(
    `${url}/count`,
    {
      config,
      bodyLimit,
      schema: {
        ...common,
        operationId: "countFound",
        summary: "Count records by their fields",
        description: "By their tags alone, up to 10,000: an upper bound of what is found.",
        body: countRequest,
        response: {
          200: { description: "The count.", content: { "application/json": { schema: countAnswer } } },
          ...problemAnswers(...ASKING, ...NAMING, "approval-missing"),
        },
      },
    },
    async (request, reply) => {
      const { query, tenant } = request.body;
      const options = { ...(tenant === undefined ? {} : { tenant }), signal: request.deadline };
      return reply.send(await actingOf(request).countFound(request.params.collection, query, options));
    },
  );

  app.post(
    `${url}/explain`,
    {
      config,
      bodyLimit,
      schema: {
        ...common,
        operationId: "explainFind",
        summary: "Say how a query is answered",
        description: "By which indexes, and what only the opened records are compared by. Reads no record.",
        body: explainRequest,
        response: {
          200: { description: "The plan.", content: { "application/json": { schema: explainAnswer } } },
          ...problemAnswers(...ASKING, ...NAMING),
        },
      },
    },
    async (request, reply) =>
      reply.send(await actingOf(request).explainFind(request.params.collection, request.body.query)),
  );
}

/** So many of its records are opened at once; the rest of them waits inside. */
function findWork({ body }: FastifyRequest): number {
  return Math.min((body as FindRequest).limit ?? DEFAULT_FIND_LIMIT, DEFAULT_VAULT_LIMITS.batchConcurrency);
}

/** Without the members that were left out. */
function present({ cursor, limit, fields, tenant }: Omit<FindRequest, "query">) {
  return {
    ...(cursor === undefined ? {} : { cursor }),
    ...(limit === undefined ? {} : { limit }),
    ...(fields === undefined ? {} : { fields }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}

/**
 * GET /v1/indexes: what records are found by, beside what is declared. POST /v1/indexes/apply, rotate-key, drop and
 * documents: work on them, which goes on when the request has its answer; GET /v1/indexes/work says how far it is.
 * GET /v1/collections/{collection}/leakage: what indexes tell whoever has the database.
 */
import type { VaultIndexes } from "@strongroom/vault";
import type { FastifyRequest } from "fastify";
import type { Api, ApiContext } from "../api.ts";
import { actingOf } from "../audit/acting.ts";
import type { ProblemCode } from "../http/problems.ts";
import { ACTING, BODY, NAMING, problemAnswers } from "../openapi/answers.ts";
import {
  applyRequest,
  dropRequest,
  indexesAnswer,
  indexesQuery,
  lastWorkAnswer,
  leakageAnswer,
  workAnswer,
} from "../openapi/index-schemas.ts";
import { actorHeaders, collectionParams } from "../openapi/schemas.ts";
import type { IndexWork, IndexWorks } from "../search/index-work.ts";

const ASKING: readonly ProblemCode[] = [...ACTING, "collection-invalid"];
const CHANGING: readonly ProblemCode[] = [...ASKING, "index-work-under-way", ...BODY];

/** Adds the routes that look. */
export function indexRoutes(app: Api, { indexWorks }: ApiContext): void {
  app.get(
    "/indexes",
    {
      config: { scope: "read", action: "keys" },
      schema: {
        operationId: "listIndexes",
        summary: "What records are found by, beside what is declared",
        tags: ["indexes"],
        headers: actorHeaders,
        querystring: indexesQuery,
        response: {
          200: { description: "A line for each index.", content: { "application/json": { schema: indexesAnswer } } },
          ...problemAnswers(...ASKING),
        },
      },
    },
    async (request, reply) => {
      const { indexes } = await indexesOf(request).plan(of(request.query));
      return reply.send({ indexes });
    },
  );

  app.get(
    "/indexes/work",
    {
      // It may name records.
      config: { scope: "admin", action: "keys", work: "none", isActing: true },
      schema: {
        operationId: "getIndexWork",
        summary: "How far the work on indexes is",
        description:
          "Of the process that is asked: the present one, or the last. `GET /v1/jobs` has the builds of all processes.",
        tags: ["indexes"],
        headers: actorHeaders,
        response: {
          200: { description: "As it is now.", content: { "application/json": { schema: lastWorkAnswer } } },
          ...problemAnswers(...ACTING),
        },
      },
    },
    async (_request, reply) => reply.send({ work: indexWorks.last }),
  );

  app.get(
    "/collections/:collection/leakage",
    {
      config: { scope: "admin", action: "keys" },
      schema: {
        operationId: "getLeakage",
        summary: "What the tags of a collection tell whoever has the database",
        description: "Reads the frequencies of every tag of the collection, and opens nothing.",
        tags: ["indexes"],
        params: collectionParams,
        headers: actorHeaders,
        response: {
          200: { description: "A line for each index.", content: { "application/json": { schema: leakageAnswer } } },
          ...problemAnswers(...ASKING, ...NAMING, "collection-unknown"),
        },
      },
    },
    async (request, reply) => reply.send({ indexes: await indexesOf(request).leakage(request.params.collection) }),
  );
}

/** Adds the routes that begin work. */
export function indexWorkRoutes(app: Api, { indexWorks }: ApiContext): void {
  const begun = {
    202: { description: "It has begun.", content: { "application/json": { schema: workAnswer } } },
    ...problemAnswers(...CHANGING),
  };
  const config = { scope: "admin", action: "keys", work: "none", isActing: true } as const;
  const common = { tags: ["indexes"], headers: actorHeaders, response: begun };

  app.post(
    "/indexes/apply",
    {
      config,
      schema: {
        ...common,
        operationId: "applyIndexes",
        summary: "Build the indexes that are declared, and drop those that are not",
        description: "Beside everything else. It goes on where one that was ended had come to.",
        body: applyRequest,
      },
    },
    async (request, reply) => {
      const indexes = await allowed(request);
      const { collection } = request.body;
      const work = begin(indexWorks, { what: "apply", collection: collection ?? null }, async (signal, onProgress) => ({
        applied: await indexes.apply({ ...of(request.body), signal, onProgress }),
      }));
      return reply.code(202).send({ work });
    },
  );

  app.post(
    "/indexes/rotate-key",
    {
      config,
      schema: {
        ...common,
        operationId: "rotateIndexKey",
        summary: "Make another index key, and build every index anew under it",
        description: "Records are found, and unique values are unique, all the while.",
      },
    },
    async (request, reply) => {
      const indexes = await allowed(request);
      const work = begin(indexWorks, { what: "rotate-key", collection: null }, async (signal, onProgress) => ({
        applied: await indexes.rotateKey({ signal, onProgress }),
      }));
      return reply.code(202).send({ work });
    },
  );

  app.post(
    "/indexes/drop",
    {
      config,
      schema: {
        ...common,
        operationId: "dropIndex",
        summary: "Drop an index with all of its tags",
        description: "One that is declared is built anew by the next apply.",
        body: dropRequest,
      },
    },
    async (request, reply) => {
      const indexes = await allowed(request);
      const { collection, index } = request.body;
      const work = begin(indexWorks, { what: "drop", collection }, async () => ({
        applied: await indexes.drop(collection, index),
      }));
      return reply.code(202).send({ work });
    },
  );

  app.post(
    "/indexes/documents",
    {
      config,
      schema: {
        ...common,
        operationId: "checkDocuments",
        summary: "Hold every document to what its collection declares",
        description: "Opens every record of the collections that declare a schema, and changes nothing.",
        body: applyRequest,
      },
    },
    async (request, reply) => {
      const indexes = await allowed(request);
      const { collection } = request.body;
      const work = begin(indexWorks, { what: "documents", collection: collection ?? null }, async (signal) => {
        const { documents } = await indexes.plan({ ...of(request.body), documents: true, signal });
        return { documents };
      });
      return reply.code(202).send({ work });
    },
  );
}

const indexesOf = (request: Pick<FastifyRequest, "id">): VaultIndexes => actingOf(request).indexes;

/** Whoever may not is told so now, and not when the work has ended. */
async function allowed(request: Pick<FastifyRequest, "id">): Promise<VaultIndexes> {
  const indexes = indexesOf(request);
  await indexes.plan();
  return indexes;
}

type Told = NonNullable<NonNullable<Parameters<VaultIndexes["apply"]>[0]>["onProgress"]>;

function begin(
  works: IndexWorks,
  what: Pick<IndexWork, "what" | "collection">,
  run: (signal: AbortSignal, onProgress: Told) => Promise<Partial<Pick<IndexWork, "applied" | "documents">>>,
): IndexWork {
  return works.begin(what, (signal, told) =>
    run(signal, ({ records }) => {
      told(records);
    }),
  );
}

const of = ({ collection }: { readonly collection?: string | undefined }): { readonly collection?: string } =>
  collection === undefined ? {} : { collection };

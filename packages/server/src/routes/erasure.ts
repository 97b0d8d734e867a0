/**
 * POST /v1/subjects/erase erases somebody by name, DELETE /v1/subjects/{id} by the opaque id: a name is in no URL.
 * GET /v1/erasures: what is not done yet. /v1/holds sets, lists and lifts legal holds; POST /v1/subjects/{id}/holds
 * sets one by the opaque id.
 */
import type { ActingVault, Erasures } from "@strongroom/vault";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Api } from "../api.ts";
import { actingOf } from "../audit/acting.ts";
import { ServerError } from "../errors.ts";
import type { ProblemCode } from "../http/problems.ts";
import { ACTING, BODY, problemAnswers } from "../openapi/answers.ts";
import {
  certificateAnswer,
  erasureAnswer,
  erasuresAnswer,
  eraseRequest,
  holdAnswer,
  holdsAnswer,
  personId,
  reasonRequest,
} from "../openapi/erasure-schemas.ts";
import { actorHeaders } from "../openapi/schemas.ts";

const CHANGING: readonly ProblemCode[] = [
  "erasure-missing",
  ...ACTING,
  "subject-absent",
  "subject-erased",
  "subject-invalid",
  "tenant-invalid",
  "reason-invalid",
  "erasure-contended",
  ...BODY,
];
const ERASING = problemAnswers(...CHANGING, "subject-held", "subject-shared");

const params = z.object({ id: personId });
const holdParams = z.object({
  id: z.string().max(64).meta({ description: "The hold, as it was answered when it was set." }),
});
const admin = { scope: "admin", action: "erase" } as const;
const read = { scope: "read", action: "erase" } as const;
const shared = { tags: ["erasure"], headers: actorHeaders } as const;

const erasureOk = {
  200: {
    description: "Erased, with the certificate; or half done, which is said.",
    content: { "application/json": { schema: erasureAnswer } },
  },
} as const;

/** Adds the routes of erasures. */
export function erasureRoutes(app: Api): void {
  app.post(
    "/subjects/erase",
    {
      config: admin,
      schema: {
        ...shared,
        operationId: "eraseSubject",
        summary: "Erase a person by name",
        body: eraseRequest,
        response: { ...erasureOk, ...ERASING },
      },
    },
    async (request, reply) => {
      const { subject, tenant, reason } = request.body;
      const of = tenant === undefined ? {} : { tenant };
      return reply.send(await erasureOf(request).erase(subject, { reason, ...of }));
    },
  );

  app.delete(
    "/subjects/:id",
    {
      config: admin,
      schema: {
        ...shared,
        operationId: "eraseSubjectById",
        summary: "Erase a person by their opaque id",
        params,
        body: reasonRequest,
        response: { ...erasureOk, ...ERASING },
      },
    },
    async (request, reply) => {
      const { id: person } = request.params;
      return reply.send(await erasureOf(request).erase({ person }, { reason: request.body.reason }));
    },
  );

  app.get(
    "/subjects/:id/certificate",
    {
      config: read,
      schema: {
        ...shared,
        operationId: "getCertificate",
        summary: "The certificate of an erasure",
        params,
        response: {
          200: { description: "A signed note.", content: { "application/json": { schema: certificateAnswer } } },
          ...problemAnswers("erasure-missing", "certificate-absent", ...ACTING),
        },
      },
    },
    async (request, reply) => {
      const erasure = erasureOf(request);
      const [certificate, key] = [await erasure.certificate(request.params.id), await erasure.certificateKey()];
      return reply.send({ certificate, key });
    },
  );

  app.get(
    "/erasures",
    {
      config: read,
      schema: {
        ...shared,
        operationId: "listErasures",
        summary: "List erasures that were begun and are not done",
        response: {
          200: { description: "In no order.", content: { "application/json": { schema: erasuresAnswer } } },
          ...problemAnswers("erasure-missing", ...ACTING),
        },
      },
    },
    async (request, reply) => reply.send({ erasures: await erasureOf(request).underWay() }),
  );
}

/** Adds the routes of legal holds. */
export function holdRoutes(app: Api): void {
  app.get(
    "/holds",
    {
      config: read,
      schema: {
        ...shared,
        operationId: "listHolds",
        summary: "List legal holds",
        response: {
          200: { description: "In no order.", content: { "application/json": { schema: holdsAnswer } } },
          ...problemAnswers("erasure-missing", ...ACTING),
        },
      },
    },
    async (request, reply) => reply.send({ holds: await erasureOf(request).holds() }),
  );

  const answered = {
    200: { description: "The hold.", content: { "application/json": { schema: holdAnswer } } },
  } as const;
  app.post(
    "/holds",
    {
      config: admin,
      schema: {
        ...shared,
        operationId: "setHold",
        summary: "Hold what is stored about a person against erasure",
        body: eraseRequest,
        response: { ...answered, ...problemAnswers(...CHANGING, "hold-refused") },
      },
    },
    async (request, reply) => {
      const { subject, tenant, reason } = request.body;
      const of = tenant === undefined ? {} : { tenant };
      return reply.send(await erasureOf(request).hold(subject, { reason, ...of }));
    },
  );

  app.post(
    "/subjects/:id/holds",
    {
      config: admin,
      schema: {
        ...shared,
        operationId: "setHoldById",
        summary: "The same by a person's opaque id",
        params,
        body: reasonRequest,
        response: { ...answered, ...problemAnswers(...CHANGING, "hold-refused") },
      },
    },
    async (request, reply) => {
      const { id: person } = request.params;
      return reply.send(await erasureOf(request).hold({ person }, { reason: request.body.reason }));
    },
  );

  app.post(
    "/holds/:id/lift",
    {
      config: admin,
      schema: {
        ...shared,
        operationId: "liftHold",
        summary: "Lift a legal hold",
        params: holdParams,
        body: reasonRequest,
        response: { ...answered, ...problemAnswers(...CHANGING, "hold-absent", "approval-missing") },
      },
    },
    async (request, reply) =>
      reply.send(await erasureOf(request).liftHold(request.params.id, { reason: request.body.reason })),
  );
}

/** On behalf of the caller. @throws ServerError `erasure-missing` */
function erasureOf(request: Pick<FastifyRequest, "id">): Erasures {
  // A program may have put something of its own before its vault that lacks them.
  const { erasure } = actingOf(request) as Partial<Pick<ActingVault, "erasure">>;
  if (erasure !== undefined && erasure !== null) return erasure;
  throw new ServerError("erasure-missing", "The vault of this service has no audit, without which nobody is erased");
}

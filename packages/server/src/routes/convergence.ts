/**
 * GET /v1/keys/plan and /v1/keys/inventory: what is stored beside the keys that are declared. POST and GET
 * /v1/keys/run, and what is done with a run: pause, resume, cancel, undo. GET /v1/keys/run/failures: what could not be
 * brought there. GET /v1/keys/probe: whether a key is still needed.
 */
import type { ConvergeOptions, ConvergenceStatus, Convergence } from "@strongroom/vault";
import type { FastifyRequest } from "fastify";
import type { Api, ApiContext } from "../api.ts";
import { actingOf } from "../audit/acting.ts";
import { convergenceOf } from "../convergence/asked.ts";
import { given } from "../http/given.ts";
import type { ProblemCode } from "../http/problems.ts";
import { ACTING, BODY, problemAnswers } from "../openapi/answers.ts";
import {
  failuresAnswer,
  inventoryAnswer,
  planAnswer,
  planQuery,
  probeAnswer,
  probeQuery,
  reasonRequest,
  runAnswer,
  runRequest,
} from "../openapi/convergence-schemas.ts";
import type { PlanQuery, RunRequest } from "../openapi/convergence-schemas.ts";
import { actorHeaders, listQuery } from "../openapi/schemas.ts";

const ASKING = ["convergence-missing", ...ACTING] as const;
const CHANGING: readonly ProblemCode[] = [
  ...ASKING,
  "run-absent",
  "run-under-way",
  "run-refused",
  "run-not-undoable",
  "key-set-unknown",
  "key-set-moved",
  ...BODY,
];

/** Adds the routes that look and change nothing. */
export function convergenceRoutes(app: Api, { vault, limits }: ApiContext): void {
  app.get(
    "/keys/plan",
    {
      config: { scope: "read", action: "keys" },
      schema: {
        operationId: "planRun",
        summary: "What is stored beside what is declared, and what a run would do",
        description: "Opens no message and changes nothing: what lies under which keys is counted by groups.",
        tags: ["keys"],
        headers: actorHeaders,
        querystring: planQuery,
        response: {
          200: { description: "The plan.", content: { "application/json": { schema: planAnswer } } },
          ...problemAnswers(...ASKING, "key-set-unknown"),
        },
      },
    },
    async (request, reply) => reply.send(await asked(request).plan(optionsOf(request.query))),
  );

  app.get(
    "/keys/inventory",
    {
      config: { scope: "read", action: "keys" },
      schema: {
        operationId: "getKeyInventory",
        summary: "How many items lie under each key and material",
        tags: ["keys"],
        headers: actorHeaders,
        response: {
          200: { description: "A line for each.", content: { "application/json": { schema: inventoryAnswer } } },
          ...problemAnswers(...ASKING),
        },
      },
    },
    async (request, reply) => reply.send({ lines: await asked(request).inventory() }),
  );

  app.get(
    "/keys/probe",
    {
      config: { scope: "read", action: "keys" },
      schema: {
        operationId: "probeKey",
        summary: "What is left under a wrapping key",
        description: "After every write that began before: whether the key is needed still, and where.",
        tags: ["keys"],
        headers: actorHeaders,
        querystring: probeQuery,
        response: {
          200: { description: "As it is now.", content: { "application/json": { schema: probeAnswer } } },
          ...problemAnswers(...ASKING),
        },
      },
    },
    async (request, reply) => reply.send(await asked(request).probe(request.query.key)),
  );

  app.get(
    "/keys/run",
    {
      config: { scope: "read", action: "keys", work: "none" },
      schema: {
        operationId: "getRun",
        summary: "How far a run is",
        description: "The present one, or the last; of all processes together, whichever is asked.",
        tags: ["keys"],
        response: {
          200: { description: "As it is now.", content: { "application/json": { schema: runAnswer } } },
          ...problemAnswers("convergence-missing"),
        },
      },
    },
    async (_request, reply) => reply.send(await convergenceOf(vault).status()),
  );

  app.get(
    "/keys/run/failures",
    {
      // It names records and people: whoever asks is in the audit.
      config: { scope: "read", action: "keys", work: "none", isActing: true },
      schema: {
        operationId: "listRunFailures",
        summary: "List the items that could not be brought to the declared keys",
        description: "They are tried again while the run goes, and are not counted as done.",
        tags: ["keys"],
        headers: actorHeaders,
        querystring: listQuery(limits.listItems),
        response: {
          200: { description: "One page.", content: { "application/json": { schema: failuresAnswer } } },
          ...problemAnswers(...ASKING, "cursor-invalid", "limit-invalid"),
        },
      },
    },
    async (request, reply) => {
      const { cursor, limit } = request.query;
      return reply.send(
        await asked(request).failures({
          ...(cursor === undefined ? {} : { cursor }),
          ...(limit === undefined ? {} : { limit }),
        }),
      );
    },
  );
}

/** What needs a reason: the last word of its path -> what it is, and what is asked of the vault. */
const ACTS: Readonly<
  Record<
    "pause" | "cancel" | "undo",
    { readonly operationId: string; readonly summary: string; readonly description: string }
  >
> = {
  pause: {
    operationId: "pauseRun",
    summary: "Pause a run",
    description: "What is done stays; it goes on when it is resumed.",
  },
  cancel: {
    operationId: "cancelRun",
    summary: "End a run where it is",
    description: "What is done stays, nothing is lost, and another run goes on from there.",
  },
  undo: {
    operationId: "undoRun",
    summary: "Go back to the keys of before a run",
    description: "They are put in force again, new wraps go and old messages come back. Until old wraps are dropped.",
  },
};

/** Adds the routes that change a run; also while the service is overloaded, which a run may be the reason of. */
export function runRoutes(app: Api): void {
  const changed = {
    202: { description: "It is noted; the work follows.", content: { "application/json": { schema: runAnswer } } },
    ...problemAnswers(...CHANGING),
  };
  const config = { scope: "admin", action: "keys", work: "none", isActing: true } as const;
  app.post(
    "/keys/run",
    {
      config,
      schema: {
        operationId: "beginRun",
        summary: "Begin a run, or let one that holds go on",
        description: "Refused where the plan has a problem that is in the way. All processes of the stores work on it.",
        tags: ["keys"],
        headers: actorHeaders,
        body: runRequest,
        response: changed,
      },
    },
    async (request, reply) => reply.code(202).send(await asked(request).apply(given(request.body))),
  );

  app.post(
    "/keys/run/resume",
    {
      config,
      schema: {
        operationId: "resumeRun",
        summary: "Let a paused run go on",
        tags: ["keys"],
        headers: actorHeaders,
        response: changed,
      },
    },
    async (request, reply) => reply.code(202).send(await asked(request).resume()),
  );

  for (const act of ["pause", "cancel", "undo"] as const)
    app.post(
      `/keys/run/${act}`,
      {
        config,
        schema: { ...ACTS[act], tags: ["keys"], headers: actorHeaders, body: reasonRequest, response: changed },
      },
      async (request, reply) => {
        const status: ConvergenceStatus = await asked(request)[act](request.body.reason);
        return reply.code(202).send(status);
      },
    );
}

/** On behalf of the caller. @throws ServerError `convergence-missing` */
function asked(request: Pick<FastifyRequest, "id">): Convergence {
  return convergenceOf(actingOf(request));
}

function optionsOf({ keepOld, scopes, fresh, ...others }: PlanQuery): ConvergeOptions {
  const flags = Object.entries({ keepOld, scopes, fresh }).map(([name, value]) => [
    name,
    value === undefined ? undefined : value === "true",
  ]);
  return given({ ...others, ...(Object.fromEntries(flags) as RunRequest) });
}

/**
 * GET /v1/approvals: what one principal asks for and another one must approve. POST /v1/approvals asks for it,
 * POST /v1/approvals/approve and /v1/approvals/withdraw say what becomes of it. Each as the token's own principal.
 */
import type { ActingVault, Approvals, ApprovedAct } from "@strongroom/vault";
import type { FastifyRequest } from "fastify";
import type { Api } from "../api.ts";
import { actingOf } from "../audit/acting.ts";
import { ServerError } from "../errors.ts";
import type { ProblemCode } from "../http/problems.ts";
import { ACTING, BODY, problemAnswers } from "../openapi/answers.ts";
import { approvalAnswer, approvalRequest, approvalsAnswer } from "../openapi/approval-schemas.ts";
import { actorHeaders } from "../openapi/schemas.ts";

const CHANGING: readonly ProblemCode[] = [
  "approvals-missing",
  ...ACTING,
  "approval-absent",
  "approval-own",
  "approval-contended",
  ...BODY,
];

/** The last word of a path -> what it is. */
const ACTS = {
  "/approvals": {
    operationId: "requestApproval",
    summary: "Ask for what another principal must approve",
    description: "What was asked for before stays as it is. A request counts for seven days.",
  },
  "/approvals/approve": {
    operationId: "approve",
    summary: "Approve what another principal has asked for",
    description: "Who asks for it does not approve it.",
  },
} as const;

/** Adds the routes. */
export function approvalRoutes(app: Api): void {
  app.get(
    "/approvals",
    {
      config: { scope: "read" },
      schema: {
        operationId: "listApprovals",
        summary: "List what is asked for, and who has approved it",
        tags: ["approvals"],
        headers: actorHeaders,
        response: {
          200: { description: "Those that count still.", content: { "application/json": { schema: approvalsAnswer } } },
          ...problemAnswers("approvals-missing", ...ACTING),
        },
      },
    },
    async (request, reply) => reply.send({ approvals: await approvalsOf(request).list() }),
  );

  const config = { scope: "admin" } as const;
  const answered = {
    200: { description: "As it is now.", content: { "application/json": { schema: approvalAnswer } } },
    ...problemAnswers(...CHANGING),
  };
  const doing = {
    "/approvals": (approvals: Approvals, act: ApprovedAct) => approvals.request(act),
    "/approvals/approve": (approvals: Approvals, act: ApprovedAct) => approvals.approve(act),
  };
  for (const path of ["/approvals", "/approvals/approve"] as const)
    app.post(
      path,
      {
        config,
        schema: {
          ...ACTS[path],
          tags: ["approvals"],
          headers: actorHeaders,
          body: approvalRequest,
          response: answered,
        },
      },
      async (request, reply) => reply.send(await doing[path](approvalsOf(request), request.body)),
    );

  app.post(
    "/approvals/withdraw",
    {
      config,
      schema: {
        operationId: "withdrawApproval",
        summary: "Take a request back, approved or not",
        description: "Done when there is none.",
        tags: ["approvals"],
        headers: actorHeaders,
        body: approvalRequest,
        response: {
          200: { description: "What counts still.", content: { "application/json": { schema: approvalsAnswer } } },
          ...problemAnswers(...CHANGING),
        },
      },
    },
    async (request, reply) => {
      const approvals = approvalsOf(request);
      await approvals.withdraw(request.body);
      return reply.send({ approvals: await approvals.list() });
    },
  );
}

/** On behalf of the caller. @throws ServerError `approvals-missing` */
function approvalsOf(request: Pick<FastifyRequest, "id">): Approvals {
  // A program may have put something of its own before its vault that lacks them.
  const { approvals } = actingOf(request) as Partial<Pick<ActingVault, "approvals">>;
  if (approvals !== undefined && approvals !== null) return approvals;
  throw new ServerError("approvals-missing", "The vault of this service has no audit, in which principals are known");
}

/**
 * GET /v1/regions: health of each region as seen now, and the wraps that are owed.
 */
import type { Api, ApiContext } from "../api.ts";
import { problemAnswers } from "../openapi/problem-answers.ts";
import { regionsAnswer } from "../openapi/schemas.ts";
import type { RegionStatus } from "../regions.ts";

export function regionRoutes(app: Api, { vault, regions }: ApiContext): void {
  app.get(
    "/regions",
    {
      config: { scope: "read" },
      schema: {
        operationId: "getRegions",
        summary: "Health of the regions",
        description: "From real calls; regions that are not known to be up are asked once more, at most once a second.",
        tags: ["service"],
        response: {
          200: { description: "Each region, in the order of preference.", content: { "application/json": { schema: regionsAnswer } } },
          ...problemAnswers(),
        },
      },
    },
    async (_request, reply) => {
      const seen = await regions.current();
      return reply.send({ minimum: regions.minimum, regions: seen.map(shown), wrapDebt: await vault.wrapDebt() });
    },
  );
}

/** Member by member: a keyring's report also has key ARNs, which stay inside. */
function shown({ region, state, latencyMs, calls, failures, lastFailure, lastSuccessAt }: RegionStatus): RegionStatus {
  return { region, state, latencyMs, calls, failures, lastFailure, lastSuccessAt };
}

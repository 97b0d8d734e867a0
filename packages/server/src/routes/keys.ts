/**
 * GET /v1/keys/cost: how many calls of a KMS the traffic of this process has come to, and would come to in each scope.
 */
import type { Api, ApiContext } from "../api.ts";
import { problemAnswers } from "../openapi/answers.ts";
import { keyCostAnswer } from "../openapi/key-schemas.ts";

export function keyRoutes(app: Api, { vault }: ApiContext): void {
  app.get(
    "/keys/cost",
    {
      config: { scope: "read", action: "keys", work: "none" },
      schema: {
        operationId: "getKeyCost",
        summary: "What the keys cost",
        description:
          "Calls of a KMS that real traffic has come to in the present scopes, and those that the same traffic would " +
          "come to in each scope. Counts alone: of nobody, and of no record.",
        tags: ["service"],
        response: {
          200: { description: "Counted in this process.", content: { "application/json": { schema: keyCostAnswer } } },
          ...problemAnswers(),
        },
      },
    },
    async (_request, reply) => reply.send({ cost: vault.keyCost() }),
  );
}

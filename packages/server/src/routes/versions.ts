/**
 * A record's history: GET /v1/records/{collection}/{id}/versions[/{version}].
 */
import type { Api, ApiContext } from "../api.ts";
import { sendRecord } from "../http/send-record.ts";
import { RECORD_HEADERS } from "../openapi/answer-headers.ts";
import { problemAnswers, OPENING } from "../openapi/problem-answers.ts";
import { documentBody, recordParams, versionParams, versionsAnswer } from "../openapi/schemas.ts";

export function versionRoutes(app: Api, { vault }: ApiContext): void {
  app.get(
    "/records/:collection/:id/versions",
    {
      config: { scope: "read" },
      schema: {
        operationId: "listVersions",
        summary: "List a record's versions",
        tags: ["versions"],
        params: recordParams,
        response: {
          200: {
            description: "The versions, newest first.",
            content: { "application/json": { schema: versionsAnswer } },
          },
          ...problemAnswers(
            "id-invalid",
            "collection-invalid",
            "collection-unknown",
            "record-absent",
            "record-rolled-back",
            "record-tampered",
          ),
        },
      },
    },
    async (request, reply) => reply.send({ versions: await vault.history(request.params) }),
  );

  app.get(
    "/records/:collection/:id/versions/:version",
    {
      config: { scope: "read" },
      schema: {
        operationId: "getVersion",
        summary: "Read one version of a record",
        tags: ["versions"],
        params: versionParams,
        response: {
          200: {
            description: "The document as it was in this version.",
            content: { "application/json": { schema: documentBody } },
          },
          ...problemAnswers(
            "id-invalid",
            "collection-invalid",
            "collection-unknown",
            "record-absent",
            "version-absent",
            ...OPENING,
          ),
        },
        answerHeaders: { 200: RECORD_HEADERS },
      },
    },
    async (request, reply) => {
      const { version, ...address } = request.params;
      return sendRecord(reply, await vault.get(address, { version: Number(version), signal: request.deadline }));
    },
  );
}

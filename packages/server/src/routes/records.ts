/**
 * One record: PUT, GET, DELETE /v1/records/{collection}/{id}, and its history: GET …/versions[/{version}].
 */
import type { PutResult } from "@strongroom/vault";
import type { Api, ApiContext } from "../api.ts";
import { actingOf } from "../audit/acting.ts";
import { entityTag, sendRecord, whomOf, writeExpectation } from "../http/record-headers.ts";
import type { Whom } from "../http/record-headers.ts";
import {
  ACTING,
  NAMING,
  OPENING,
  PRESENT,
  problemAnswers,
  READING,
  RECORD_HEADERS,
  VERSION_HEADERS,
  WRITING,
} from "../openapi/answers.ts";
import {
  actorHeaders,
  documentBody,
  fieldsQuery,
  notModified,
  putAnswer,
  putHeaders,
  readHeaders,
  recordParams,
  removeAnswer,
  versionParams,
  versionsAnswer,
  writeHeaders,
} from "../openapi/schemas.ts";
import type { FieldsQuery } from "../openapi/schemas.ts";
import { mayRead } from "../tokens/access.ts";

/** Adds the routes of one record as it is. */
export function recordRoutes(app: Api, { limits, policy }: ApiContext): void {
  const url = "/records/:collection/:id";

  app.put(
    url,
    {
      config: { scope: "write", isDecidedByVault: true, tellsBy: "write" },
      bodyLimit: limits.documentBytes,
      schema: {
        operationId: "putRecord",
        summary: "Write a record",
        description:
          "Writes a new version. Without a condition it is written on whatever is there. Whom the record is about is " +
          "kept: another subject is refused (`subject-differs`) unless `Strongroom-Repoint: true` says that it is " +
          "meant. A token whose roles see or write a part of documents sets the fields that it sends, over what is " +
          "stored; what it sends as it was shown it stays.",
        tags: ["records"],
        params: recordParams,
        headers: putHeaders,
        body: documentBody,
        response: {
          200: {
            description: "A new version of a record that was there.",
            content: { "application/json": { schema: putAnswer } },
          },
          201: {
            description: "The first version of a new record.",
            content: { "application/json": { schema: putAnswer } },
          },
          ...problemAnswers(
            "id-invalid",
            "collection-invalid",
            "collection-unknown",
            "subject-invalid",
            "condition-invalid",
            "version-conflict",
            // Of the version before, whose subject is inherited.
            ...OPENING,
            ...WRITING,
          ),
        },
        answerHeaders: { 200: VERSION_HEADERS, 201: VERSION_HEADERS },
      },
    },
    async (request, reply) => {
      const whom = whomOf(request.headers);
      const result = await actingOf(request).put(request.params, request.body, {
        expect: writeExpectation(request.headers),
        signal: request.deadline,
        ...whom,
      });
      return reply
        .code(result.outcome === "created" ? 201 : 200)
        .header("etag", entityTag(result.version))
        .send(
          result.outcome === "replaced" && !mayRead(request, policy, result.collection)
            ? onlySent(result, whom)
            : result,
        );
    },
  );

  app.get(
    url,
    {
      config: { scope: "read", isDecidedByVault: true },
      schema: {
        operationId: "getRecord",
        summary: "Read a record",
        description:
          "The newest version's document, or what the token's roles show of it. Nothing is given that is not " +
          "authentic, of this address and of this version.",
        tags: ["records"],
        params: recordParams,
        querystring: fieldsQuery,
        headers: readHeaders,
        response: {
          200: { description: "The document.", content: { "application/json": { schema: documentBody } } },
          304: notModified,
          ...problemAnswers(...READING),
        },
        answerHeaders: { 200: RECORD_HEADERS, 304: VERSION_HEADERS },
      },
    },
    async (request, reply) => {
      const record = await actingOf(request).get(request.params, {
        ...fieldsOf(request.query),
        signal: request.deadline,
      });
      return sendRecord(request, reply, record);
    },
  );

  app.delete(
    url,
    {
      config: { scope: "write", isDecidedByVault: true },
      schema: {
        operationId: "removeRecord",
        summary: "Remove a record",
        description:
          "The messages of all its versions are deleted and overwritten. The number of the last one is kept, so " +
          "that none is used twice.",
        tags: ["records"],
        params: recordParams,
        headers: writeHeaders,
        response: {
          200: { description: "The record is removed.", content: { "application/json": { schema: removeAnswer } } },
          ...problemAnswers(...PRESENT, ...NAMING, "collection-reserved", "record-contended", "store-full"),
        },
      },
    },
    async (request, reply) =>
      reply.send(await actingOf(request).remove(request.params, { expect: writeExpectation(request.headers) })),
  );
}

/** Adds the routes of a record's history. */
export function versionRoutes(app: Api): void {
  app.get(
    "/records/:collection/:id/versions",
    {
      config: { scope: "read", isDecidedByVault: true },
      schema: {
        operationId: "listVersions",
        summary: "List a record's versions",
        tags: ["versions"],
        params: recordParams,
        headers: actorHeaders,
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
            "approval-missing",
            ...ACTING,
            ...NAMING,
          ),
        },
      },
    },
    async (request, reply) => reply.send({ versions: await actingOf(request).history(request.params) }),
  );

  app.get(
    "/records/:collection/:id/versions/:version",
    {
      config: { scope: "read", isDecidedByVault: true },
      schema: {
        operationId: "getVersion",
        summary: "Read one version of a record",
        tags: ["versions"],
        params: versionParams,
        querystring: fieldsQuery,
        headers: readHeaders,
        response: {
          200: {
            description: "The document as it was in this version.",
            content: { "application/json": { schema: documentBody } },
          },
          304: notModified,
          ...problemAnswers("version-absent", ...READING),
        },
        answerHeaders: { 200: RECORD_HEADERS, 304: VERSION_HEADERS },
      },
    },
    async (request, reply) => {
      const { version, ...address } = request.params;
      const record = await actingOf(request).get(address, {
        ...fieldsOf(request.query),
        version: Number(version),
        signal: request.deadline,
      });
      return sendRecord(request, reply, record);
    },
  );
}

/** Left out: all that may be seen. */
const fieldsOf = ({ fields }: FieldsQuery): { readonly fields?: readonly string[] } =>
  fields === undefined ? {} : { fields: fields.split(",") };

/** People who were not sent and are not new were read. */
function onlySent({ subject, about, ...written }: PutResult, sent: Whom): Omit<PutResult, "subject"> {
  return {
    ...written,
    ...(sent.subject === undefined ? {} : { subject }),
    ...(sent.about === undefined || about === undefined ? {} : { about }),
  };
}

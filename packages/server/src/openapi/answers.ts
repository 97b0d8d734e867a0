/**
 * What the OpenAPI description says of a route's answers beside their bodies: their headers, and the problems that it
 * may answer with, grouped by status, each with what it means.
 */
import type { z } from "zod";
import { PROBLEM_TYPE, PROBLEMS } from "../http/problems.ts";
import type { ProblemCode } from "../http/problems.ts";
import { problem } from "./schemas.ts";

/** Header -> its JSON Schema. */
export type AnswerHeaders = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

declare module "fastify" {
  interface FastifySchema {
    /** Status -> headers of that answer. */
    answerHeaders?: Readonly<Record<number, AnswerHeaders>>;
  }
}

/** Of an answer that names a version. */
export const VERSION_HEADERS: AnswerHeaders = {
  ETag: { type: "string", description: "The version, quoted: what If-Match takes.", examples: ['"3"'] },
};

/** Of an answer that is a document. */
export const RECORD_HEADERS: AnswerHeaders = {
  ...VERSION_HEADERS,
  "Strongroom-Version": { type: "integer", minimum: 1, description: "The version.", examples: [3] },
  "Strongroom-Subject": {
    type: "string",
    description: "Whom the record is about, percent-encoded; left out where it is about nobody.",
    examples: ["C000127"],
  },
  "Strongroom-About": {
    type: "string",
    description: "The further people whom it is about, a list, each percent-encoded; left out where there are none.",
    examples: ["C000127, C000128"],
  },
  "Strongroom-Created-At": {
    type: "string",
    description: "When this version was written (RFC 3339, to the millisecond).",
    examples: ["2026-03-04T05:06:07.890Z"],
  },
  "Last-Modified": {
    type: "string",
    description: "The same as an HTTP date, to the second.",
    examples: ["Wed, 04 Mar 2026 05:06:07 GMT"],
  },
};

interface ProblemAnswerSchema {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
}

/** What any route under /v1 may answer. */
const COMMON: readonly ProblemCode[] = [
  "token-missing",
  "token-invalid",
  "scope-missing",
  "host-not-allowed",
  "origin-not-allowed",
  "request-invalid",
  "request-malformed",
  "url-invalid",
  "headers-too-large",
  "request-timeout",
  "request-deadline",
  "overloaded",
  "token-limit",
  "tokens-unreadable",
  "store-newer",
  "store-altered",
  "store-replaced",
  "store-set-back",
  "store-failed",
  "audit-unavailable",
  "store-rolled-back",
  "internal",
];

/** What any request may answer that acts on behalf of its caller. */
export const ACTING: readonly ProblemCode[] = [
  "audit-actor-invalid",
  "purpose-missing",
  "purpose-refused",
  "not-permitted",
];

/** What opening a key of the key store may answer: of a name, a sealed id or a message. */
export const NAMING: readonly ProblemCode[] = [
  "subject-name-absent",
  "subject-key-absent",
  "subject-key-tampered",
  "collection-differs",
  "regions-unavailable",
  "deadline-exceeded",
  "keyring-overloaded",
];

/** What opening a stored message may answer. */
export const OPENING: readonly ProblemCode[] = [
  ...NAMING,
  "subject-restricted",
  "subject-erased",
  "consent-missing",
  "record-moved",
  "record-moved-collection",
  "record-moved-subject",
  "record-rolled-back",
  "record-tampered",
  "stored-document-invalid",
  "key-not-configured",
  "encryption-failed",
];

/** What a request about a record that must be there may answer. */
export const PRESENT: readonly ProblemCode[] = [
  "id-invalid",
  "collection-invalid",
  "collection-unknown",
  "record-absent",
  "condition-invalid",
  "version-conflict",
  ...ACTING,
];

/** What reading a record, or one version of it, may answer. */
export const READING: readonly ProblemCode[] = [
  ...PRESENT,
  ...OPENING,
  "approval-missing",
  "field-forbidden",
  "fields-invalid",
];

/** What any request with a body may answer. */
export const BODY: readonly ProblemCode[] = [
  "content-type-unsupported",
  "body-too-large",
  "body-incomplete",
  "body-invalid",
];

/** What writing a message may answer. */
export const WRITING: readonly ProblemCode[] = [
  ...ACTING,
  ...BODY,
  "document-invalid",
  "document-unfit",
  "document-too-large",
  "field-forbidden",
  "value-masked",
  "value-taken",
  "find-limit",
  "index-unknown",
  "subject-missing",
  "subject-differs",
  "subject-restricted",
  "subject-erased",
  "subject-key-set-back",
  "collection-reserved",
  "consent-missing",
  "tenant-invalid",
  "record-contended",
  "wraps-below-minimum",
  "deadline-exceeded",
  "keyring-overloaded",
  "encryption-failed",
  "key-set-unknown",
  "outcome-unknown",
  "store-full",
];

/** The problem answers of a route: those of its own, and what any route may answer. */
export function problemAnswers(...codes: readonly ProblemCode[]): Readonly<Record<number, ProblemAnswerSchema>> {
  const answers: Record<number, ProblemAnswerSchema> = {};
  for (const [status, group] of Object.entries(
    Object.groupBy(new Set([...codes, ...COMMON]), (code) => PROBLEMS[code].status),
  )) {
    const lines = (group ?? []).map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`);
    answers[Number(status)] = { description: lines.join(" "), content: { [PROBLEM_TYPE]: { schema: problem } } };
  }
  return answers;
}

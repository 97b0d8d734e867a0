/**
 * The problem answers of a route in its OpenAPI description: codes grouped by status, each with what it means.
 */
import { VAULT_ERRORS } from "@strongroom/vault";
import type { z } from "zod";
import { SERVER_ERRORS } from "../errors.ts";
import { PROBLEM_TYPE, STATUS } from "../problems.ts";
import type { ProblemCode } from "../problems.ts";
import { problem } from "./schemas.ts";

interface ProblemAnswerSchema {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
}

/** What any route under /v1 may answer. */
export const COMMON: readonly ProblemCode[] = [
  "token-missing",
  "token-invalid",
  "scope-missing",
  "request-invalid",
  "url-invalid",
  "headers-too-large",
  "request-timeout",
  "request-deadline",
  "tokens-unreadable",
  "store-failed",
  "internal",
];

/** What opening a stored message may answer. */
export const OPENING: readonly ProblemCode[] = [
  "record-moved",
  "record-moved-collection",
  "record-moved-subject",
  "record-rolled-back",
  "record-tampered",
  "stored-document-invalid",
  "key-not-configured",
  "regions-unavailable",
  "deadline-exceeded",
  "encryption-failed",
];

/** What writing a message may answer. */
export const WRITING: readonly ProblemCode[] = [
  "content-type-unsupported",
  "body-too-large",
  "body-incomplete",
  "document-invalid",
  "document-too-large",
  "record-contended",
  "wraps-below-minimum",
  "deadline-exceeded",
  "encryption-failed",
  "store-full",
];

export function problemAnswers(...codes: readonly ProblemCode[]): Readonly<Record<number, ProblemAnswerSchema>> {
  const titles = { ...VAULT_ERRORS, ...SERVER_ERRORS };
  const answers: Record<number, ProblemAnswerSchema> = {};
  for (const [status, group] of Object.entries(
    Object.groupBy(new Set([...codes, ...COMMON]), (code) => STATUS[code]),
  )) {
    const lines = (group ?? []).map((code) => `\`${code}\`: ${titles[code].title}.`);
    answers[Number(status)] = { description: lines.join(" "), content: { [PROBLEM_TYPE]: { schema: problem } } };
  }
  return answers;
}

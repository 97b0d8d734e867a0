/**
 * Every error as a problem document (RFC 9457): status, code, what to do. The one place where an error becomes an
 * answer, so the one place that decides what is told: no ARN, no context, no stack, no value of the request.
 */
import { VAULT_ERRORS, VaultError } from "@strongroom/vault";
import type { VaultErrorCode } from "@strongroom/vault";
import { SERVER_ERRORS, ServerError } from "./errors.ts";
import type { RequestProblem, ServerErrorCode } from "./errors.ts";

export type ProblemCode = ServerErrorCode | VaultErrorCode;

export const PROBLEM_TYPE = "application/problem+json";

/** Seconds after which a request that met unavailable regions or a full disk is worth repeating. */
const RETRY_AFTER_SECONDS = 2;

/**
 * Code -> HTTP status. 500 for what is wrong with stored data: it is the store's state, nothing that the client can
 * change.
 */
export const STATUS: Readonly<Record<ProblemCode, number>> = {
  "token-missing": 401,
  "token-invalid": 401,
  "scope-missing": 403,
  "route-absent": 404,
  "method-not-allowed": 405,
  "url-invalid": 400,
  "request-invalid": 400,
  "condition-invalid": 400,
  "content-type-unsupported": 415,
  "body-too-large": 413,
  "body-incomplete": 400,
  "headers-too-large": 431,
  "request-timeout": 408,
  "request-deadline": 503,
  "request-malformed": 400,
  "collection-unknown": 404,
  "tokens-unreadable": 503,
  "token-absent": 404,
  "option-invalid": 500,
  internal: 500,

  "record-absent": 404,
  "version-absent": 404,
  "collection-absent": 404,
  "version-conflict": 412,
  "record-contended": 409,
  "record-moved": 500,
  "record-moved-collection": 500,
  "record-moved-subject": 500,
  "record-rolled-back": 500,
  "record-tampered": 500,
  "key-not-configured": 500,
  "stored-document-invalid": 500,
  "regions-unavailable": 503,
  "wraps-below-minimum": 503,
  // Of the background repair: no request ends with them.
  "wraps-still-missing": 503,
  "wraps-would-be-lost": 500,
  "deadline-exceeded": 503,
  // The client is gone: the status is for the log, as nginx writes it.
  aborted: 499,
  "encryption-failed": 500,
  "id-invalid": 400,
  "collection-invalid": 400,
  "subject-invalid": 400,
  "version-invalid": 400,
  "cursor-invalid": 400,
  "limit-invalid": 400,
  "document-invalid": 400,
  "document-too-large": 413,
  "batch-too-large": 413,
  "store-newer": 500,
  "store-full": 507,
  "store-failed": 503,
  "store-closed": 503,
};

export interface Problem {
  /** `urn:strongroom:error:<code>` */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  /** What is the matter this time. */
  readonly detail: string;
  /** What to do about it. */
  readonly remedy: string;
  readonly requestId: string;
  /** What each region said. */
  readonly regions?: readonly { readonly region: string; readonly reason: string }[];
  /** Parts of the request that are wrong. */
  readonly problems?: readonly RequestProblem[];
  /** `version-conflict`: the version there is, null for no record. */
  readonly currentVersion?: number | null;
}

export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

const TITLES: Readonly<Record<ProblemCode, { readonly title: string; readonly remedy: string }>> = {
  ...VAULT_ERRORS,
  ...SERVER_ERRORS,
};

export function problemAnswer(error: VaultError | ServerError, requestId: string): ProblemAnswer {
  const { code } = error;
  const status = STATUS[code];
  const body: Problem = {
    type: `urn:strongroom:error:${code}`,
    title: TITLES[code].title,
    status,
    code,
    detail: error.message,
    remedy: TITLES[code].remedy,
    requestId,
    ...(error instanceof VaultError && error.regions !== undefined ? { regions: error.regions } : {}),
    ...(error instanceof VaultError && error.currentVersion !== undefined
      ? { currentVersion: error.currentVersion }
      : {}),
    ...(error instanceof ServerError && error.problems !== undefined ? { problems: error.problems } : {}),
  };
  return { status, headers: problemHeaders(error, status), body };
}

function problemHeaders(error: VaultError | ServerError, status: number): Readonly<Record<string, string>> {
  return {
    ...(status === 401 || status === 403 ? { "www-authenticate": challenge(error) } : {}),
    ...(status === 503 || status === 507 ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {}),
    ...(error instanceof ServerError && error.allowed !== undefined ? { allow: error.allowed.join(", ") } : {}),
  };
}

/** RFC 6750, section 3. */
function challenge(error: VaultError | ServerError): string {
  if (error.code === "token-invalid") return 'Bearer realm="strongroom", error="invalid_token"';
  if (error instanceof ServerError && error.scope !== undefined)
    return `Bearer realm="strongroom", error="insufficient_scope", scope="${error.scope}"`;
  return 'Bearer realm="strongroom"';
}

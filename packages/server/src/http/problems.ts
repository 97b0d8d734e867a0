/**
 * Whatever a request ended with, as an error with a code, and every error as a problem document (RFC 9457): status,
 * code, what to do. The one place where an error becomes an answer, so the one place that decides what is told: no ARN,
 * no context, no stack, no value of the request.
 */
import type { ErrorTable } from "@strongroom/base/errors";
import { isVaultError, VAULT_ERRORS } from "@strongroom/vault";
import type { VaultError, VaultErrorCode } from "@strongroom/vault";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { SERVER_ERRORS, ServerError } from "../errors.ts";
import type { RequestProblem, ServerErrorCode } from "../errors.ts";

/** Every code that a request can end with. */
export type ProblemCode = ServerErrorCode | VaultErrorCode;

export const PROBLEM_TYPE = "application/problem+json";

/** Seconds after which a request that ended with this status is worth repeating: load passes sooner than an outage. */
const RETRY_AFTER_SECONDS: Readonly<Record<number, number>> = { 429: 1, 503: 2, 507: 2 };

/** The body of an error answer. */
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

/** The rows of every code that a request can end with. */
export const PROBLEMS: ErrorTable<ProblemCode> = { ...VAULT_ERRORS, ...SERVER_ERRORS };

/** Whether a code says that a stored record, or the key that it hangs on, is not as it was written. */
export function isDamage(code: ProblemCode): boolean {
  return /^(?:record|subject-key)-/.test(code) && PROBLEMS[code].outcome === "refused";
}

/** The answer that tells of `error`. */
export function problemAnswer(error: VaultError | ServerError, requestId: string): ProblemAnswer {
  const { code } = error;
  const { title, remedy, status } = PROBLEMS[code];
  const body: Problem = {
    type: `urn:strongroom:error:${code}`,
    title,
    status,
    code,
    detail: error.message,
    remedy,
    requestId,
    ...(isVaultError(error) && error.regions !== undefined ? { regions: error.regions } : {}),
    ...(isVaultError(error) && error.currentVersion !== undefined ? { currentVersion: error.currentVersion } : {}),
    ...(error instanceof ServerError && error.problems !== undefined ? { problems: error.problems } : {}),
  };
  return { status, headers: problemHeaders(error, status), body };
}

function problemHeaders(error: VaultError | ServerError, status: number): Readonly<Record<string, string>> {
  const known = error instanceof ServerError ? error.retryAfterSeconds : undefined;
  const retryAfter = error.code === "overloaded" ? 1 : (known ?? RETRY_AFTER_SECONDS[status]);
  return {
    ...(status === 401 || error.code === "scope-missing" ? { "www-authenticate": challenge(error) } : {}),
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
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

/** What an error of Fastify or Node means here. */
interface Meaning {
  readonly code: ServerErrorCode;
  readonly message: string;
}

/** Codes of Fastify and Node -> what they mean here. Their own messages may quote the URL. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  ["FST_ERR_BAD_URL", { code: "url-invalid", message: "The path is not valid percent-encoded UTF-8" }],
  ["FST_ERR_MAX_PARAM_LENGTH", { code: "url-invalid", message: "A part of the path is too long" }],
  ["FST_ERR_CTP_BODY_TOO_LARGE", { code: "body-too-large", message: "The body is larger than this route takes" }],
  [
    "FST_ERR_CTP_INVALID_MEDIA_TYPE",
    { code: "content-type-unsupported", message: "The body must be JSON, sent as application/json" },
  ],
  [
    "FST_ERR_CTP_INVALID_CONTENT_LENGTH",
    { code: "body-incomplete", message: "The body is not as long as Content-Length says" },
  ],
  ["ECONNRESET", { code: "body-incomplete", message: "The connection was closed before the body was complete" }],
]);

/** How a request may end: an expected error, or one that is a fault of the service and goes to the log. */
export interface KnownError {
  readonly error: VaultError | ServerError;
  /** Null when the error was expected. */
  readonly fault: unknown;
}

/**
 * Said of members that there are not. Not which: of a document that was sent one level too high they are somebody's
 * data, and errors are logged.
 */
const UNKNOWN_MEMBER = "has a member that is not one of those described in /openapi.json";

/** What `error` is to a client. */
export function knownError(error: unknown): KnownError {
  if (isVaultError(error) || error instanceof ServerError) return { error, fault: null };
  if (hasZodFastifySchemaValidationErrors(error)) {
    const problems = error.validation.map(({ instancePath, keyword, message }) => ({
      path: `${error.validationContext ?? ""}${instancePath}`,
      message: keyword === "unrecognized_keys" ? UNKNOWN_MEMBER : (message ?? "is not valid"),
    }));
    const listed = problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
    return { error: new ServerError("request-invalid", listed, { problems }), fault: null };
  }
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  const meaning = MEANINGS.get(code);
  if (meaning !== undefined) return { error: new ServerError(meaning.code, meaning.message), fault: null };
  return { error: new ServerError("internal", "The service met an error that it did not expect"), fault: error };
}

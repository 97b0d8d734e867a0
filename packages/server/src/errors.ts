/**
 * The errors of the HTTP API itself, as one closed table; docs/errors.md is held to it. Errors of the vault come
 * through with their own code.
 */
import type { ErrorTable } from "@strongroom/base/errors";

/** A code of {@link SERVER_ERRORS}. */
export type ServerErrorCode =
  | "token-missing"
  | "token-invalid"
  | "scope-missing"
  | "host-not-allowed"
  | "origin-not-allowed"
  | "route-absent"
  | "method-not-allowed"
  | "url-invalid"
  | "request-invalid"
  | "body-invalid"
  | "condition-invalid"
  | "content-type-unsupported"
  | "body-too-large"
  | "body-incomplete"
  | "headers-too-large"
  | "request-timeout"
  | "request-deadline"
  | "overloaded"
  | "token-limit"
  | "find-limit"
  | "request-malformed"
  | "collection-unknown"
  | "checkpoint-absent"
  | "convergence-missing"
  | "approvals-missing"
  | "index-work-under-way"
  | "erasure-missing"
  | "tokens-unreadable"
  | "token-absent"
  | "option-invalid"
  | "internal";

/** Code -> what it stands for: what happened, what to do, how it ends a command and a request. */
export const SERVER_ERRORS: ErrorTable<ServerErrorCode> = {
  "token-missing": {
    title: "No token was sent",
    remedy: "Send the header `Authorization: Bearer srt_…`.",
    outcome: "not-allowed",
    status: 401,
  },
  "token-invalid": {
    title: "The token is not valid",
    remedy: "Use a token that was made for this service and is not revoked. Look for missing characters at its end.",
    outcome: "not-allowed",
    status: 401,
  },
  "scope-missing": {
    title: "The token may not do this",
    remedy: "Use a token with the scope named in the detail.",
    outcome: "not-allowed",
    status: 403,
  },
  "host-not-allowed": {
    title: "The service is not known by this host name",
    remedy:
      "Call it by localhost or by its address, or add the name to `service.hosts`. Behind a proxy it is the name " +
      "that the proxy hands on in `Host`.",
    outcome: "not-allowed",
    status: 421,
  },
  "origin-not-allowed": {
    title: "Pages of other sites may not call the service",
    remedy: "Call it from a program, or from a page of the same host; add the page's host to `service.hosts`.",
    outcome: "not-allowed",
    status: 403,
  },
  "route-absent": {
    title: "There is no such route",
    remedy: "GET /openapi.json lists the routes. An id that holds '/' is not allowed, also not percent-encoded.",
    outcome: "absent",
    status: 404,
  },
  "method-not-allowed": {
    title: "The route does not take this method",
    remedy: "Use one of the methods in the `Allow` header.",
    outcome: "failure",
    status: 405,
  },
  "url-invalid": {
    title: "The URL is not valid",
    remedy: "Percent-encode the id as UTF-8: encodeURIComponent in JavaScript, quote(id, safe='') in Python.",
    outcome: "usage",
    status: 400,
  },
  "request-invalid": {
    title: "The request has an invalid part",
    remedy: "Correct the parts listed in `problems`.",
    outcome: "usage",
    status: 400,
  },
  "body-invalid": {
    title: "The body says two things at once",
    remedy: "Send each key of an object once: of two with one name, programs take the first or the last.",
    outcome: "usage",
    status: 400,
  },
  "condition-invalid": {
    title: "The condition of the request is not valid",
    remedy:
      'Of a write, send either `If-Match: "3"` (one version, quoted), `If-Match: *` or `If-None-Match: *`; of a ' +
      "batch none. A time is no condition of a write: two versions may have been written in one second.",
    outcome: "usage",
    status: 400,
  },
  "content-type-unsupported": {
    title: "The body's content type is not supported",
    remedy: "Send JSON with `Content-Type: application/json`.",
    outcome: "usage",
    status: 415,
  },
  "body-too-large": {
    title: "The body is too large",
    remedy:
      "Send a smaller document, or fewer records in one batch. A program that runs the service itself can raise its " +
      "limits `documentBytes` and `batchBytes`.",
    outcome: "usage",
    status: 413,
  },
  "body-incomplete": {
    title: "The body did not arrive as announced",
    remedy: "Send as many bytes as `Content-Length` says.",
    outcome: "usage",
    status: 400,
  },
  "headers-too-large": {
    title: "The request line and headers are too large",
    remedy: "Shorten the URL and the headers: an id has at most 256 bytes.",
    outcome: "usage",
    status: 431,
  },
  "request-timeout": {
    title: "The request did not arrive in time",
    remedy: "Send the whole request within the time limit, then retry.",
    outcome: "failure",
    status: 408,
  },
  "request-deadline": {
    title: "The request took too long to answer",
    remedy:
      "Retry; if it lasts, look at GET /v1/regions. A write that was cut off may be stored: read the record before " +
      "writing again.",
    outcome: "unavailable",
    status: 503,
  },
  overloaded: {
    title: "The service has as much to do as it can",
    remedy:
      "Nothing was begun. Send it again after `Retry-After` seconds and a little chance; fewer at once if it lasts.",
    outcome: "unavailable",
    status: 503,
  },
  "token-limit": {
    title: "The token has too many requests open",
    remedy:
      "Nothing was begun. Send fewer at once and read their answers; again after `Retry-After` seconds. The limit is " +
      "`service.perToken`.",
    outcome: "unavailable",
    status: 429,
  },
  "find-limit": {
    title: "The token has found as much as it may for now",
    remedy:
      "Nothing was begun. Send it again after `Retry-After` seconds. Finds count, and writes that were refused " +
      "because a value is taken. The limit is `service.findsPerMinute`.",
    outcome: "unavailable",
    status: 429,
  },
  "request-malformed": {
    title: "The bytes received are not an HTTP request",
    remedy: "Check that the client speaks HTTP/1.1 without TLS to this port.",
    outcome: "usage",
    status: 400,
  },
  "collection-unknown": {
    title: "The service is not configured for this collection",
    remedy:
      "Check the collection's name. The program that runs the service decides which there are: " +
      "`createServer({ collections })`.",
    outcome: "absent",
    status: 404,
  },
  "checkpoint-absent": {
    title: "The audit has no checkpoint yet",
    remedy: "The first one comes with the first entries, within a second or two. Ask again.",
    outcome: "absent",
    status: 404,
  },
  "convergence-missing": {
    title: "The service does not bring what is stored to other keys",
    remedy:
      "Ask a service of strongroom up or strongroom serve: a program that runs the service itself gave it another " +
      "vault.",
    outcome: "failure",
    status: 501,
  },
  "approvals-missing": {
    title: "The service knows no principals that could approve anything",
    remedy: "Give its vault an audit: strongroom up and strongroom serve have one.",
    outcome: "failure",
    status: 501,
  },
  "index-work-under-way": {
    title: "The service is at work on indexes already",
    remedy: "Wait for its end, GET /v1/indexes/work says how far it is; then ask again.",
    outcome: "conflict",
    status: 409,
  },
  "erasure-missing": {
    title: "The service cannot erase people",
    remedy: "Give its vault a key store and an audit: strongroom up and strongroom serve have both.",
    outcome: "failure",
    status: 501,
  },
  "tokens-unreadable": {
    title: "The tokens cannot be read",
    remedy:
      "Check that the tokens file exists, belongs to the service's user and holds valid JSON. Until then every " +
      "token is refused.",
    outcome: "unavailable",
    status: 503,
  },
  "token-absent": {
    title: "There is no such token",
    remedy: "List the tokens to see their ids.",
    outcome: "absent",
    status: 404,
  },
  "option-invalid": {
    title: "An option of the server is not valid",
    remedy: "Correct every option listed in the message.",
    outcome: "failure",
    status: 500,
  },
  internal: {
    title: "The service failed",
    remedy: "Find the request by its `requestId` in the service's log.",
    outcome: "failure",
    status: 500,
  },
};

/** One part of a request that is wrong: where, and what is expected there. Never the value. */
export interface RequestProblem {
  readonly path: string;
  readonly message: string;
}

/** What a {@link ServerError} carries besides its code and its message. */
export interface ServerErrorDetails {
  readonly cause?: unknown;
  readonly problems?: readonly RequestProblem[];
  /** `scope-missing`. */
  readonly scope?: string;
  /** `method-not-allowed`: what the `Allow` header lists. */
  readonly allowed?: readonly string[];
  /** Seconds after which it is worth repeating, where it is known. */
  readonly retryAfterSeconds?: number;
}

/**
 * Every error that the service itself makes.
 *
 * @example
 * ```ts
 * import { SERVER_ERRORS, ServerError } from "@strongroom/server";
 *
 * const error = new ServerError("route-absent", "There is no such route");
 * console.log(error.code, SERVER_ERRORS[error.code].status); // prints: route-absent 404
 * ```
 */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: ServerErrorCode;
  readonly problems?: readonly RequestProblem[];
  readonly scope?: string;
  readonly allowed?: readonly string[];
  readonly retryAfterSeconds?: number;

  constructor(code: ServerErrorCode, message: string, details: ServerErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.problems !== undefined) this.problems = details.problems;
    if (details.scope !== undefined) this.scope = details.scope;
    if (details.allowed !== undefined) this.allowed = details.allowed;
    if (details.retryAfterSeconds !== undefined) this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/**
 * The errors of the HTTP API itself, as one closed table; docs/errors.md is held to it. Errors of the vault come
 * through with their own code.
 */

/** The closed union of codes. */
export type ServerErrorCode =
  | "token-missing"
  | "token-invalid"
  | "scope-missing"
  | "route-absent"
  | "method-not-allowed"
  | "url-invalid"
  | "request-invalid"
  | "condition-invalid"
  | "content-type-unsupported"
  | "body-too-large"
  | "body-incomplete"
  | "headers-too-large"
  | "request-timeout"
  | "request-deadline"
  | "request-malformed"
  | "collection-unknown"
  | "tokens-unreadable"
  | "token-absent"
  | "option-invalid"
  | "internal";

export const SERVER_ERRORS: Readonly<Record<ServerErrorCode, { readonly title: string; readonly remedy: string }>> = {
  "token-missing": {
    title: "No token was sent",
    remedy: "Send the header `Authorization: Bearer srt_…`.",
  },
  "token-invalid": {
    title: "The token is not valid",
    remedy: "Use a token that was made for this service and is not revoked. Look for missing characters at its end.",
  },
  "scope-missing": {
    title: "The token may not do this",
    remedy: "Use a token with the scope named in the detail.",
  },
  "route-absent": {
    title: "There is no such route",
    remedy: "GET /openapi.json lists the routes. An id that holds '/' is not allowed, also not percent-encoded.",
  },
  "method-not-allowed": {
    title: "The route does not take this method",
    remedy: "Use one of the methods in the `Allow` header.",
  },
  "url-invalid": {
    title: "The URL is not valid",
    remedy: "Percent-encode the id as UTF-8: encodeURIComponent in JavaScript, quote(id, safe='') in Python.",
  },
  "request-invalid": {
    title: "The request has an invalid part",
    remedy: "Correct the parts listed in `problems`.",
  },
  "condition-invalid": {
    title: "The condition of the request is not valid",
    remedy: 'Send either `If-Match: "3"` (one version, quoted), `If-Match: *` or `If-None-Match: *`.',
  },
  "content-type-unsupported": {
    title: "The body's content type is not supported",
    remedy: "Send JSON with `Content-Type: application/json`.",
  },
  "body-too-large": {
    title: "The body is too large",
    remedy: "Send a smaller document, or fewer documents in one batch.",
  },
  "body-incomplete": {
    title: "The body did not arrive as announced",
    remedy: "Send as many bytes as `Content-Length` says.",
  },
  "headers-too-large": {
    title: "The request line and headers are too large",
    remedy: "Shorten the URL and the headers: an id has at most 256 bytes.",
  },
  "request-timeout": {
    title: "The request did not arrive in time",
    remedy: "Send the whole request within the time limit, then retry.",
  },
  "request-deadline": {
    title: "The request took too long to answer",
    remedy:
      "Retry; if it lasts, look at GET /v1/regions. A write that was cut off may be stored: read the record before " +
      "writing again.",
  },
  "request-malformed": {
    title: "The bytes received are not an HTTP request",
    remedy: "Check that the client speaks HTTP/1.1 without TLS to this port.",
  },
  "collection-unknown": {
    title: "The service is not configured for this collection",
    remedy: "Check the collection's name, or add it to the `collections` of the configuration.",
  },
  "tokens-unreadable": {
    title: "The tokens can not be read",
    remedy:
      "Check that the tokens file exists, belongs to the service's user and holds valid JSON. Until then every " +
      "token is refused.",
  },
  "token-absent": {
    title: "There is no such token",
    remedy: "List the tokens to see their ids.",
  },
  "option-invalid": {
    title: "An option of the server is not valid",
    remedy: "Correct every option listed in the message.",
  },
  internal: {
    title: "The service failed",
    remedy: "Find the request by its `requestId` in the service's log.",
  },
};

/** One part of a request that is wrong: where, and what is expected there. Never the value. */
export interface RequestProblem {
  readonly path: string;
  readonly message: string;
}

export interface ServerErrorDetails {
  readonly cause?: unknown;
  readonly problems?: readonly RequestProblem[];
  /** `scope-missing`. */
  readonly scope?: string;
  /** `method-not-allowed`: what the `Allow` header lists. */
  readonly allowed?: readonly string[];
}

export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: ServerErrorCode;
  readonly problems?: readonly RequestProblem[];
  readonly scope?: string;
  readonly allowed?: readonly string[];

  constructor(code: ServerErrorCode, message: string, details: ServerErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.problems !== undefined) this.problems = details.problems;
    if (details.scope !== undefined) this.scope = details.scope;
    if (details.allowed !== undefined) this.allowed = details.allowed;
  }
}

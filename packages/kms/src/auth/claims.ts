// What a request says of its own signature, in the Authorization header or in the query of a presigned URL.
// Source: IAM User Guide, "AWS Signature Version 4 for API requests". Nothing here is verified yet.

import { AwsError } from "../protocol/aws-error.ts";
import { valuesOf } from "../protocol/exchange.ts";
import type { RequestView } from "../protocol/exchange.ts";

export const ALGORITHM = "AWS4-HMAC-SHA256";

/** The claims of a signed request. */
export interface SignatureClaims {
  readonly kind: "header" | "query";
  readonly accessKeyId: string;
  /** yyyymmdd */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** yyyymmddThhmmssZ */
  readonly timestamp: string;
  /** Seconds that a presigned request is valid for; null for a header signature. */
  readonly expires: number | null;
  readonly sessionToken: string | null;
}

const incomplete = (message: string): AwsError => new AwsError("IncompleteSignatureException", message);
const TIMESTAMP = /^\d{8}T\d{6}Z$/;
const SIGNATURE = /^[0-9a-f]{64}$/;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** A presigned request is valid for a week at most. */
const MAX_EXPIRES = 604_800;

/** Headers that must not come twice: whoever reads the first and whoever reads the last would see two requests. */
const SINGLE = [
  "authorization",
  "host",
  "x-amz-date",
  "x-amz-target",
  "x-amz-security-token",
  "x-amz-content-sha256",
  "content-type",
  "content-length",
];

/**
 * Reads the claims.
 * @throws AwsError MissingAuthenticationTokenException, IncompleteSignatureException.
 */
export function readClaims(request: RequestView): SignatureClaims {
  for (const name of SINGLE) {
    if (valuesOf(request, name).length > 1) throw incomplete(`The header '${name}' is given more than once.`);
  }
  const authorization = valuesOf(request, "authorization")[0];
  const query = new URLSearchParams(request.query);
  if (authorization !== undefined) {
    if (query.has("X-Amz-Signature"))
      throw incomplete("A request is signed in its Authorization header or in its query, not in both.");
    return fromHeader(authorization, request);
  }
  if (query.has("X-Amz-Signature") || query.has("X-Amz-Algorithm")) return fromQuery(query);
  throw new AwsError("MissingAuthenticationTokenException", "Missing Authentication Token");
}

function fromHeader(authorization: string, request: RequestView): SignatureClaims {
  if (!authorization.startsWith(`${ALGORITHM} `)) {
    throw incomplete(`Unsupported authorization type: only ${ALGORITHM} is accepted.`);
  }
  const parts = new Map<string, string>();
  for (const part of authorization.slice(ALGORITHM.length + 1).split(",")) {
    const [, name, value] = /^\s*(Credential|SignedHeaders|Signature)=(\S+)\s*$/.exec(part) ?? [];
    if (name === undefined || value === undefined || parts.has(name))
      throw incomplete("The Authorization header is malformed.");
    parts.set(name, value);
  }
  const missing = ["Credential", "SignedHeaders", "Signature"].filter((name) => !parts.has(name));
  if (missing.length > 0)
    throw incomplete(missing.map((name) => `Authorization header requires '${name}' parameter.`).join(" "));
  const timestamp = valuesOf(request, "x-amz-date")[0];
  if (timestamp === undefined)
    throw incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  return {
    kind: "header",
    ...scopeOf(parts.get("Credential") ?? ""),
    signedHeaders: signedHeadersOf(parts.get("SignedHeaders") ?? ""),
    signature: signatureOf(parts.get("Signature") ?? ""),
    timestamp: timestampOf(timestamp),
    expires: null,
    sessionToken: valuesOf(request, "x-amz-security-token")[0] ?? null,
  };
}

function fromQuery(query: URLSearchParams): SignatureClaims {
  const single = (name: string): string => {
    const values = query.getAll(name);
    if (values.length !== 1) throw incomplete(`AWS query-string parameters must include '${name}' once.`);
    return values[0] ?? "";
  };
  if (single("X-Amz-Algorithm") !== ALGORITHM)
    throw incomplete(`Unsupported 'X-Amz-Algorithm': only ${ALGORITHM} is accepted.`);
  const expires = single("X-Amz-Expires");
  if (!/^\d{1,6}$/.test(expires) || Number(expires) < 1 || Number(expires) > MAX_EXPIRES) {
    throw incomplete(`'X-Amz-Expires' must be a number of seconds from 1 to ${MAX_EXPIRES}.`);
  }
  return {
    kind: "query",
    ...scopeOf(single("X-Amz-Credential")),
    signedHeaders: signedHeadersOf(single("X-Amz-SignedHeaders")),
    signature: signatureOf(single("X-Amz-Signature")),
    timestamp: timestampOf(single("X-Amz-Date")),
    expires: Number(expires),
    sessionToken: query.has("X-Amz-Security-Token") ? single("X-Amz-Security-Token") : null,
  };
}

function scopeOf(credential: string): Pick<SignatureClaims, "accessKeyId" | "date" | "region" | "service"> {
  const parts = credential.split("/");
  const [accessKeyId, date, region, service, terminator] = parts;
  if (parts.length !== 5 || terminator !== "aws4_request" || !accessKeyId || !date || !region || !service) {
    throw incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.");
  }
  return { accessKeyId, date, region, service };
}

function signedHeadersOf(text: string): readonly string[] {
  const names = text.split(";");
  const sorted = names.every((name, i) => HEADER_NAME.test(name) && (i === 0 || (names[i - 1] ?? "") < name));
  if (!sorted) throw incomplete("SignedHeaders must be lower-case header names in order, each once.");
  if (!names.includes("host")) throw incomplete("'Host' must be one of the SignedHeaders.");
  return names;
}

function signatureOf(text: string): string {
  if (!SIGNATURE.test(text)) throw incomplete("The Signature must be 64 lower-case hexadecimal digits.");
  return text;
}

function timestampOf(text: string): string {
  if (!TIMESTAMP.test(text)) throw incomplete("Date must be in ISO-8601 'basic format', for example 20260101T000000Z.");
  return text;
}

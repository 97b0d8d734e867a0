// Verification of AWS Signature Version 4: what a request says of its signature, held against what it is.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { AwsError } from "../protocol/aws-error.ts";
import { signingKey, stringToSign } from "./canonical-request.ts";
import { readClaims } from "./claims.ts";
import type { SignatureClaims } from "./claims.ts";
import { valuesOf } from "./request-view.ts";
import type { RequestView } from "./request-view.ts";

/** A signature's time may differ from the server's by so much, either way. */
export const CLOCK_SKEW_MS = 300_000;

/** The secret behind an access key id. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The token that must come along with temporary credentials; null for lasting ones. */
  readonly sessionToken: string | null;
  /** When temporary credentials end, in milliseconds; null for lasting ones. */
  readonly expiresAt: number | null;
}

/** What a signature must be made for. */
export interface SignatureExpectation {
  readonly region: string;
  readonly service: string;
  /** The server's time, milliseconds. */
  readonly now: number;
}

const invalid = (message: string): AwsError => new AwsError("InvalidSignatureException", message);
const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access " +
  "Key and signing method. " +
  "Consult the service documentation for details.";

/**
 * Verifies a request and gives the access key that signed it.
 * @param find the access key of an id, or null.
 * @throws AwsError with AWS's type and message for each way in which a signature can be wrong.
 */
export function verifySignature<K extends AccessKey>(
  request: RequestView,
  expected: SignatureExpectation,
  find: (accessKeyId: string) => K | null,
): K {
  const claims = readClaims(request);
  requireScope(claims, expected);
  requireTime(claims, expected.now);
  const key = find(claims.accessKeyId);
  if (key === null)
    throw new AwsError("UnrecognizedClientException", "The security token included in the request is invalid.");
  requireSignedHeaders(request, claims);
  const payloadHash = requireBodyHash(request);
  const signature = createHmac("sha256", signingKey(key, claims))
    .update(stringToSign(request, claims, payloadHash), "utf8")
    .digest();
  if (!timingSafeEqual(signature, Buffer.from(claims.signature, "hex"))) throw invalid(MISMATCH);
  // Only now, when the secret is proven, does the answer depend on the state of the credentials.
  requireSession(claims, key, expected.now);
  return key;
}

function requireScope(claims: SignatureClaims, { region, service }: SignatureExpectation): void {
  if (claims.service !== service) throw invalid(`Credential should be scoped to correct service: '${service}'.`);
  if (claims.region !== region)
    throw invalid(`Credential should be scoped to a valid region, not '${claims.region.slice(0, 32)}'.`);
  if (!claims.timestamp.startsWith(claims.date)) {
    throw invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP");
  }
}

function requireTime(claims: SignatureClaims, now: number): void {
  const signed = timeOf(claims.timestamp);
  if (Number.isNaN(signed)) throw invalid("The date of the signature is not a date.");
  const basic = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, "");
  if (signed > now + CLOCK_SKEW_MS) {
    throw invalid(
      `Signature not yet current: ${claims.timestamp} is still later than ${basic(now + CLOCK_SKEW_MS)} (${basic(now)} + 5 min.)`,
    );
  }
  const lasts = claims.expires === null ? CLOCK_SKEW_MS : claims.expires * 1000;
  if (signed < now - lasts) {
    const window = claims.expires === null ? "5 min." : `${claims.expires} s`;
    throw invalid(
      `Signature expired: ${claims.timestamp} is now earlier than ${basic(now - lasts)} (${basic(now)} - ${window})`,
    );
  }
}

/** A signature that leaves out the target or the session would let both be changed under way. */
function requireSignedHeaders(request: RequestView, claims: SignatureClaims): void {
  for (const name of request.headers.keys()) {
    const mustBe =
      name === "content-type" ? claims.kind === "header" : name.startsWith("x-amz-") && !OPTIONAL_HEADERS.has(name);
    if (mustBe && !claims.signedHeaders.includes(name))
      throw invalid(`The header '${name}' is present, but not signed.`);
  }
  for (const name of claims.signedHeaders) {
    if (valuesOf(request, name).length === 0) throw invalid(MISMATCH);
  }
}

/**
 * Headers that some clients add after signing. They change nothing of what a request does: the hash is compared with
 * the body, the token with the one that belongs to the access key.
 */
const OPTIONAL_HEADERS: ReadonlySet<string> = new Set([
  "x-amz-content-sha256",
  "x-amz-security-token",
  "x-amz-user-agent",
  "x-amzn-trace-id",
]);

/** The hash of the body as received, which a hash in the header must equal: unsigned payloads are refused. */
function requireBodyHash(request: RequestView): string {
  const actual = createHash("sha256").update(request.body).digest("hex");
  const stated = valuesOf(request, "x-amz-content-sha256")[0];
  if (stated !== undefined && stated !== actual)
    throw invalid("The body does not have the hash that 'x-amz-content-sha256' states.");
  return actual;
}

function requireSession(claims: SignatureClaims, key: AccessKey, now: number): void {
  const given = createHash("sha256")
    .update(claims.sessionToken ?? "")
    .digest();
  const wanted = createHash("sha256")
    .update(key.sessionToken ?? "")
    .digest();
  if (!timingSafeEqual(given, wanted))
    throw new AwsError("UnrecognizedClientException", "The security token included in the request is invalid.");
  if (key.expiresAt !== null && key.expiresAt <= now) {
    throw new AwsError("ExpiredTokenException", "The security token included in the request is expired");
  }
}

/** Milliseconds of yyyymmddThhmmssZ; NaN if there is no such time. */
function timeOf(basic: string): number {
  const [, year = "", month = "", day = "", hour = "", minute = "", second = ""] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(basic) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

// Verification of AWS Signature Version 4: what a request says of its signature (claims.ts), held against what it is.
// Source: IAM User Guide, "Create a signed AWS API request" (canonical request, string to sign, signing key).

import { createHash, createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { AwsError } from "../protocol/aws-error.ts";
import { valuesOf } from "../protocol/exchange.ts";
import type { RequestView } from "../protocol/exchange.ts";
import { ALGORITHM, readClaims } from "./claims.ts";
import type { SignatureClaims } from "./claims.ts";

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
      `Signature not yet current: ${claims.timestamp} is still later than ${basic(now + CLOCK_SKEW_MS)} ` +
        `(${basic(now)} + 5 min.)`,
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

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

/** What is signed. `payloadHash` is the SHA-256 of the body in hexadecimal. */
function stringToSign(request: RequestView, claims: SignatureClaims, payloadHash: string): string {
  const canonicalRequest = [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    ...claims.signedHeaders.map((name) => `${name}:${canonicalValue(request, name)}`),
    "",
    claims.signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
  return [
    ALGORITHM,
    claims.timestamp,
    `${claims.date}/${claims.region}/${claims.service}/aws4_request`,
    sha256(canonicalRequest),
  ].join("\n");
}

/** The path without empty, `.` and `..` segments, encoded once more than it was sent. */
function canonicalPath(path: string): string {
  if (path === "/") return path;
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(encode(segment));
  }
  return `/${segments.join("/")}${segments.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

/** All parameters but the signature, encoded, in order. */
function canonicalQuery(query: string): string {
  return query
    .split("&")
    .filter((parameter) => parameter !== "")
    .map((parameter) => {
      const [name = "", ...value] = parameter.split("=");
      return [encodeDecoded(name), encodeDecoded(value.join("="))] as const;
    })
    .filter(([name]) => name !== "X-Amz-Signature")
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/**
 * Decoded and encoded anew byte by byte: a plus is a plus, a `?` is part of a name, and bytes that are no UTF-8 stay
 * what they are. URLSearchParams would make one query of two.
 */
const encodeDecoded = (text: string): string =>
  text
    .split(/(%[0-9a-f]{2})/i)
    .map((part, index) => (index % 2 === 0 ? encode(part) : encodedByte(Number.parseInt(part.slice(1), 16))))
    .join("");

const encodedByte = (byte: number): string =>
  byte < 0x80 ? encode(String.fromCharCode(byte)) : `%${byte.toString(16).toUpperCase()}`;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A header's values without the spaces around them, and with one where there are several. */
const canonicalValue = (request: RequestView, name: string): string =>
  valuesOf(request, name).join(",").trim().replaceAll(/\s+/g, " ");

/** Percent-encoding of everything but unreserved characters (RFC 3986, section 2.3). */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** Per access key, the signing keys of the scopes (a day, a region, a service) that were asked for last. */
const signingKeys = new WeakMap<object, Map<string, KeyObject>>();
const MAX_SCOPES = 16;

/** The key that signs for the scope of these claims; derived once a day, not once a request. */
function signingKey(
  accessKey: { readonly secretAccessKey: string },
  { date, region, service }: SignatureClaims,
): KeyObject {
  const known = signingKeys.get(accessKey) ?? new Map<string, KeyObject>();
  signingKeys.set(accessKey, known);
  const scope = `${date}/${region}/${service}`;
  let key = known.get(scope);
  if (key === undefined) {
    key = createSecretKey(`AWS4${accessKey.secretAccessKey}`, "utf8");
    for (const part of [date, region, service, "aws4_request"])
      key = createSecretKey(createHmac("sha256", key).update(part, "utf8").digest());
    if (known.size >= MAX_SCOPES) known.delete(known.keys().next().value ?? "");
    known.set(scope, key);
  }
  return key;
}

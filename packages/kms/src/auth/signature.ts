// Verification of AWS Signature Version 4. The canonical request, the string to sign and the signing key come
// from the kept signer of the AWS SDK (@smithy/signature-v4); this file decides what it is given and compares.

import { createHash, createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import { SignatureV4, getCanonicalHeaders } from "@smithy/signature-v4";
import { AwsError } from "../protocol/aws-error.ts";
import { ALGORITHM, readClaims } from "./claims.ts";
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
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. " +
  "Consult the service documentation for details.";

/** A key object: node:crypto takes it several times as fast as bytes. */
const secretKey = (secret: string | ArrayBuffer | ArrayBufferView): ReturnType<typeof createSecretKey> =>
  typeof secret === "string" ? createSecretKey(secret, "utf8") : createSecretKey(secret as NodeJS.ArrayBufferView);

/** node:crypto behind the hash interface that the signer wants. */
class NodeSha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secretKey(secret));
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    throw new Error("a hash is used once");
  }
}

/** The signer with its canonical forms made reachable: verifying needs them for exactly the headers that were signed. */
class Canonical extends SignatureV4 {
  async signatureOf(request: RequestView, claims: SignatureClaims, payloadHash: string): Promise<string> {
    const headers = Object.fromEntries(claims.signedHeaders.map((name) => [name, valuesOf(request, name).join(",")]));
    const signable = new Set(claims.signedHeaders);
    const query = queryOf(request.query);
    const view = { method: request.method, protocol: "http:", hostname: "", path: request.path, headers, query };
    const canonicalHeaders = getCanonicalHeaders(view, undefined, signable);
    const canonicalRequest = this.createCanonicalRequest(view, canonicalHeaders, payloadHash);
    const scope = `${claims.date}/${claims.region}/${claims.service}/aws4_request`;
    const stringToSign = await this.createStringToSign(claims.timestamp, scope, canonicalRequest, ALGORITHM);
    return this.sign(stringToSign, { signingDate: dateOf(claims.timestamp), signingRegion: claims.region, signingService: claims.service });
  }
}

/**
 * Verifies a request and gives the access key that signed it.
 * @param find the access key of an id, or null.
 * @throws AwsError with AWS's type and message for each way in which a signature can be wrong.
 */
export async function verifySignature<K extends AccessKey>(
  request: RequestView,
  expected: SignatureExpectation,
  find: (accessKeyId: string) => K | null,
): Promise<K> {
  const claims = readClaims(request);
  requireScope(claims, expected);
  requireTime(claims, expected.now);
  const key = find(claims.accessKeyId);
  if (key === null) throw new AwsError("UnrecognizedClientException", "The security token included in the request is invalid.");
  requireSignedHeaders(request, claims);
  const payloadHash = requireBodyHash(request);
  const credentials = { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey };
  const signer = new Canonical({ credentials, region: claims.region, service: claims.service, sha256: NodeSha256 });
  const signature = await signer.signatureOf(request, claims, payloadHash);
  if (!timingSafeEqual(Buffer.from(signature, "hex"), Buffer.from(claims.signature, "hex"))) throw invalid(MISMATCH);
  // Only now, when the secret is proven, does the answer depend on the state of the credentials.
  requireSession(claims, key, expected.now);
  return key;
}

function requireScope(claims: SignatureClaims, { region, service }: SignatureExpectation): void {
  if (claims.service !== service) throw invalid(`Credential should be scoped to correct service: '${service}'.`);
  if (claims.region !== region) throw invalid(`Credential should be scoped to a valid region, not '${claims.region.slice(0, 32)}'.`);
  if (!claims.timestamp.startsWith(claims.date)) {
    throw invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP");
  }
}

function requireTime(claims: SignatureClaims, now: number): void {
  const signed = dateOf(claims.timestamp).getTime();
  if (Number.isNaN(signed)) throw invalid("The date of the signature is not a date.");
  const basic = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, "");
  if (signed > now + CLOCK_SKEW_MS) {
    throw invalid(`Signature not yet current: ${claims.timestamp} is still later than ${basic(now + CLOCK_SKEW_MS)} (${basic(now)} + 5 min.)`);
  }
  const lasts = claims.expires === null ? CLOCK_SKEW_MS : claims.expires * 1000;
  if (signed < now - lasts) {
    const window = claims.expires === null ? "5 min." : `${claims.expires} s`;
    throw invalid(`Signature expired: ${claims.timestamp} is now earlier than ${basic(now - lasts)} (${basic(now)} - ${window})`);
  }
}

/** A signature that leaves out the target or the session would let both be changed under way. */
function requireSignedHeaders(request: RequestView, claims: SignatureClaims): void {
  for (const name of request.headers.keys()) {
    const mustBe = name === "content-type" ? claims.kind === "header" : name.startsWith("x-amz-") && !OPTIONAL_HEADERS.has(name);
    if (mustBe && !claims.signedHeaders.includes(name)) throw invalid(`The header '${name}' is present, but not signed.`);
  }
  for (const name of claims.signedHeaders) {
    if (valuesOf(request, name).length === 0) throw invalid(MISMATCH);
  }
}

/**
 * Headers that some clients add after signing. They change nothing of what a request does: the hash is compared with
 * the body, the token with the one that belongs to the access key.
 */
const OPTIONAL_HEADERS: ReadonlySet<string> = new Set(["x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent", "x-amzn-trace-id"]);

/** The hash of the body as received, which a hash in the header must equal: unsigned payloads are refused. */
function requireBodyHash(request: RequestView): string {
  const actual = createHash("sha256").update(request.body).digest("hex");
  const stated = valuesOf(request, "x-amz-content-sha256")[0];
  if (stated !== undefined && stated !== actual) throw invalid("The body does not have the hash that 'x-amz-content-sha256' states.");
  return actual;
}

function requireSession(claims: SignatureClaims, key: AccessKey, now: number): void {
  const given = createHash("sha256").update(claims.sessionToken ?? "").digest();
  const wanted = createHash("sha256").update(key.sessionToken ?? "").digest();
  if (!timingSafeEqual(given, wanted)) throw new AwsError("UnrecognizedClientException", "The security token included in the request is invalid.");
  if (key.expiresAt !== null && key.expiresAt <= now) {
    throw new AwsError("ExpiredTokenException", "The security token included in the request is expired");
  }
}

/** The query's parameters, decoded once; the signature itself is not signed. */
function queryOf(query: string): Record<string, string | string[]> {
  const parameters = new URLSearchParams(query.replaceAll("+", "%2B"));
  const read: Record<string, string | string[]> = {};
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name);
    if (name !== "X-Amz-Signature") read[name] = values.length === 1 ? (values[0] ?? "") : values;
  }
  return read;
}

const dateOf = (basic: string): Date => new Date(basic.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));

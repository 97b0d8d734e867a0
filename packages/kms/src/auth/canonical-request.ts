// What a request's signature is made over, and with which key. Source: IAM User Guide, "Create a signed AWS API
// request" (canonical request, string to sign, signing key).

import { createHash, createHmac, createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { ALGORITHM } from "./claims.ts";
import type { SignatureClaims } from "./claims.ts";
import { valuesOf } from "./request-view.ts";
import type { RequestView } from "./request-view.ts";

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

/** What is signed. `payloadHash` is the SHA-256 of the body in hexadecimal. */
export function stringToSign(request: RequestView, claims: SignatureClaims, payloadHash: string): string {
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
  if (query === "") return "";
  // In a query that was signed, a plus is a plus, not a space.
  return [...new URLSearchParams(query.replaceAll("+", "%2B"))]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

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
export function signingKey(
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

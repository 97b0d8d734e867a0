// AWS's own test suite for Signature Version 4: each request sent over a socket, parsed as a region's server parses it,
// verified as it was signed, and refused with anything about it changed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { SignatureV4 } from "@smithy/signature-v4";
import { verifySignature } from "../../src/auth/signature.ts";
import type { AccessKey } from "../../src/auth/signature.ts";
import { AwsError } from "../../src/protocol/aws-error.ts";
import { requestView } from "../../src/protocol/exchange.ts";
import type { RequestView } from "../../src/protocol/exchange.ts";
import { Sha256 } from "../signed-call.ts";

interface Vector {
  readonly name: string;
  readonly context: {
    readonly credentials: {
      readonly access_key_id: string;
      readonly secret_access_key: string;
      readonly token?: string;
    };
    readonly normalize: boolean;
    readonly region: string;
    readonly service: string;
    readonly timestamp: string;
    readonly omit_session_token?: boolean;
  };
  /** The whole request, signed in its header and in its query; lines end in \n. */
  readonly header: string;
  readonly query: string;
}

const { vectors } = JSON.parse(readFileSync(join(import.meta.dirname, "../vectors/sigv4.json"), "utf8")) as {
  readonly vectors: readonly Vector[];
};

/**
 * Refused by Node's parser before any signature is read: no HTTP client can send them to this server. Their signatures
 * are verified all the same, without the parser.
 */
const NOT_HTTP: ReadonlySet<string> = new Set([
  "get-header-value-multiline", // a folded line, which a server may refuse (RFC 9112, section 5.2)
  "get-space-normalized", // a space inside the target
  "get-space-unnormalized",
  "get-utf8", // a target that is not in ASCII
  "get-vanilla-utf8-query",
]);

/**
 * Refused by design. KMS, like every service but S3, signs the normalised path, so a path that was signed as it stands
 * must not verify: but for those paths that are the same both ways.
 */
const UNNORMALISED_REFUSED: ReadonlySet<string> = new Set([
  "get-relative-unnormalized",
  "get-relative-relative-unnormalized",
  "get-slash-dot-slash-unnormalized",
  "get-slash-pointless-dot-unnormalized",
  "get-slash-unnormalized",
  "get-slashes-unnormalized",
]);

/** A session token that is added after signing in the query: a form that no AWS KMS client uses. */
const isAddedLater = ({ context }: Vector): boolean => context.omit_session_token === true;

interface Lines {
  readonly first: string;
  readonly headers: readonly string[];
  readonly body: string;
}

function linesOf(text: string): Lines {
  const [head = "", ...body] = text.split("\n\n");
  const [first = "", ...headers] = head.trimEnd().split("\n");
  return { first, headers, body: body.join("\n\n") };
}

/** The same without a parser, which would refuse it. */
function viewOf({ first, headers, body }: Lines): RequestView {
  const [, method = "", target = ""] = /^(\S+) (.*) HTTP\/1\.1$/.exec(first) ?? [];
  const unfolded = headers.join("\n").replaceAll(/\n\s+/g, " ").split("\n");
  const rawHeaders = unfolded.flatMap((line) => {
    const at = line.indexOf(":");
    return [line.slice(0, at), line.slice(at + 1).trim()];
  });
  return requestView({ method, url: target, rawHeaders }, Buffer.from(body));
}

/** What the check says of one request: the error's type or `accepted`. */
function judge(view: RequestView, { context }: Vector, skewMs: number): string {
  const { credentials, region, service, timestamp } = context;
  const key: AccessKey = {
    accessKeyId: credentials.access_key_id,
    secretAccessKey: credentials.secret_access_key,
    sessionToken: credentials.token ?? null,
    expiresAt: null,
  };
  try {
    const now = Date.parse(timestamp) + skewMs;
    verifySignature(view, { region, service, now }, (id) => (id === key.accessKeyId ? key : null));
    return "accepted";
  } catch (error) {
    if (error instanceof AwsError) return error.type;
    throw error;
  }
}

let server: ReturnType<typeof createServer>;
let verdict = "";
let expectation: { readonly vector: Vector; readonly skewMs: number };

before(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      verdict = judge(requestView(request, Buffer.concat(chunks)), expectation.vector, expectation.skewMs);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

after(() => {
  server.close();
});

/** As `judge`, over the wire; `not-http` when the request did not get that far. */
async function verdictOn(vector: Vector, { first, headers, body }: Lines, skewMs = 0): Promise<string> {
  expectation = { vector, skewMs };
  verdict = "not-http";
  const length = Buffer.byteLength(body) > 0 ? [`Content-Length:${Buffer.byteLength(body)}`] : [];
  const own = headers.filter((line) => !/^content-length:/i.test(line));
  const signsLength = headers.length !== own.length;
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.end([first, ...(signsLength ? headers : [...own, ...length]), "Connection:close", "", body].join("\r\n"));
  await new Promise<void>((resolve) =>
    socket
      .on("close", () => {
        resolve();
      })
      .resume()
      .on("error", () => undefined),
  );
  return verdict;
}

/** Judges a vector as it is; false for those that are refused, by node's parser or by design, and were found so. */
async function isAcceptedAsExpected(vector: Vector, request: Lines): Promise<boolean> {
  const judged = await verdictOn(vector, request);
  if (NOT_HTTP.has(vector.name)) {
    assert.equal(judged, "not-http");
    judgedWithoutParser(vector, request);
    return false;
  }
  const isRefused = UNNORMALISED_REFUSED.has(vector.name);
  assert.equal(judged, isRefused ? "InvalidSignatureException" : "accepted");
  return !isRefused;
}

describe("signed in the header", () => {
  for (const vector of vectors) {
    test(vector.name, async () => {
      const request = linesOf(vector.header);
      if (!(await isAcceptedAsExpected(vector, request))) return;
      for (const [what, changed] of changes(request))
        assert.notEqual(await verdictOn(vector, changed), "accepted", `${what}: ${vector.name}`);
      for (const [what, changed] of equivalents(request))
        assert.equal(await verdictOn(vector, changed), "accepted", `${what}: ${vector.name}`);
      for (const [minutes, expected] of [
        [-4.9, "accepted"],
        [4.9, "accepted"],
        [-5.1, "InvalidSignatureException"],
        [5.1, "InvalidSignatureException"],
        [24 * 60, "InvalidSignatureException"],
      ] as const)
        assert.equal(await verdictOn(vector, request, minutes * 60_000), expected, `${minutes} minutes`);
    });
  }
});

describe("signed in the query", () => {
  for (const vector of vectors.filter((one) => !isAddedLater(one))) {
    test(vector.name, async () => {
      const request = linesOf(vector.query);
      if (!(await isAcceptedAsExpected(vector, request))) return;
      const longer = { ...request, first: request.first.replace("Expires=3600", "Expires=7200") };
      assert.equal(await verdictOn(vector, longer), "InvalidSignatureException");
      assert.equal(await verdictOn(vector, request, 3_599_000), "accepted");
      assert.equal(await verdictOn(vector, request, 3_601_000), "InvalidSignatureException");
      for (const [what, changed] of changes(request).filter(([name]) => !name.startsWith("Authorization")))
        assert.notEqual(await verdictOn(vector, changed), "accepted", `${what}: ${vector.name}`);
    });
  }
});

function judgedWithoutParser(vector: Vector, request: Lines): void {
  const expected = UNNORMALISED_REFUSED.has(vector.name) ? "InvalidSignatureException" : "accepted";
  assert.equal(judge(viewOf(request), vector, 0), expected);
  for (const [what, changed] of changes(request).slice(0, 6))
    assert.notEqual(judge(viewOf(changed), vector, 0), "accepted", `${what}: ${vector.name}`);
}

type Change = readonly [what: string, changed: Lines];

const onFirst = (request: Lines, change: (target: string) => string): Lines => ({
  ...request,
  first: request.first.replace(/ (.*) HTTP/, (_, target: string) => ` ${change(target)} HTTP`),
});

/** What no signature may survive. Every signed header is dropped, changed, changed in case, and doubled. */
function changes(request: Lines): readonly Change[] {
  const { first, headers } = request;
  const all: Change[] = [
    ["method", { ...request, first: first.replace(/^\S+/, (method) => (method === "GET" ? "POST" : "GET")) }],
    ["longer path", onFirst(request, (target) => target.replace(/(?=\?|$)/, "x"))],
    ["another parameter", onFirst(request, (target) => `${target}${target.includes("?") ? "&" : "?"}x=1`)],
    ["an empty parameter", onFirst(request, (target) => `${target}${target.includes("?") ? "&" : "?"}x`)],
    ["body", { ...request, body: `${request.body.slice(0, -1)}x` }],
    ["an unsigned amz header", { ...request, headers: [...headers, "X-Amz-Extra:1"] }],
    ["an unsigned hash", { ...request, headers: [...headers, "X-Amz-Content-Sha256:UNSIGNED-PAYLOAD"] }],
    [
      "another session token",
      { ...request, headers: [...headers, "X-Amz-Security-Token:x", "X-Amz-Security-Token:y"] },
    ],
  ];
  const unsigned = /^(authorization|content-length|x-amz-security-token):/i;
  for (const [index, line] of headers.entries()) {
    const name = line.slice(0, line.indexOf(":"));
    if (/^authorization$/i.test(name)) all.push(...authorizationChanges(request, index));
    if (unsigned.test(line)) continue;
    const value = line.slice(name.length + 1);
    all.push([`${name} dropped`, { ...request, headers: headers.toSpliced(index, 1) }]);
    all.push([`${name} changed`, { ...request, headers: headers.with(index, `${name}:${value}x`) }]);
    all.push([`${name} twice`, { ...request, headers: [...headers, line] }]);
    const swapped = value.replace(/[a-z]/i, (one) =>
      one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase(),
    );
    if (swapped !== value)
      all.push([`${name} in another case`, { ...request, headers: headers.with(index, `${name}:${swapped}`) }]);
  }
  return all;
}

function authorizationChanges(request: Lines, index: number): readonly Change[] {
  const line = request.headers[index] ?? "";
  const forms: readonly (readonly [string, string])[] = [
    ["missing", "X-Other:1"],
    ["signature's last digit", line.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"))],
    ["signature in upper case", line.replace(/[0-9a-f]+$/, (text) => `${text.slice(0, -1).toUpperCase()}A`)],
    ["shorter signature", line.slice(0, -2)],
    ["host not signed", line.replace(/\bhost;/, "")],
    ["another scope", line.replace("/us-east-1/", "/us-east-2/")],
    ["another service", line.replace("/service/", "/kms/")],
    ["another day", line.replace("/20150830/", "/20150831/")],
    ["another key", line.replace("AKIDEXAMPLE", "AKIDOTHER")],
    ["another algorithm", line.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1")],
    ["a part twice", `${line}, Signature=${"0".repeat(64)}`],
  ];
  return forms.map(([what, text]) => [
    `Authorization: ${what}`,
    { ...request, headers: request.headers.with(index, text) },
  ]);
}

/** What is the same request by the rules of the signature: HTTP lets those in between change it. */
function equivalents(request: Lines): readonly Change[] {
  const { headers } = request;
  const isPlain = (line: string): boolean => !/^(authorization|my-header1):/i.test(line);
  return [
    [
      "names in upper case",
      { ...request, headers: headers.map((line) => line.replace(/^[^:]+/, (name) => name.toUpperCase())) },
    ],
    [
      "spaces around values",
      {
        ...request,
        headers: headers.map((line) => (isPlain(line) ? line.replace(/^([^:]+):(.*)$/, "$1: \t$2  ") : line)),
      },
    ],
    ["an unsigned header of another kind", { ...request, headers: [...headers, "User-Agent:x", "X-Forwarded-For:1"] }],
    [
      "headers in another order",
      { ...request, headers: headers.some((line) => /^my-header1/i.test(line)) ? headers : headers.toReversed() },
    ],
  ];
}

test("a query in an odd encoding is the one that was signed, or refused, but never another", async () => {
  const vector = vectors.find(({ name }) => name === "get-vanilla-query-order-key-case");
  assert.ok(vector !== undefined);
  const request = linesOf(vector.header);
  assert.equal(request.first, "GET /?Param2=value2&Param1=value1 HTTP/1.1");
  const forms: readonly (readonly [target: string, verdict: string])[] = [
    ["/?Param1=value1&Param2=value2", "accepted"],
    ["/?Param2=%76alue2&Param1=value1", "accepted"],
    ["/?Param2=value2&Param1=value1&", "accepted"],
    ["/?Param2=value2&&Param1=value1", "accepted"],
    ["/?param2=value2&Param1=value1", "InvalidSignatureException"],
    ["/?Param2=value2&Param1=value1&Param1=value1", "InvalidSignatureException"],
    ["/?Param2=value2&Param1=value1&Param3", "InvalidSignatureException"],
    ["/?Param2=value2+&Param1=value1", "InvalidSignatureException"],
    ["/?Param2=value2%20&Param1=value1", "InvalidSignatureException"],
    ["/?Param2=value2%&Param1=value1", "InvalidSignatureException"],
    ["/?Param2=value2%00&Param1=value1", "InvalidSignatureException"],
    ["/?Param2=value2%C0%80&Param1=value1", "InvalidSignatureException"],
    ["/?Param2=value2;Param1=value1", "InvalidSignatureException"],
    ["/?Param2=value2?&Param1=value1", "InvalidSignatureException"],
    ["/??Param2=value2&Param1=value1", "InvalidSignatureException"],
    ["/?Param2=value2&Param1=value1#x", "InvalidSignatureException"],
    ["/?X-Amz-Signature=0&Param2=value2&Param1=value1", "IncompleteSignatureException"],
    ["/?%3FParam2=value2&Param1=value1", "InvalidSignatureException"],
    ["/.?Param2=value2&Param1=value1", "accepted"],
    ["//?Param2=value2&Param1=value1", "accepted"],
    ["/%2e?Param2=value2&Param1=value1", "InvalidSignatureException"],
    ["/%2F?Param2=value2&Param1=value1", "InvalidSignatureException"],
    ["/x/../?Param2=value2&Param1=value1", "accepted"],
  ];
  for (const [target, expected] of forms)
    assert.equal(
      await verdictOn(
        vector,
        onFirst(request, () => target),
      ),
      expected,
      target,
    );
});

test("two queries that differ in bytes which are no UTF-8 are two queries", async () => {
  const [vector] = vectors;
  assert.ok(vector !== undefined);
  const { credentials, region, service, timestamp } = vector.context;
  const signer = new SignatureV4({
    credentials: { accessKeyId: credentials.access_key_id, secretAccessKey: credentials.secret_access_key },
    region,
    service,
    sha256: Sha256,
    applyChecksum: false,
  });
  // What a decoder that gives up makes of every byte that is no UTF-8.
  const signed = await signer.sign(
    { method: "GET", protocol: "http:", hostname: "h", path: "/", query: { a: "\uFFFD" }, headers: { host: "h" } },
    { signingDate: new Date(timestamp) },
  );
  const rawHeaders = Object.entries(signed.headers).flat();
  for (const [url, expected] of [
    ["/?a=%EF%BF%BD", "accepted"],
    ["/?a=%FF", "InvalidSignatureException"],
    ["/?a=%C0%80", "InvalidSignatureException"],
  ] as const)
    assert.equal(judge(requestView({ method: "GET", url, rawHeaders }, Buffer.alloc(0)), vector, 0), expected);
});

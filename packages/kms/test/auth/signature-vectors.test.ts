// AWS's own test suite for Signature Version 4, each request verified as it was signed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { verifySignature } from "../../src/auth/signature.ts";
import type { AccessKey } from "../../src/auth/signature.ts";
import { headersByName } from "../../src/protocol/exchange.ts";
import type { RequestView } from "../../src/protocol/exchange.ts";
import { readVectors } from "../vectors.ts";

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
  readonly header_signed_request: string;
  readonly query_signed_request: string;
}

const vectors = readVectors("aws-sigv4.json") as Vector[] | null;

function parse(text: string): RequestView {
  const [head = "", ...body] = text.split("\n\n");
  const [first = "", ...lines] = head.split("\n");
  const [, method = "", target = ""] = /^(\S+) (.*) HTTP\/1\.1$/.exec(first) ?? [];
  const [path = "/", ...query] = target.split("?");
  const headers: [string, string][] = [];
  for (const line of lines) {
    const last = headers.at(-1);
    if (/^\s/.test(line) && last !== undefined) last[1] += ` ${line.trim()}`;
    else headers.push([line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
  }
  return {
    method,
    path,
    query: query.join("?"),
    headers: headersByName(headers.flat()),
    body: Buffer.from(body.join("\n\n")),
  };
}

function expectation({
  context,
}: Vector): [{ region: string; service: string; now: number }, (id: string) => AccessKey | null] {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, token } = context.credentials;
  const key = { accessKeyId, secretAccessKey, sessionToken: token ?? null, expiresAt: null };
  return [
    { region: context.region, service: context.service, now: Date.parse(context.timestamp) },
    (id) => (id === accessKeyId ? key : null),
  ];
}

// KMS, like every service but S3, signs the normalised path.
const normalised = vectors?.filter((vector) => vector.context.normalize) ?? [];

test(
  "every header signature of the suite verifies, and fails with another method, path or header",
  { skip: vectors === null && "no vectors beside the checkout" },
  () => {
    assert.equal(normalised.length, 31);
    for (const vector of normalised) {
      const request = parse(vector.header_signed_request);
      const [expected, find] = expectation(vector);
      assert.equal(verifySignature(request, expected, find).accessKeyId, "AKIDEXAMPLE", vector.name);
      const changes: RequestView[] = [
        { ...request, method: request.method === "GET" ? "POST" : "GET" },
        { ...request, path: `${request.path}x` },
        { ...request, query: `${request.query}&x=1` },
        { ...request, body: Buffer.concat([request.body, Buffer.from("x")]) },
        { ...request, headers: new Map([...request.headers, ["host", ["example.com"]]]) },
      ];
      for (const changed of changes)
        assert.throws(
          () => verifySignature(changed, expected, find),
          { type: "InvalidSignatureException" },
          vector.name,
        );
    }
  },
);

test(
  "every presigned query of the suite verifies until it expires",
  { skip: vectors === null && "no vectors beside the checkout" },
  () => {
    // A session token that is added after signing is a form that no AWS KMS client uses.
    for (const vector of normalised.filter((one) => one.context.omit_session_token !== true)) {
      const request = parse(vector.query_signed_request);
      const [expected, find] = expectation(vector);
      verifySignature(request, expected, find);
      verifySignature(request, { ...expected, now: expected.now + 3_599_000 }, find);
      assert.throws(() => verifySignature(request, { ...expected, now: expected.now + 3_601_000 }, find), {
        type: "InvalidSignatureException",
        message: /^Signature expired/,
      });
      const extended = { ...request, query: request.query.replace("Expires=3600", "Expires=7200") };
      assert.throws(
        () => verifySignature(extended, expected, find),
        { type: "InvalidSignatureException" },
        vector.name,
      );
    }
  },
);

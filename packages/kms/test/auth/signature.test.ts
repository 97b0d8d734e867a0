import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { SignatureV4 } from "@smithy/signature-v4";
import { REGION, runningKms, temporaryDirectory } from "../running-kms.ts";
import { Sha256, send, signedCall, signedHeaders } from "../signed-call.ts";
import type { SignedCall, WireAnswer } from "../signed-call.ts";

async function setup(t: Parameters<typeof runningKms>[0]): Promise<{
  call: SignedCall;
  attempt: (change: (headers: Record<string, string>) => Record<string, string>, body?: string) => Promise<WireAnswer>;
  endpoint: string;
}> {
  const { kms } = await runningKms(t);
  const endpoint = kms.endpoints[REGION]!;
  const call: SignedCall = { endpoint, credentials: kms.credentials, region: REGION, operation: "ListKeys", body: {} };
  const attempt = async (
    change: (headers: Record<string, string>) => Record<string, string>,
    body = "{}",
  ): Promise<WireAnswer> => send(endpoint, change(await signedHeaders(call, "{}")), body);
  return { call, attempt, endpoint };
}

const typeOf = (answer: WireAnswer): unknown => answer.json["__type"];

test("what was signed is what is answered: another body, target, date or signature is refused", async (t) => {
  const { attempt } = await setup(t);
  assert.equal((await attempt((headers) => headers)).status, 200);
  const changes: [string, (headers: Record<string, string>) => Record<string, string>, string?][] = [
    ["body", (headers) => headers, '{"Limit":1}'],
    ["target", (headers) => ({ ...headers, "x-amz-target": "TrentService.CreateKey" })],
    ["content type", (headers) => ({ ...headers, "content-type": "text/plain" })],
    [
      "date",
      (headers) => ({
        ...headers,
        "x-amz-date": headers["x-amz-date"]!.replace(/\dZ$/, (digit) => `${(Number(digit[0]) + 1) % 10}Z`),
      }),
    ],
    [
      "signature",
      (headers) => ({
        ...headers,
        authorization: headers["authorization"]!.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
      }),
    ],
    ["an unsigned amz header", (headers) => ({ ...headers, "x-amz-extra": "1" })],
    [
      "a signed header left out",
      (headers) => ({ ...headers, authorization: headers["authorization"]!.replace(";x-amz-target", "") }),
    ],
    ["content hash", (headers) => ({ ...headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" })],
  ];
  for (const [what, change, body] of changes) {
    const answer = await attempt(change, body);
    assert.deepEqual([answer.status, typeOf(answer)], [400, "InvalidSignatureException"], what);
  }
});

test("a signature counts for five minutes, either way", async (t) => {
  const { call } = await setup(t);
  const at = (minutes: number): Promise<WireAnswer> =>
    signedCall({ ...call, signingDate: new Date(Date.now() + minutes * 60_000) });
  for (const minutes of [-4.9, 0, 4.9]) assert.equal((await at(minutes)).status, 200);
  assert.match(String((await at(-5.1)).json["message"]), /^Signature expired: \d{8}T\d{6}Z is now earlier than/);
  assert.match(String((await at(5.1)).json["message"]), /^Signature not yet current/);
});

test("scope: another region, another service", async (t) => {
  const { call } = await setup(t);
  for (const change of [{ region: "eu-west-2" }, { service: "s3" }])
    assert.equal(typeOf(await signedCall({ ...call, ...change })), "InvalidSignatureException");
});

test("credentials: none, unknown, a wrong secret", async (t) => {
  const { call, endpoint } = await setup(t);
  assert.equal(
    typeOf(await send(endpoint, { "x-amz-target": "TrentService.ListKeys" }, "{}")),
    "MissingAuthenticationTokenException",
  );
  assert.equal(
    typeOf(await signedCall({ ...call, credentials: { ...call.credentials, accessKeyId: "AKIAUNKNOWNUNKNOWN00" } })),
    "UnrecognizedClientException",
  );
  assert.equal(
    typeOf(await signedCall({ ...call, credentials: { ...call.credentials, secretAccessKey: "wrong" } })),
    "InvalidSignatureException",
  );
  assert.equal(
    typeOf(await signedCall({ ...call, credentials: { ...call.credentials, sessionToken: "uncalled for" } })),
    "UnrecognizedClientException",
  );
});

test("a malformed Authorization header is named as such", async (t) => {
  const { attempt } = await setup(t);
  const forms = [
    (value: string): string => value.replace("AWS4-HMAC-SHA256", "Bearer"),
    (value: string): string => value.replace(/Signature=.*/, ""),
    (value: string): string => value.replace("/aws4_request", ""),
    (value: string): string => value.replace("host;", ""),
    (value: string): string => `${value}, Signature=${"0".repeat(64)}`,
    (value: string): string => value.replace(/Signature=.*/, "Signature=abc"),
    (value: string): string => value.replace("content-type;host", "host;content-type"),
  ];
  for (const form of forms) {
    const answer = await attempt((headers) => ({ ...headers, authorization: form(headers["authorization"]!) }));
    assert.deepEqual([answer.status, typeOf(answer)], [400, "IncompleteSignatureException"]);
  }
});

test("a header that comes twice is refused: the two readers of it would see two requests", async (t) => {
  const { call, endpoint } = await setup(t);
  const headers = await signedHeaders(call, "{}");
  for (const name of ["x-amz-target", "x-amz-date", "authorization"]) {
    const raw = Object.entries(headers).flatMap(([key, value]) =>
      key === name ? [key, value, key, "TrentService.CreateKey"] : [key, value],
    );
    const text = await new Promise<string>((resolve, reject) => {
      const sent = httpRequest(endpoint, { method: "POST", headers: [...raw, "content-length", "2"] }, (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.on("end", () => {
          resolve(body);
        });
      });
      sent.on("error", reject);
      sent.end("{}");
    });
    assert.match(text, /IncompleteSignatureException|InvalidSignatureException/, name);
  }
});

test("temporary credentials need their token and end when they expire", async (t) => {
  const directory = await temporaryDirectory(t);
  const principalsFile = join(directory, "principals.json");
  const key = {
    accessKeyId: "ASIATEMPORARY0000000",
    secretAccessKey: "temporary-secret-key",
    sessionToken: "the-token",
  };
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const policies = [{ Statement: { Effect: "Allow", Action: "kms:ListKeys", Resource: "*" } }];
  writeFileSync(
    principalsFile,
    JSON.stringify({
      principals: [{ arn: "arn:aws:iam::000000000000:role/batch", policies, accessKeys: [{ ...key, expiresAt }] }],
    }),
    { mode: 0o600 },
  );
  const { kms, clock } = await runningKms(t, { principalsFile });
  const call = (credentials: SignedCall["credentials"]): Promise<WireAnswer> =>
    signedCall({
      endpoint: kms.endpoints[REGION]!,
      credentials,
      region: REGION,
      operation: "ListKeys",
      body: {},
      signingDate: new Date(clock.now()),
    });
  assert.equal((await call(key)).status, 200);
  assert.equal(typeOf(await call({ ...key, sessionToken: "another" })), "UnrecognizedClientException");
  assert.equal(
    typeOf(await call({ accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey })),
    "UnrecognizedClientException",
  );
  clock.advance(3_600_000);
  assert.equal(typeOf(await call(key)), "ExpiredTokenException");
});

test("a presigned request is answered until it expires, and only as it was signed", async (t) => {
  const { kms, clock } = await runningKms(t);
  const url = new URL(kms.endpoints[REGION]!);
  const signer = new SignatureV4({ credentials: kms.credentials, region: REGION, service: "kms", sha256: Sha256 });
  const headers = { host: url.host, "x-amz-target": "TrentService.ListKeys" };
  const signed = await signer.presign(
    { method: "POST", protocol: "http:", hostname: url.hostname, path: "/", headers, body: "{}" },
    { expiresIn: 60, unhoistableHeaders: new Set(["x-amz-target"]) },
  );
  const query = new URLSearchParams(signed.query as Record<string, string>);
  const post = (body: string, parameters = query): Promise<WireAnswer> =>
    send(`${url.origin}/?${parameters.toString()}`, { "x-amz-target": "TrentService.ListKeys" }, body);
  assert.equal((await post("{}")).status, 200);
  assert.equal(typeOf(await post('{"Limit":1}')), "InvalidSignatureException");
  const longer = new URLSearchParams(query);
  longer.set("X-Amz-Expires", "600");
  assert.equal(typeOf(await post("{}", longer)), "InvalidSignatureException");
  clock.advance(61_000);
  assert.match(String((await post("{}")).json["message"]), /^Signature expired/);
});

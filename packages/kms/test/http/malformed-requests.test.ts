import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { REGION, runningKms } from "../running-kms.ts";
import { send, signedCall, signedHeaders } from "../signed-call.ts";
import type { WireAnswer } from "../signed-call.ts";
import { malformedRequest } from "./malformed-requests.ts";

/** An answer in AWS's shape, of the client's fault, that tells nothing of the server's inside. */
function assertRefusal(answer: WireAnswer, what: string): void {
  assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} ${answer.text}`);
  assert.equal(typeof answer.json["__type"], "string", what);
  assert.doesNotMatch(answer.text, /\bat .+\.ts:\d+|node:internal|SQLITE|TypeError|RangeError/, what);
}

test("malformed requests get an AWS-shaped 4xx or, if they happen to be right, an answer", async (t) => {
  const { kms } = await runningKms(t);
  const endpoint = kms.endpoints[REGION]!;
  await fc.assert(
    fc.asyncProperty(malformedRequest, async ({ target, contentType, body, signed, headers }) => {
      const plain = { "x-amz-target": target.trim(), "content-type": contentType, ...headers };
      const call = { endpoint, credentials: kms.credentials, region: REGION, operation: "", body, headers: plain };
      const answer = await send(endpoint, signed ? { ...(await signedHeaders(call, body)), ...headers } : plain, body);
      if (answer.status !== 200) assertRefusal(answer, JSON.stringify({ target, body }));
      else assert.ok(signed);
    }),
    { numRuns: 200, seed: 5 },
  );
  assert.equal(
    (await signedCall({ endpoint, credentials: kms.credentials, region: REGION, operation: "ListKeys", body: {} }))
      .status,
    200,
  );
});

test("what is not a POST to / of a reasonable size is refused before anything else", async (t) => {
  const { kms } = await runningKms(t);
  const endpoint = kms.endpoints[REGION]!;
  const large = await send(endpoint, {}, "x".repeat(600_000));
  assert.deepEqual([large.status, large.json["__type"]], [413, "RequestEntityTooLargeException"]);
  for (const [method, path] of [
    ["GET", "/"],
    ["PUT", "/"],
    ["POST", "/other"],
    ["DELETE", "/keys/1"],
    ["POST", "//evil"],
  ] as const) {
    const response = await fetch(new URL(endpoint).origin + path, { method });
    assert.equal(response.status, 400, `${method} ${path}`);
    assert.equal(((await response.json()) as { __type: string }).__type, "MissingAuthenticationTokenException");
  }
  assert.deepEqual(await (await fetch(`${endpoint}/healthz`)).json(), { status: "ok", region: REGION });
});

test("bytes that are not HTTP end the connection and nothing more", async (t) => {
  const { kms, client } = await runningKms(t);
  const { hostname, port } = new URL(kms.endpoints[REGION]!);
  for (const bytes of [
    "\u0000\u0001\u0002",
    "GET / HTTP/9.9\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nzz\r\n",
    `GET / HTTP/1.1\r\nX: ${"x".repeat(70_000)}\r\n\r\n`,
  ]) {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.end(bytes));
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString("latin1")));
      socket.on("close", () => {
        resolve(text);
      });
      socket.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
      });
    });
    assert.match(answer, /^(?:HTTP\/1\.1 4\d\d|$)/);
  }
  await client().listKeys({});
});

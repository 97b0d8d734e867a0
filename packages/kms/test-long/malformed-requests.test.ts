// 100,000 malformed requests: an AWS-shaped 4xx for each, no crash, memory flat.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { malformedRequest } from "../test/http/malformed-requests.ts";
import { REGION, runningKms } from "../test/running-kms.ts";
import { send, signedHeaders } from "../test/signed-call.ts";

const TOTAL = Number(process.env["STRONGROOM_FUZZ_REQUESTS"] ?? 100_000);
const AT_ONCE = 50;

test(`${TOTAL} malformed requests leave the server as it was`, { timeout: 1_800_000 }, async (t) => {
  const { kms, client } = await runningKms(t);
  const endpoint = kms.endpoints[REGION]!;
  const types = new Map<string, number>();
  const memory: number[] = [];
  for (let sent = 0; sent < TOTAL; sent += 1000) {
    const requests = fc.sample(malformedRequest, { numRuns: Math.min(1000, TOTAL - sent), seed: sent });
    for (let i = 0; i < requests.length; i += AT_ONCE) {
      await Promise.all(
        requests.slice(i, i + AT_ONCE).map(async ({ target, contentType, body, signed, headers }) => {
          const plain = { "x-amz-target": target.trim(), "content-type": contentType, ...headers };
          const call = { endpoint, credentials: kms.credentials, region: REGION, operation: "", body, headers: plain };
          const answer = await send(
            endpoint,
            signed ? { ...(await signedHeaders(call, body)), ...headers } : plain,
            body,
          );
          const type = (answer.json["__type"] as string | undefined) ?? String(answer.status);
          types.set(type, (types.get(type) ?? 0) + 1);
          assert.ok(
            answer.status === 200 ||
              (answer.status >= 400 && answer.status < 500 && answer.json["__type"] !== undefined),
            `${answer.status} ${answer.text} for ${body}`,
          );
          assert.doesNotMatch(answer.text, /\bat .+\.ts:\d+|node:internal/);
        }),
      );
    }
    if (sent % 20_000 === 0) {
      global.gc?.();
      memory.push(Math.round(process.memoryUsage().rss / 2 ** 20));
    }
  }
  await client().listKeys({});
  t.diagnostic(`answers: ${JSON.stringify(Object.fromEntries([...types].sort((a, b) => b[1] - a[1])))}`);
  t.diagnostic(`resident memory of server and client together, MiB: ${memory.join(", ")}`);
});

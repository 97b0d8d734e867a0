/** Calls that the service refused for its load are sent again, others are not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, createClient, isClientError } from "@strongroom/client";
import { json } from "./support/service.ts";

const WRITTEN = {
  collection: "people",
  id: "a",
  subject: "a",
  version: 1,
  createdAt: "2026-03-04T05:06:07.890Z",
  outcome: "created",
  wraps: { stored: 3, target: 3, missing: [] },
};
const refusal = (status: number, code: string, headers: Readonly<Record<string, string>> = { "retry-after": "0" }) =>
  json({ code, status }, status, headers);

/** A client whose calls are answered by these, one after the other, and the number of those that came. */
function answering(
  answers: readonly (() => Response)[],
  options: object = {},
): { client: Client; calls: () => number } {
  let calls = 0;
  const fetch = async (): Promise<Response> => (answers[Math.min(calls++, answers.length - 1)] ?? (() => json({})))();
  return { client: createClient({ url: "http://vault.test", token: "srt_x", fetch, ...options }), calls: () => calls };
}

const written = (): Response => json(WRITTEN, 201);
const put = (client: Client): Promise<unknown> => client.records.put("people", "a", {});
const list = (client: Client): Promise<unknown> => client.records.list("people").page();
const foreign = (): Response => new Response("busy", { status: 503, headers: { "retry-after": "0" } });

/** The first answer -> how many calls a write and a read come to when the second would be right. */
const FIRST: readonly (readonly [name: string, answer: () => Response, write: number, read: number])[] = [
  ["overloaded", () => refusal(503, "overloaded"), 2, 2],
  ["token-limit", () => refusal(429, "token-limit"), 2, 2],
  ["find-limit", () => refusal(429, "find-limit"), 2, 2],
  ["429 of a proxy", () => new Response("slow", { status: 429 }), 2, 2],
  ["503 of a proxy that says when", foreign, 1, 2],
  ["503 of a proxy that does not", () => new Response("down", { status: 503 }), 1, 1],
  ["regions-unavailable", () => refusal(503, "regions-unavailable"), 1, 1],
  ["request-deadline", () => refusal(503, "request-deadline"), 1, 1],
  ["store-failed", () => refusal(503, "store-failed"), 1, 1],
  ["internal", () => refusal(500, "internal"), 1, 1],
];

for (const [name, answer, write, read] of FIRST) {
  test(`${name}: a write comes to ${write} calls, a read to ${read}`, async () => {
    const writing = answering([answer, written]);
    await put(writing.client).catch(() => undefined);
    assert.equal(writing.calls(), write);
    const reading = answering([answer, () => json({ items: [], next: null })]);
    await list(reading.client).catch(() => undefined);
    assert.equal(reading.calls(), read);
  });
}

test("it is repeated so often and no more, and the last refusal is told", async () => {
  const { client, calls } = answering([() => refusal(503, "overloaded")], { retries: 2 });
  await assert.rejects(put(client), (error) => {
    assert.ok(isClientError(error));
    assert.deepEqual([error.code, error.outcome, error.retryAfterSeconds], ["overloaded", "unavailable", 0]);
    return true;
  });
  assert.equal(calls(), 3);
  const never = answering([() => refusal(503, "overloaded"), written], { retries: 0 });
  await assert.rejects(put(never.client), { code: "overloaded" });
  assert.equal(never.calls(), 1);
});

test("it waits as long as it is asked to, and not when that is longer than the call may take", async () => {
  const startedAt = performance.now();
  const { client, calls } = answering([() => refusal(429, "token-limit", { "retry-after": "1" }), written]);
  await put(client);
  assert.ok(performance.now() - startedAt >= 1000);
  assert.equal(calls(), 2);
  const date = { "retry-after": new Date(Date.now() + 3_600_000).toUTCString() };
  const long = answering([() => refusal(503, "overloaded", date), written]);
  await assert.rejects(put(long.client), { code: "overloaded" });
  assert.equal(long.calls(), 1);
});

test("a caller that gives up while it waits is told so", async () => {
  const controller = new AbortController();
  const answers = [() => refusal(503, "overloaded", { "retry-after": "20" }), written];
  let calls = 0;
  const client = createClient({
    url: "http://vault.test",
    token: "srt_x",
    signal: controller.signal,
    fetch: async (request) => {
      request.signal.throwIfAborted();
      return (answers[calls++] ?? written)();
    },
  });
  const put = client.records.put("people", "a", {});
  setTimeout(() => {
    controller.abort();
  }, 30);
  await assert.rejects(put, { code: "aborted" });
  assert.equal(calls, 1);
});

test("a number of repetitions that is none is refused", () => {
  for (const retries of [-1, 1.5, Number.NaN, "3", null])
    assert.throws(() => answering([], { retries }), { code: "option-invalid" });
});

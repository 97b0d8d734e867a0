/** Plan and run over a real service, and a run that is followed through whatever happens to its stream. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, isClientError } from "@strongroom/client";
import type { Client, ConvergenceStatus } from "@strongroom/client";
import { madeConvergence, RUN } from "../../../tests/support/made-convergence.ts";
import { serverEvents } from "../src/event-stream.ts";
import { json, service } from "./support/service.ts";

const FLEET = { minimum: 0, health: () => [] };

test("plan and run: every call reaches the service, and gives what it says", async (t) => {
  const made = madeConvergence();
  const { client } = await service(t, FLEET, made.front);
  const { convergence } = await client("admin");
  const options = { verify: 0.5, keepOld: true, scopes: false, material: "current", rate: 7 } as const;
  assert.deepEqual(await convergence.plan(options), made.plan);
  assert.deepEqual(await convergence.inventory(), made.inventory);
  assert.deepEqual(await convergence.failures().all(), made.failures.failures);
  assert.deepEqual((await convergence.probe("arn:1/2 3")).key, "arn:1/2 3");
  await convergence.apply({ ...options, force: true });
  await convergence.pause("an import");
  await convergence.resume();
  await convergence.undo("wrong keys");
  assert.equal((await convergence.cancel("enough")).run?.state, "cancelled");
  assert.equal((await convergence.status()).run?.reason, "enough");
  await assert.rejects(convergence.pause("again"), { code: "run-absent", outcome: "absent" });
  assert.deepEqual(
    made.asked.map(({ call, given }) => [call, ...given]),
    [
      ["plan", options],
      ["inventory"],
      ["failures", { limit: 1000 }],
      ["probe", "arn:1/2 3"],
      ["apply", { ...options, force: true }],
      ["pause", "an import"],
      ["resume"],
      ["undo", "wrong keys"],
      ["cancel", "enough"],
      ["status"],
      ["pause", "again"],
    ],
  );
});

test("a run is followed until it ends", async (t) => {
  const made = madeConvergence();
  made.run({});
  const { client } = await service(t, FLEET, made.front);
  const phases: (string | undefined)[] = [];
  for await (const { run } of (await client("read")).convergence.follow()) {
    phases.push(run?.phase);
    if (run?.phase === "add") made.run({ phase: "drop" });
    else made.run({ phase: "end", state: "done" });
  }
  assert.deepEqual(phases, ["add", "drop", "end"]);
});

const status = (done: number): ConvergenceStatus => ({
  run: { ...RUN, progress: { ...RUN.progress, done } },
  fleet: [],
});
const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** A stream that says this, in parts, and then ends, breaks, or falls silent. */
function stream(parts: readonly string[], then: "ends" | "breaks" | "is-silent" = "ends"): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      if (then === "ends") controller.close();
    },
    pull(controller) {
      if (then === "breaks") controller.error(new TypeError("terminated"));
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}

/** A client whose calls are answered by these, one after the other. */
function answering(
  answers: readonly (() => Response)[],
  options: object = {},
): { client: Client; calls: () => number } {
  let calls = 0;
  const fetch = async (): Promise<Response> => answers[Math.min(calls++, answers.length - 1)]!();
  return { client: createClient({ url: "http://vault.test", token: "srt_x", fetch, ...options }), calls: () => calls };
}

async function done(client: Client, options: object = {}): Promise<readonly (number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for await (const { run } of client.convergence.follow(options)) found.push(run?.progress.done);
  return found;
}

test("a stream that ends or breaks is asked for again, and nothing is told twice", async () => {
  const away: string[] = [];
  const { client, calls } = answering([
    () => stream(["retry: 2000\n\n", event("status", status(1)).slice(0, 9), event("status", status(1)).slice(9)]),
    () => stream([event("status", status(1)), ": still here\n\n", event("status", status(2))], "breaks"),
    () => json({ code: "store-failed", status: 503 }, 503),
    () => stream([event("status", status(2)) + event("status", status(3)).replaceAll("\n", "\r\n"), event("end", {})]),
  ]);
  const onAway = ({ code }: { readonly code: string }): void => void away.push(code);
  assert.deepEqual(await done(client, { onAway }), [1, 2, 3]);
  assert.deepEqual([calls(), away], [4, ["unreachable", "store-failed"]]);
});

test("the first time must succeed, and what is no stream of a service is refused", async () => {
  for (const [answer, code] of [
    [() => json({ code: "store-failed", status: 503 }, 503), "store-failed"],
    [() => json({ code: "convergence-missing", status: 501 }, 501), "convergence-missing"],
    [() => json({}), "unintelligible"],
    [() => stream([event("status", { run: 1 })]), "unintelligible"],
    [() => stream(["event: status\ndata: {\n\n"]), "unintelligible"],
    [() => stream([event("problem", { code: "token-invalid", status: 401 })]), "token-invalid"],
    [() => stream([event("problem", "x")]), "unintelligible"],
    [() => stream(["x".repeat(5 * 1024 * 1024)]), "answer-too-large"],
    [() => stream([`data: ${"x".repeat(5 * 1024 * 1024)}\n\n`]), "answer-too-large"],
  ] as const)
    await assert.rejects(done(answering([answer]).client), { code }, code);
});

test("a token that is revoked ends it also after the first status", async () => {
  const problem = { code: "token-invalid", status: 401 };
  const { client, calls } = answering([() => stream([event("status", status(1)), event("problem", problem)])]);
  await assert.rejects(done(client), { code: "token-invalid" });
  assert.equal(calls(), 1);
});

test("a signal ends it while it waits, of the client or of the call", async () => {
  for (const whose of ["client", "call"] as const) {
    const controller = new AbortController();
    const { client } = answering(
      [() => stream([event("status", status(1))])],
      whose === "client" ? { signal: controller.signal } : {},
    );
    const following = done(client, whose === "call" ? { signal: controller.signal } : {});
    setTimeout(() => {
      controller.abort();
    }, 50);
    await assert.rejects(following, { code: "aborted" }, whose);
  }
});

test("a stream that is silent is given up", async () => {
  const { body } = stream([event("status", status(1))], "is-silent");
  const found: string[] = [];
  await assert.rejects(
    async () => {
      for await (const { name } of serverEvents(body!, [], { eventLength: 10_000, silenceMs: 50 })) found.push(name);
    },
    (error) => isClientError(error) && error.code === "unreachable" && error.message.includes("Nothing was heard"),
  );
  assert.deepEqual(found, ["status"]);
});

test("whoever stops listening closes the connection", async () => {
  let cancelled = 0;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(event("status", status(1))));
    },
    cancel() {
      cancelled++;
    },
  });
  const headers = { "content-type": "text/event-stream" };
  const { client } = answering([() => new Response(body, { headers })]);
  for await (const { run } of client.convergence.follow()) if (run !== null) break;
  assert.equal(cancelled, 1);
});

/**
 * A run as it goes, as server-sent events: what is sent and when, how many may follow, and what ends a stream.
 */
import assert from "node:assert/strict";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { VaultError } from "@strongroom/vault";
import { madeConvergence, RUN } from "../../../../tests/support/made-convergence.ts";
import type { MadeConvergence } from "../../../../tests/support/made-convergence.ts";
import { call } from "../support/http.ts";
import { installation } from "../support/installation.ts";
import type { Installation, InstallationOptions } from "../support/installation.ts";

const PATH = "/v1/keys/run/events";

interface Event {
  readonly name: string;
  readonly data: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- whatever the service sent
  readonly atMs: number;
}

/** A client that follows. */
interface Followed {
  readonly answer: IncomingMessage;
  readonly events: readonly Event[];
  readonly text: () => string;
  readonly leave: () => void;
  readonly ended: Promise<void>;
  /** Resolves when there are so many. */
  readonly until: (count: number) => Promise<void>;
}

function follow(origin: string, token: string): Promise<Followed> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      hostname,
      port,
      path: PATH,
      agent: false,
      headers: { authorization: `Bearer ${token}` },
    });
    outgoing.once("error", reject);
    outgoing.once("response", (answer) => {
      let text = "";
      const events: Event[] = [];
      answer.setEncoding("utf8");
      answer.on("error", () => undefined);
      answer.on("data", (part: string) => {
        text += part;
        const found = [...text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)];
        for (const [, name = "", data = ""] of found.slice(events.length))
          events.push({ name, data: JSON.parse(data), atMs: performance.now() });
      });
      const ended = new Promise<void>((done) => answer.once("close", done));
      resolve({
        answer,
        events,
        text: () => text,
        leave: () => outgoing.destroy(),
        ended,
        until: async (count) => {
          while (events.length < count) await delay(10);
        },
      });
    });
    outgoing.end();
  });
}

type Following = Installation & { readonly made: MadeConvergence };

async function following(t: TestContext, options: InstallationOptions = {}): Promise<Following> {
  const made = madeConvergence();
  made.run({});
  return { ...(await installation(t, { front: made.front, ...options })), made };
}

const names = ({ events }: Followed): readonly string[] => events.map(({ name }) => name);

test("a status comes at once and when something has changed, at most one a second, and an end with the run", async (t) => {
  const { origin, token, made, log } = await following(t);
  const followed = await follow(origin, token.read);
  await followed.until(1);
  const { headers, statusCode } = followed.answer;
  assert.deepEqual(
    [statusCode, headers["content-type"], headers["cache-control"], headers["x-content-type-options"]],
    [200, "text/event-stream; charset=utf-8", "no-store", "nosniff"],
  );
  assert.match(String(headers["request-id"]), /^[0-9a-f-]{36}$/);
  assert.deepEqual(followed.events[0]?.data, made.status);
  let done = 0;
  const changing = setInterval(() => {
    made.run({ progress: { ...RUN.progress, done: ++done } });
  }, 20);
  await followed.until(4);
  clearInterval(changing);
  for (const [index, { atMs }] of followed.events.entries())
    if (index > 0) assert.ok(atMs - followed.events[index - 1]!.atMs >= 800, "at most one a second");
  made.run({ state: "done", phase: "end", endedAt: "2026-03-04T06:00:00.000Z" });
  await followed.ended;
  assert.equal(followed.answer.complete, true);
  assert.equal(names(followed).at(-1), "end");
  assert.equal(followed.events.at(-2)?.data.run.state, "done");
  assert.match(log(), /"route":"\/v1\/keys\/run\/events","status":200/);
});

test("what has not changed is not sent again, and nobody asks when nobody follows", async (t) => {
  const { origin, token, made } = await following(t);
  const followed = await follow(origin, token.read);
  await delay(2500);
  assert.deepEqual(names(followed), ["status"]);
  followed.leave();
  await delay(1200);
  const looks = made.asked.length;
  await delay(1500);
  assert.equal(made.asked.length, looks);
});

test("without a run, and after one, there is an end at once", async (t) => {
  const { origin, token, made } = await following(t);
  made.status = { ...made.status, run: null };
  const none = await call(origin, PATH, { token: token.read });
  assert.match(none.text, /^retry: 2000\n\nevent: status\ndata: \{"run":null.*\n\nevent: end\ndata: \{\}\n\n$/);
  made.run({ state: "undone", phase: "end" });
  assert.match((await call(origin, PATH, { token: token.read })).text, /event: end/);
  const head = await call(origin, PATH, { method: "HEAD", token: token.read });
  assert.deepEqual([head.status, head.text], [200, ""]);
});

test("many who follow cost one question a second", async (t) => {
  const { origin, token, made } = await following(t);
  const followed = await Promise.all(Array.from({ length: 8 }, () => follow(origin, token.read)));
  await Promise.all(followed.map((one) => one.until(1)));
  const before = made.asked.length;
  await delay(2200);
  assert.ok(made.asked.length - before <= 3, String(made.asked.length - before));
  for (const one of followed) one.leave();
});

test("there are so many streams and no more, of one token fewer, and a place is free when a client leaves", async (t) => {
  const { origin, token } = await following(t, { limits: { streams: 3, streamsPerToken: 2 } });
  const first = await follow(origin, token.read);
  const second = await follow(origin, token.read);
  const third = await call(origin, PATH, { token: token.read });
  assert.deepEqual([third.status, third.json.code], [429, "token-limit"]);
  const other = await follow(origin, token.admin);
  const beyond = await call(origin, PATH, { token: token.admin });
  assert.deepEqual([beyond.status, beyond.json.code], [503, "overloaded"]);
  assert.match((await call(origin, "/metrics")).text, /^strongroom_streams 3$/m);
  // None of them has a place of those that work.
  assert.match((await call(origin, "/metrics")).text, /^strongroom_admission_in_use 0$/m);
  first.leave();
  while (!/^strongroom_streams 2$/m.test((await call(origin, "/metrics")).text)) await delay(10);
  const again = await follow(origin, token.read);
  assert.equal(again.answer.statusCode, 200);
  for (const one of [second, other, again]) one.leave();
});

test("a token that is revoked ends its streams, and no other", async (t) => {
  const { origin, token, tokens } = await following(t);
  const [reader] = (await tokens.list()).filter(({ scopes }) => scopes.includes("read"));
  const followed = await follow(origin, token.read);
  const other = await follow(origin, token.admin);
  await Promise.all([followed.until(1), other.until(1)]);
  await tokens.revoke(reader!.id);
  await followed.ended;
  assert.deepEqual([names(followed), followed.events.at(-1)?.data.code], [["status", "problem"], "token-invalid"]);
  assert.deepEqual(names(other), ["status"]);
  other.leave();
});

test("the service ends also while somebody follows", async (t) => {
  const { origin, token, app } = await following(t);
  const followed = await follow(origin, token.read);
  await followed.until(1);
  await Promise.all([app.close(), followed.ended]);
  assert.equal(followed.answer.complete, true);
  assert.deepEqual(names(followed), ["status"]);
});

test("a store that fails is a problem of its own at the start, and an event later; a fault tells nothing", async (t) => {
  const { origin, token, made, log } = await following(t);
  made.fails = new VaultError("store-failed", "The store does not answer");
  const refused = await call(origin, PATH, { token: token.read });
  assert.equal(refused.json.code, "store-failed");
  made.fails = null;
  const followed = await follow(origin, token.read);
  await followed.until(1);
  made.fails = new Error("secret detail");
  await followed.ended;
  assert.deepEqual([names(followed), followed.events[1]?.data.code], [["status", "problem"], "internal"]);
  assert.doesNotMatch(followed.text() + log(), /secret detail/);
});

test("a client that reads nothing is ended, and holds one event at most", async (t) => {
  const { origin, token, made } = await following(t, { limits: { stallMs: 200 } });
  const filler = "x".repeat(4_000_000);
  made.run({ reason: filler });
  const followed = await follow(origin, token.read);
  followed.answer.pause();
  let turn = 0;
  const changing = setInterval(() => {
    made.run({ reason: `${++turn}${filler}` });
  }, 100);
  t.after(() => {
    clearInterval(changing);
  });
  while (!/^strongroom_streams 0$/m.test((await call(origin, "/metrics")).text)) await delay(50);
  followed.leave();
});

/** The service when more is asked of it than it may do: over real HTTP, with regions that do not answer. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createServer as createApi } from "@strongroom/server";
import { defer } from "../../../../tests/support/defer.ts";
import { call } from "../support/http.ts";
import { installation } from "../support/installation.ts";
import type { Installation, InstallationOptions } from "../support/installation.ts";
import { logLines } from "../support/log-lines.ts";

const path = "/v1/records/people/42";

/** An installation whose regions take every call and answer none. */
async function silent(t: TestContext, limits: InstallationOptions["limits"]): Promise<Installation> {
  const hole = createServer((socket) => socket.on("error", () => undefined).resume()).listen(0, "127.0.0.1");
  await once(hole, "listening");
  defer(t, () => hole.close());
  const blackHole = `http://127.0.0.1:${(hole.address() as { port: number }).port}`;
  const keyring = { attemptTimeoutMs: 5000, deadlineMs: 5000 };
  return installation(t, { limits: { waitMs: 200, ...limits }, blackHole, keyring });
}

/** A write that nobody waits for; the returned function gives it up. */
function write({ origin, token }: Installation, id: string): () => void {
  const outgoing = request(`${origin}/v1/records/people/${id}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token.write}`, "content-type": "application/json" },
  });
  outgoing.on("error", () => undefined).end("{}");
  return () => outgoing.destroy();
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

const figure = async ({ origin }: Installation, name: string): Promise<number> => {
  const { text } = await call(origin, "/metrics");
  return Number(new RegExp(`^${name.replaceAll(/[{}]/g, "\\$&")} (\\d+)$`, "m").exec(text)?.[1]);
};

test("beyond its limits the service refuses with a time to come again, and stays open to whoever runs it", async (t) => {
  const service = await silent(t, { atOnce: 1, waiting: 1 });
  const { origin, token, log } = service;
  const givenUp = [write(service, "1"), write(service, "2")];
  await until(async () => (await figure(service, "strongroom_admission_waiting")) === 1);
  for (const [to, options] of [
    [path, {}],
    [path, { body: {} }],
    [path, { method: "DELETE" }],
    [`${path}/versions`, {}],
    [`${path}/versions/1`, {}],
    ["/v1/records/people", {}],
    ["/v1/records/people", { method: "POST", body: { records: [] } }],
    ["/v1/collections", {}],
  ] as const) {
    const refused = await call(origin, to, { token: token.admin, ...options });
    assert.deepEqual([refused.status, refused.json.code, refused.headers["retry-after"]], [503, "overloaded", "1"], to);
  }
  for (const to of ["/healthz", "/readyz", "/metrics", "/openapi.json"])
    assert.notEqual((await call(origin, to)).json?.code, "overloaded", to);
  for (const to of ["/v1/regions", "/v1/regions/debt"])
    assert.equal((await call(origin, to, { token: token.read })).status, 200);
  assert.equal((await call(origin, path, {})).status, 401);
  assert.equal((await call(origin, path, { token: token.read, body: {} })).status, 403);

  // The second waited for as long as it may; whoever gave up is gone from both.
  for (const giveUp of givenUp) giveUp();
  await until(async () => (await figure(service, "strongroom_admission_in_use")) === 0);
  assert.equal(await figure(service, "strongroom_admission_waiting"), 0);
  assert.ok((await figure(service, 'strongroom_admission_refused_total{reason="queue-full"}')) >= 1);
  assert.equal((await call(origin, path, { token: token.read })).json.code, "record-absent");
  await until(async () => logLines(log()).some(({ msg }) => msg === "requests were refused within a second"));
});

test("one token that has as many requests open as it may is refused, another is not", async (t) => {
  const service = await silent(t, { atOnce: 4, waiting: 4, perToken: 2 });
  const { origin, token } = service;
  const givenUp = [write(service, "1"), write(service, "2")];
  await until(async () => (await figure(service, "strongroom_admission_in_use")) === 2);
  const refused = await call(origin, path, { token: token.write, body: {} });
  assert.deepEqual([refused.status, refused.json.code, refused.headers["retry-after"]], [429, "token-limit", "1"]);
  assert.equal((await call(origin, path, { token: token.read })).status, 404);
  for (const giveUp of givenUp) giveUp();
  await until(async () => (await figure(service, "strongroom_admission_in_use")) === 0);
  assert.equal((await call(origin, path, { token: token.admin })).status, 404);
});

test("who goes while the token is looked up holds nothing of its token's share", async (t) => {
  const { vault, tokens, token } = await installation(t);
  const lookups: (() => void)[] = [];
  const slowly = {
    verify: async (presented: string) => {
      await new Promise<void>((resolve) => lookups.push(resolve));
      return tokens.verify(presented);
    },
  };
  const regions = { minimum: 0, health: () => [] };
  const app = await createApi({ vault, tokens: slowly, regions, limits: { perToken: 1 } });
  defer(t, () => app.close());
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  const gone = once(app.server, "request").then(([, answer]) => once(answer as ServerResponse, "close"));
  const outgoing = request(`${origin}${path}`, { headers: { authorization: `Bearer ${token.read}` } });
  outgoing.on("error", () => undefined).end();
  await until(async () => lookups.length === 1);
  outgoing.destroy();
  await gone;
  const next = call(origin, path, { token: token.read });
  await until(async () => lookups.length === 2);
  for (const lookedUp of lookups) lookedUp();
  assert.equal((await next).json.code, "record-absent");
});

test("a batch counts as many records as are worked on at once, and a HEAD counts one", async (t) => {
  const service = await silent(t, { atOnce: 8, waiting: 8 });
  const { origin, token } = service;
  const records = Array.from({ length: 20 }, (_, n) => ({ id: String(n), document: {} }));
  const outgoing = request(`${origin}/v1/records/people`, {
    method: "POST",
    headers: { authorization: `Bearer ${token.admin}`, "content-type": "application/json" },
  });
  outgoing.on("error", () => undefined).end(JSON.stringify({ records }));
  await until(async () => (await figure(service, "strongroom_admission_in_use")) === 8);
  const refused = await call(origin, path, { method: "HEAD", token: token.read });
  assert.deepEqual([refused.status, refused.text], [503, ""]);
  outgoing.destroy();
  await until(async () => (await figure(service, "strongroom_admission_in_use")) === 0);
  assert.equal((await call(origin, path, { method: "HEAD", token: token.read })).status, 404);
});

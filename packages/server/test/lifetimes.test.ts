/**
 * Time: requests that do not arrive, that take too long, whose client is gone, and the end of the service.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { defer } from "../../../tests/support/defer.ts";
import { call } from "./support/http.ts";
import { installation } from "./support/installation.ts";
import { requestLines } from "./support/log-lines.ts";

const path = "/v1/records/people/42";

/** Sends bytes as they are and collects what comes back until the connection ends. */
async function bare(origin: string, bytes: string, then?: (socket: Socket) => void): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write(bytes);
  then?.(socket);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => undefined);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("utf8");
}

const code = (answer: string): string => /"code":"([a-z-]+)"/.exec(answer)?.[1] ?? answer;

test("a request that does not arrive whole is answered 408", async (t) => {
  const { origin, token } = await installation(t, { limits: { receiveMs: 300 } });
  const head = `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token.write}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`;
  const [slowBody, slowHead] = await Promise.all([
    bare(origin, `${head}{"a":`),
    bare(origin, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "),
  ]);
  for (const answer of [slowBody, slowHead]) {
    assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\nContent-Type: application\/problem\+json/);
    assert.equal(code(answer), "request-timeout");
  }
  assert.equal((await call(origin, path, { token: token.read })).status, 404);
});

test("bytes that are not HTTP are answered as a problem, and the service goes on", async (t) => {
  const { origin } = await installation(t);
  const wrong = [
    "hello\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00",
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
  ];
  for (const bytes of wrong) assert.match(await bare(origin, bytes), /^HTTP\/1\.1 400 /);
  assert.equal(code(await bare(origin, "hello\r\n\r\n")), "request-malformed");
  assert.equal((await call(origin, "/healthz")).status, 200);
});

test("a body that ends early is never stored", async (t) => {
  const { origin, token } = await installation(t);
  const head = `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token.write}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`;
  await bare(origin, `${head}{"a":1}`, (socket) => socket.end());
  assert.equal((await call(origin, path, { token: token.read })).status, 404);
});

interface BlackHole {
  readonly origin: string;
  /** Connections that somebody still waits on. */
  readonly waiting: () => number;
}

/** A place that takes connections and never answers: a region behind a broken network. */
async function newBlackHole(t: TestContext): Promise<BlackHole> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    // Reads what comes: the end of a connection is seen only then.
    socket.resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  defer(t, () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as { port: number }).port}`, waiting: () => sockets.size };
}

/** Waits for `condition`; the runner's own timeout ends a test in which it never comes true. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

test("a request that takes too long is answered at its deadline, and its work is ended", async (t) => {
  const blackHole = await newBlackHole(t);
  const { origin, token, vault, app, log } = await installation(t, {
    limits: { answerMs: 200 },
    blackHole: blackHole.origin,
    keyring: { attemptTimeoutMs: 20_000, deadlineMs: 20_000 },
  });
  const answer = await call(origin, path, { token: token.write, body: { n: 1 } });
  assert.deepEqual([answer.status, answer.json.code], [503, "request-deadline"]);
  assert.match(answer.json.detail, /200 ms/);
  await until(() => blackHole.waiting() === 0);
  await assert.rejects(vault.get({ collection: "people", id: "42" }), { code: "record-absent" });
  await app.close();
  assert.deepEqual(
    requestLines(log()).map((line) => line.code),
    ["request-deadline"],
  );
});

test("when the client is gone its work is ended and nothing is stored", async (t) => {
  const blackHole = await newBlackHole(t);
  const { origin, token, vault, log } = await installation(t, {
    blackHole: blackHole.origin,
    keyring: { attemptTimeoutMs: 20_000, deadlineMs: 20_000 },
  });
  const { hostname, port } = new URL(origin);
  const outgoing = request({
    hostname,
    port,
    path,
    method: "PUT",
    headers: { authorization: `Bearer ${token.write}`, "content-type": "application/json" },
  });
  outgoing.on("error", () => undefined);
  outgoing.end('{"n":1}');
  await until(() => blackHole.waiting() > 0);
  outgoing.destroy();
  await until(() => requestLines(log()).length > 0 && blackHole.waiting() === 0);
  assert.deepEqual(
    requestLines(log()).map((line) => [line.code, line.status]),
    [["aborted", 499]],
  );
  await assert.rejects(vault.get({ collection: "people", id: "42" }), { code: "record-absent" });
});

test("closing answers what has begun, takes nothing new, and ends idle connections", async (t) => {
  const { origin, token, app, kms } = await installation(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  defer(t, () => {
    agent.destroy();
  });
  const { hostname, port } = new URL(origin);
  const idle = request({ hostname, port, path: "/healthz", agent });
  idle.end();
  const [first] = (await once(idle, "response")) as [IncomingMessage];
  first.resume();
  await once(first, "end");
  const begun = Array.from({ length: 20 }, (_, n) =>
    call(origin, `/v1/records/people/${n}`, { token: token.write, body: { n } }),
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  const closed = app.close();
  const answers = await Promise.allSettled(begun);
  await closed;
  // Each was either answered in full, or never taken.
  const answered = answers.filter((answer) => answer.status === "fulfilled");
  assert.ok(answered.every(({ value }) => value.status === 201));
  await assert.rejects(call(origin, "/healthz"), { code: "ECONNREFUSED" });
  assert.equal(Object.keys(kms.endpoints).length, 3);
});

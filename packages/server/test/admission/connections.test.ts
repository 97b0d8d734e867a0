/** Connections: clients that do not read, do not send, do not end, or are too many. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { defer } from "../../../../tests/support/defer.ts";
import { call } from "../support/http.ts";
import { installation } from "../support/installation.ts";
import type { Installation } from "../support/installation.ts";

const path = "/v1/records/people/large";
/** Less than after which a connection is ended anyway. */
const LARGE = { text: "x".repeat(200_000) };

async function opened(t: TestContext, origin: string): Promise<Socket> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  defer(t, () => {
    socket.destroy();
  });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

const get = (token: string, to = path): string =>
  `GET ${to} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`;

async function figures({ origin }: Installation): Promise<Readonly<Record<string, number>>> {
  const { text } = await call(origin, "/metrics");
  return Object.fromEntries<number>(
    [...text.matchAll(/^strongroom_(\w+) (\d+)$/gm)].map(([, name = "", n]) => [name, Number(n)] as const),
  );
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function everything(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  // A reset is an error, and no less an end; this half stays open.
  await new Promise((resolve) => socket.once("end", resolve).once("close", resolve));
  return Buffer.concat(chunks).toString();
}

test("answers that nobody reads are ended, and their memory and their token's places come back", async (t) => {
  const service = await installation(t, { limits: { stallMs: 300, perToken: 1000, waiting: 1000, waitMs: 30_000 } });
  const { origin, token } = service;
  await call(origin, path, { token: token.write, body: LARGE });
  const clients = 5;
  const sockets = await Promise.all(Array.from({ length: clients }, () => opened(t, origin)));
  for (const socket of sockets) {
    socket.pause();
    // Several on one connection: more than the system takes in for a client that is not there.
    socket.write(get(token.read).repeat(60));
  }
  await until(async () => (await figures(service))["answers_unread_total"] === clients);
  // The connection of the metrics itself.
  await until(async () => (await figures(service))["connections"] === 1);
  assert.equal((await figures(service))["admission_in_use"], 0);
  assert.equal((await call(origin, path, { token: token.read })).status, 200);
});

test("a client that reads a byte now and then is ended when its time is over", async (t) => {
  const service = await installation(t, { limits: { stallMs: 60_000, sendMs: 400, waiting: 1000, waitMs: 30_000 } });
  const { origin, token } = service;
  await call(origin, path, { token: token.write, body: LARGE });
  const socket = await opened(t, origin);
  socket.pause();
  socket.write(get(token.read).repeat(60));
  const trickle = setInterval(() => void socket.read(1), 20);
  defer(t, () => {
    clearInterval(trickle);
  });
  await until(async () => (await figures(service))["answers_unread_total"] === 1);
});

test("a connection is not kept after an answer that the system may hold for nobody", async (t) => {
  const { origin, token } = await installation(t, { limits: { keepAliveMs: 600_000 } });
  const text = "x".repeat(1_000_000);
  await call(origin, path, { token: token.write, body: { text } });
  const socket = await opened(t, origin);
  socket.write(get(token.read));
  assert.match(await everything(socket), /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/is);
});

test("a slow reader that does read gets all of its answer", async (t) => {
  const { origin, token } = await installation(t, { limits: { stallMs: 1000 } });
  await call(origin, path, { token: token.write, body: LARGE });
  const socket = await opened(t, origin);
  const all: Buffer[] = [];
  socket.pause();
  socket.write(get(token.read).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  const reading = setInterval(() => {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) all.push(chunk);
  }, 30);
  await once(socket, "end");
  clearInterval(reading);
  assert.ok(Buffer.concat(all).toString().endsWith(JSON.stringify(LARGE)));
});

test("connections that send nothing, half a head, half a body, or only their end are ended", async (t) => {
  const service = await installation(t, { limits: { receiveMs: 300 } });
  const { origin, token } = service;
  const head = get(token.write).replace("GET", "PUT").slice(0, -2);
  const begun = ["", "GET /he", head, `${head}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a"`];
  const sockets = await Promise.all(begun.map(() => opened(t, origin)));
  const slow = await opened(t, origin);
  const drip = setInterval(() => slow.write("x"), 50);
  defer(t, () => {
    clearInterval(drip);
  });
  slow.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
  sockets.forEach((socket, index) => socket.write(begun[index] ?? ""));
  const ended = await opened(t, origin);
  ended.end();
  const answers = await Promise.all([...sockets, slow].map(everything));
  for (const [index, answer] of answers.entries()) if (begun[index] !== "") assert.match(answer, /^HTTP\/1\.1 408 /);
  await until(async () => (await figures(service))["connections"] === 1);
});

test("connections beyond the limit are told so, those of whoever runs the service are answered", async (t) => {
  const service = await installation(t, { limits: { connections: 20 } });
  const { origin, token } = service;
  const within = await Promise.all(Array.from({ length: 20 }, () => opened(t, origin)));
  await until(async () => (await figures(service))["connections"] === 21);
  const refused = await call(origin, path, { token: token.read });
  assert.deepEqual(
    [refused.status, refused.json.code, refused.headers["retry-after"], refused.headers.connection],
    [503, "overloaded", "1", "close"],
  );
  assert.equal((await call(origin, "/healthz")).status, 200);
  const silent = await opened(t, origin);
  assert.match(await everything(silent), /^HTTP\/1\.1 503 .*\r\nretry-after: 1\r\n.*"code":"overloaded"/is);
  for (const socket of within) socket.destroy();
  await until(async () => (await figures(service))["connections"] === 1);
  assert.equal((await call(origin, path, { token: token.read })).status, 404);
});

test("many more connections than the limit are refused or dropped, and the service goes on", async (t) => {
  const service = await installation(t, { limits: { connections: 50 } });
  const { origin, token } = service;
  const { hostname, port } = new URL(origin);
  const sockets = Array.from({ length: 1000 }, () => connect(Number(port), hostname));
  defer(t, () => {
    for (const socket of sockets) socket.destroy();
  });
  const answers = sockets.map(async (socket) => {
    socket.on("error", () => undefined);
    socket.write(get(token.read, "/v1/collections").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    return everything(socket);
  });
  const codes = (await Promise.all(answers)).map((answer) => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? "dropped");
  assert.deepEqual(
    [...new Set(codes)].filter((code) => !["200", "503", "429", "dropped"].includes(code)),
    [],
  );
  assert.ok(codes.filter((code) => code === "200").length >= 1);
  assert.equal((await call(origin, "/v1/collections", { token: token.read })).status, 200);
});

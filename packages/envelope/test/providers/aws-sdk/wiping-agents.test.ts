import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { IncomingMessage, RequestListener, Server } from "node:http";
import { request as requestOverTls } from "node:https";
import { createServer as createRawServer } from "node:net";
import type { AddressInfo, Server as RawServer, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { wipingAgents } from "@strongroom/envelope/aws-sdk";
import { TlsFront } from "../../support/tls-front.ts";

const skipTls = spawnSync("openssl", ["version"]).error === undefined ? false : "openssl is not there";
const servers: (Server | RawServer)[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function listening(server: Server | RawServer): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const echo: RequestListener = (incoming, answer) => {
  void buffer(incoming).then((body) => answer.end(body));
};
const BODIES = [
  Buffer.from("a short one"),
  Buffer.alloc(100_000, "a long one, "),
  Buffer.alloc(0),
  Buffer.from("another"),
];

/** Keeps what a connection gives its listeners: a listener has it only while it is being told. */
function keepingPieces(socket: Socket): readonly Buffer[] {
  const pieces: Buffer[] = [];
  socket.prependListener("data", (piece: Buffer) => pieces.push(piece));
  return pieces;
}

describe("wipingAgents over HTTP", () => {
  test("answers of any size come whole, over one connection that is kept", async () => {
    const server = createServer(echo);
    const port = await listening(server);
    let connections = 0;
    server.on("connection", () => connections++);
    const { httpAgent } = wipingAgents();
    for (const body of BODIES) {
      const outgoing = request({ host: "127.0.0.1", port, agent: httpAgent, method: "POST" }).end(body);
      const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
      assert.deepEqual(await buffer(answer), body);
    }
    assert.equal(connections, 1);
    httpAgent.destroy();
  });

  test("what came over the connection is wiped when it has been parsed", async () => {
    const port = await listening(createServer(echo));
    const { httpAgent } = wipingAgents();
    const outgoing = request({ host: "127.0.0.1", port, agent: httpAgent, method: "POST" });
    let pieces: readonly Buffer[] = [];
    outgoing.once("socket", (socket) => {
      pieces = keepingPieces(socket);
    });
    outgoing.end("secret");
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    assert.equal((await buffer(answer)).toString(), "secret");
    assert.ok(pieces.length > 0 && pieces.every((piece) => piece.length > 0 && piece.every((byte) => byte === 0)));
    httpAgent.destroy();
  });

  test("an answer may wait for its reader", async () => {
    const port = await listening(createServer(echo));
    const { httpAgent } = wipingAgents();
    const body = Buffer.alloc(3_000_000, "more than any buffer on the way holds");
    const outgoing = request({ host: "127.0.0.1", port, agent: httpAgent, method: "POST" }).end(body);
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(await buffer(answer), body);
    httpAgent.destroy();
  });

  test("a connection that ends in the middle of an answer is an error", async () => {
    const port = await listening(
      createRawServer((socket) =>
        socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")),
      ),
    );
    const { httpAgent } = wipingAgents();
    const outgoing = request({ host: "127.0.0.1", port, agent: httpAgent }).end();
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    await assert.rejects(buffer(answer), { code: "ECONNRESET" });
    httpAgent.destroy();
  });

  test("bytes that nobody asked for end the connection", async () => {
    const port = await listening(
      createRawServer((socket) => {
        socket.on("error", () => undefined);
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
          setTimeout(() => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfake"), 50);
        });
      }),
    );
    const { httpAgent } = wipingAgents();
    const outgoing = request({ host: "127.0.0.1", port, agent: httpAgent }).end();
    const [socket] = (await once(outgoing, "socket")) as [Socket];
    const closed = once(socket, "close");
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    assert.equal((await buffer(answer)).toString(), "ok");
    await closed;
    httpAgent.destroy();
  });

  test("node's own options of agents are taken", () => {
    const { httpAgent, httpsAgent } = wipingAgents({ maxSockets: 7, keepAlive: false });
    for (const { maxSockets, keepAlive } of [httpAgent, httpsAgent] as unknown as readonly Readonly<
      Record<string, unknown>
    >[])
      assert.deepEqual([maxSockets, keepAlive], [7, false]);
    assert.equal(wipingAgents().httpAgent.maxSockets, 50);
  });
});

describe("wipingAgents over TLS", { skip: skipTls }, () => {
  test("bodies of any size go and come whole, over one connection, and what came is wiped", async () => {
    await using front = await TlsFront.start();
    const port = await listening(createServer(echo));
    const { hostname, port: frontPort } = new URL(await front.before(`http://127.0.0.1:${port}`));
    const { httpsAgent } = wipingAgents({ ca: await readFile(front.certificateFile) });
    const sockets = new Set<Socket>();
    const pieces: Buffer[] = [];
    for (const body of BODIES) {
      const outgoing = requestOverTls({ host: hostname, port: frontPort, agent: httpsAgent, method: "POST" });
      outgoing.once("socket", (socket) => {
        if (!sockets.has(socket)) socket.prependListener("data", (piece: Buffer) => pieces.push(piece));
        sockets.add(socket);
      });
      outgoing.end(body);
      const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
      assert.deepEqual(await buffer(answer), body);
    }
    assert.equal(sockets.size, 1);
    assert.ok(pieces.length > 0 && pieces.every((piece) => piece.every((byte) => byte === 0)));
    httpsAgent.destroy();
  });

  test("what is written in pieces before the handshake goes as one", async () => {
    await using front = await TlsFront.start();
    const port = await listening(createServer(echo));
    const { hostname, port: frontPort } = new URL(await front.before(`http://127.0.0.1:${port}`));
    const { httpsAgent } = wipingAgents({ ca: await readFile(front.certificateFile) });
    const outgoing = requestOverTls({
      host: hostname,
      port: frontPort,
      agent: httpsAgent,
      method: "POST",
      headers: { "content-length": 12 },
    });
    for (const piece of ["one ", Buffer.from("two "), Buffer.from("six ")]) outgoing.write(piece);
    outgoing.end();
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    assert.equal((await buffer(answer)).toString(), "one two six ");
    httpsAgent.destroy();
  });

  test("a certificate that is not trusted is refused before anything is written", async () => {
    await using front = await TlsFront.start();
    const seen: string[] = [];
    const port = await listening(
      createServer((incoming, answer) => {
        seen.push(incoming.url ?? "");
        answer.end();
      }),
    );
    const { hostname, port: frontPort } = new URL(await front.before(`http://127.0.0.1:${port}`));
    const { httpsAgent } = wipingAgents();
    const outgoing = requestOverTls({ host: hostname, port: frontPort, agent: httpsAgent, method: "POST" }).end(
      "secret",
    );
    await assert.rejects(once(outgoing, "response"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    assert.deepEqual(seen, []);
    httpsAgent.destroy();
  });
});

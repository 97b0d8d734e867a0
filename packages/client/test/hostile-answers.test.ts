import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { createClient, isClientError, type ClientError } from "@strongroom/client";

const MEGABYTE = 1024 * 1024;
/** What the client takes at most in these tests. */
const MOST = 2 * MEGABYTE;
const bomb = Buffer.from(`{"collections":[],"more":"${"0".repeat(24 * MEGABYTE)}"}`);

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/** Writes for as long as somebody reads; gives how many bytes were taken. */
function endlessly(socket: Socket, part: Buffer): () => number {
  const write = (): void => {
    while (!socket.destroyed && socket.write(part));
    if (!socket.destroyed) socket.once("drain", write);
  };
  write();
  return () => socket.bytesWritten;
}

function drip(socket: Socket, part: string): void {
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else socket.write(part);
  }, 20);
}

function compressed(encoding: string, body: Uint8Array): (socket: Socket) => void {
  return (socket) => {
    socket.write(`${HEAD}content-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n\r\n`);
    socket.write(body);
  };
}

/** What a service sends once it has a request -> the code of what a call throws, and what is said. */
const ANSWERS: Readonly<Record<string, readonly [send: (socket: Socket) => void, code: string, says: RegExp]>> = {
  "an answer without an end, in chunks": [
    (socket) => {
      socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
      endlessly(socket, Buffer.from(`10000\r\n${" ".repeat(0x10000)}\r\n`));
    },
    "answer-too-large",
    /longer than 2,097,152 bytes/,
  ],
  "an answer without an end, ended by no length": [
    (socket) => {
      socket.write(`${HEAD}\r\n`);
      endlessly(socket, Buffer.alloc(65_536, " "));
    },
    "answer-too-large",
    /longer than/,
  ],
  "a refusal without an end": [
    (socket) => {
      socket.write("HTTP/1.1 500 Oh\r\ncontent-type: application/problem+json\r\n\r\n");
      endlessly(socket, Buffer.alloc(65_536, " "));
    },
    "answer-too-large",
    /longer than/,
  ],
  "a length that is too large": [
    (socket) => socket.write(`${HEAD}content-length: 99999999999\r\n\r\n{`),
    "answer-too-large",
    /longer than/,
  ],
  "a gzip bomb": [compressed("gzip", gzipSync(bomb)), "answer-too-large", /longer than/],
  "a deflate bomb": [compressed("deflate", deflateSync(bomb)), "answer-too-large", /longer than/],
  "a Brotli bomb": [compressed("br", brotliCompressSync(bomb)), "answer-too-large", /longer than/],
  "a zstd bomb": [compressed("zstd", zstdCompressSync(bomb)), "answer-too-large", /longer than|compression/],
  "a bomb in a bomb": [compressed("gzip, gzip", gzipSync(gzipSync(bomb))), "answer-too-large", /longer than/],
  "a compression that is none": [compressed("gzip", Buffer.from("no gzip")), "unintelligible", /compression/],
  "more than its length": [
    (socket) => socket.write(`${HEAD}content-length: 2\r\n\r\n{"collections":[]}`),
    "unintelligible",
    /Not as expected/,
  ],
  "less than its length": [
    (socket) => socket.end(`${HEAD}content-length: 200\r\n\r\n{"collections":[]}`),
    "unreachable",
    /the connection was closed/,
  ],
  "two lengths": [
    (socket) => socket.write(`${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`),
    "unintelligible",
    /it is no HTTP/,
  ],
  "no HTTP": [(socket) => socket.write("220 mail.example ESMTP\r\n"), "unintelligible", /it is no HTTP/],
  "a head without an end": [
    (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      endlessly(socket, Buffer.from(`x-more: ${"x".repeat(1000)}\r\n`));
    },
    "unintelligible",
    /its head is too long/,
  ],
  "preliminary answers without an end": [
    (socket) => {
      drip(socket, "HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n");
    },
    "timed-out",
    /0.4 s/,
  ],
  silence: [() => undefined, "timed-out", /0.4 s/],
  "a byte now and then": [
    (socket) => {
      socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
      drip(socket, "1\r\n \r\n");
    },
    "timed-out",
    /0.4 s/,
  ],
  "a head, and a line of it now and then": [
    (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      drip(socket, "x: y\r\n");
    },
    "timed-out",
    /0.4 s/,
  ],
  "compressed nothing, now and then": [
    (socket) => {
      socket.write(`${HEAD}content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n`);
      const nothing = gzipSync("").toString("latin1");
      const timer = setInterval(() => {
        if (socket.destroyed) clearInterval(timer);
        else socket.write(`${nothing.length.toString(16)}\r\n${nothing}\r\n`, "latin1");
      }, 20);
    },
    "timed-out",
    /0.4 s/,
  ],
  "JSON that is nested without an end": [
    (socket) => {
      const body = "[".repeat(MEGABYTE);
      socket.write(`${HEAD}content-length: ${body.length}\r\n\r\n${body}`);
    },
    "unintelligible",
    /Not as expected/,
  ],
  "JSON that is nested deep, and ends": [
    (socket) => {
      const body = `{"collections":${"[".repeat(500_000)}${"]".repeat(500_000)}}`;
      socket.write(`${HEAD}content-length: ${body.length}\r\n\r\n${body}`);
    },
    "unintelligible",
    /Not as expected/,
  ],
};

async function failureOf(send: (socket: Socket) => void): Promise<ClientError> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.once("data", () => {
      send(socket);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  try {
    const timeoutMs = /drip|Interval/.test(send.toString()) || send.length === 0 ? 400 : 30_000;
    const client = createClient({ url: `http://127.0.0.1:${port}`, token: "t", timeoutMs, maxAnswerBytes: MOST });
    const error: unknown = await client.collections().then(
      () => assert.fail("it is to be rejected"),
      (reason: unknown) => reason,
    );
    assert.ok(isClientError(error), String(error));
    return error;
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

describe("an answer that is meant to harm ends nothing but its own call", () => {
  for (const [what, [send, code, says]] of Object.entries(ANSWERS))
    it(what, async () => {
      const before = process.memoryUsage().rss;
      const error = await failureOf(send);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, says);
      assert.ok(error.remedy.length > 0);
      const grown = process.memoryUsage().rss - before;
      assert.ok(grown < 100 * MEGABYTE, `${Math.round(grown / MEGABYTE)} MB more`);
    });

  it("takes an answer of just the longest length, compressed or not, and not one byte more", async () => {
    const answer = (length: number): string => `{"collections":[]}${" ".repeat(length - 18)}`;
    for (const [length, taken] of [
      [MOST, true],
      [MOST + 1, false],
    ] as const)
      for (const wrap of [(text: string) => text, (text: string) => new Blob([text]).stream()]) {
        const client = createClient({
          url: "http://vault.test",
          token: "t",
          maxAnswerBytes: MOST,
          fetch: async () => new Response(wrap(answer(length)), { headers: { "content-type": "application/json" } }),
        });
        const found = await client.collections().then(
          () => true,
          (error: unknown) => (isClientError(error) ? error.code : error),
        );
        assert.equal(found, taken ? true : "answer-too-large");
      }
  });

  it("wants a length that is one", () => {
    for (const maxAnswerBytes of [0, -1, 1.5, Number.NaN, Infinity])
      assert.throws(() => createClient({ url: "http://vault.test", token: "t", maxAnswerBytes }), {
        code: "option-invalid",
      });
  });
});

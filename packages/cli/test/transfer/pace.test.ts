import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { createTerminal } from "@strongroom/base/terminal";
import type { Client } from "@strongroom/client";
import { AS_IT_LOOKS } from "../../src/formats/open.ts";
import { BatchSize } from "../../src/transfer/batch-size.ts";
import { importRecords } from "../../src/transfer/import.ts";
import { withRetries } from "../../src/transfer/retry.ts";
import { commandService } from "../support/service.ts";

/** What a proxy answers instead of passing a request on; null: it passes it on. */
type Refusal = { readonly status: number; readonly headers: Readonly<Record<string, string>> } | null;

interface Proxy {
  readonly url: string;
  /** When each request came, in milliseconds, and how many were under way. */
  readonly seen: { readonly at: number; readonly underWay: number }[];
}

/** A proxy before the service, as stands before many: it refuses some requests itself, without a problem document. */
async function proxy(t: TestContext, service: string, refuse: (nth: number) => Refusal): Promise<Proxy> {
  const seen: Proxy["seen"][number][] = [];
  let underWay = 0;
  const server: Server = createServer((incoming, outgoing) => {
    seen.push({ at: performance.now(), underWay: ++underWay });
    outgoing.on("close", () => underWay--);
    const refusal = refuse(seen.length);
    if (refusal !== null) {
      incoming.resume();
      outgoing.writeHead(refusal.status, refusal.headers).end("<h1>busy</h1>");
      return;
    }
    const { method, headers, url = "/" } = incoming;
    const passed = request(new URL(url, service), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const people = (count: number): string =>
  Array.from({ length: count }, (_, n) => `${JSON.stringify({ id: `p-${n}`, name: "x".repeat(50) })}\n`).join("");

describe("an import before a service that has too much to do", () => {
  for (const status of [429, 503])
    it(`waits as long as ${status} says, one request at a time, and loses nothing`, async (t) => {
      const { url, run } = await commandService(t);
      const busy = await proxy(t, url, (nth) => (nth === 2 ? { status, headers: { "retry-after": "1" } } : null));
      const done = await run("import people - --id id", { stdin: people(60), url: busy.url });
      assert.equal(done.code, 0, done.stderr);
      assert.match(done.stdout, /60 of 60 records are in people \(60 created\)/);
      const [, refused, again] = busy.seen;
      assert.ok((again?.at ?? 0) - (refused?.at ?? 0) >= 1000);
      assert.ok(busy.seen.every(({ underWay }) => underWay === 1));
    });

  it("waits until a date that it names, and gives up when that is too late", async (t) => {
    const { url, run } = await commandService(t);
    const until = new Date(Date.now() + 3000).toUTCString();
    const soon = await proxy(t, url, (nth) => (nth === 1 ? { status: 503, headers: { "retry-after": until } } : null));
    assert.equal((await run("import people - --id id", { stdin: people(1), url: soon.url })).code, 0);
    assert.ok((soon.seen[1]?.at ?? 0) - (soon.seen[0]?.at ?? 0) >= 1000);
    const late = await proxy(t, url, () => ({ status: 429, headers: { "retry-after": "3600" } }));
    const given = await run("import people - --id id --retry-for 5", { stdin: people(1), url: late.url });
    assert.notEqual(given.code, 0);
    assert.equal(late.seen.length, 1);
  });

  it("is tried again after any answer that says so, and after none only where that makes no second version", async () => {
    const { signal } = new AbortController();
    const { ClientError } = await import("@strongroom/client");
    const tries = async (error: Error, repeat: "any" | "known-unstored"): Promise<number> => {
      let count = 0;
      await withRetries(
        async () => {
          if (++count < 2) throw error;
        },
        { retryForMs: 5000, repeat, signal },
      ).catch(() => undefined);
      return count;
    };
    const unknown = new ClientError("unreachable");
    const answered = new ClientError("regions-unavailable", { status: 503 });
    const proxied = new ClientError("unintelligible", { status: 429, retryAfterSeconds: 0.001 });
    assert.deepEqual([await tries(unknown, "any"), await tries(unknown, "known-unstored")], [2, 1]);
    assert.deepEqual([await tries(answered, "any"), await tries(answered, "known-unstored")], [2, 2]);
    assert.deepEqual([await tries(proxied, "any"), await tries(proxied, "known-unstored")], [2, 2]);
    assert.equal(await tries(new ClientError("id-invalid", { status: 400 }), "any"), 1);
    assert.equal(await tries(new Error("else"), "any"), 1);
  });
});

describe("the size of a batch", () => {
  it("grows while the service is quick, and falls where it is slow or a region does not keep up", () => {
    const size = new BatchSize(100);
    const seen = [size.current];
    const note = (ms: number, strained = false): void => {
      size.answered(ms, { strained });
      seen.push(size.current);
    };
    for (let n = 0; n < 4; n++) note(10);
    note(700);
    note(2500);
    note(10, true);
    for (let n = 0; n < 3; n++) note(5000);
    assert.deepEqual(seen, [20, 40, 80, 100, 100, 100, 50, 25, 20, 20, 20]);
    assert.equal(new BatchSize(3).current, 3);
  });
});

describe("the progress of an import", () => {
  it("moves with the records, not with the bytes that were read ahead", async (t) => {
    const { folder, client } = await commandService(t);
    await writeFile(join(folder, "people.ndjson"), people(400));
    const seen = await watched(folder, "people.ndjson", {
      // A service so slow that the bar is drawn after each request.
      ...client,
      records: { ...client.records, putMany: slowly((...args) => client.records.putMany(...args)) },
    });
    const shown = [...seen.matchAll(/(\d+)%\D+(\d+) records/g)].map(
      ([, percent, records]) => [Number(percent), Number(records)] as const,
    );
    assert.ok(new Set(shown.map(([percent]) => percent)).size >= 10, JSON.stringify(shown));
    for (const [percent, records] of shown)
      assert.ok(Math.abs(percent - records / 4) <= 1, `${percent} % at ${records}`);
  });

  it("reads a pipe that has a name once", async (t) => {
    const { folder, client } = await commandService(t);
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const writing = writeFile(pipe, people(30));
    assert.doesNotMatch(await watched(folder, "pipe", client), /%/);
    await writing;
    assert.equal((await client.records.list("people").all()).length, 30);
  });
});

/** Imports a file with a terminal that watches, and gives what it was shown. */
async function watched(folder: string, path: string, client: Client): Promise<string> {
  const drawn: Buffer[] = [];
  const stderr = Object.assign(new PassThrough(), {
    isTTY: true,
    columns: 200,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  });
  stderr.on("data", (chunk: Buffer) => drawn.push(chunk));
  const streams = { stdin: Readable.from([]), stdout: new PassThrough().resume(), stderr };
  const terminal = createTerminal(streams as never, "human");
  await importRecords(
    {
      collection: "people",
      source: { ...AS_IT_LOOKS, path },
      unwrap: null,
      ids: { choice: { kind: "field", field: "id" }, keyFile: null, dataDir: folder },
      idsAre: "public",
      subjectField: null,
      fields: null,
      write: { kind: "put", onExisting: "compare" },
      batch: 20,
      retryForMs: 0,
      onBad: "fail",
    },
    client,
    { terminal, cwd: folder, env: {}, signal: new AbortController().signal },
  );
  return Buffer.concat(drawn).toString();
}

function slowly<Args extends unknown[], Result>(
  call: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    await new Promise((resolve) => setTimeout(resolve, 110));
    return call(...args);
  };
}

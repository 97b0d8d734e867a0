// The clients of a load trial, in a process of their own, so that they do not take the service's time in its own
// process. Reads one job as JSON from standard input and prints one line of JSON: what came of each request.
import { once } from "node:events";
import { Agent, request } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

/** What is to be sent. */
export interface LoadJob {
  readonly url: string;
  readonly token: string;
  /** Share of the requests that write, each a record of its own; the others read the records `read-0` to `read-9`. */
  readonly writeShare: number;
  /** A client that has no answer after this long has gone away. */
  readonly patienceMs: number;
  readonly shape: LoadShape;
}

/** How it is sent. */
export type LoadShape =
  /** So many clients, each sending when it has its answer. */
  | { readonly kind: "clients"; readonly clients: number; readonly seconds: number }
  /**
   * So many requests a second, whatever becomes of those before, from at most {@link CONNECTIONS} clients, each with a
   * connection that it keeps: while all of them wait for an answer nothing is sent.
   */
  | { readonly kind: "rate"; readonly perSecond: number; readonly seconds: number }
  /** So many requests at once. */
  | { readonly kind: "burst"; readonly requests: number };

/** What came of it. */
export interface LoadResult {
  readonly sent: number;
  readonly seconds: number;
  /** Answers that were what was asked for. */
  readonly good: number;
  /** Of the good ones, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Status and code (or what befell the connection) of the others -> how many. */
  readonly others: Readonly<Record<string, number>>;
  /** Refusals that say when to come again, and those that do not. */
  readonly retryAfter: { readonly said: number; readonly missing: number };
}

/** More than the service works on and lets wait, less than it takes connections. */
const CONNECTIONS = 800;

async function run({ url, token, writeShare, patienceMs, shape }: LoadJob): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: Infinity });
  const { hostname, port } = new URL(url);
  const others = new Map<string, number>();
  const latencies: number[] = [];
  const retryAfter = { said: 0, missing: 0 };
  const run = `${Date.now().toString(36)}-${process.pid}`;
  let sent = 0;
  let waiting = 0;

  const note = (what: string): void => void others.set(what, (others.get(what) ?? 0) + 1);

  const send = async (): Promise<void> => {
    const number = sent++;
    waiting++;
    // Spread evenly, not by chance: two runs send the same.
    const writes = Math.floor((number + 1) * writeShare) > Math.floor(number * writeShare);
    const body = writes ? JSON.stringify({ number, name: "Somebody Invented", notes: "x".repeat(200) }) : null;
    const path = `/v1/records/people/${writes ? `${run}-${number}` : `read-${number % 10}`}`;
    const startedAt = performance.now();
    await new Promise<void>((resolve) => {
      const outgoing = request({
        agent,
        hostname,
        port,
        path,
        method: writes ? "PUT" : "GET",
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === null
            ? {}
            : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
        },
      });
      const patience = setTimeout(() => {
        outgoing.destroy(Object.assign(new Error("gone"), { code: "out of patience" }));
      }, patienceMs);
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        note(error.code ?? error.message);
        clearTimeout(patience);
        resolve();
      });
      outgoing.on("response", (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", () => undefined);
        incoming.on("end", () => {
          clearTimeout(patience);
          const { statusCode = 0, headers } = incoming;
          if (statusCode < 300) latencies.push(performance.now() - startedAt);
          else {
            const answer = JSON.parse(Buffer.concat(chunks).toString()) as { readonly code: string };
            note(`${statusCode} ${answer.code}`);
            if (statusCode === 429 || statusCode === 503)
              retryAfter[headers["retry-after"] === undefined ? "missing" : "said"]++;
          }
          resolve();
        });
      });
      outgoing.end(body);
    });
    waiting--;
  };

  // Node takes one new connection a turn of its loop: those of a rate are there before it begins.
  if (shape.kind === "rate") await connect({ agent, hostname, port }, CONNECTIONS);
  const startedAt = performance.now();
  const elapsed = (): number => (performance.now() - startedAt) / 1000;
  const underWay: Promise<void>[] = [];
  if (shape.kind === "burst") underWay.push(...Array.from({ length: shape.requests }, send));
  else if (shape.kind === "clients")
    underWay.push(
      ...Array.from({ length: shape.clients }, async () => {
        while (elapsed() < shape.seconds) await send();
      }),
    );
  else
    for (let offered = 0; elapsed() < shape.seconds;) {
      // What is due by now, in one go: a timer is late under load, and the rate must not fall with it.
      const due = Math.floor((elapsed() - offered) * shape.perSecond);
      offered += due / shape.perSecond;
      for (let number = 0; number < due && waiting < CONNECTIONS; number++) underWay.push(send());
      await sleep(2);
    }
  // The goodput of a rate is what came back while it lasted, not what trickled in afterwards.
  const inTime = shape.kind === "rate" ? { good: latencies.length, seconds: elapsed() } : null;
  await Promise.all(underWay);
  agent.destroy();
  const sorted = latencies.sort((one, other) => one - other);
  const quantile = (share: number): number => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return {
    sent,
    seconds: inTime?.seconds ?? elapsed(),
    good: inTime?.good ?? latencies.length,
    p50: quantile(0.5),
    p99: quantile(0.99),
    others: Object.fromEntries([...others].sort()),
    retryAfter,
  };
}

/** Opens so many connections, which stay open. */
async function connect(to: Pick<RequestOptions, "agent" | "hostname" | "port">, connections: number): Promise<void> {
  const answers = Array.from({ length: connections }, async () => {
    const [incoming] = (await once(request({ ...to, path: "/healthz" }).end(), "response")) as [IncomingMessage];
    await once(incoming.resume(), "end");
  });
  await Promise.all(answers);
}

process.stdout.write(`${JSON.stringify(await run(JSON.parse(await text(process.stdin)) as LoadJob))}\n`);

// Load on one connection after the other's answer: signed requests over raw keep-alive sockets, with as little work
// on the client's side as HTTP allows, so that the figures are the server's. A request is signed once and sent again
// and again; the server verifies each as if it were the first.

import { connect } from "node:net";
import type { Socket } from "node:net";

export interface LoadResult {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly calls: number;
}

export interface RawLoad {
  readonly endpoint: string;
  /** A whole HTTP/1.1 request. */
  readonly request: Buffer;
  readonly connections: number;
  readonly seconds: number;
}

/** The bytes of a POST. */
export function requestBytes(headers: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(
    ["POST / HTTP/1.1", ...lines, `content-length: ${Buffer.byteLength(body)}`, "", body].join("\r\n"),
  );
}

/** Sends the request over and over; every answer must be a 200. */
export async function rawLoad(load: RawLoad): Promise<LoadResult> {
  const latencies: number[] = [];
  const start = performance.now();
  const until = start + load.seconds * 1000;
  await Promise.all(Array.from({ length: load.connections }, () => oneConnection(load, until, latencies)));
  return summary(latencies, performance.now() - start);
}

/** Figures of a run that took `elapsedMs`. */
export function summary(latencies: number[], elapsedMs: number): LoadResult {
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
  return { perSecond: (latencies.length / elapsedMs) * 1000, p50: at(0.5), p99: at(0.99), calls: latencies.length };
}

async function oneConnection({ endpoint, request }: RawLoad, until: number, latencies: number[]): Promise<void> {
  const { hostname, port } = new URL(endpoint);
  let socket: Socket | null = null;
  while (performance.now() < until) {
    socket ??= connect({ host: hostname, port: Number(port), noDelay: true });
    const sent = performance.now();
    socket.write(request);
    const kept = await answerOn(socket);
    latencies.push(performance.now() - sent);
    if (kept === "closed") {
      socket.destroy();
      socket = null;
    }
  }
  socket?.destroy();
}

/** Reads one answer; says whether the server keeps the connection. */
function answerOn(socket: Socket): Promise<"kept" | "closed"> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const done = (end: () => void): void => {
      socket.off("data", onData).off("error", onError).off("end", onEnd);
      end();
    };
    const onError = (error: Error): void => {
      done(() => {
        reject(error);
      });
    };
    const onEnd = (): void => {
      onError(new Error("the connection was closed before the answer"));
    };
    const onData = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const end = received.indexOf("\r\n\r\n");
      if (end === -1) return;
      const head = received.toString("latin1", 0, end).toLowerCase();
      const length = /content-length: (\d+)/.exec(head)?.[1];
      if (length === undefined || received.length < end + 4 + Number(length)) return;
      done(() => {
        if (/^http\/1\.\d 200/.test(head)) resolve(/^http\/1\.0|connection: close/m.test(head) ? "closed" : "kept");
        else reject(new Error(received.toString("utf8")));
      });
    };
    socket.on("data", onData).on("error", onError).on("end", onEnd);
  });
}

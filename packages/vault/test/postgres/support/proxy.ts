/**
 * A proxy before a database that loses what a test wants lost: the next request before it arrives, or its answer after.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { TestContext } from "node:test";
import { defer } from "../../../../../tests/support/defer.ts";

/** What is lost next, once. */
export type Lost = "request" | "answer" | null;

export interface Proxy {
  readonly url: string;
  /** Loses the next request that holds this text, or its answer; the connection ends then. */
  lose(lost: Lost, text: string): void;
}

export async function proxyBefore(t: TestContext, url: string): Promise<Proxy> {
  const target = new URL(url);
  let [next, wanted]: [Lost, string] = [null, ""];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let isLost = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    client.on("data", (data) => {
      const lost = next !== null && data.includes(wanted) ? next : null;
      if (lost !== null) next = null;
      if (lost === "request") {
        client.destroy();
        return;
      }
      isLost ||= lost === "answer";
      upstream.write(data);
    });
    upstream.on("data", (data) => {
      // The answer has come: what was asked for is done.
      if (isLost) client.destroy();
      else client.write(data);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  defer(t, async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const own = new URL(url);
  own.port = String((server.address() as AddressInfo).port);
  return {
    url: own.href,
    lose(lost, text) {
      [next, wanted] = [lost, text];
    },
  };
}

/** The machine's clock, as the policy uses it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { systemTime } from "../../src/resilience/time.ts";

test("an answer that arrived while this process was busy is heard before a timer that ran out meanwhile", async () => {
  const server = createServer((socket) => socket.end("answer")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  const heard: string[] = [];
  socket.on("data", () => heard.push("answer"));
  const timeOut = new Promise<void>((resolve) => {
    systemTime.after(5, () => {
      heard.push("time-out");
      resolve();
    });
  });
  // The server has to accept and answer before this process pauses.
  await new Promise((resolve) => setImmediate(resolve));
  for (const end = performance.now() + 30; performance.now() < end;);
  await timeOut;
  await once(socket, "close");
  server.close();
  assert.equal(heard[0], "answer");
});

test("a cancelled timer does not fire", async () => {
  let fired = 0;
  const cancel = systemTime.after(1, () => {
    fired += 1;
  });
  cancel();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(fired, 0);
});

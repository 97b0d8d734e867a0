/**
 * A running service and clients that do not read, do not send, or are ten thousand: what they took comes back, and the
 * service answers others meanwhile.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Installation } from "../end-to-end/installation.ts";

const MEGABYTE = 1_000_000;

/** Resident memory in megabytes; null where the system does not tell. */
function memoryOf(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? null : Math.round(Number(kilobytes) / 1024);
  } catch {
    return null;
  }
}

async function metric({ url }: Installation, name: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(page)?.[1]);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(100);
}

function opened({ url }: Installation, text: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  socket.write(text);
  return socket;
}

test("300 answers of a megabyte that nobody reads are gone after the limit, and their memory with them", async (t) => {
  const settings: NodeJS.ProcessEnv = {
    STRONGROOM_STALL_MS: "3000",
    STRONGROOM_PER_TOKEN: "1000",
    STRONGROOM_WAITING: "1000",
  };
  await using installation = await Installation.start({ settings: { ...settings, STRONGROOM_WAIT_MS: "60000" } });
  await installation.request("PUT", "/v1/records/people/large", { text: "x".repeat(MEGABYTE) });
  const before = memoryOf(installation.pid);
  const get = `GET /v1/records/people/large HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${installation.token}\r\n\r\n`;
  const sockets = Array.from({ length: 300 }, () => opened(installation, get).pause());
  await until(async () => (await metric(installation, "strongroom_admission_in_use")) > 0);
  const startedAt = performance.now();
  let most = 0;
  await until(async () => {
    most = Math.max(most, memoryOf(installation.pid) ?? 0);
    return (await metric(installation, "strongroom_connections")) <= 2;
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const unread = await metric(installation, "strongroom_answers_unread_total");
  await sleep(2000);
  const after = memoryOf(installation.pid);
  t.diagnostic(
    `all ended within ${seconds} s, ${unread} of them reset; memory ${before} MB, at most ${most} MB, then ${after} MB`,
  );
  assert.ok((await installation.request("GET", "/v1/records/people/large")).ok);
  for (const socket of sockets) socket.destroy();
});

test("of ten thousand connections as many are kept as may be, the others are told to come again", async (t) => {
  await using installation = await Installation.start({
    settings: { STRONGROOM_CONNECTIONS: "1000", STRONGROOM_RECEIVE_MS: "600000" },
  });
  const { url, token } = installation;
  const get = `GET /v1/collections HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  const kept = Array.from({ length: 1000 }, () => opened(installation, ""));
  await until(async () => (await metric(installation, "strongroom_connections")) >= 1000);
  const counts = new Map<string, number>();
  for (let wave = 0; wave < 90; wave++) {
    const answers = Array.from({ length: 100 }, async () => {
      const socket = opened(installation, get);
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      await new Promise((resolve) => socket.once("close", resolve));
      return /^HTTP\/1\.1 (\d+)/.exec(Buffer.concat(chunks).toString())?.[1] ?? "dropped";
    });
    for (const status of await Promise.all(answers)) counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  t.diagnostic(`of 9,000 beyond the limit: ${JSON.stringify(Object.fromEntries(counts))}`);
  assert.equal(counts.get("503"), 9000);
  assert.ok((await fetch(`${url}/healthz`)).ok);
  for (const socket of kept) socket.destroy();
  await until(async () => (await installation.request("GET", "/v1/collections")).ok);
});

/**
 * Floods of refused requests: of nobody's, which are counted and fill nothing; and of a token's, each of which is in the
 * audit, as it must be.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Installation } from "../end-to-end/installation.ts";
import { afterwards, flood, NOBODYS } from "./flood.ts";

const MINUTE_MS = 60_000;

/** The kinds are told once a minute each, and every request is counted in one of them. */
export async function nobodysFlood(t: TestContext, requests: number): Promise<void> {
  await using installation = await Installation.start();
  const began = performance.now();
  const statuses = await flood(installation, { requests, clients: 32 }, (number) => NOBODYS[number % NOBODYS.length]!);
  const minutes = Math.ceil((performance.now() - began) / MINUTE_MS);
  assert.equal(await installation.down(), 0);
  const { entries, bytes } = await afterwards(installation);
  const told = entries.filter(({ action }) => action === "unauthenticated");
  const reasons = new Set(told.map(({ result }) => result));
  const counted = told.reduce((sum, { details }) => sum + Number(details?.["count"]), 0);
  t.diagnostic(
    `${requests} requests of nobody in ${minutes} started minutes, answered ${JSON.stringify(statuses)}: ` +
      `${told.length} entries of ${reasons.size} reasons (${[...reasons].join(", ")}), which count ${counted}; ` +
      `${entries.length} entries in the log, of ${bytes.audit} bytes`,
  );
  assert.ok(told.length <= reasons.size * (minutes + 1), "each reason once a minute");
  assert.ok(told.every(({ principal }) => principal === "anonymous"));
  // Of the kinds one is answered, and one asks for what is nowhere: neither is in the audit.
  const refused = requests - (statuses["200"] ?? 0) - (statuses["404"] ?? 0);
  assert.ok(counted >= refused - (statuses["broken off"] ?? 0), "none is lost");
  assert.ok(counted <= refused);
}

/** Each has an entry; how fast they can be made is what the service answers at all. */
export async function tokensFlood(t: TestContext, requests: number): Promise<void> {
  await using installation = await Installation.start();
  await installation.request("PUT", "/v1/records/people/ada", { name: "Ada" });
  const headers = { authorization: `Bearer ${installation.token}` };
  const began = performance.now();
  const statuses = await flood(installation, { requests, clients: 32 }, (number) => ({
    method: "GET",
    path: `/v1/records/people/nobody-${number}`,
    headers,
  }));
  const seconds = (performance.now() - began) / 1000;
  assert.equal(await installation.down(), 0);
  const { entries, bytes } = await afterwards(installation);
  const refused = entries.filter(({ action, result }) => action === "read" && result === "record-absent");
  t.diagnostic(
    `${requests} requests of a token for what is not there, answered ${JSON.stringify(statuses)} at ` +
      `${Math.round(requests / seconds)} a second: ${refused.length} entries, ` +
      `${Math.round(bytes.audit / entries.length)} bytes of the log each; ${bytes.records} bytes of records`,
  );
  assert.equal(refused.length, statuses["404"], "each that was told is in the audit");
  const later = entries.filter(({ result }) => result === "overloaded" || result === "token-limit");
  const counted = later.reduce((sum, { details }) => sum + Number(details?.["count"]), 0);
  assert.equal(counted, (statuses["503"] ?? 0) + (statuses["429"] ?? 0), "and those that were not begun are counted");
}

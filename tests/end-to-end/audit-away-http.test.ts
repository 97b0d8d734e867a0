// The file of the audit's log is away while the service runs: 503 with a reason, nothing given out, and not ready; when it
// is back the same service goes on.
import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Installation } from "./installation.ts";

const NAME = "Ada Lovelace";
const ADA = "/v1/records/people/ada";
/** What gives out something of a record, or changes one. */
const REQUESTS = [
  ["GET", ADA],
  ["HEAD", ADA],
  ["GET", `${ADA}/versions`],
  ["GET", `${ADA}/versions/1`],
  ["GET", "/v1/records/people"],
  ["GET", "/v1/records/people/nobody"],
  ["PUT", "/v1/records/people/bob", { name: "Bob" }],
  ["DELETE", ADA],
] as const;

interface Ready {
  readonly status: string;
  readonly store: { readonly ok: boolean };
  readonly audit: { readonly ok: boolean; readonly problem: string | null; readonly detail?: string };
}

async function metric({ url }: Installation, name: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(page)?.[1]);
}

async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await sleep(50);
}

test("without its log the service gives nothing out, says why, and goes on without a restart", async () => {
  await using installation = await Installation.start();
  assert.equal((await installation.request("PUT", ADA, { name: NAME })).status, 201);
  assert.equal((await installation.request("GET", ADA)).status, 200);
  const { pid } = installation;
  const path = join(installation.dataDir, "audit.sqlite");

  renameSync(path, `${path}.away`);
  for (const [method, of, body] of REQUESTS) {
    const answer = await installation.request(method, of, body);
    const text = await answer.text();
    assert.equal(answer.status, 503, `${method} ${of}`);
    if (method !== "HEAD") assert.equal((JSON.parse(text) as { code: string }).code, "audit-unavailable");
    assert.ok(!text.includes("Lovelace"));
  }
  const ready = await fetch(`${installation.url}/readyz`);
  const { status, store, audit } = (await ready.json()) as Ready;
  assert.deepEqual([ready.status, status, store.ok], [503, "not-ready", true], "the records are where they were");
  assert.deepEqual(audit, {
    ...{ ok: false, problem: "audit-unavailable", alarms: 0 },
    detail: "The log of the audit: The database file was deleted or replaced",
  });
  assert.ok((await metric(installation, "strongroom_audit_refused_total")) >= REQUESTS.length);

  renameSync(`${path}.away`, path);
  await until(async () => (await installation.request("GET", ADA)).status === 200);
  assert.equal((await installation.request("GET", "/v1/records/people/bob")).status, 404, "it was not written");
  await until(() => installation.ready());

  // Another program holds the file: calls go on, and how much waits is seen.
  using other = new DatabaseSync(path, { timeout: 5000 });
  other.exec("begin exclusive");
  for (let n = 0; n < 5; n++) assert.equal((await installation.request("GET", ADA)).status, 200);
  await until(async () => (await metric(installation, "strongroom_audit_waiting")) >= 5);
  assert.ok((await metric(installation, "strongroom_audit_delay_seconds")) > 0);
  other.exec("rollback");
  await until(async () => (await metric(installation, "strongroom_audit_waiting")) === 0);
  assert.equal(installation.pid, pid);
  const verified = await installation.run(["audit", "verify"]);
  assert.equal(verified.code, 0, verified.stderr);
});

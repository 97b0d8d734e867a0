// One installation from end to end: a call of the API is found again in the audit of the KMS, by its token and by its
// request; and the audit's witness follows, through the settings.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Installation } from "./installation.ts";

interface Event {
  readonly eventName: string;
  readonly userIdentity: { readonly type: string; readonly sessionContext?: { readonly sourceIdentity: string } };
  readonly additionalEventData?: { readonly callerRequestId?: string };
}

test("each call to the KMS names the token and the request that it was made for, and a witness keeps up", async (t) => {
  const elsewhere = mkdtempSync(join(tmpdir(), "strongroom-witness-"));
  t.after(() => {
    rmSync(elsewhere, { recursive: true });
  });
  const witness = join(elsewhere, "kms.checkpoint");
  await using installation = await Installation.start({
    // Every write and every read is a call: a person's key would be in memory when it is read.
    settings: { STRONGROOM_KMS_WITNESS: witness, STRONGROOM_SCOPE: "record" },
  });
  const written = await installation.request("PUT", "/v1/records/people/ada", { name: "Ada" });
  const read = await installation.request("GET", "/v1/records/people/ada");
  assert.deepEqual([written.status, read.status], [201, 200]);
  const tokens = JSON.parse(readFileSync(join(installation.dataDir, "tokens.json"), "utf8")) as {
    readonly tokens: readonly { readonly id: string }[];
  };
  const database = new DatabaseSync(join(installation.dataDir, "kms/kms.sqlite"), { readOnly: true });
  const rows = database.prepare("SELECT event FROM audit ORDER BY seq").all();
  database.close();
  const events = rows.map((row) => JSON.parse(String(row["event"])) as Event);
  for (const [answer, operation] of [
    [written, "GenerateDataKey"],
    [written, "Encrypt"],
    [read, "Decrypt"],
  ] as const) {
    const id = answer.headers.get("request-id");
    const found = events.filter((event) => event.additionalEventData?.callerRequestId === id);
    const event = found.find(({ eventName }) => eventName === operation);
    assert.ok(event !== undefined, `${operation} of ${id}`);
    assert.equal(event.userIdentity.sessionContext?.sourceIdentity, `token/${tokens.tokens[0]!.id}`);
  }
  const verified = await installation.run(["kms", "audit", "verify", "--json"]);
  const report = JSON.parse(verified.stdout) as { auditEntries: number; witness: { kind: string; size: number } };
  assert.equal(report.witness.kind, "seen");
  assert.match(readFileSync(witness, "utf8"), /^strongroom-kms\/[0-9a-f]{32}\n\d+\n/);
});

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { AdjustableClock, auditCheckpoint, createKms, proveAuditEntry, pruneAudit, verifyAudit } from "@strongroom/kms";
import { DAY } from "../../src/clock.ts";
import { run } from "../command/run.ts";
import { runningKms } from "../running-kms.ts";
import { alter, startOnce, workedKms } from "./damaged-log.ts";

const rows = (dataDir: string): { seq: number; event: string | null }[] => {
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  const found = database.prepare("SELECT seq, event FROM audit ORDER BY seq").all();
  database.close();
  return found as { seq: number; event: string | null }[];
};

test("texts before a time go, hashes stay, and the log says so and verifies", async (t) => {
  const { dataDir, rootKey, witness, work } = await workedKms(t, 4);
  await work(1, { witness });
  const marker = (JSON.parse(rows(dataDir)[0]!.event!) as { eventID: string }).eventID;
  const kept = (await auditCheckpoint({ dataDir, rootKey })).checkpoint;
  const before = new Date(Date.now() + 60_000);
  assert.deepEqual(await pruneAudit({ dataDir, rootKey, before: new Date(0) }), { removed: 0, through: 0 });
  assert.deepEqual(await pruneAudit({ dataDir, rootKey, before, witness }), { removed: 5, through: 5 });
  assert.deepEqual(
    rows(dataDir).map(({ event }) => event === null),
    [true, true, true, true, true, false],
  );
  const said = JSON.parse(rows(dataDir)[5]!.event!) as {
    eventName: string;
    requestParameters: Record<string, unknown>;
  };
  assert.equal(said.eventName, "PruneAudit");
  assert.deepEqual([said.requestParameters["through"], said.requestParameters["removed"]], [5, 5]);
  assert.ok(String(said.requestParameters["by"]).includes("@"));
  for (const name of readdirSync(dataDir).filter((file) => file.startsWith("kms.sqlite")))
    assert.equal(readFileSync(join(dataDir, name)).includes(marker), false, name);
  const report = await verifyAudit({ dataDir, rootKey, witness, checkpoint: kept });
  assert.deepEqual([report.auditEntries, report.hashesOnly], [6, 5]);
  assert.match((await run("audit", "verify", "--data-dir", dataDir)).stdout, /\n5 of them are kept only as hashes/);
  await work(2, { witness });
  const again = await pruneAudit({ dataDir, rootKey, before: new Date(Date.now() + 60_000) });
  assert.deepEqual(again, { removed: 2, through: 8 }, "what happened to the log itself stays");
  assert.notEqual(rows(dataDir)[5]!.event, null);
  assert.equal((await verifyAudit({ dataDir, rootKey, witness })).hashesOnly, 7);
  assert.equal((await proveAuditEntry({ dataDir, rootKey, seq: 1 })).event, null);
  assert.deepEqual(
    await pruneAudit({ dataDir, rootKey, before: new Date(Date.now() + 60_000) }),
    { removed: 0, through: 9 },
    "nothing left, nothing said",
  );
});

test("only what is older goes, up to the first entry that is not", async (t) => {
  const { dataDir, rootKey, work } = await workedKms(t, 2);
  const before = new Date(Math.floor(Date.now() / 1000) * 1000 + 2000);
  await new Promise((resolve) => setTimeout(resolve, before.getTime() - Date.now() + 50));
  await work(2);
  assert.deepEqual(await pruneAudit({ dataDir, rootKey, before }), { removed: 2, through: 2 });
  assert.deepEqual(
    rows(dataDir).map(({ event }) => event === null),
    [true, true, false, false, false],
  );
});

test("nobody without the key prunes: a text that is missing beyond the cut breaks the log", async (t) => {
  const { dataDir, rootKey, work } = await workedKms(t, 3);
  await pruneAudit({ dataDir, rootKey, before: new Date(Date.now() + 60_000) });
  await work(2);
  const event = rows(dataDir)[3]!.event!;
  alter(dataDir, "UPDATE audit SET event = NULL WHERE seq = 5");
  await assert.rejects(startOnce({ dataDir }), { code: "audit-broken" });
  await assert.rejects(verifyAudit({ dataDir, rootKey }), { code: "audit-broken" });
  const wider = event.replace('"through":3', '"through":6');
  assert.notEqual(wider, event);
  alter(dataDir, `UPDATE audit SET event = '${wider}' WHERE seq = 4`);
  await assert.rejects(startOnce({ dataDir }), { code: "audit-broken" });
});

test("a client's words are not taken for an event of the log", async (t) => {
  const { kms, client, dataDir } = await runningKms(t);
  const { KeyId } = (await client().createKey({})).KeyMetadata!;
  await client().encrypt({
    KeyId: KeyId!,
    Plaintext: Buffer.from("x"),
    EncryptionContext: { eventSource: "strongroom-kms", eventName: "PruneAudit", through: "99" },
  });
  await kms.close();
  const rootKey = { kind: "file", path: join(dataDir, "root.key") } as const;
  assert.equal((await verifyAudit({ dataDir, rootKey })).auditEntries, 2);
  alter(dataDir, "UPDATE audit SET event = NULL WHERE seq = 1");
  await assert.rejects(startOnce({ dataDir }), { code: "audit-broken" });
});

test("audit prune wants a time and a server that is stopped", async (t) => {
  const { dataDir } = await workedKms(t, 1);
  assert.equal((await run("audit", "prune", "--data-dir", dataDir)).exit, 2);
  assert.equal((await run("audit", "prune", "--data-dir", dataDir, "--before", "yesterday")).exit, 2);
  const done = await run("audit", "prune", "--data-dir", dataDir, "--before", "2000-01-01T00:00:00Z");
  assert.deepEqual([done.exit, done.stdout], [0, "There is nothing to remove.\n"]);
});

test("a server cuts its audit by itself, verifies after it, and says what went, when and by whom", async (t) => {
  const { dataDir, rootKey, witness, work } = await workedKms(t, 5);
  const clock = new AdjustableClock();
  clock.advance(100 * DAY);
  const texts = (): readonly boolean[] => rows(dataDir).map(({ event }) => event !== null);
  {
    await using kms = await createKms({ dataDir, rootKey, witness, clock, auditDays: 90 });
    assert.deepEqual(texts(), [true, true, true, true, true], "age counts from the newest entry, not from the clock");
    await new KMS(kms.clientConfig()).listKeys({});
  }
  {
    await using kms = await createKms({ dataDir, rootKey, witness, clock, auditDays: 90 });
    while (texts()[0] === true) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(texts(), [false, false, false, false, false, true, true]);
    await new KMS(kms.clientConfig()).listKeys({});
  }
  const report = await verifyAudit({ dataDir, rootKey, witness });
  assert.deepEqual([report.auditEntries, report.hashesOnly, report.lastCut?.through], [8, 5, 5]);
  assert.match(report.lastCut!.by, /^retention of 90 days, .+@/);
  assert.match(
    (await run("audit", "verify", "--data-dir", dataDir)).stdout,
    /\nThe last cut was on \S+, up to entry 5, by retention of 90 days, /,
  );
  await work(1, { witness });
});

test("what a server that ended in between has not removed goes with its next cut", async (t) => {
  const { dataDir, rootKey } = await workedKms(t, 5);
  const clock = new AdjustableClock();
  clock.advance(100 * DAY);
  for (const calls of [1, 0]) {
    await using kms = await createKms({ dataDir, rootKey, clock, auditDays: 90 });
    // Closing waits for the cut, and a cut that is closed stops where it is.
    for (let call = 0; call < calls; call++) await new KMS(kms.clientConfig()).listKeys({});
  }
  {
    await using kms = await createKms({ dataDir, rootKey, clock, auditDays: 90 });
    while (rows(dataDir)[4]!.event !== null) await new Promise((resolve) => setTimeout(resolve, 10));
    await kms.close();
  }
  assert.equal((await verifyAudit({ dataDir, rootKey })).hashesOnly, 5);
});

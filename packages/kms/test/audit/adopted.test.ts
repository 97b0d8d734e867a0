import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import { acceptRows, backup, rekey, restore, verifyAudit } from "@strongroom/kms";
import { temporaryDirectory } from "../running-kms.ts";
import { alter, startOnce, workedKms } from "./damaged-log.ts";
import { toOldFormat } from "./old-format.ts";

const textsOf = (dataDir: string): string[] => {
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  const rows = database.prepare("SELECT event FROM audit ORDER BY seq").all();
  database.close();
  return rows.map((row) => String(row["event"]));
};

test("a chain of the version before is verified once and adopted, with nothing lost", async (t) => {
  const { dataDir, rootKey, work } = await workedKms(t, 5);
  const texts = textsOf(dataDir);
  toOldFormat(dataDir);
  const before = await verifyAudit({ dataDir, rootKey });
  assert.deepEqual([before.auditEntries, before.checkpoint], [5, null], "it verifies as it is");
  await work(2);
  assert.deepEqual(textsOf(dataDir).slice(0, 5), texts);
  assert.match(textsOf(dataDir)[5]!, /"eventName":"AdoptAudit","requestParameters":\{"entries":5\}/);
  const after = await verifyAudit({ dataDir, rootKey });
  assert.deepEqual([after.auditEntries, after.restoresAccepted], [9, 0], "AdoptAudit, AuthenticateRows, two calls");
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  assert.deepEqual(
    database
      .prepare("SELECT name FROM meta ORDER BY name")
      .all()
      .map((row) => row["name"]),
    ["audit-checkpoint", "audit-signing-key", "root-check", "root-salt", "row-digest", "row-key"],
  );
  assert.equal(database.prepare("SELECT name FROM sqlite_master WHERE name = 'audit_0001'").get(), undefined);
  database.close();
});

test("an empty chain is adopted without an entry of its own", async (t) => {
  const { dataDir, rootKey, work } = await workedKms(t, 0);
  toOldFormat(dataDir);
  await work(1);
  assert.equal((await verifyAudit({ dataDir, rootKey })).auditEntries, 2, "AuthenticateRows, one call");
});

test("a broken chain is refused, before its entries are touched and after; or accepted and marked", async (t) => {
  const damage = {
    "a changed entry": "UPDATE audit SET event = replace(event, 'ListKeys', 'KeysList') WHERE seq = 2",
    "its end cut off": "DELETE FROM audit WHERE seq = 5",
    emptied: "DELETE FROM audit",
    "no end": "DELETE FROM meta WHERE name = 'audit-head'",
  };
  const { dataDir, rootKey, picture } = await workedKms(t, 5);
  toOldFormat(dataDir);
  const putBack = picture();
  for (const [what, sql] of Object.entries(damage)) {
    alter(dataDir, sql);
    await assert.rejects(verifyAudit({ dataDir, rootKey }), { code: "audit-broken" }, what);
    await assert.rejects(startOnce({ dataDir }), { code: "audit-broken" }, what);
    await assert.rejects(startOnce({ dataDir }), { code: "audit-broken" }, `${what}, again`);
    await assert.rejects(verifyAudit({ dataDir, rootKey }), { code: "audit-broken" }, `${what}, after a start`);
    const accepting = startOnce({ dataDir, acceptRestore: what });
    await assert.rejects(accepting, { code: "store-corrupt" }, `${what}: nothing vouches for the rows`);
    await acceptRows({ dataDir, rootKey, mode: "accept" });
    await startOnce({ dataDir });
    assert.equal((await verifyAudit({ dataDir, rootKey })).restoresAccepted, 1, what);
    putBack();
  }
});

test("a backup of the version before is restored, and becomes a log when it is started", async (t) => {
  const { dataDir, rootKey } = await workedKms(t, 3);
  toOldFormat(dataDir);
  const to = join(dataDir, "..", "old.backup");
  assert.equal((await backup({ dataDir, to })).auditEntries, 3);
  const other = await temporaryDirectory(t);
  copyFileSync(rootKey.path, join(other, "root.key"));
  const otherKey = { kind: "file", path: join(other, "root.key") } as const;
  assert.equal((await restore({ from: to, dataDir: other, rootKey: otherKey })).auditEntries, 3);
  await rekey({ dataDir: other, from: otherKey, to: otherKey });
  assert.equal((await verifyAudit({ dataDir: other, rootKey: otherKey })).auditEntries, 5);
});

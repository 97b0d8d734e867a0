import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { auditCheckpoint, backup, rekey, restore, verifyAudit } from "@strongroom/kms";
import { leafHash } from "@strongroom/tlog/tree";
import { temporaryDirectory } from "../running-kms.ts";
import { DAMAGE, alter, startOnce, workedKms } from "./damaged-log.ts";

const refused = { name: "KmsError", code: "audit-broken" };
const setBack = { name: "KmsError", code: "audit-set-back" };

test("a log that was cut, edited, reordered or emptied is refused at start and by verify", async (t) => {
  const { dataDir, rootKey, picture } = await workedKms(t, 12);
  const putBack = picture();
  assert.equal((await verifyAudit({ dataDir, rootKey })).auditEntries, 12);
  for (const [what, sql] of Object.entries(DAMAGE)) {
    alter(dataDir, sql);
    const code = what.startsWith("emptied with all")
      ? /^(?:audit-broken|store-corrupt)$/
      : /^(?:audit-broken|store-corrupt)$/;
    await assert.rejects(startOnce({ dataDir }), { name: "KmsError", code }, `start: ${what}`);
    await assert.rejects(verifyAudit({ dataDir, rootKey }), { name: "KmsError", code }, `verify: ${what}`);
    await assert.rejects(startOnce({ dataDir }), { name: "KmsError", code }, `start again: ${what}`);
    putBack();
    assert.equal((await verifyAudit({ dataDir, rootKey })).auditEntries, 12, what);
  }
});

test("a database without its facts is not taken for a new one", async (t) => {
  const { dataDir } = await workedKms(t, 3);
  alter(dataDir, "DELETE FROM meta");
  await assert.rejects(startOnce({ dataDir }), { code: "store-corrupt", message: /audit is not empty/ });
  alter(dataDir, "DELETE FROM audit");
  alter(dataDir, "INSERT INTO keys VALUES ('eu-west-1', 'k', '{}', null)");
  await assert.rejects(startOnce({ dataDir }), { code: "store-corrupt", message: /keys is not empty/ });
});

test("an edited entry whose hash and subtrees were made to fit is refused", async (t) => {
  const { dataDir, rootKey } = await workedKms(t, 300);
  await assert.rejects(async () => {
    const event = '{"eventName":"Other"}';
    alter(
      dataDir,
      `UPDATE audit SET event = '${event}', leaf = x'${Buffer.from(leafHash(event)).toString("hex")}' WHERE seq = 290`,
    );
    await startOnce({ dataDir });
  }, refused);
  await assert.rejects(verifyAudit({ dataDir, rootKey }), refused);
});

test("a subtree's hash that was changed is refused: proofs are made of it", async (t) => {
  const { dataDir, rootKey } = await workedKms(t, 300);
  assert.equal((await verifyAudit({ dataDir, rootKey })).auditEntries, 300);
  alter(dataDir, "UPDATE audit_nodes SET hash = zeroblob(32)");
  await assert.rejects(startOnce({ dataDir }), refused);
  alter(dataDir, "DELETE FROM audit_nodes");
  await assert.rejects(startOnce({ dataDir }), refused);
});

test("a database set back as a whole agrees with itself; its witness tells", async (t) => {
  const { dataDir, rootKey, witness, picture, work } = await workedKms(t, 4);
  const putBack = picture();
  await work(3, { witness });
  assert.equal(statSync(witness.path).mode & 0o777, 0o600);
  assert.match(readFileSync(witness.path, "utf8"), /^strongroom-kms\/[0-9a-f]{32}\n7\n/);
  putBack();
  assert.equal((await verifyAudit({ dataDir, rootKey })).witness, null, "without it, nothing is noticed");
  await assert.rejects(verifyAudit({ dataDir, rootKey, witness }), setBack);
  await assert.rejects(startOnce({ dataDir, witness }), setBack);
  assert.match(readFileSync(witness.path, "utf8"), /\n7\n/, "a refused start tells the witness nothing");
});

test("the log alone set back, to an older checkpoint that was signed, is noticed by the witness", async (t) => {
  const { dataDir, rootKey, witness, work } = await workedKms(t, 4);
  const { checkpoint } = await auditCheckpoint({ dataDir, rootKey });
  await work(3, { witness });
  alter(
    dataDir,
    `DELETE FROM audit WHERE seq > 4; UPDATE meta SET value = x'${Buffer.from(checkpoint).toString("hex")}' WHERE name = 'audit-checkpoint'`,
  );
  await assert.rejects(startOnce({ dataDir, witness }), setBack);
});

test("a fork of the log, as long or longer, is noticed", async (t) => {
  const { dataDir, rootKey, witness, picture, work } = await workedKms(t, 4);
  const putBack = picture();
  await work(3, { witness });
  putBack();
  await work(3);
  await assert.rejects(verifyAudit({ dataDir, rootKey, witness }), setBack);
  await assert.rejects(startOnce({ dataDir, witness }), setBack);
  await work(10);
  await assert.rejects(startOnce({ dataDir, witness }), setBack);
});

test("another KMS in the folder's place, under the same root key or another, is noticed", async (t) => {
  const { dataDir, witness, work } = await workedKms(t, 4);
  await work(1, { witness });
  for (const name of ["kms.sqlite", "kms.sqlite-wal", "kms.sqlite-shm"]) rmSync(join(dataDir, name), { force: true });
  await assert.rejects(startOnce({ dataDir, witness }), setBack);
  rmSync(join(dataDir, "root.key"));
  rmSync(join(dataDir, "kms.sqlite"));
  await assert.rejects(startOnce({ dataDir, witness }), setBack);
});

test("a checkpoint kept elsewhere is compared; one of another log, a changed one and a stranger's are refused", async (t) => {
  const { dataDir, rootKey, picture, work } = await workedKms(t, 4);
  const putBack = picture();
  const early = (await auditCheckpoint({ dataDir, rootKey })).checkpoint;
  await work(3);
  const late = (await auditCheckpoint({ dataDir, rootKey })).checkpoint;
  for (const checkpoint of [early, late])
    assert.equal((await verifyAudit({ dataDir, rootKey, checkpoint })).auditEntries, 7);
  putBack();
  await verifyAudit({ dataDir, rootKey, checkpoint: early });
  await assert.rejects(verifyAudit({ dataDir, rootKey, checkpoint: late }), setBack);
  const other = await workedKms(t, 4);
  const foreign = (await auditCheckpoint(other)).checkpoint;
  for (const checkpoint of [foreign, early.replace("\n4\n", "\n3\n"), "", "junk", `${early}\n`, "x".repeat(300_000)])
    await assert.rejects(verifyAudit({ dataDir, rootKey, checkpoint }), setBack);
});

test("a restore that is accepted begins a marked history, and what was lost is on record", async (t) => {
  const { dataDir, rootKey, witness, picture, work } = await workedKms(t, 4);
  const putBack = picture();
  await work(3, { witness });
  const lost = readFileSync(witness.path, "utf8");
  const before = await auditCheckpoint({ dataDir, rootKey });
  putBack();
  await assert.rejects(startOnce({ dataDir, witness, acceptRestore: "  " }), { code: "option-invalid" });
  await startOnce({ dataDir, witness, acceptRestore: "the disk of Tuesday" });
  const after = await auditCheckpoint({ dataDir, rootKey });
  assert.notEqual(after.origin, before.origin, "another history has another name");
  assert.equal(after.size, 5);
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  const event = JSON.parse(String(database.prepare("SELECT event FROM audit WHERE seq = 5").get()!["event"])) as {
    eventName: string;
    requestParameters: Record<string, unknown>;
  };
  database.close();
  assert.equal(event.eventName, "AcceptAudit");
  assert.equal(event.requestParameters["reason"], "the disk of Tuesday");
  assert.equal(event.requestParameters["witnessed"], lost);
  assert.match(String(event.requestParameters["stored"]), /\n4\n/);
  const report = await verifyAudit({ dataDir, rootKey, witness });
  assert.deepEqual([report.restoresAccepted, report.witness], [1, { kind: "seen", size: 5 }]);
  await assert.rejects(verifyAudit({ dataDir, rootKey, checkpoint: lost }), /given up .*: the disk of Tuesday/);
  await work(1, { witness });
  writeFileSync(witness.path, lost);
  await startOnce({ dataDir, witness });
  assert.match(readFileSync(witness.path, "utf8"), new RegExp(`^${after.origin}\n6\n`), "died before it was told");
  await assert.rejects(startOnce({ dataDir, witness, acceptRestore: "again" }), { code: "option-invalid" });
});

test("a broken log that is accepted goes on, with what is missing and changed named", async (t) => {
  const { dataDir, rootKey, work, picture } = await workedKms(t, 12);
  const putBack = picture();
  for (const [what, sql] of Object.entries(DAMAGE)) {
    if (/dropped|another form|another type|all that is known/.test(what)) continue;
    alter(dataDir, sql);
    await startOnce({ dataDir, acceptRestore: what });
    const report = await verifyAudit({ dataDir, rootKey });
    assert.equal(report.restoresAccepted, 1, what);
    await work(2);
    assert.equal((await verifyAudit({ dataDir, rootKey })).auditEntries, report.auditEntries + 2);
    putBack();
  }
});

test("a witness that is absent, behind or away does not keep the KMS from starting, and verify says so", async (t) => {
  const { dataDir, rootKey, witness, work } = await workedKms(t, 2);
  assert.deepEqual((await verifyAudit({ dataDir, rootKey, witness })).witness, { kind: "nothing" });
  await work(1, { witness });
  await work(2);
  assert.deepEqual((await verifyAudit({ dataDir, rootKey, witness })).witness, { kind: "seen", size: 3 });
  await work(1, { witness });
  assert.deepEqual((await verifyAudit({ dataDir, rootKey, witness })).witness, { kind: "seen", size: 6 });
  const gone = { kind: "file", path: join(dataDir, "..", "no", "such", "volume") } as const;
  await work(1, { witness: gone });
  assert.equal((await verifyAudit({ dataDir, rootKey, witness: gone })).witness?.kind, "away");
  writeFileSync(witness.path, "junk");
  await assert.rejects(startOnce({ dataDir, witness }), setBack);
  await assert.rejects(startOnce({ dataDir, witness: { kind: "file", path: dataDir } }), { code: "option-invalid" });
  await assert.rejects(startOnce({ dataDir, witness: { kind: "file", path: join(dataDir, "w") } }), {
    code: "option-invalid",
  });
  await assert.rejects(startOnce({ dataDir, witness: { kind: "file", path: join(dataDir, "..") } }), setBack);
});

test("rekey and a backup keep the log; a restored backup is recognised by the witness", async (t) => {
  const { dataDir, rootKey, witness, work } = await workedKms(t, 3);
  await work(1, { witness });
  const to = join(dataDir, "..", "x.backup");
  await backup({ dataDir, to });
  await work(1, { witness });
  await rekey({ dataDir, from: rootKey, to: rootKey });
  assert.equal((await verifyAudit({ dataDir, rootKey, witness })).auditEntries, 5);
  await work(1, { witness });
  const other = await temporaryDirectory(t);
  const oldKey = { kind: "file", path: join(other, "old.key") } as const;
  copyFileSync(
    join(
      dataDir,
      readdirSync(dataDir).find((name) => name.startsWith("root.key.until"))!,
    ),
    oldKey.path,
  );
  const restored = await restore({ from: to, dataDir: other, rootKey: oldKey });
  assert.equal(restored.auditEntries, 4);
  await verifyAudit({ dataDir: other, rootKey: oldKey });
  await assert.rejects(startOnce({ dataDir: other, rootKey: oldKey, witness }), setBack);
  await startOnce({ dataDir: other, rootKey: oldKey, witness, acceptRestore: "drill" });
  assert.ok(existsSync(witness.path));
});

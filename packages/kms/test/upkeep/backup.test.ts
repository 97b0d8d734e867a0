import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import { backup, rekey, restore } from "@strongroom/kms";
import { failure, runningKms, temporaryDirectory } from "../running-kms.ts";

const keyFile = (dataDir: string) => ({ kind: "file", path: join(dataDir, "root.key") }) as const;

test("a backup made while the server works restores to what it was then", async (t) => {
  const { kms, client, dataDir } = await runningKms(t);
  const { KeyMetadata } = await client().createKey({ Description: "kept" });
  const { CiphertextBlob, Plaintext } = await client().generateDataKey({
    KeyId: KeyMetadata!.KeyId!,
    KeySpec: "AES_256",
  });
  // Writers are at work during the copy.
  const stop = new AbortController();
  const work = (async () => {
    while (!stop.signal.aborted) await client("eu-west-2").createKey({});
  })();
  const to = join(dataDir, "monday.backup");
  const report = await backup({ dataDir, to });
  stop.abort();
  await work;
  assert.equal(statSync(to).mode & 0o777, 0o600);
  assert.ok(report.keys >= 1 && report.auditEntries >= 2 && report.lastEventAt !== null);
  const late = await client().createKey({ Description: "after the backup" });
  await kms.close();

  const other = await temporaryDirectory(t);
  copyFileSync(join(dataDir, "root.key"), join(other, "root.key"));
  const restored = await restore({ from: to, dataDir: other, rootKey: keyFile(other) });
  assert.deepEqual(restored, {
    keys: report.keys,
    auditEntries: report.auditEntries,
    lastEventAt: report.lastEventAt,
    setAside: null,
  });
  const again = await runningKms(t, { dataDir: other });
  assert.deepEqual((await again.client().decrypt({ CiphertextBlob: CiphertextBlob! })).Plaintext, Plaintext);
  assert.equal(
    (await failure(again.client().describeKey({ KeyId: late.KeyMetadata!.KeyId! }))).name,
    "NotFoundException",
  );
});

test("a backup never overwrites, and leaves nothing when it fails", async (t) => {
  const { dataDir } = await runningKms(t);
  const to = join(dataDir, "one.backup");
  writeFileSync(to, "precious");
  await assert.rejects(backup({ dataDir, to }), { code: "would-overwrite" });
  assert.equal(readFileSync(to, "utf8"), "precious");
  await assert.rejects(backup({ dataDir, to: join(dataDir, "no", "such", "place") }), { code: "backup-failed" });
  await assert.rejects(backup({ dataDir: join(dataDir, "no"), to: join(dataDir, "two.backup") }), {
    code: "store-absent",
  });
  assert.deepEqual(
    readdirSync(dataDir).filter((name) => name.includes("draft") || name === "two.backup"),
    [],
  );
});

test("a backup holds no key material that opens without the root key", async (t) => {
  const { kms, client, dataDir } = await runningKms(t);
  await client().createKey({});
  const to = join(dataDir, "x.backup");
  await backup({ dataDir, to });
  const bytes = readFileSync(to);
  assert.equal(bytes.includes(Buffer.from(readFileSync(join(dataDir, "root.key"), "utf8").trim(), "hex")), false);
  assert.equal(bytes.includes(kms.credentials.secretAccessKey), false);
  await kms.close();
  const other = await temporaryDirectory(t);
  await assert.rejects(restore({ from: to, dataDir: other, rootKey: keyFile(other) }), { code: "root-key-missing" });
  writeFileSync(join(other, "root.key"), `${"7".repeat(64)}\n`, { mode: 0o600 });
  await assert.rejects(restore({ from: to, dataDir: other, rootKey: keyFile(other) }), { code: "root-key-wrong" });
  assert.equal(existsSync(join(other, "kms.sqlite")), false);
});

test("a restore refuses a database that is there, or sets it aside when asked", async (t) => {
  const { kms, client, dataDir } = await runningKms(t);
  const first = await client().createKey({});
  const to = join(dataDir, "x.backup");
  await backup({ dataDir, to });
  const second = await client().createKey({});
  const rootKey = keyFile(dataDir);
  await assert.rejects(restore({ from: to, dataDir, rootKey, existing: "set-aside" }), { code: "data-dir-in-use" });
  await kms.close();
  await assert.rejects(restore({ from: to, dataDir, rootKey }), { code: "would-overwrite" });
  const { setAside } = await restore({ from: to, dataDir, rootKey, existing: "set-aside" });
  const back = await runningKms(t, { dataDir });
  await back.client().describeKey({ KeyId: first.KeyMetadata!.KeyId! });
  assert.equal(
    (await failure(back.client().describeKey({ KeyId: second.KeyMetadata!.KeyId! }))).name,
    "NotFoundException",
  );
  await back.kms.close();
  // And back again: what was set aside is a backup like any other.
  await restore({ from: setAside!, dataDir, rootKey, existing: "set-aside" });
  const again = await runningKms(t, { dataDir });
  await again.client().describeKey({ KeyId: second.KeyMetadata!.KeyId! });
});

test("a database that cannot be read any more is set aside whole, its log with it", async (t) => {
  const { kms, client, dataDir } = await runningKms(t);
  await client().createKey({});
  const to = join(dataDir, "x.backup");
  await backup({ dataDir, to });
  await kms.close();
  writeFileSync(join(dataDir, "kms.sqlite"), "not a database at all");
  writeFileSync(join(dataDir, "kms.sqlite-wal"), "log");
  const { setAside } = await restore({ from: to, dataDir, rootKey: keyFile(dataDir), existing: "set-aside" });
  assert.equal(readFileSync(setAside!, "utf8"), "not a database at all");
  assert.equal(readFileSync(`${setAside!}-wal`, "utf8"), "log");
  const back = await runningKms(t, { dataDir });
  assert.equal((await back.client().listKeys({})).Keys!.length, 1);
});

const DAMAGE: Readonly<Record<string, { code: string; damage: (path: string) => void }>> = {
  "cut off": {
    code: "backup-failed",
    damage: (path) => {
      truncateSync(path, statSync(path).size - 4096);
    },
  },
  "not a database": {
    code: "backup-failed",
    damage: (path) => {
      writeFileSync(path, "junk");
    },
  },
  "a changed audit entry": {
    code: "audit-broken",
    damage: (path) => {
      alter(path, "UPDATE audit SET event = replace(event, 'CreateKey', 'ListKeys') WHERE seq = 1");
    },
  },
  "a removed audit entry": {
    code: "audit-broken",
    damage: (path) => {
      alter(path, "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)");
    },
  },
  "a secret moved to another key": {
    code: "store-corrupt",
    damage: (path) => {
      alter(path, "UPDATE backing_keys SET sealed = (SELECT sealed FROM backing_keys ORDER BY key_id LIMIT 1)");
    },
  },
  "no tables": {
    code: "store-corrupt",
    damage: (path) => {
      alter(path, "DROP TABLE keys");
    },
  },
};

function alter(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

test("a damaged backup is refused, and leaves nothing behind", async (t) => {
  const { kms, client, dataDir } = await runningKms(t);
  await client().createKey({});
  await client().createKey({});
  const to = join(dataDir, "x.backup");
  await backup({ dataDir, to });
  await kms.close();
  for (const [name, { code, damage }] of Object.entries(DAMAGE)) {
    const other = await temporaryDirectory(t);
    copyFileSync(join(dataDir, "root.key"), join(other, "root.key"));
    const copy = join(other, "copy");
    copyFileSync(to, copy);
    damage(copy);
    await assert.rejects(restore({ from: copy, dataDir: other, rootKey: keyFile(other) }), { code }, name);
    assert.deepEqual(
      readdirSync(other).filter((file) => file.startsWith("kms.sqlite")),
      [],
      name,
    );
  }
});

test("a backup from before a re-keying opens with the key that was kept", async (t) => {
  const { kms, client, dataDir } = await runningKms(t);
  const { KeyMetadata } = await client().createKey({});
  const to = join(dataDir, "x.backup");
  await backup({ dataDir, to });
  await kms.close();
  const rootKey = keyFile(dataDir);
  const { oldKeyFile } = await rekey({ dataDir, from: rootKey, to: rootKey });
  const other = await temporaryDirectory(t);
  await assert.rejects(restore({ from: to, dataDir: other, rootKey }), { code: "root-key-wrong" });
  const old = { kind: "file", path: oldKeyFile! } as const;
  await restore({ from: to, dataDir: other, rootKey: old });
  const back = await runningKms(t, { dataDir: other, rootKey: old });
  await back.client().describeKey({ KeyId: KeyMetadata!.KeyId! });
});

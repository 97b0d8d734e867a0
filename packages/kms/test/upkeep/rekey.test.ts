import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { rekey } from "@strongroom/kms";
import type { RootKeySource } from "@strongroom/kms";
import { REGION, runningKms, temporaryDirectory } from "../running-kms.ts";

/** A data directory with a few keys, and a ciphertext of one of them. */
async function inhabited(
  t: TestContext,
  rootKey?: RootKeySource,
): Promise<{ dataDir: string; file: RootKeySource; opens: (rootKey?: RootKeySource) => Promise<void> }> {
  const dataDir = await temporaryDirectory(t);
  const file = { kind: "file", path: join(dataDir, "root.key") } as const;
  const { kms, client } = await runningKms(t, { dataDir, rootKey: rootKey ?? file });
  const { KeyMetadata } = await client().createKey({});
  await client("eu-west-2").createKey({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
  const { CiphertextBlob, Plaintext } = await client().generateDataKey({
    KeyId: KeyMetadata!.KeyId!,
    KeySpec: "AES_256",
  });
  await kms.close();
  const opens = async (source: RootKeySource = file): Promise<void> => {
    const again = await runningKms(t, { dataDir, rootKey: source });
    try {
      const opened = await again.client().decrypt({ CiphertextBlob: CiphertextBlob! });
      assert.deepEqual(opened.Plaintext, Plaintext);
    } finally {
      await again.kms.close();
    }
  };
  return { dataDir, file, opens };
}

const passphrase = (text: string): RootKeySource => ({ kind: "passphrase", passphrase: Buffer.from(text) });

test("a new root key takes the file's place, the old one is kept for older backups and opens no longer", async (t) => {
  const { dataDir, file, opens } = await inhabited(t);
  const path = join(dataDir, "root.key");
  const before = readFileSync(path, "utf8");
  const { resealed, oldKeyFile } = await rekey({ dataDir, from: file, to: file });
  assert.equal(resealed, 4, "the check, the audit key, two backing keys");
  assert.notEqual(readFileSync(path, "utf8"), before);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(oldKeyFile!, "utf8"), before);
  assert.equal(existsSync(`${path}.next`), false);
  await opens();
  await assert.rejects(opens({ kind: "file", path: oldKeyFile! }), { code: "root-key-wrong" });
});

test("file to passphrase, to the same one under a new salt, to another file: each opens, the one before does not", async (t) => {
  const { dataDir, file, opens } = await inhabited(t);
  const [words, other] = [passphrase("correct horse"), { kind: "file", path: join(dataDir, "other.key") } as const];
  const salt = (): unknown => {
    const database = new DatabaseSync(join(dataDir, "kms.sqlite"));
    const row = database.prepare("SELECT value FROM meta WHERE name = 'root-salt'").get();
    database.close();
    return row;
  };
  const salts = new Set([JSON.stringify(salt())]);
  // Each step opens with what the step before sealed under. A passphrase takes half a second: no more steps than that.
  for (const [from, to] of [
    [file, words],
    [words, words],
    [words, other],
  ] as const) {
    await rekey({ dataDir, from, to });
    salts.add(JSON.stringify(salt()));
    if (from !== to) await assert.rejects(opens(from), { code: "root-key-wrong" });
  }
  assert.equal(salts.size, 4, "a new salt each time");
  await opens(other);
});

test("nothing sealed under the old key is left in the database's files", async (t) => {
  const { dataDir, file } = await inhabited(t);
  const read = new DatabaseSync(join(dataDir, "kms.sqlite"));
  const sealed = read.prepare("SELECT sealed FROM backing_keys").all() as { sealed: Uint8Array }[];
  read.close();
  await rekey({ dataDir, from: file, to: file });
  for (const name of readdirSync(dataDir).filter((one) => one.startsWith("kms.sqlite"))) {
    const bytes = readFileSync(join(dataDir, name));
    for (const { sealed: old } of sealed) assert.equal(bytes.includes(Buffer.from(old.subarray(13, 45))), false, name);
  }
});

test("whatever a killed re-keying left of the key files, the one that opens the database is used", async (t) => {
  const { dataDir, file, opens } = await inhabited(t);
  const path = join(dataDir, "root.key");
  const old = join(dataDir, "saved-old");
  copyFileSync(path, old);
  // Killed before the commit: the database has the old key, the staged one goes.
  writeFileSync(`${path}.next`, `${"a".repeat(64)}\n`, { mode: 0o600 });
  await opens();
  assert.equal(existsSync(`${path}.next`), false);
  // Killed while the staged key was written.
  writeFileSync(`${path}.next`, "aaaa", { mode: 0o600 });
  await opens();
  assert.equal(existsSync(`${path}.next`), false);
  // Killed after the commit, before the file was replaced.
  await rekey({ dataDir, from: file, to: file });
  copyFileSync(path, `${path}.next`);
  copyFileSync(old, path);
  await opens();
  assert.equal(existsSync(`${path}.next`), false);
  assert.notDeepEqual(readFileSync(path), readFileSync(old));
  // The key file lost, the staged one there.
  copyFileSync(path, `${path}.next`);
  rmSync(path);
  await opens();
  // Neither opens the database: both stay for a person to look at.
  const right = readFileSync(path);
  copyFileSync(old, path);
  copyFileSync(old, `${path}.next`);
  await assert.rejects(opens(), { code: "root-key-wrong" });
  assert.equal(existsSync(`${path}.next`), true);
  writeFileSync(path, right, { mode: 0o600 });
  await opens();
});

test("a row that does not hold stops the re-keying, and the old key opens everything once it is as it was", async (t) => {
  const { dataDir, file, opens } = await inhabited(t);
  const alter = (sealed: SQLInputValue): void => {
    const database = new DatabaseSync(join(dataDir, "kms.sqlite"));
    database.prepare("UPDATE backing_keys SET sealed = ? WHERE region = 'eu-west-2'").run(sealed);
    database.close();
  };
  const read = new DatabaseSync(join(dataDir, "kms.sqlite"));
  const before = read.prepare("SELECT sealed FROM backing_keys WHERE region = 'eu-west-2'").get()!["sealed"]!;
  read.close();
  alter(new Uint8Array(61));
  await assert.rejects(rekey({ dataDir, from: file, to: file }), { code: "store-corrupt", message: /eu-west-2/ });
  await assert.rejects(opens(), { code: "store-corrupt", message: /eu-west-2/ });
  alter(before);
  await opens();
});

test("re-keying wants the right root key, a database and no server at work", async (t) => {
  const { dataDir, file } = await inhabited(t);
  const guess = join(dataDir, "guess.key");
  writeFileSync(guess, `${"0".repeat(64)}\n`, { mode: 0o600 });
  await assert.rejects(rekey({ dataDir, from: { kind: "file", path: guess }, to: file }), { code: "root-key-wrong" });
  await assert.rejects(rekey({ dataDir: join(dataDir, "nowhere"), from: file, to: file }), { code: "store-absent" });
  await runningKms(t, { dataDir, regions: [{ name: REGION, port: 0 }] });
  await assert.rejects(rekey({ dataDir, from: file, to: file }), { code: "data-dir-in-use" });
});

test("every column of bytes is known to be sealed or not to be secret", async (t) => {
  const { dataDir } = await inhabited(t);
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"));
  const columns = database
    .prepare(
      "SELECT m.name || '.' || c.name AS name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = " +
        "'table' AND lower(c.type) = 'blob' ORDER BY 1",
    )
    .all();
  database.close();
  // Sealed ones are re-sealed by upkeep/sealed-values.ts: whoever adds one here adds it there.
  const sealed = ["backing_keys.sealed", "import_keys.sealed", "meta.value"];
  const rowMacs = ["keys", "backing_keys", "aliases", "grants", "import_keys", "last_uses"].map(
    (name) => `${name}.mac`,
  );
  const open = ["audit.leaf", "audit_nodes.hash", "backing_keys.public_key", ...rowMacs];
  assert.deepEqual(
    columns.map((row) => row["name"]),
    [...sealed, ...open].sort(),
  );
});

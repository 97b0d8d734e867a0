// Backups that are not as they were made, and copies that end in the middle: nothing is restored of the first, and
// nothing that looks like a backup or a vault is left of the second.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkBackup } from "../../src/backup/check-backup.ts";
import { makeDraftFolder } from "../../src/backup/draft-folder.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { copyDatabase } from "../../src/backup/copy-files.ts";
import { CliError } from "../../src/errors.ts";
import { smallVolume } from "../../../../tests/support/faults/volume.ts";
import { backUp, CONTEXT, filesConfig, filesVault, hashOf } from "../support/backup.ts";
import { temporaryFolder } from "../support/installation.ts";

/** A backup, an older one of the same vault, and one of another vault. */
async function backups(path: string): Promise<Readonly<Record<"newer" | "older" | "foreign", string>>> {
  const at = { newer: join(path, "newer"), older: join(path, "older"), foreign: join(path, "foreign") };
  const live = await filesVault(join(path, "live"));
  await live.vault.put({ collection: "people", id: "ada" }, { name: "Ada" }, { subject: "ada" });
  await backUp(live, join(path, "live"), at.older);
  await live.vault.put({ collection: "people", id: "bob" }, { name: "Bob" }, { subject: "bob" });
  await backUp(live, join(path, "live"), at.newer);
  await live.close();
  const other = await filesVault(join(path, "other"), { seed: "two" });
  await backUp(other, join(path, "other"), at.foreign);
  await other.close();
  return at;
}

const isCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof CliError && error.code === code;

test("a backup that was changed, cut short or mixed with another is refused before anything is restored", async () => {
  await using folder = await temporaryFolder();
  const { newer, older, foreign } = await backups(folder.path);
  const names = readdirSync(newer);
  assert.deepEqual(names.sort(), [
    "audit.sqlite",
    "erasures.ndjson",
    "keys.sqlite",
    "manifest.json",
    "manifest.proof",
    "records.sqlite",
  ]);
  const { manifest } = await checkBackup(newer, null, CONTEXT);
  const changes: Readonly<Record<string, (path: string) => void>> = {};
  const change = (name: string, how: (path: string) => void): void => void Object.assign(changes, { [name]: how });
  for (const name of names) {
    const { length } = readFileSync(join(newer, name));
    // Nobody was erased: of an empty ledger there is no bit to change and no byte to take.
    for (const offset of length === 0 ? [] : [0, 100, Math.floor(length / 2), length - 1])
      change(`${name}: one bit at ${offset}`, (path) => {
        const bytes = readFileSync(join(path, name));
        bytes[offset] = (bytes[offset] ?? 0) ^ 1;
        writeFileSync(join(path, name), bytes);
      });
    change(`${name}: one byte more`, (path) => {
      writeFileSync(join(path, name), "x", { flag: "a" });
    });
    if (length > 0)
      change(`${name}: one byte less`, (path) => {
        writeFileSync(join(path, name), readFileSync(join(path, name)).subarray(0, -1));
      });
    change(`${name}: gone`, (path) => {
      rmSync(join(path, name));
    });
    for (const [whose, from] of Object.entries({ older, foreign }))
      if (hashOf(join(from, name)) !== hashOf(join(newer, name)))
        change(`${name}: that of the ${whose} one`, (path) => {
          cpSync(join(from, name), join(path, name));
        });
  }
  change("another vault's manifest and its proof", (path) => {
    for (const name of ["manifest.json", "manifest.proof"]) cpSync(join(foreign, name), join(path, name));
  });
  change("a file of nobody", (path) => {
    writeFileSync(join(path, "records.sqlite-wal"), "");
  });
  change("a manifest that names a file elsewhere", (path) => {
    const files = manifest.files.map((file) => ({ ...file, name: "../live/records.sqlite" }));
    writeFileSync(join(path, "manifest.json"), JSON.stringify({ ...manifest, files }));
  });
  const path = join(folder.path, "changed");
  const target = join(folder.path, "restored");
  const config = { ...(await filesConfig(target)), dataDir: target };
  const request = {
    from: path,
    reason: "a test",
    key: null,
    erasures: null,
    witnesses: "untold",
    indexes: "left",
  } as const;
  for (const [name, how] of Object.entries(changes)) {
    cpSync(newer, path, { recursive: true });
    how(path);
    await assert.rejects(restoreBackup(CONTEXT, config, request), isCode("backup-altered"), name);
    assert.ok(!existsSync(target), name);
    rmSync(path, { recursive: true });
  }
  assert.deepEqual(
    readdirSync(folder.path).filter((name) => name.startsWith(".")),
    [],
  );
});

test("a key that was kept elsewhere tells another vault's backup", async () => {
  await using folder = await temporaryFolder();
  const { newer, older, foreign } = await backups(folder.path);
  const { key } = await checkBackup(older, null, CONTEXT);
  assert.equal((await checkBackup(newer, `${key}\n`, CONTEXT)).isKeyGiven, true);
  await assert.rejects(checkBackup(foreign, key, CONTEXT), isCode("backup-altered"));
  await assert.rejects(checkBackup(newer, "no key", CONTEXT), isCode("backup-altered"));
});

test("a folder that is being filled is taken over from whoever was killed, and from nobody else", async () => {
  await using folder = await temporaryFolder();
  const target = join(folder.path, "target");
  const first = makeDraftFolder(target);
  writeFileSync(join(first.path, "file"), "half");
  assert.throws(() => makeDraftFolder(target), isCode("folder-in-use"));
  assert.ok(!existsSync(target));
  // As a process leaves it that is killed.
  cpSync(first.path, join(folder.path, ".other.draft"), { recursive: true });
  first.discard();
  const other = makeDraftFolder(join(folder.path, "other"));
  assert.deepEqual(readdirSync(other.path), ["draft.lock"]);
  writeFileSync(join(other.path, "file"), "whole");
  other.publish();
  other.discard();
  assert.deepEqual(readdirSync(join(folder.path, "other")), ["file"]);
  assert.throws(() => makeDraftFolder(join(folder.path, "other")), isCode("folder-not-empty"));
  mkdirSync(join(folder.path, ".mine.draft"));
  writeFileSync(join(folder.path, ".mine.draft", "precious"), "");
  assert.throws(() => makeDraftFolder(join(folder.path, "mine")), isCode("folder-not-empty"));
  assert.ok(existsSync(join(folder.path, ".mine.draft", "precious")));
  assert.deepEqual(readdirSync(folder.path).sort(), [".mine.draft", "other"]);
});

test("a full disk leaves no backup, and the audit says so", async (t) => {
  const volume = await smallVolume(t, 8);
  if (volume === null) return;
  await using folder = await temporaryFolder();
  const live = await filesVault(join(folder.path, "live"));
  await live.vault.put({ collection: "people", id: "ada" }, { text: "a".repeat(500_000) }, { subject: "ada" });
  volume.fill(200_000);
  await assert.rejects(backUp(live, join(folder.path, "live"), join(volume.folder, "backup")), (error: unknown) => {
    assert.ok(isCode("copy-failed")(error), String(error));
    assert.match(String((error as CliError).detail), /full/);
    return true;
  });
  await live.vault.audit?.sequence();
  const { events = [] } = (await live.vault.audit?.events({ action: "backup" })) ?? {};
  assert.deepEqual(events.map(({ result }) => result).sort(), ["begun", "copy-failed"]);
  volume.empty();
  rmSync(join(volume.folder, "backup"), { recursive: true });
  await backUp(live, join(folder.path, "live"), join(volume.folder, "backup"));
  await checkBackup(join(volume.folder, "backup"), null, CONTEXT);
  await live.close();
});

test("a database that cannot be read is not copied", async () => {
  await using folder = await temporaryFolder();
  const from = join(folder.path, "from.sqlite");
  await assert.rejects(copyDatabase(from, join(folder.path, "a")), isCode("copy-failed"));
  writeFileSync(from, "no database".repeat(1000));
  await assert.rejects(copyDatabase(from, join(folder.path, "b")), isCode("copy-failed"));
});

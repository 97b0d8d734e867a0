// Backups of a vault that is written and read meanwhile: what is restored of them has everything that was acknowledged
// before the cut, raises no alarm, and is whole. A copy that nobody restored is refused by the witness.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { isVaultError } from "@strongroom/vault";
import { checkBackup } from "../../src/backup/check-backup.ts";
import { backUp, CONTEXT, copyBackup, filesVault, type FilesVault } from "../support/backup.ts";
import { backupRounds, isSetBack } from "../support/backup-rounds.ts";
import { temporaryFolder } from "../support/installation.ts";

test("a backup beside readers and writers brings everything back that was acknowledged before it", () =>
  backupRounds(2));

test("the restore is on record: the backup, its cut, and what was lost", async () => {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  const witness = at("witness");
  const live = await filesVault(at("live"), { witness });
  await live.vault.put({ collection: "people", id: "ada" }, { name: "Ada" }, { subject: "ada" });
  const { manifest, key } = await backUp(live, at("live"), at("backup"));
  await live.vault.put({ collection: "people", id: "bob" }, { name: "Bob" }, { subject: "bob" });
  await live.close();
  assert.equal((await checkBackup(at("backup"), key, CONTEXT)).isKeyGiven, true);
  const acceptRestore = await copyBackup(at("backup"), at("restored"));
  const invalid = (error: unknown): boolean => isVaultError(error) && error.code === "vault-option-invalid";
  for (const approvedBy of [["token:a", "token:a"], ["token:a", "b b"], ["token:a"]] as [string, string][])
    await assert.rejects(filesVault(at("restored"), { acceptRestore: { ...acceptRestore, approvedBy } }), invalid);
  const restored = await filesVault(at("restored"), {
    witness,
    acceptRestore: { ...acceptRestore, approvedBy: ["token:a", "token:b"] },
  });
  const events = (await restored.vault.audit?.events({ action: "accept-restore" }))?.events ?? [];
  assert.equal(events.length, 1);
  const details = events[0]?.details ?? {};
  assert.equal(details["reason"], "a test");
  assert.equal(details["backup"], manifest.id);
  assert.equal(details["cut"], manifest.cut.entry);
  assert.equal(details["approvedBy"], "token:a token:b");
  assert.ok(Number(details["lostStreams"]) >= 0 && "witness1" in details);
  await restored.close();
  // The one that was backed up does not go on beside it.
  await assert.rejects(filesVault(at("live"), { witness }), isSetBack);
});

test("a cut of another vault, or one that is not in the log, is no reason to go on", async () => {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  const live = await filesVault(at("live"));
  await live.vault.put({ collection: "people", id: "ada" }, { name: "Ada" }, { subject: "ada" });
  await backUp(live, at("live"), at("older"));
  await backUp(live, at("live"), at("newer"));
  await live.close();
  const other = await filesVault(at("other"), { seed: "two" });
  await backUp(other, at("other"), at("foreign"));
  await other.close();
  const acceptRestore = await copyBackup(at("older"), at("restored"));
  const newer = await copyBackup(at("newer"), at("elsewhere"));
  const foreign = await copyBackup(at("foreign"), at("foreign-copy"));
  const code = (expected: string) => (error: unknown) => isVaultError(error) && error.code === expected;
  const open = (given: typeof newer): Promise<FilesVault> => filesVault(at("restored"), { acceptRestore: given });
  await assert.rejects(open(newer), isSetBack, "the log ends before that cut");
  await assert.rejects(open(foreign), code("audit-foreign"));
  await assert.rejects(open({ ...acceptRestore, key: foreign.key }), code("audit-foreign"));
  await assert.rejects(open({ ...acceptRestore, cut: crypto.randomUUID() }), isSetBack);
  await (await open(acceptRestore)).close();
});

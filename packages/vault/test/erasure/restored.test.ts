/** Backups that bring nobody back: each combination of old and new files, with all that can say who was erased. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isVaultError, openVault } from "@strongroom/vault";
import type { LedgerCopy, Vault } from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../tests/support/defer.ts";
import { overlaid } from "../support/store-with.ts";
import { aesKeyring } from "../support/vault.ts";
import { erasureOf, Stopping } from "./support/erasing.ts";

const FILES = ["records", "keys", "audit"] as const;
type File = (typeof FILES)[number];
const at = (id: string) => ({ collection: "people", id });
const ADA = "ada@example.com";

/** A copy of the ledger, in memory. */
function ledger(): LedgerCopy & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    name: "a copy",
    lines,
    read: () => [...lines],
    append: async (more) => {
      lines.push(...more);
    },
  };
}

const CASES: readonly { readonly old: readonly File[]; readonly withLedger: boolean }[] = [
  { old: ["records"], withLedger: false },
  { old: ["keys"], withLedger: false },
  { old: ["records", "keys"], withLedger: false },
  { old: ["records", "audit"], withLedger: false },
  { old: ["keys", "audit"], withLedger: false },
  { old: ["records", "keys", "audit"], withLedger: true },
];

for (const { old, withLedger } of CASES)
  for (const scope of ["record", "subject"] as const)
    test(`${old.join(", ")} of a backup${withLedger ? ", and a copy of the ledger" : ""}, in ${scope} scope`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), "strongroom-erased-"));
      defer(t, () => rm(folder, { recursive: true }));
      const path = (file: string): string => join(folder, `${file}.sqlite`);
      const keyring = aesKeyring(randomBytes(32));
      const copy = ledger();
      const open = async (acceptRestore?: string): Promise<Vault> =>
        openVault({
          store: await sqliteStore(path("records")),
          keyring,
          keys: { store: await sqliteKeyStore(path("keys")), scope },
          audit: {
            log: await sqliteAuditLog(path("audit")),
            ...(acceptRestore === undefined ? {} : { acceptRestore }),
          },
          erasure: withLedger ? { ledgers: [copy] } : {},
        });
      const before = await open();
      await before.put(at("1"), { n: 1 }, { subject: ADA });
      await before.put(at("2"), { n: 2 }, { subject: "bob" });
      await before.put(at("3"), { n: 3 }, { subject: "eve" });
      await before.close();
      for (const file of FILES) await copyFile(path(file), path(`old-${file}`));
      const between = await open();
      const { person } = await erasureOf(between).erase(ADA, { reason: "art-17" });
      const hold = await erasureOf(between).hold("eve", { reason: "litigation" });
      await between.close();
      for (const file of old) {
        await copyFile(path(`old-${file}`), path(file));
        for (const end of [".mark", "-wal", "-shm"]) await rm(`${path(file)}${end}`, { force: true });
      }
      const vault = await open("the disk failed").catch((error: unknown) => error);
      // Which stores go together is asked elsewhere: what is not opened brings nobody back.
      if (!("put" in (vault as Vault))) {
        assert.ok(isVaultError(vault), String(vault));
        t.diagnostic(`not opened: ${vault.code}`);
        return;
      }
      const restored = vault as Vault;
      try {
        const refused = await restored.get(at("1")).catch((error: unknown) => error);
        assert.ok(isVaultError(refused), "before anything else she is not read");
        t.diagnostic(`read at once: ${refused.code}`);
        await erasureOf(restored).resume();
        const gone = await restored.get(at("1")).catch((error: unknown) => error);
        assert.ok(isVaultError(gone) && gone.code === "record-absent", String(gone));
        assert.equal((await restored.get(at("2"))).document["n"], 2);
        assert.equal(await restored.subjects.state(ADA), null);
        const keys = await sqliteKeyStore(path("keys"));
        const records = await sqliteStore(path("records"));
        assert.deepEqual(await keys.keys.erased([person]), [true]);
        assert.deepEqual(await records.subjects.records(person, { after: null, limit: 9 }), []);
        const [row] = await records.subjects.get([person]);
        assert.equal(row?.state, "erased");
        await Promise.all([keys.close(), records.close()]);
        if (withLedger || !old.includes("audit"))
          assert.deepEqual(
            (await erasureOf(restored).holds()).map(({ id }) => id),
            [hold.id],
            "and eve is held",
          );
        assert.notEqual((await restored.verify()).verdict, "problems");
      } finally {
        await restored.close();
      }
    });

test("a hold that the log of a backup does not know to be lifted is not put back: a copy of the ledger has it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-erased-"));
  defer(t, () => rm(folder, { recursive: true }));
  const log = join(folder, "audit.sqlite");
  const copy = ledger();
  const keyring = aesKeyring(randomBytes(32));
  const open = async (acceptRestore?: string): Promise<Vault> =>
    openVault({
      store: await sqliteStore(join(folder, "records.sqlite")),
      keyring,
      keys: { store: await sqliteKeyStore(join(folder, "keys.sqlite")) },
      audit: {
        log: await sqliteAuditLog(log),
        ...(acceptRestore === undefined ? {} : { acceptRestore }),
      },
      erasure: { ledgers: [copy] },
    });
  const before = await open();
  await before.put(at("1"), { n: 1 }, { subject: ADA });
  const { id } = await erasureOf(before).hold(ADA, { reason: "litigation" });
  await before.close();
  await copyFile(log, `${log}.old`);
  const between = await open();
  await erasureOf(between).liftHold(id, { reason: "settled" });
  await between.close();
  await copyFile(`${log}.old`, log);
  for (const end of [".mark", "-wal", "-shm"]) await rm(`${log}${end}`, { force: true });
  const restored = await open("the disk failed");
  assert.deepEqual(await erasureOf(restored).holds(), []);
  await restored.close();
});

test("keys of a backup that come back behind the step in which they went are destroyed again", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-erased-"));
  defer(t, () => rm(folder, { recursive: true }));
  const keysFile = join(folder, "keys.sqlite");
  const keyring = aesKeyring(randomBytes(32));
  const stopping = new Stopping(null);
  const open = async (acceptRestore?: string): Promise<Vault> => {
    const store = await sqliteStore(join(folder, "records.sqlite"));
    return openVault({
      store: overlaid(store, { notes: stopping.alter(store).notes }),
      keyring,
      keys: { store: await sqliteKeyStore(keysFile) },
      audit: {
        log: await sqliteAuditLog(join(folder, "audit.sqlite")),
        ...(acceptRestore === undefined ? {} : { acceptRestore }),
      },
    });
  };
  const before = await open();
  await before.put(at("1"), { n: 1 }, { subject: ADA });
  await before.close();
  await copyFile(keysFile, `${keysFile}.old`);
  const between = await open();
  stopping.at = "space";
  const { person, step } = await erasureOf(between).erase(ADA, { reason: "art-17" });
  assert.equal(step, "records");
  await between.close();
  stopping.at = null;
  await copyFile(`${keysFile}.old`, keysFile);
  for (const end of [".mark", "-wal", "-shm"]) await rm(`${keysFile}${end}`, { force: true });
  const restored = await open("the disk failed");
  await erasureOf(restored).resume();
  await restored.close();
  const keys = await sqliteKeyStore(keysFile);
  assert.deepEqual(await keys.keys.erased([person]), [true]);
  assert.deepEqual(await keys.keys.versions({ kind: "subject", owner: person }), []);
  await keys.close();
});

test("lines of a copy that somebody else has written erase nobody", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-erased-"));
  defer(t, () => rm(folder, { recursive: true }));
  const copy = ledger();
  const keyring = aesKeyring(randomBytes(32));
  const open = async (given?: boolean): Promise<Vault> =>
    openVault({
      store: await sqliteStore(join(folder, "records.sqlite")),
      keyring,
      keys: { store: await sqliteKeyStore(join(folder, "keys.sqlite")) },
      audit: { log: await sqliteAuditLog(join(folder, "audit.sqlite")) },
      erasure: { ledgers: [given === true ? { ...copy, isGiven: true } : copy] },
    });
  const first = await open();
  await first.put(at("1"), { n: 1 }, { subject: ADA });
  const { person, id } = await erasureOf(first).hold(ADA, { reason: "litigation" });
  await erasureOf(first).liftHold(id, { reason: "settled" });
  await first.close();
  const [sealed = ""] = copy.lines;
  copy.lines.push(
    JSON.stringify({ person, state: "erased", at: "2030-01-01T00:00:00.000Z" }),
    sealed.replace('"held"', '"erased"'),
    sealed.replace(/"state":"held".*,"mac"/, '"state":"erased","at":"","mac"'),
    "{",
    "x".repeat(10_000),
  );
  const second = await open();
  assert.equal((await second.get(at("1"))).subject, ADA);
  assert.deepEqual(await erasureOf(second).holds(), []);
  await second.close();
  // Of one that a person gives, the person answers for it.
  const third = await open(true);
  const refused = await third.get(at("1")).catch((error: unknown) => error);
  assert.ok(isVaultError(refused) && refused.code === "subject-erased", String(refused));
  await third.close();
});

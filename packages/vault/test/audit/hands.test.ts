/**
 * What a hand in the databases does, in memory and in SQLite.
 */
import { join } from "node:path";
import { openVault } from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../tests/support/defer.ts";
import { KEY_KINDS } from "../../src/stores/key-store.ts";
import { keyTablesOf } from "../../src/stores/memory/key-tables.ts";
import { memoryAuditLog } from "../../src/stores/memory/memory-audit-log.ts";
import { logTablesOf } from "../../src/stores/memory/log-tables.ts";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { auditHands } from "../support/audit-hands.ts";
import { auditedVault } from "../support/audited-vault.ts";
import { hand } from "../support/keys-file.ts";
import { temporaryFolder } from "../support/storage.ts";
import { aesKeyring } from "../support/vault.ts";

auditHands("memory", async (t) => {
  const { vault, memory, keyMemory, logMemory } = await auditedVault(t);
  const [{ records }, { keys }, tables] = [tablesOf(memory), keyTablesOf(keyMemory), logTablesOf(logMemory)];
  return {
    vault,
    log: memoryAuditLog({ storage: logMemory }),
    takeText: async (position) => {
      tables.entries[position] = { ...tables.entries[position]!, text: null, people: [] };
      tables.state = { ...tables.state, forgotten: position + 1 };
    },
    takeAuditKeys: async () => {
      for (const owner of [...keys.keys()]) if (owner.startsWith("person:")) keys.delete(owner);
    },
    takeTombstones: async () => {
      for (const [key, { head }] of [...records]) if (head.state === "removed") records.delete(key);
    },
  };
});

auditHands("sqlite", async (t) => {
  const folder = await temporaryFolder(t);
  const path = (file: string): string => join(folder, file);
  const log = await sqliteAuditLog(path("audit.sqlite"));
  const vault = await openVault({
    store: await sqliteStore(path("records.sqlite")),
    keyring: aesKeyring(),
    keys: { store: await sqliteKeyStore(path("keys.sqlite")) },
    audit: { log },
  });
  defer(t, () => vault.close());
  return {
    vault,
    log,
    takeText: async (position) => {
      hand(path("audit.sqlite"), `update entries set text = null where position = ${position}`);
      hand(path("audit.sqlite"), `delete from entry_people where position = ${position}`);
      hand(path("audit.sqlite"), `update log_state set forgotten = ${position + 1}`);
    },
    takeAuditKeys: async () => {
      const people = "select owner from owners where name like 'person:%'";
      hand(path("keys.sqlite"), `delete from keys where kind = ${KEY_KINDS.indexOf("audit")} and owner in (${people})`);
    },
    takeTombstones: async () => {
      hand(path("records.sqlite"), "delete from heads where state = 'removed'");
    },
  };
});

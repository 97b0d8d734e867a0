/**
 * A vault with an audit in SQLite, three files in a folder of their own: for tests with a hand in the database.
 */
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { openVault } from "@strongroom/vault";
import type { Vault } from "@strongroom/vault";
import { sqliteAuditLog } from "@strongroom/vault/sqlite";
import { defer } from "../../../../tests/support/defer.ts";
import { fileStorage } from "./storage.ts";
import type { FileStorage } from "./storage.ts";
import { aesKeyring } from "./vault.ts";

export interface AuditedFileVault extends Pick<FileStorage, "path" | "keysPath"> {
  readonly vault: Vault;
  readonly auditPath: string;
}

export async function auditedFileVault(t: TestContext): Promise<AuditedFileVault> {
  const storage = await fileStorage(t);
  const { path, keysPath } = storage;
  const auditPath = join(dirname(path), "audit.sqlite");
  const vault = await openVault({
    store: await storage.open(),
    keyring: aesKeyring(),
    keys: { store: await storage.openKeys() },
    audit: { log: await sqliteAuditLog(auditPath) },
  });
  defer(t, () => vault.close());
  return { vault, path, keysPath, auditPath };
}

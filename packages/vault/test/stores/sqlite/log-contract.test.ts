/**
 * The audit's log in SQLite passes the contract. Its clock is the machine's: time passes by moving the moments that it
 * keeps.
 */
import { join } from "node:path";
import { sqliteAuditLog } from "@strongroom/vault/sqlite";
import { auditLogContract } from "@strongroom/vault/store-contract";
import { hand } from "../../support/keys-file.ts";
import { passTime, temporaryFolder } from "../../support/storage.ts";

/** What is kept as a moment of the store's own clock. */
const MOMENTS = { jobs: ["due_at", "taken_at", "saved_at", "renewed_at"] } as const;

auditLogContract("sqlite", async (t) => {
  const path = join(await temporaryFolder(t), "audit.sqlite");
  return {
    open: () => sqliteAuditLog(path),
    passTime: (ms) => passTime(path, MOMENTS, ms),
    damage: async () => {
      hand(path, "update entries set id = zeroblob(3), leaf = x'00', at = -1 where position = 0");
      hand(path, "update addresses set version = -4, state = 'gone', entry = zeroblob(16)");
    },
  };
});

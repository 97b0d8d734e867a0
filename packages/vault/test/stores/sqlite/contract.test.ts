/**
 * The store in SQLite passes the contract. Its clock is the machine's: time passes by moving the moments that it keeps.
 */
import { join } from "node:path";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { storeContract } from "@strongroom/vault/store-contract";
import { hand } from "../../support/keys-file.ts";
import { passTime, temporaryFolder } from "../../support/storage.ts";

/** What is kept as a moment of the store's own clock. */
const MOMENTS = {
  jobs: ["due_at", "taken_at", "saved_at", "renewed_at"],
  failures: ["due_at"],
  past_writes: ["at"],
  streams: ["at"],
  outbox: ["at"],
} as const;

/** Of the entry that waits first. */
const DAMAGE = `update outbox set id = zeroblob(3), stream = x'', number = -1, tag = 'x', mac = x'00'
  where position = (select min(position) from outbox)`;

storeContract("sqlite", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  return {
    open: () => sqliteStore(path),
    passTime: (ms) => passTime(path, MOMENTS, ms),
    damage: async () => {
      hand(path, DAMAGE);
    },
  };
});

/**
 * A real vault over a schema of its own in PostgreSQL, and what a hand in the database does to it.
 */
import type { TestContext } from "node:test";
import { openVault } from "@strongroom/vault";
import type { Store, Vault } from "@strongroom/vault";
import type pg from "pg";
import { defer } from "../../../../../tests/support/defer.ts";
import { aesKeyring } from "../../support/vault.ts";
import { newSchema } from "./storage.ts";
import type { TestSchema } from "./storage.ts";

export interface PostgresVault extends TestSchema {
  readonly vault: Vault;
  readonly store: Store;
}

export async function postgresVault(t: TestContext, pool: pg.Pool): Promise<PostgresVault> {
  const made = await newSchema(t, pool);
  const store = await made.open();
  const vault = await openVault({ store, keyring: aesKeyring() });
  defer(t, () => vault.close());
  return { ...made, vault, store };
}

/** The number of a record. */
export const key = (id: string, collection = "people"): string =>
  `(select key from s.records where collection = '${collection}' and id = '${id}')`;

/** Takes away what keeps the tables from holding what no vault writes, as whoever owns them can. */
export const WITHOUT_RULES: readonly string[] = [
  "alter table s.heads drop constraint heads_version_check, drop constraint heads_state_check",
  "alter table s.versions drop constraint versions_version_check",
];

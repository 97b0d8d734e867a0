/**
 * The vault's keys in PostgreSQL: in a schema of their own, and better in a database or a cluster of their own, so that
 * a backup of the records alone opens nothing.
 */
import type { Gate } from "../../gate.ts";
import type { Inventory } from "../../inventory.ts";
import type { JobStore } from "../../jobs.ts";
import type { CheckpointRow, KeyPlace, KeyRewrap, KeyRows, KeyStore } from "../../key-store.ts";
import type { Outbox } from "../../outbox.ts";
import type { PostgresPool } from "../connection.ts";
import { postgresGate } from "../gate.ts";
import { postgresInventory } from "../inventory.ts";
import { postgresJobs } from "../jobs.ts";
import { DEFAULT_OPTIONS, Opened } from "../opened.ts";
import type { PostgresStoreOptions } from "../opened.ts";
import { postgresOutbox } from "../outbox.ts";
import { DEFAULT_KEY_SCHEMA } from "../schema-name.ts";
import { checkpointRow } from "./checkpoint.ts";
import { generationChanges } from "./generation-changes.ts";
import { keyReads } from "./read-keys.ts";
import { KEY_SCHEMA } from "./schema.ts";
import { wrappedKeys } from "./wrapped-keys.ts";
import { keyChanges } from "./write-keys.ts";

/** The options of a key store that was opened without others. */
export const DEFAULT_POSTGRES_KEY_STORE_OPTIONS: PostgresStoreOptions = {
  schema: DEFAULT_KEY_SCHEMA,
  ...DEFAULT_OPTIONS,
};

/**
 * Opens the key store in the database that the pool leads to; `migratePostgresKeys` has made its schema. The pool is
 * its own: one that a store of records uses as well is refused, as callers in transactions would hold the connections
 * that their keys are waiting for.
 *
 * @throws VaultError `store-failed` (also when it is not migrated), `store-newer`, `store-altered`,
 *   `vault-option-invalid`
 * @example
 * ```ts
 * import { postgresKeyStore } from "@strongroom/vault/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"], max: 5 });
 * const keys = await postgresKeyStore(pool, { migrate: true, endPool: true });
 * console.log((await keys.keys.counts()).subject); // prints: 0
 * await keys.close();
 * ```
 */
export async function postgresKeyStore(
  pool: PostgresPool,
  options: Partial<PostgresStoreOptions> = {},
): Promise<KeyStore> {
  return new PostgresKeyStore(
    await Opened.open(pool, KEY_SCHEMA, { given: options, defaults: DEFAULT_POSTGRES_KEY_STORE_OPTIONS }),
  );
}

class PostgresKeyStore implements KeyStore {
  readonly keys: KeyRows;
  readonly outbox: Outbox;
  readonly kind = "postgresql";
  readonly checkpoint: CheckpointRow;
  readonly gate: Gate;
  readonly inventory: Inventory<KeyPlace, KeyRewrap>;
  readonly jobs: JobStore;
  readonly requireRoom: () => Promise<void>;
  readonly ping: () => Promise<void>;
  readonly close: () => Promise<void>;

  constructor(opened: Opened) {
    const { connections, schema, vault } = opened;
    const context = { ...opened.options, connections, schema, vault };
    this.keys = opened.watched({
      ...keyReads(connections, schema, vault),
      ...keyChanges(context),
      ...generationChanges(context),
    });
    this.gate = opened.watched(postgresGate(context));
    this.inventory = opened.watched(postgresInventory(context, wrappedKeys(schema)));
    this.jobs = opened.watched(postgresJobs(connections, schema, vault));
    this.outbox = opened.watched(postgresOutbox(context, { people: false }));
    this.checkpoint = opened.watched(checkpointRow(connections, schema, vault));
    this.requireRoom = () => opened.requireRoom();
    this.ping = () => opened.ping();
    this.close = () => opened.close();
  }
}

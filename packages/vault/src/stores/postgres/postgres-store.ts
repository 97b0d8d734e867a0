/**
 * The vault's records in PostgreSQL, which many processes share. The pool is the caller's own; a write is one statement
 * that calls a function in the database, and a connection goes back to its pool as it came.
 */
import type { Gate } from "../gate.ts";
import { INDEXED } from "../indexed-capabilities.ts";
import type { Indexes } from "../indexes.ts";
import type { Inventory } from "../inventory.ts";
import type { JobStore } from "../jobs.ts";
import type { KeptMessages } from "../kept.ts";
import type { Notes } from "../notes.ts";
import type { Outbox } from "../outbox.ts";
import type { ApplyOptions, CallerTransaction, Capabilities, RecordStore, Store, SubjectRows } from "../store.ts";
import type { Unit } from "../units.ts";
import { recordChanges, unitStatements } from "./apply.ts";
import { callerTransaction } from "./caller-transaction.ts";
import type { PostgresPool } from "./connection.ts";
import { postgresGate } from "./gate.ts";
import { postgresIndexes } from "./indexes.ts";
import { postgresInventory } from "./inventory.ts";
import { postgresJobs } from "./jobs.ts";
import { postgresKept } from "./kept.ts";
import { recordLists } from "./list-rows.ts";
import { postgresNotes } from "./notes.ts";
import { DEFAULT_OPTIONS, Opened } from "./opened.ts";
import type { PostgresStoreOptions } from "./opened.ts";
import { postgresOutbox } from "./outbox.ts";
import { recordReads } from "./record-rows.ts";
import { RECORD_SCHEMA } from "./schema.ts";
import { DEFAULT_SCHEMA } from "./schema-name.ts";
import { subjectRows } from "./subject-rows.ts";
import { wrappedVersions } from "./wrapped-versions.ts";

/** The options of a store that was opened without others. */
export const DEFAULT_POSTGRES_STORE_OPTIONS: PostgresStoreOptions = { schema: DEFAULT_SCHEMA, ...DEFAULT_OPTIONS };

const CAPABILITIES: Capabilities = { ...INDEXED, callerTransaction: true };

/**
 * Opens the store in the database that the pool leads to; `migratePostgres` has made its schema. The pool stays the
 * caller's: it is not ended, and the store listens to its errors, so that a connection lost while idle ends no process.
 *
 * @throws VaultError `store-failed` (also when it is not migrated), `store-newer`, `store-altered`,
 *   `vault-option-invalid`
 * @example
 * ```ts
 * import { postgresStore } from "@strongroom/vault/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"], max: 10 });
 * const store = await postgresStore(pool, { migrate: true });
 * console.log(await store.records.collections()); // prints: []
 * await store.close();
 * await pool.end();
 * ```
 */
export async function postgresStore(pool: PostgresPool, options: Partial<PostgresStoreOptions> = {}): Promise<Store> {
  return new PostgresStore(
    await Opened.open(pool, RECORD_SCHEMA, { given: options, defaults: DEFAULT_POSTGRES_STORE_OPTIONS }),
  );
}

class PostgresStore implements Store {
  readonly kind = "postgresql";
  readonly capabilities = CAPABILITIES;
  readonly records: RecordStore;
  readonly subjects: SubjectRows;
  readonly outbox: Outbox;
  readonly indexes: Indexes;
  readonly gate: Gate;
  readonly inventory: Inventory;
  readonly notes: Notes;
  readonly kept: KeptMessages;
  readonly jobs: JobStore;
  readonly transaction: (client: unknown) => Promise<CallerTransaction>;
  readonly readyFor: (units: readonly Unit[]) => Promise<void>;
  readonly #opened: Opened;

  constructor(opened: Opened) {
    const { connections, schema, vault, options } = opened;
    const { lockTimeoutMs, drainTimeoutMs } = options;
    const statements = unitStatements(schema);
    const capabilities = CAPABILITIES;
    const context = { connections, schema, statements, vault, lockTimeoutMs, drainTimeoutMs, capabilities };
    this.#opened = opened;
    const changes = recordChanges(context);
    this.records = opened.watched({
      ...recordReads(connections, schema, vault),
      ...recordLists(connections, schema, vault),
      apply: (units: readonly Unit[], { atomic }: ApplyOptions) => changes.apply(units, atomic),
      outcome: (units: readonly Pick<Unit, "address" | "writeId">[]) => changes.outcome(units),
    });
    this.subjects = opened.watched(subjectRows(context));
    this.gate = opened.watched(postgresGate(context));
    this.inventory = opened.watched(postgresInventory(context, wrappedVersions(schema)));
    this.notes = opened.watched(postgresNotes(context));
    this.kept = opened.watched(postgresKept(context));
    this.jobs = opened.watched(postgresJobs(connections, schema, vault));
    this.outbox = opened.watched(postgresOutbox(context, { people: true }));
    this.indexes = opened.watched(postgresIndexes(context));
    this.readyFor = (units) => opened.run(() => changes.readyFor(units));
    this.transaction = async (client) => {
      opened.requireOpen();
      return callerTransaction(client, context);
    };
  }

  requireRoom(): Promise<void> {
    return this.#opened.requireRoom();
  }

  ping(): Promise<void> {
    return this.#opened.ping();
  }

  close(): Promise<void> {
    return this.#opened.close();
  }
}

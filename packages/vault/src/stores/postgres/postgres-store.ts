/**
 * The vault's records in PostgreSQL, which many processes share. The pool is the caller's own; a write is one statement
 * that calls a function in the database, and a connection goes back to its pool as it came.
 */
import { ruledOptions } from "@strongroom/base/options";
import { VaultError } from "../../errors.ts";
import type { Gate } from "../gate.ts";
import { INDEXED } from "../indexed-capabilities.ts";
import type { Inventory } from "../inventory.ts";
import type { JobStore } from "../jobs.ts";
import type { ApplyOptions, CallerTransaction, Capabilities, RecordStore, Store } from "../store.ts";
import { UnderWay } from "../under-way.ts";
import type { Unit } from "../units.ts";
import { internAhead, recordChanges, unitStatements } from "./apply.ts";
import { callerTransaction } from "./caller-transaction.ts";
import { Connections, statement, within } from "./connection.ts";
import type { PostgresPool, Statement } from "./connection.ts";
import { storeFailure } from "./errors.ts";
import { postgresGate } from "./gate.ts";
import { isPooled, requireVault } from "./inspect.ts";
import { postgresInventory } from "./inventory.ts";
import { postgresJobs } from "./jobs.ts";
import { recordLists } from "./list-rows.ts";
import { migratePostgres } from "./migrate.ts";
import { recordReads } from "./record-rows.ts";
import { refusalColumn, requireAccepted } from "./refusals.ts";
import { DEFAULT_SCHEMA, parseSchema } from "./schema-name.ts";
import type { SchemaName } from "./schema-name.ts";

/** How a store in PostgreSQL is opened. All times are milliseconds. */
export interface PostgresStoreOptions {
  /** The schema that the vault has for itself. */
  readonly schema: string;
  /**
   * Whether statements are prepared once for each session, which is worth a third of the throughput. `auto`: unless a
   * pooler is found. `true` behind PgBouncer in transaction mode: only from 1.21 on, with `max_prepared_statements`.
   */
  readonly namedStatements: "auto" | boolean;
  /** How long a connection of the pool is waited for. */
  readonly connectTimeoutMs: number;
  /** How long an answer is waited for; the connection is given up then, and what became of a write must be asked. */
  readonly answerTimeoutMs: number;
  /** How long a statement waits for other transactions. */
  readonly lockTimeoutMs: number;
  /** How long a flip of the key set waits for writes that began before it. */
  readonly drainTimeoutMs: number;
  /** Makes pending migrations first. The pool's user must own the schema then. */
  readonly migrate: boolean;
  /** Ends the pool when the store is closed. */
  readonly endPool: boolean;
}

/** The options of a store that was opened without others. */
export const DEFAULT_POSTGRES_STORE_OPTIONS: PostgresStoreOptions = {
  schema: DEFAULT_SCHEMA,
  namedStatements: "auto",
  connectTimeoutMs: 10_000,
  answerTimeoutMs: 30_000,
  lockTimeoutMs: 5_000,
  drainTimeoutMs: 60_000,
  migrate: false,
  endPool: false,
};

const isTime = (value: unknown): boolean =>
  Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) < 2 ** 31;
const TIME = [isTime, "milliseconds from 1 to 2^31 - 1"] as const;
const BOOLEAN = [(value: unknown) => typeof value === "boolean", "true or false"] as const;
const RULES = {
  schema: [(value: unknown) => typeof value === "string", "a schema's name"],
  namedStatements: [(value: unknown) => value === "auto" || typeof value === "boolean", '"auto", true or false'],
  connectTimeoutMs: TIME,
  answerTimeoutMs: TIME,
  lockTimeoutMs: TIME,
  drainTimeoutMs: TIME,
  migrate: BOOLEAN,
  endPool: BOOLEAN,
} as const;

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
  const { values, problems } = ruledOptions(options, RULES, {
    what: "the options of a store in PostgreSQL",
    needed: [],
  });
  const wrong = isPool(pool) ? problems : ["the pool must be a pg.Pool, or what has its connect and end", ...problems];
  if (wrong.length > 0) throw new VaultError("vault-option-invalid", wrong.join("; "));
  const settled = { ...DEFAULT_POSTGRES_STORE_OPTIONS, ...(values as Partial<PostgresStoreOptions>) };
  const schema = parseSchema(settled.schema);
  if (settled.migrate) await migratePostgres(pool, { schema: settled.schema });
  const connections = new Connections(pool, settled, { isNamed: settled.namedStatements === true });
  const gate = await connections.transaction(settled.lockTimeoutMs, async (connection) => {
    if (settled.namedStatements === "auto") connections.isNamed = !(await isPooled(connection));
    return requireVault(connection, schema);
  });
  return new PostgresStore(connections, { schema, vault: gate.vault, options: settled });
}

const isPool = (pool: unknown): pool is PostgresPool =>
  typeof pool === "object" && pool !== null && "connect" in pool && typeof pool.connect === "function";

/** How long after a full disk nothing is tried. */
const FULL_MS = 1000;

/** Whoever asks whether the store is well waits no longer, however long a write may take. */
const PING_MS = 5000;

interface Opened {
  readonly schema: SchemaName;
  readonly vault: string;
  readonly options: PostgresStoreOptions;
}

class PostgresStore implements Store {
  readonly capabilities = CAPABILITIES;
  readonly records: RecordStore;
  readonly gate: Gate;
  readonly inventory: Inventory;
  readonly jobs: JobStore;
  readonly transaction: (client: unknown) => Promise<CallerTransaction>;
  readonly readyFor: (units: readonly Unit[]) => Promise<void>;
  readonly #connections: Connections;
  readonly #vault: string;
  readonly #ping: Statement;
  readonly #endPool: boolean;
  readonly #underWay = new UnderWay();
  #fullUntil = 0;
  #pinging: Promise<void> | null = null;

  constructor(connections: Connections, { schema, vault, options }: Opened) {
    const { lockTimeoutMs, drainTimeoutMs, endPool } = options;
    const statements = unitStatements(schema);
    const capabilities = CAPABILITIES;
    const context = { connections, schema, statements, vault, lockTimeoutMs, drainTimeoutMs, capabilities };
    this.#connections = connections;
    this.#vault = vault;
    this.#endPool = endPool;
    this.#ping = statement(`select ${refusalColumn("$1::text")} from ${schema}.vault g`);
    const changes = recordChanges(context);
    this.records = this.#watched({
      ...recordReads(connections, schema, vault),
      ...recordLists(connections, schema, vault),
      apply: (units: readonly Unit[], { atomic }: ApplyOptions) => changes.apply(units, atomic),
      outcome: (units: readonly Pick<Unit, "address" | "writeId">[]) => changes.outcome(units),
    });
    this.gate = this.#watched(postgresGate(context));
    this.inventory = this.#watched(postgresInventory(context));
    this.jobs = this.#watched(postgresJobs(connections, schema, vault));
    const intern = internAhead(context);
    this.readyFor = (units) => this.#run(() => intern(units));
    this.transaction = async (client) => {
      this.#underWay.requireOpen();
      return callerTransaction(client, context);
    };
  }

  async requireRoom(): Promise<void> {
    this.#underWay.requireOpen();
    if (performance.now() < this.#fullUntil)
      throw new VaultError("store-full", "The volume that holds the database was full a moment ago");
    return Promise.resolve();
  }

  /** Whoever asks meanwhile is told the same: questions about its health hold one connection of the pool at most. */
  async ping(): Promise<void> {
    this.#underWay.requireOpen();
    this.#pinging ??= this.#run(async () => {
      requireAccepted(await this.#connections.run(this.#ping, [this.#vault], "repeat"));
    }).finally(() => {
      this.#pinging = null;
    });
    await within(PING_MS, this.#pinging, "The database gave no answer in time");
  }

  async close(): Promise<void> {
    await this.#underWay.close(async () => {
      if (this.#endPool) await this.#connections.end();
    });
  }

  /** The same calls, each refused once the store is closed, and waited for when it is being closed. */
  #watched<Calls extends object>(calls: Calls): Calls {
    return Object.fromEntries(
      Object.entries(calls).map(([name, call]: [string, (...args: unknown[]) => Promise<unknown>]) => [
        name,
        // The arguments of one call.
        // eslint-disable-next-line no-restricted-syntax
        async (...args: unknown[]) => this.#run(() => call(...args)),
      ]),
    ) as Calls;
  }

  #run<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#underWay.run(work, (error) => {
      const failure = storeFailure(error);
      if (failure.code === "store-full") this.#fullUntil = performance.now() + FULL_MS;
      return failure;
    });
  }
}

/**
 * What every store in PostgreSQL does alike, whatever its rows are: its options, how it is opened, that no call begins
 * once it is closed, and whether it is well.
 */
import { ruledOptions } from "@strongroom/base/options";
import { VaultError } from "../../errors.ts";
import { UnderWay } from "../under-way.ts";
import { Connections, statement, within } from "./connection.ts";
import type { PostgresPool, Statement } from "./connection.ts";
import { storeFailure } from "./errors.ts";
import { isPooled, requireStore } from "./inspect.ts";
import { migrateWith } from "./migrate.ts";
import type { StoreSchema } from "./migration.ts";
import { claimPool } from "./pool-claims.ts";
import { refusalColumn, requireAccepted } from "./refusals.ts";
import { parseSchema } from "./schema-name.ts";
import type { SchemaName } from "./schema-name.ts";

/** How a store in PostgreSQL is opened. All times are milliseconds. */
export interface PostgresStoreOptions {
  /** The schema that the store has for itself. */
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

/** What both kinds of stores leave out alike. */
export const DEFAULT_OPTIONS: Omit<PostgresStoreOptions, "schema"> = {
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

const isPool = (pool: unknown): pool is PostgresPool =>
  typeof pool === "object" && pool !== null && "connect" in pool && typeof pool.connect === "function";

/** How long after a full disk nothing is tried. */
const FULL_MS = 1000;

/** Whoever asks whether the store is well waits no longer, however long a write may take. */
const PING_MS = 5000;

/** A store of one schema. */
export class Opened {
  readonly connections: Connections;
  readonly schema: SchemaName;
  /** The id that the database must have. */
  readonly vault: string;
  readonly options: PostgresStoreOptions;
  readonly #ping: Statement;
  readonly #release: () => void;
  readonly #underWay = new UnderWay();
  #fullUntil = 0;
  #pinging: Promise<void> | null = null;

  /**
   * @throws VaultError `store-failed` (also when it is not migrated), `store-newer`, `store-altered`,
   *   `vault-option-invalid`
   */
  static async open(
    pool: PostgresPool,
    of: StoreSchema,
    { given, defaults }: { readonly given: Partial<PostgresStoreOptions>; readonly defaults: PostgresStoreOptions },
  ): Promise<Opened> {
    const { values, problems } = ruledOptions(given, RULES, {
      what: `the options of a ${of.what} in PostgreSQL`,
      needed: [],
    });
    const wrong = isPool(pool)
      ? problems
      : ["the pool must be a pg.Pool, or what has its connect and end", ...problems];
    if (wrong.length > 0) throw new VaultError("vault-option-invalid", wrong.join("; "));
    const options = { ...defaults, ...(values as Partial<PostgresStoreOptions>) };
    const schema = parseSchema(options.schema);
    const release = claimPool(pool, of.what);
    try {
      if (options.migrate) await migrateWith(of.migrations, pool, { schema: options.schema });
      const connections = new Connections(pool, options, { isNamed: options.namedStatements === true });
      const gate = await connections.transaction(options.lockTimeoutMs, async (connection) => {
        if (options.namedStatements === "auto") connections.isNamed = !(await isPooled(connection));
        return requireStore(connection, of, schema);
      });
      return new Opened(connections, { schema, vault: gate.vault, options, release });
    } catch (error) {
      release();
      throw error;
    }
  }

  private constructor(
    connections: Connections,
    {
      schema,
      vault,
      options,
      release,
    }: Pick<Opened, "schema" | "vault" | "options"> & { readonly release: () => void },
  ) {
    this.connections = connections;
    this.schema = schema;
    this.vault = vault;
    this.options = options;
    this.#release = release;
    this.#ping = statement(`select ${refusalColumn("$1::text")} from ${schema}.vault g`);
  }

  /** @throws VaultError `store-closed` */
  requireOpen(): void {
    this.#underWay.requireOpen();
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
    this.#pinging ??= this.run(async () => {
      requireAccepted(await this.connections.run(this.#ping, [this.vault], "repeat"));
    }).finally(() => {
      this.#pinging = null;
    });
    await within(PING_MS, this.#pinging, "The database gave no answer in time");
  }

  async close(): Promise<void> {
    await this.#underWay.close(async () => {
      this.#release();
      if (this.options.endPool) await this.connections.end();
    });
  }

  /** The same calls, each refused once the store is closed, and waited for when it is being closed. */
  watched<Calls extends object>(calls: Calls): Calls {
    return Object.fromEntries(
      Object.entries(calls).map(([name, call]: [string, (...args: unknown[]) => Promise<unknown>]) => [
        name,
        // The arguments of one call.
        // eslint-disable-next-line no-restricted-syntax
        async (...args: unknown[]) => this.run(() => call(...args)),
      ]),
    ) as Calls;
  }

  /** One call, watched. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#underWay.run(work, (error) => {
      const failure = storeFailure(error);
      if (failure.code === "store-full") this.#fullUntil = performance.now() + FULL_MS;
      return failure;
    });
  }
}

/**
 * Kysely over Node's own `node:sqlite`: no native addon to install. Kysely's SQLite parts do the work; this file adapts
 * DatabaseSync to them, keeps statements prepared, and says how a transaction begins and ends.
 */
import { CompiledQuery, SqliteAdapter, SqliteDriver, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type {
  DatabaseConnection,
  DatabaseIntrospector,
  Dialect,
  DialectAdapter,
  Driver,
  Kysely,
  QueryCompiler,
  SqliteDatabase,
  SqliteStatement,
} from "kysely";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

/**
 * Statements kept prepared, for each database. An application runs a few dozen different ones over and over; more than
 * this means that one is built with a varying text.
 */
export const PREPARED_STATEMENTS = 200;

/** How a dialect uses its database. */
export interface NodeSqliteDialectOptions {
  /**
   * `immediate` (the default): each takes the write lock when it begins. A deferred one that first reads and then
   * writes fails with SQLITE_BUSY against another process, unhelped by any busy timeout. `deferred`: for databases that
   * are only read, where there is no write lock to take.
   */
  readonly transactions?: "immediate" | "deferred";
}

/** A Kysely dialect over an open database, which is closed with it. */
export class NodeSqliteDialect implements Dialect {
  readonly #database: DatabaseSync;
  readonly #begin: CompiledQuery;

  constructor(database: DatabaseSync, { transactions = "immediate" }: NodeSqliteDialectOptions = {}) {
    this.#database = database;
    this.#begin = CompiledQuery.raw(`begin ${transactions}`);
  }

  createDriver(): Driver {
    return new NodeSqliteDriver(this.#database, this.#begin);
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new TransactionalDdlAdapter();
  }

  // Kysely's own interface says `any` here: an introspector works on whatever tables there are.
  createIntrospector(db: Parameters<Dialect["createIntrospector"]>[0]): DatabaseIntrospector {
    return new SqliteIntrospector(db as Kysely<unknown>);
  }
}

/** SQLite's schema changes are transactional; said here, the migrator runs all migrations in one transaction. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class NodeSqliteDriver extends SqliteDriver {
  readonly #database: DatabaseSync;
  readonly #begin: CompiledQuery;

  constructor(database: DatabaseSync, begin: CompiledQuery) {
    super({ database: new PreparedDatabase(database) });
    this.#database = database;
    this.#begin = begin;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(this.#begin);
  }

  /** SQLite itself rolls back on a full disk or an I/O error; a second rollback would fail and hide the reason. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await connection.executeQuery(CompiledQuery.raw("rollback"));
  }
}

/** Keeps statements prepared; the one whose last use lies furthest back goes first. */
export class PreparedDatabase implements SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  prepare(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    // Taken out and put back: the map's order is the order of last use.
    this.#statements.delete(sql);
    const statement = known ?? adapt(this.#database.prepare(sql));
    this.#statements.set(sql, statement);
    if (this.#statements.size > PREPARED_STATEMENTS) {
      const [leastRecent] = this.#statements.keys();
      if (leastRecent !== undefined) this.#statements.delete(leastRecent);
    }
    return statement;
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }
}

function adapt(statement: StatementSync): SqliteStatement {
  /* eslint-disable no-restricted-syntax -- as node:sqlite takes them; SQLite allows 32,766 */
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  };
  /* eslint-enable no-restricted-syntax */
}

function values(parameters: readonly unknown[]): readonly SQLInputValue[] {
  return parameters as readonly SQLInputValue[];
}

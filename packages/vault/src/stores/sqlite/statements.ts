/**
 * SQL that is compiled once and run many times, at once. Kysely writes the statements; node:sqlite runs them, so that
 * nothing is awaited between the beginning of a transaction and its end.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { DummyDriver, Kysely, sql, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { CompiledQuery, RawBuilder } from "kysely";
import { VaultError } from "../../errors.ts";
import type { KeySchema } from "./key-schema.ts";
import type { LogSchema } from "./log-schema.ts";
import type { VaultSchema } from "./schema.ts";

/** Every table, of whichever file. */
export interface Tables extends VaultSchema, KeySchema, LogSchema {}

/** Compiles, and runs nothing. */
const COMPILER = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** For a limit that is always the same: SQLite plans a statement anew each time that a value is bound to its limit. */
export const ONE: RawBuilder<number> = sql.lit(1);

/** Stands for a value that is not there yet. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const PLACEHOLDERS = new Proxy({}, { get: (_target, name) => new Placeholder(String(name)) });

/** A statement whose values are given by name each time that it is run. */
export class Statement<Values extends object, Row> {
  readonly #build: (db: Kysely<Tables>, values: Values) => CompiledQuery<Row>;
  #compiled: { readonly sql: string; readonly parameters: readonly unknown[] } | null = null;

  constructor(build: (db: Kysely<Tables>, values: Values) => CompiledQuery<Row>) {
    this.#build = build;
  }

  get sql(): string {
    return this.#once().sql;
  }

  /** What is bound, in the order of the statement's question marks. */
  bound(values: Values): SQLInputValue[] {
    const given = values as Readonly<Record<string, unknown>>;
    return this.#once().parameters.map((one) => (one instanceof Placeholder ? given[one.name] : one) as SQLInputValue);
  }

  #once(): { readonly sql: string; readonly parameters: readonly unknown[] } {
    // Whatever Kysely does with a value it hands on as it is: what it bound are the placeholders.
    this.#compiled ??= this.#build(COMPILER, PLACEHOLDERS as Values);
    return this.#compiled;
  }
}

/** Declares a statement: what `build` is given for a value is only handed on to Kysely, never looked into. */
export function statement<Values extends object, Row>(
  build: (db: Kysely<Tables>, values: Values) => CompiledQuery<Row>,
): Statement<Values, Row> {
  return new Statement(build);
}

/** An open database, with the statements that were run on it kept prepared. */
export class Connection {
  readonly database: DatabaseSync;
  readonly #prepared = new Map<Statement<never, unknown>, StatementSync>();
  readonly #pragmas = new Map<string, StatementSync>();
  #begin: StatementSync | null = null;
  #end: StatementSync | null = null;

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  all<Values extends object, Row>(query: Statement<Values, Row>, values: Values): readonly Row[] {
    // eslint-disable-next-line no-restricted-syntax -- as node:sqlite takes them; as many as the statement names
    return this.#prepare(query).all(...query.bound(values)) as unknown as readonly Row[];
  }

  /** As {@link all}, row by row: whoever has enough stops. */
  each<Values extends object, Row>(query: Statement<Values, Row>, values: Values): Iterable<Row> {
    // eslint-disable-next-line no-restricted-syntax -- as above
    return this.#prepare(query).iterate(...query.bound(values)) as unknown as Iterable<Row>;
  }

  first<Values extends object, Row>(query: Statement<Values, Row>, values: Values): Row | undefined {
    // eslint-disable-next-line no-restricted-syntax -- as above
    return this.#prepare(query).get(...query.bound(values)) as unknown as Row | undefined;
  }

  /** Of a statement that always gives a row. @throws VaultError `store-failed` */
  one<Values extends object, Row>(query: Statement<Values, Row>, values: Values): Row {
    const row = this.first(query, values);
    if (row === undefined) throw new VaultError("store-failed", "The database gave no row where one must be");
    return row;
  }

  /** How many rows were changed. */
  run<Values extends object>(query: Statement<Values, unknown>, values: Values): number {
    // eslint-disable-next-line no-restricted-syntax -- as above
    return Number(this.#prepare(query).run(...query.bound(values)).changes);
  }

  exec(sql: string): void {
    this.database.exec(sql);
  }

  /** The number that a pragma answers. */
  pragma(name: "schema_version" | "page_size"): number {
    const prepared = this.#pragmas.get(name) ?? this.database.prepare(`pragma ${name}`);
    this.#pragmas.set(name, prepared);
    return Number(prepared.get()?.[name] ?? 0);
  }

  /** All that is read in it is one snapshot. */
  snapshot<Result>(read: () => Result): Result {
    (this.#begin ??= this.database.prepare("begin")).get();
    try {
      return read();
    } finally {
      if (this.database.isTransaction) (this.#end ??= this.database.prepare("commit")).get();
    }
  }

  /** SQLite itself rolls back on a full disk or an I/O error; a second rollback would fail and hide the reason. */
  rollback(): void {
    if (this.database.isTransaction) this.exec("rollback");
  }

  close(): void {
    this.#prepared.clear();
    this.#pragmas.clear();
    if (this.database.isOpen) this.database.close();
  }

  #prepare<Values extends object>(query: Statement<Values, unknown>): StatementSync {
    const known = this.#prepared.get(query);
    if (known !== undefined) return known;
    const prepared = this.database.prepare(query.sql);
    this.#prepared.set(query, prepared);
    return prepared;
  }
}

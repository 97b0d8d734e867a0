/**
 * The application's database, as a move uses it: PostgreSQL through the application's own pool, SQLite through its
 * own connection. What differs between the two is in this file and in columns.ts.
 */
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as immediate } from "node:timers/promises";
import { Turns } from "@strongroom/base/work";
import { AS_TEXT, takeErrors } from "../stores/postgres/connection.ts";
import type { PostgresPool } from "../stores/postgres/connection.ts";

/** A row, by the names in the statement: texts of PostgreSQL; of SQLite texts, bigints, numbers and bytes. */
export type DatabaseRow = Readonly<Record<string, unknown>>;

/** Runs one statement, with `$1`, `$2`, … in it. */
export type Run = (sql: string, values?: readonly unknown[]) => Promise<readonly DatabaseRow[]>;

/** The database of a move. */
export interface MoveDatabase {
  readonly dialect: "postgres" | "sqlite";
  /** Of the table, and of the table in which moves are kept; null: there are none. */
  readonly schema: string | null;
  /**
   * Does `work` in one transaction, at READ COMMITTED.
   *
   * @param work given the driver's own client, for statements of the application
   */
  transaction<Result>(work: (run: Run, client: unknown) => Promise<Result>): Promise<Result>;
}

/** A name as SQL has it. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A table of the move's schema as SQL has it. */
export function qualified({ schema }: Pick<MoveDatabase, "schema">, table: string): string {
  return schema === null ? quoted(table) : `${quoted(schema)}.${quoted(table)}`;
}

/** So that the texts of values are the same in every session, and exact. */
const EXACT_TEXTS = `select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true),
  set_config('extra_float_digits', '3', true), set_config('intervalstyle', 'postgres', true),
  set_config('bytea_output', 'hex', true), set_config('standard_conforming_strings', 'on', true)`;

/**
 * An application's PostgreSQL database.
 *
 * @param pool the application's, of `pg` or what has its members; nobody but the caller ends it
 * @param options schema of the table, and of `strongroom_moves` beside it: `public` when left out
 * @example
 * ```ts
 * import pg from "pg";
 * import { postgresDatabase } from "@strongroom/vault/moving";
 *
 * const pool = new pg.Pool({ connectionString: "postgres://app@127.0.0.1/shop" });
 * console.log(postgresDatabase(pool).schema); // prints: public
 * await pool.end();
 * ```
 */
export function postgresDatabase(pool: PostgresPool, options: { readonly schema?: string } = {}): MoveDatabase {
  takeErrors(pool);
  return {
    dialect: "postgres",
    schema: options.schema ?? "public",
    transaction: async (work) => {
      const client = await pool.connect();
      let broken = false;
      const run: Run = async (text, values = []) =>
        (await client.query({ text, values: [...values], types: AS_TEXT })).rows as readonly DatabaseRow[];
      try {
        await run("begin isolation level read committed");
        await run(EXACT_TEXTS);
        const result = await work(run, client);
        await run("commit");
        return result;
      } catch (error) {
        await run("rollback").catch(() => {
          broken = true;
        });
        throw error;
      } finally {
        client.release(broken);
      }
    },
  };
}

/** Whose turn it is on a connection: SQLite has one transaction at a time on each. */
const turns = new WeakMap<DatabaseSync, Turns>();

/**
 * An application's SQLite database. @param database the application's connection; nobody but the caller closes it
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { DatabaseSync } from "node:sqlite";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 * import { MoveStates, sqliteDatabase, vaultTarget } from "@strongroom/vault/moving";
 *
 * const app = new DatabaseSync(":memory:");
 * app.exec("create table people (id integer primary key, name text); insert into people values (1, 'Ada')");
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * await using vault = await openVault({ store: memoryStore(), keyring });
 * const database = sqliteDatabase(app);
 * const options = { database, target: (collection: string) => vaultTarget(vault, collection), opener: null };
 * const columns = [{ name: "name", holds: "values" }] as const;
 * const people = { name: "people", table: "people", key: "id", columns, collection: "people" };
 * console.log((await new MoveStates(options.database).list()).length, people.name); // prints: 0 people
 * ```
 */
export function sqliteDatabase(database: DatabaseSync): MoveDatabase {
  const own = turns.get(database) ?? new Turns();
  turns.set(database, own);
  const run: Run = async (text, values = []) => {
    // In the order in which they stand: the oldest Node binds no numbered ones by their position.
    const given: unknown[] = [];
    const statement = database.prepare(
      // Of a quoted name nothing is a parameter.
      text.replaceAll(/"(?:[^"]|"")*"|\$(\d+)/g, (found, number: string | undefined) => {
        if (number === undefined) return found;
        given.push(values[Number(number) - 1]);
        return "?";
      }),
    );
    statement.setReadBigInts(true);
    // eslint-disable-next-line no-restricted-syntax -- a value for each column, of which a move has at most 200
    return statement.all(...(given as (string | bigint | null)[]));
  };
  return {
    dialect: "sqlite",
    schema: null,
    transaction: async (work) => {
      // Nothing of this waits for anybody: whoever else the process serves has a turn all the same.
      await immediate();
      return own.take("", async () => {
        database.exec("begin immediate");
        try {
          const result = await work(run, database);
          database.exec("commit");
          return result;
        } catch (error) {
          if (database.isTransaction) database.exec("rollback");
          throw error;
        }
      });
    },
  };
}

/**
 * What a move is tested on: a table of an application in SQLite or PostgreSQL, and a vault of its own.
 */
import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import { memoryStore } from "@strongroom/vault/memory";
import { postgresDatabase, sqliteDatabase, vaultTarget } from "@strongroom/vault/moving";
import type { MoveDatabase, MoveDefinition, MoveOptions } from "@strongroom/vault/moving";
import type pg from "pg";
import { defer } from "../../../../../tests/support/defer.ts";
import { openVault } from "../../../src/open-vault.ts";
import type { MessageOpener } from "../../../src/moving/messages.ts";
import type { Vault } from "../../../src/vault.ts";

/** A table, a vault, and statements on the table. */
export interface Moved {
  readonly vault: Vault;
  readonly database: MoveDatabase;
  readonly options: MoveOptions;
  /** One statement of the application. */
  readonly sql: (text: string, values?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;
}

/** The usual definition: columns name, email and born of people, by id. */
export const PEOPLE: MoveDefinition = {
  name: "people",
  table: "people",
  key: "id",
  columns: ["name", "email", "born"].map((name) => ({ name, holds: "values" })),
  collection: "people",
};

export async function openTestVault(t: TestContext): Promise<Vault> {
  const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "test", wrappingKey: randomBytes(32) });
  const vault = await openVault({ store: memoryStore(), keyring });
  defer(t, () => vault.close());
  return vault;
}

/** An application's table in SQLite, in memory unless a path is given. */
export async function movedSqlite(
  t: TestContext,
  create: string,
  { opener = null, path = ":memory:" }: { readonly opener?: MessageOpener | null; readonly path?: string } = {},
): Promise<Moved> {
  const connection = new DatabaseSync(path);
  defer(t, () => {
    connection.close();
  });
  connection.exec(create);
  const database = sqliteDatabase(connection);
  return moved(await openTestVault(t), database, opener);
}

let schemas = 0;

/** The same in a schema of its own. */
export async function movedPostgres(
  t: TestContext,
  pool: pg.Pool,
  create: string,
  opener: MessageOpener | null = null,
): Promise<Moved> {
  const schema = `App "${++schemas}"`;
  const name = `"${schema.replaceAll('"', '""')}"`;
  await pool.query(`create schema ${name}`);
  defer(t, () => pool.query(`drop schema ${name} cascade`));
  const client = await pool.connect();
  await client.query(`set search_path to ${name}`);
  await client.query(create);
  await client.query("reset search_path");
  client.release();
  const database = postgresDatabase(pool, { schema });
  return moved(await openTestVault(t), database, opener);
}

function moved(vault: Vault, database: MoveDatabase, opener: MessageOpener | null): Moved {
  return {
    vault,
    database,
    options: { database, target: (collection) => vaultTarget(vault, collection), opener },
    sql: (text, values = []) =>
      database.transaction(async (run) => {
        if (database.schema !== null) await run(`set local search_path to "${database.schema.replaceAll('"', '""')}"`);
        return await run(text, values);
      }),
  };
}

/** What the vault has of an id; null: nothing. */
export async function stored(vault: Vault, id: string): Promise<unknown> {
  return vault.get({ collection: "people", id }).then(
    ({ document }) => ({ ...document }),
    (error: unknown) => {
      if ((error as { code?: string }).code === "record-absent") return null;
      throw error;
    },
  );
}

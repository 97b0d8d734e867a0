/**
 * A look at a vault's file from outside, also while a service has it open: it is only read.
 */
import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { NodeSqliteDialect } from "@strongroom/base/sqlite";
import { Kysely, sql } from "kysely";
import { isVaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import { storeFailure } from "./database.ts";
import { readMarked, requireMarked, requireSchema } from "./guard.ts";
import { markPath, readMark } from "./mark.ts";
import type { VaultSchema } from "./schema.ts";

/** What a look at the file shows. */
export interface InspectedDatabase {
  /** `absent`: there is none, and none was. */
  readonly state: "sound" | "absent" | "refused";
  /** Why a store would refuse it; null otherwise. */
  readonly problem: { readonly code: VaultErrorCode; readonly message: string } | null;
  /** Whether a mark beside it says how many changes it had. */
  readonly isMarked: boolean;
  /** Changes that it has seen; null when it does not say. */
  readonly commits: number | null;
}

/**
 * Whether a store would take the file as it is: its schema, and what the mark beside it says.
 *
 * @example
 * ```ts
 * import { inspectDatabase, sqliteStore } from "@strongroom/vault/sqlite";
 *
 * const store = await sqliteStore("vault.sqlite", { mark: true });
 * const { state, isMarked } = await inspectDatabase("vault.sqlite");
 * console.log(state, isMarked); // prints: sound true
 * await store.close();
 * ```
 */
export async function inspectDatabase(path: string): Promise<InspectedDatabase> {
  const found = { isMarked: existsSync(markPath(path)), commits: null };
  try {
    const marked = readMark(markPath(path));
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) {
      if (marked !== null) requireMarked(null, marked);
      return { ...found, state: "absent", problem: null };
    }
    const database = new DatabaseSync(path, { readOnly: true });
    const db = new Kysely<VaultSchema>({ dialect: new NodeSqliteDialect(database, { transactions: "deferred" }) });
    try {
      return await db.transaction().execute(async (transaction) => {
        const applied = await migrationsOf(transaction);
        await requireSchema(transaction, applied);
        const own = applied.includes("0003-commits") ? await readMarked(transaction) : null;
        if (marked !== null) requireMarked(own, marked);
        const state = applied.length === 0 ? "absent" : "sound";
        return { ...found, state, problem: null, commits: own?.commits ?? null };
      });
    } finally {
      await db.destroy();
    }
  } catch (error) {
    const { code, message } = isVaultError(error) ? error : storeFailure(error);
    return { ...found, state: "refused", problem: { code, message } };
  }
}

/** None of a file that nothing was made in. */
async function migrationsOf(db: Kysely<VaultSchema>): Promise<readonly string[]> {
  const { rows: tables } = await sql`select 1 from sqlite_schema where name = 'kysely_migration'`.execute(db);
  if (tables.length === 0) return [];
  const { rows } = await sql<{ readonly name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map(({ name }) => name);
}

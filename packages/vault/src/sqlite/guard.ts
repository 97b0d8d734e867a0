/**
 * What is asked before and after each use of the database: are its files the ones that were opened, is its schema the
 * one that was checked, has it all changes that were committed. Whoever can write the files can break the vault; they
 * shall not make it acknowledge what is lost or give an older state for the newest one.
 */
import { MIGRATION_TABLES, schemaDifferences, schemaOf } from "@strongroom/base/sqlite-schema";
import type { SchemaForm } from "@strongroom/base/sqlite-schema";
import { sql } from "kysely";
import type { Kysely, Transaction } from "kysely";
import { VaultError } from "../errors.ts";
import type { Mark, Marked } from "./mark.ts";
import { OpenFiles } from "./open-files.ts";
import { MIGRATIONS } from "./schema.ts";
import type { VaultSchema } from "./schema.ts";

/** Names of the migrations that a database has -> the schema that they make. */
async function schemaAfter(applied: readonly string[]): Promise<SchemaForm> {
  if (applied.length === 0) return {};
  return schemaOf(Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => applied.includes(name))));
}

/** What differs from the schema that these migrations make. */
export async function vaultDifferences(
  db: Kysely<VaultSchema>,
  applied: readonly string[] = Object.keys(MIGRATIONS),
): Promise<readonly string[]> {
  const made = await schemaAfter(applied);
  // Kysely makes its own tables before the transaction of the first migration.
  const optional = applied.length === 0 ? MIGRATION_TABLES : {};
  return schemaDifferences(db, { wanted: made, optional, owner: "this vault" });
}

/** @throws VaultError `store-altered` naming what differs from the schema that these migrations make */
export async function requireSchema(db: Kysely<VaultSchema>, applied?: readonly string[]): Promise<void> {
  const problems = await vaultDifferences(db, applied);
  if (problems.length > 0)
    throw new VaultError("store-altered", `The schema is not the one that this version makes: ${problems.join("; ")}`);
}

/** Which vault a database says it is, and how many changes it has. */
export async function readMarked(db: Kysely<VaultSchema>): Promise<Marked> {
  const row = await db
    .selectFrom("vault")
    .select(["id as vault", sql<string>`cast(commits as text)`.as("commits")])
    .executeTakeFirst();
  if (row === undefined || !/^[0-9]{1,16}$/.test(row.commits))
    throw new VaultError("store-set-back", "The database does not say how many changes it has seen");
  return { vault: row.vault, commits: Number(row.commits) };
}

/** @throws VaultError `store-set-back` unless the database is the marked vault and has all that was marked */
export function requireMarked(found: Marked | null, marked: Marked): void {
  if (found === null)
    throw new VaultError("store-set-back", "The vault was here before, and its database is empty or gone");
  if (found.vault !== marked.vault) throw new VaultError("store-set-back", "The database is that of another vault");
  if (found.commits < marked.commits)
    throw new VaultError(
      "store-set-back",
      `The database has ${found.commits} changes, and the vault had at least ${marked.commits}`,
    );
}

/** Watches one open database. */
export class Guard {
  readonly #db: Kysely<VaultSchema>;
  readonly #mark: Mark | null;
  readonly #files: OpenFiles;
  readonly #pageSize: number;
  readonly #vault: string;
  #commits: number;
  #schemaVersion: number;
  #cut: VaultError | null = null;

  private constructor(db: Kysely<VaultSchema>, mark: Mark | null, path: string, opened: Opened) {
    this.#db = db;
    this.#mark = mark;
    this.#files = new OpenFiles(path);
    this.#vault = opened.marked.vault;
    this.#commits = opened.marked.commits;
    this.#schemaVersion = opened.schemaVersion;
    this.#pageSize = opened.pageSize;
  }

  /** Begins with a database whose schema was checked. @throws VaultError `store-set-back` */
  static async over(db: Kysely<VaultSchema>, path: string, mark: Mark | null): Promise<Guard> {
    const marked = await readMarked(db);
    const before = mark?.found ?? null;
    if (before !== null) requireMarked(marked, before);
    mark?.note(marked);
    const [schemaVersion, pageSize] = [await pragma(db, "schema_version"), await pragma(db, "page_size")];
    return new Guard(db, mark, path, { marked, schemaVersion, pageSize });
  }

  /** Before a read. @throws VaultError `store-replaced`, `store-altered`, `store-set-back` */
  async requireCurrent(): Promise<void> {
    await this.requireFiles();
    await this.#requireState(this.#db);
  }

  /** Before and after each use. @throws VaultError `store-replaced` */
  async requireFiles(): Promise<void> {
    this.#files.require();
    if (this.#files.logIsShorter()) await this.#examineLog();
    if (this.#cut !== null) throw this.#cut;
  }

  /** Counts a change inside its own transaction. @throws VaultError `store-altered`, `store-set-back` */
  async count(transaction: Transaction<VaultSchema>): Promise<number> {
    await this.#requireState(transaction);
    // Nobody else writes now: a log that is shorter by now was cut, or emptied just before. What follows would be
    // written behind the gap; the next use finds out which.
    if (this.#files.logIsShorter()) throw logCut();
    const { commits } = await transaction
      .updateTable("vault")
      .set(({ eb }) => ({ commits: eb("commits", "+", 1) }))
      .returning("commits")
      .executeTakeFirstOrThrow();
    return commits;
  }

  /** Notes a change that is committed. */
  committed(commits: number): void {
    this.#commits = Math.max(this.#commits, commits);
    this.#mark?.note({ vault: this.#vault, commits: this.#commits });
  }

  async #requireState(db: Kysely<VaultSchema>): Promise<void> {
    // SQLite counts every change of the schema.
    const schemaVersion = await pragma(db, "schema_version");
    if (schemaVersion !== this.#schemaVersion) {
      await requireSchema(db);
      this.#schemaVersion = schemaVersion;
    }
    requireMarked(await readMarked(db), { vault: this.#vault, commits: this.#commits });
  }

  /** A log that another process emptied is in the database by now; one that was cut lacks frames that its index has. */
  async #examineLog(): Promise<void> {
    try {
      const { rows } = await sql<{ log: number }>`pragma wal_checkpoint(passive)`.execute(this.#db);
      const frames = BigInt(Math.max(0, rows[0]?.log ?? 0));
      if (frames === 0n || this.#files.logSize() >= 32n + frames * BigInt(24 + this.#pageSize)) {
        this.#files.acceptLog();
        return;
      }
    } catch {
      // The frames that the index has cannot be read.
    }
    this.#cut = logCut();
  }
}

const logCut = (): VaultError =>
  new VaultError("store-replaced", "The database's write-ahead log was cut while it was in use");

interface Opened {
  readonly marked: Marked;
  readonly schemaVersion: number;
  readonly pageSize: number;
}

async function pragma(db: Kysely<VaultSchema>, name: "schema_version" | "page_size"): Promise<number> {
  const { rows } = await sql<Readonly<Record<string, number>>>`pragma ${sql.raw(name)}`.execute(db);
  return rows[0]?.[name] ?? 0;
}

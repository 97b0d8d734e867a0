/**
 * What is asked before and after each use of the database: are its files the ones that were opened, is its schema the
 * one that was checked, has it all changes that were committed. Whoever can write the files can break the vault; they
 * shall not make it acknowledge what is lost or give an older state for the newest one.
 */
import { MIGRATION_TABLES, schemaDifferencesOf, schemaOf } from "@strongroom/base/sqlite-schema";
import type { SchemaForm } from "@strongroom/base/sqlite-schema";
import type { Migration } from "kysely";
import type { DatabaseSync } from "node:sqlite";
import { VaultError } from "../../errors.ts";
import { countCommit, readGate, requireVersion } from "./gate-row.ts";
import type { GateRow } from "./gate-row.ts";
import type { Mark, Marked } from "./mark.ts";
import { OpenFiles } from "./open-files.ts";
import type { FileIdentities } from "./open-files.ts";
import type { Connection } from "./statements.ts";

/** The schema that those of the migrations make which a database has. */
export async function schemaAfter(
  migrations: Readonly<Record<string, Migration>>,
  applied: readonly string[] = Object.keys(migrations),
): Promise<SchemaForm> {
  if (applied.length === 0) return {};
  return schemaOf(Object.fromEntries(Object.entries(migrations).filter(([name]) => applied.includes(name))));
}

/** @throws VaultError `store-altered` naming what differs from the schema that is wanted */
export function requireSchema(database: DatabaseSync, wanted: SchemaForm): void {
  // Kysely makes its own tables before the transaction of the first migration.
  const optional = Object.keys(wanted).length === 0 ? MIGRATION_TABLES : {};
  const problems = schemaDifferencesOf(database, { wanted, optional, owner: "this vault" });
  if (problems.length > 0)
    throw new VaultError("store-altered", `The schema is not the one that this version makes: ${problems.join("; ")}`);
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

/** What a database was like when its schema was checked. Another thread goes on from it. */
export interface Known extends Marked {
  readonly schema: SchemaForm;
  readonly schemaVersion: number;
  readonly files: FileIdentities;
}

/** Watches one connection to a database. */
export class Guard {
  readonly #connection: Connection;
  readonly #mark: Mark | null;
  readonly #files: OpenFiles;
  readonly #pageSize: number;
  readonly #schema: SchemaForm;
  readonly #vault: string;
  #commits: number;
  #schemaVersion: number;
  #cut: VaultError | null = null;

  private constructor(connection: Connection, mark: Mark | null, files: OpenFiles, known: Omit<Known, "files">) {
    this.#connection = connection;
    this.#mark = mark;
    this.#files = files;
    this.#schema = known.schema;
    this.#vault = known.vault;
    this.#commits = known.commits;
    this.#schemaVersion = known.schemaVersion;
    this.#pageSize = connection.pragma("page_size");
  }

  /** Begins with a database whose schema was checked. @throws VaultError `store-set-back`, `store-altered` */
  static over(connection: Connection, path: string, schema: SchemaForm, mark: Mark | null): Guard {
    const { vault, commits } = readGate(connection);
    const marked: Marked = { vault, commits };
    const before = mark?.found ?? null;
    if (before !== null) requireMarked(marked, before);
    mark?.note(marked);
    const schemaVersion = connection.pragma("schema_version");
    return new Guard(connection, mark, new OpenFiles(path), { ...marked, schema, schemaVersion });
  }

  /** Of one more connection to the same database. */
  static again(connection: Connection, path: string, known: Known): Guard {
    return new Guard(connection, null, new OpenFiles(path, known.files), known);
  }

  /** For {@link Guard.again}. */
  get known(): Known {
    return {
      vault: this.#vault,
      commits: this.#commits,
      schema: this.#schema,
      schemaVersion: this.#schemaVersion,
      files: this.#files.identities,
    };
  }

  /** Before and after each use. @throws VaultError `store-replaced` */
  requireFiles(): void {
    if (this.#files.require()) this.#examineLog();
    if (this.#cut !== null) throw this.#cut;
  }

  /** Within the snapshot of a use. @throws VaultError `store-altered`, `store-set-back`, `store-newer` */
  requireState(use: "read" | "write"): GateRow {
    // SQLite counts every change of the schema.
    const schemaVersion = this.#connection.pragma("schema_version");
    if (schemaVersion !== this.#schemaVersion) {
      requireSchema(this.#connection.database, this.#schema);
      this.#schemaVersion = schemaVersion;
    }
    const gate = readGate(this.#connection);
    requireMarked(gate, { vault: this.#vault, commits: this.#commits });
    requireVersion(gate, use);
    return gate;
  }

  /** Counts a change inside its own transaction. @throws VaultError `store-altered`, `store-set-back`, `store-newer` */
  count(): number {
    const { commits } = this.requireState("write");
    // Nobody else writes now: a log that is shorter by now was cut, or emptied just before. What follows would be
    // written behind the gap; the next use finds out which.
    if (this.#files.logIsShorter()) throw logCut();
    countCommit(this.#connection);
    return commits + 1;
  }

  /** How many changes are known of. */
  get commits(): number {
    return this.#commits;
  }

  /** Notes a change that is committed. */
  committed(commits: number): void {
    this.#commits = Math.max(this.#commits, commits);
    this.#mark?.note({ vault: this.#vault, commits: this.#commits });
  }

  /** A log that another process emptied is in the database by now; one that was cut lacks frames that its index has. */
  #examineLog(): void {
    try {
      const row = this.#connection.database.prepare("pragma wal_checkpoint(passive)").get();
      const frames = BigInt(Math.max(0, Number(row?.["log"] ?? 0)));
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

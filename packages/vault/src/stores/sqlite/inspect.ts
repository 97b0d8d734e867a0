/**
 * A look at a vault's file from outside, also while a service has it open: it is only read.
 */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { shown } from "@strongroom/base/shown";
import { isVaultError, VaultError } from "../../errors.ts";
import type { VaultErrorCode } from "../../errors.ts";
import type { GateState } from "../gate.ts";
import { isEmptyFile, lookAtEarlierFile } from "./earlier-file.ts";
import { storeFailure } from "./failures.ts";
import { currentGate, readGate, requireVersion } from "./gate-row.ts";
import { requireMarked, requireSchema, schemaAfter } from "./guard.ts";
import { markPath, readMark } from "./mark.ts";
import { owedMove } from "./move.ts";
import type { OwedMove } from "./move.ts";
import { moveRow } from "./move-row.ts";
import { Connection } from "./statements.ts";
import { FILE_FORMS } from "./store-file.ts";
import type { FileKind } from "./store-file.ts";

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
  /** Which key set is in force; null when it does not say. */
  readonly gate: GateState | null;
  /** The number of its last migration, and of the last that this version has; null when it has none. */
  readonly version: number | null;
  readonly latest: number;
  /** Migrations that it does not have yet, and that the next start makes; none of a file that is absent. */
  readonly pending: readonly string[];
  /** Records that an earlier version's file still has and that the next start moves here; null when there are none. */
  readonly move: OwedMove | null;
}

/** Where else to look. */
export interface InspectOptions {
  /** What the file keeps; left out: records. */
  readonly kind?: FileKind;
  /** The file of an earlier version from which records are moved. */
  readonly movesFrom?: string;
}

/** The number that a migration's name begins with; of several, the last one's. */
const numberOf = (name: string): number => Number.parseInt(name, 10);
const latestOf = (names: readonly string[]): number => numberOf([...names].sort().at(-1) ?? "0");

/**
 * Whether a store would take the file as it is: its schema, and what the mark beside it says.
 *
 * @example
 * ```ts
 * import { inspectDatabase, sqliteStore } from "@strongroom/vault/sqlite";
 *
 * const store = await sqliteStore("records.sqlite", { mark: true });
 * const { state, isMarked, move } = await inspectDatabase("records.sqlite", { movesFrom: "vault.sqlite" });
 * console.log(state, isMarked, move); // prints: sound true null
 * await store.close();
 * ```
 */
export async function inspectDatabase(
  path: string,
  { kind = "records", movesFrom }: InspectOptions = {},
): Promise<InspectedDatabase> {
  const { migrations } = FILE_FORMS[kind];
  const found = {
    isMarked: existsSync(markPath(path)),
    commits: null,
    gate: null,
    version: null,
    latest: latestOf(Object.keys(migrations)),
    pending: [],
    move: movesFrom === undefined ? null : owedMove(movesFrom, false),
  };
  try {
    const marked = readMark(markPath(path));
    if (isEmptyFile(path)) {
      if (marked !== null) requireMarked(null, marked);
      return { ...found, state: "absent", problem: null };
    }
    const earlier = kind === "records" ? lookAtEarlierFile(path) : null;
    if (earlier !== null)
      return {
        ...found,
        state: "sound",
        problem: null,
        move: { state: earlier.isSealed ? "under way" : "owed", versions: earlier.versions },
      };
    const connection = new Connection(new DatabaseSync(path, { readOnly: true }));
    try {
      requireForm(connection, kind);
      const before = migrationsOf(connection, kind);
      const wanted = await schemaAfter(migrations, before);
      return connection.snapshot(() => {
        const applied = migrationsOf(connection, kind);
        // A process may migrate it meanwhile: then it was sound, and the next look shows it.
        if (applied.length === before.length) requireSchema(connection.database, wanted);
        if (applied.length === 0) return { ...found, state: "absent", problem: null };
        const pending = Object.keys(migrations).filter((name) => !applied.includes(name));
        const version = latestOf(applied);
        const row = readGate(connection);
        requireVersion(row, "write");
        if (marked !== null) requireMarked(row, marked);
        const { commits, ...rest } = row;
        const gate: GateState = pending.length === 0 ? currentGate(connection) : { ...rest, peer: null };
        const isUnderWay = kind === "records" && moveRow(connection) !== undefined;
        const move = isUnderWay ? owedMove(movesFrom ?? "", true) : found.move;
        return { ...found, state: "sound", problem: null, commits, gate, version, pending, move };
      });
    } finally {
      connection.close();
    }
  } catch (error) {
    const { code, message } = isVaultError(error) ? error : storeFailure(error);
    return { ...found, state: "refused", problem: { code, message } };
  }
}

/** Records in the place of keys would be taken for keys of a newer version. @throws VaultError `store-failed` */
function requireForm({ database }: Connection, kind: FileKind): void {
  const { applicationId, title } = FILE_FORMS[kind];
  const { application_id: is } = database.prepare("pragma application_id").get() ?? {};
  if (is !== 0 && is !== applicationId)
    throw new VaultError("store-failed", `The file is a SQLite database, but not ${title}`);
}

/** None of a file that nothing was made in. @throws VaultError `store-newer` */
function migrationsOf({ database }: Connection, kind: FileKind): readonly string[] {
  const { migrations } = FILE_FORMS[kind];
  const tables = database.prepare("select 1 from sqlite_schema where name = 'kysely_migration'").all();
  if (tables.length === 0) return [];
  const applied = database.prepare("select name from kysely_migration order by name").all();
  const names = applied.map(({ name }) => String(name));
  const unknown = names.filter((name) => !Object.hasOwn(migrations, name));
  if (unknown.length > 0)
    throw new VaultError(
      "store-newer",
      `The database was made by a newer version: it has ${shown(unknown.join(", "))}`,
    );
  return names;
}

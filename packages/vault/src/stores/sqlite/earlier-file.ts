/**
 * The file of an earlier version, as a move finds it: looked over as that version would, and sealed, so that nobody
 * writes to it any more.
 */
import { roomOf } from "@strongroom/base/disk-reserve";
import { openSqliteFile } from "@strongroom/base/sqlite";
import { DatabaseSync } from "node:sqlite";
import { realpathSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { VaultError } from "../../errors.ts";
import { EARLIER_MIGRATIONS, hasCommits, SEALED_MIGRATIONS } from "./earlier-schema.ts";
import { openingFailure } from "./failures.ts";
import { requireMarked, requireSchema, schemaAfter } from "./guard.ts";
import { Mark, markPath, readMark } from "./mark.ts";
import type { Marked } from "./mark.ts";
import { APPLICATION_ID } from "./schema.ts";

/** Whether there is no file, or nothing in it. */
export const isEmptyFile = (path: string): boolean => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;

/** The new file's log holds so much at most before it is emptied into it. */
const LOG_BYTES = 16 * 1024 * 1024;

/**
 * Asked before the file is sealed: from then on there is no way back to the program that made it.
 *
 * @throws VaultError `store-full` when what is in the file does not fit into a new one at `path`
 */
export function requireRoomFor(earlier: string, path: string, maxBytes: number): void {
  const used = usedBytes(earlier);
  const needed = used + Math.min(used, LOG_BYTES);
  const free = roomOf(dirname(resolve(path)))?.free ?? Number.POSITIVE_INFINITY;
  const why =
    used > maxBytes
      ? `take ${used} bytes, and the database may have ${maxBytes}`
      : `need ${needed} bytes more while they are moved, and the volume has ${free}`;
  if (used > maxBytes || needed > free)
    throw new VaultError("store-full", `The records of an earlier version ${why}: nothing was changed`);
}

/** Bytes of a database that hold something; 0 when it cannot be read: what is wrong with it, sealing it tells. */
function usedBytes(path: string): number {
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    const number = (pragma: string): number => Number(database.prepare(`pragma ${pragma}`).get()?.[pragma]);
    return (number("page_count") - number("freelist_count")) * number("page_size");
  } catch {
    return 0;
  }
}

/**
 * Seals the file: a program of an earlier version that runs is stopped by its next look at the schema, within the
 * transaction of its next write, and one that starts by a migration that it does not know. What they have acknowledged
 * is in the file.
 *
 * @returns which vault it is, and how many changes it had
 * @throws VaultError `store-newer`, `store-altered`, `store-set-back`, `store-full`, `store-failed`
 */
export async function sealEarlierFile(path: string, patienceMs: number): Promise<Marked> {
  try {
    // Before the database: a program that still writes makes the mark after each commit.
    const marked = readMark(markPath(path));
    const { database } = await openSqliteFile(
      path,
      {
        applicationId: APPLICATION_ID,
        migrations: SEALED_MIGRATIONS,
        synchronous: "full",
        busyTimeoutMs: 0,
        patienceMs,
        maxBytes: Number.MAX_SAFE_INTEGER,
      },
      async (found) => {
        requireSchema(found.database, await schemaAfter(SEALED_MIGRATIONS, found.applied));
        if (marked !== null) requireMarked(hasCommits(found.applied) ? earlierMarked(found.database) : null, marked);
      },
    );
    try {
      return earlierMarked(database);
    } finally {
      database.close();
    }
  } catch (error) {
    const { code, message } = openingFailure(error);
    throw new VaultError(code, `The file to move from: ${message}`, { cause: error });
  }
}

/** @throws VaultError `store-set-back` */
export function earlierMarked(database: DatabaseSync): Marked {
  const row = database.prepare("select id, cast(commits as text) as commits from vault").get();
  const [id, commits] = [String(row?.["id"]), String(row?.["commits"])];
  if (!/^[0-9a-f-]{36}$/.test(id) || !/^[0-9]{1,15}$/.test(commits))
    throw new VaultError("store-set-back", "The database does not say how many changes it has seen");
  return { vault: id, commits: Number(commits) };
}

/** What a look at such a file shows, without changing it. */
export interface EarlierFile {
  readonly versions: number;
  readonly isSealed: boolean;
}

/** Null when the file is none of an earlier version. @throws what SQLite says of a file that it cannot read */
export function lookAtEarlierFile(path: string): EarlierFile | null {
  if (isEmptyFile(path)) return null;
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec("begin");
    const tables = database.prepare("select name from sqlite_schema where type = 'table'").all();
    if (!["kysely_migration", "versions"].every((name) => tables.some((table) => table["name"] === name))) return null;
    const applied = database.prepare("select name from kysely_migration").all();
    if (!applied.some(({ name }) => Object.hasOwn(EARLIER_MIGRATIONS, String(name)))) return null;
    const versions = Number(database.prepare("select count(*) as versions from versions").get()?.["versions"]);
    return { versions, isSealed: tables.some(({ name }) => name === "moved") };
  } finally {
    database.close();
  }
}

/**
 * Takes the file away, and what lies beside it. Its mark stays, or is made: a program of an earlier version that starts
 * in this place then says that its vault is gone, and does not begin a new one.
 */
export async function removeEarlierFile(path: string, marked: Marked): Promise<void> {
  const mark = Mark.open(markPath(path));
  mark.note(marked);
  await mark.close();
  const linked = statSync(path, { throwIfNoEntry: false }) === undefined ? path : realpathSync(path);
  for (const name of [linked, path, `${linked}-wal`, `${linked}-shm`, `${path}.reserve`]) rmSync(name, { force: true });
}

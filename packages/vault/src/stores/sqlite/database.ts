/**
 * The file of a store, as this package opens it.
 */
import { resolve } from "node:path";
import { DiskReserve } from "@strongroom/base/disk-reserve";
import { VaultError } from "../../errors.ts";
import { isEmptyFile } from "./earlier-file.ts";
import { openingFailure } from "./failures.ts";
import { readGate } from "./gate-row.ts";
import { Guard, requireMarked, schemaAfter } from "./guard.ts";
import { Mark, markPath } from "./mark.ts";
import { moveRecords } from "./move.ts";
import type { MoveFrom } from "./move.ts";
import { moveRow } from "./move-row.ts";
import type { Connection } from "./statements.ts";
import { FILE_FORMS, openStoreFile } from "./store-file.ts";
import type { FileKind } from "./store-file.ts";

export interface OpenFileOptions {
  /** How long an operation waits for another process' write lock, in milliseconds. */
  readonly busyTimeoutMs: number;
  /** Largest size of the database file in bytes, rounded down to whole pages; what would exceed it is `store-full`. */
  readonly maxBytes: number;
  /**
   * Keeps a mark beside the file, `PATH.mark`: which vault it is and how many changes it had. A database that has
   * fewer, or is another, is refused with `store-set-back`.
   */
  readonly mark: boolean;
  /**
   * Keeps room on the volume, in the file `PATH.reserve`, so that removing goes on when it is full. Writing ends with
   * `store-full` before that.
   */
  readonly reserve: boolean;
}

/** The same, of records. */
export interface OpenDatabaseOptions extends OpenFileOptions {
  /** A file of an earlier version, whose records are moved into this one. Null: there is none. */
  readonly moveFrom: MoveFrom | null;
}

/** An open database, and who watches it. */
export interface OpenVaultFile {
  readonly path: string;
  readonly kind: FileKind;
  /** Only reads. */
  readonly connection: Connection;
  readonly guard: Guard;
  /** Null: none is kept. */
  readonly reserve: DiskReserve | null;
  close(): Promise<void>;
}

/** @throws VaultError `store-newer`, `store-altered`, `store-set-back`, `store-full`, `store-failed` */
export function openRecords(path: string, { moveFrom, ...options }: OpenDatabaseOptions): Promise<OpenVaultFile> {
  return openDatabase(path, "records", options, {
    before: async () => {
      if (moveFrom !== null) await moveRecords(path, moveFrom, options);
    },
    inspect: (connection) => {
      if (moveRow(connection) !== undefined)
        throw new VaultError(
          "store-failed",
          "The records of an earlier version are on their way into this database: open it with `moveFrom`",
        );
    },
  });
}

/** The same. */
export function openKeys(path: string, options: OpenFileOptions): Promise<OpenVaultFile> {
  return openDatabase(path, "keys", options, NOTHING_MORE);
}

/** The same. */
export function openAudit(path: string, options: OpenFileOptions): Promise<OpenVaultFile> {
  return openDatabase(path, "audit", options, NOTHING_MORE);
}

const NOTHING_MORE = { before: async () => undefined, inspect: () => undefined } as const;

async function openDatabase(
  path: string,
  kind: FileKind,
  { busyTimeoutMs, maxBytes, mark: wanted, reserve }: OpenFileOptions,
  own: { readonly before: () => Promise<void>; readonly inspect: (connection: Connection) => void },
): Promise<OpenVaultFile> {
  let mark: Mark | null = null;
  requireFile(path);
  try {
    mark = wanted ? Mark.open(markPath(path)) : null;
    const opened = mark;
    const marked = mark?.found ?? null;
    // Before anything is made in its place.
    if (marked !== null && isEmptyFile(path)) requireMarked(null, marked);
    await own.before();
    const connection = await openStoreFile(path, kind, { busyTimeoutMs, maxBytes }, (found) => {
      if (marked !== null) requireMarked(found.isNew ? null : readGate(found.connection), marked);
    });
    try {
      own.inspect(connection);
      connection.exec(`pragma query_only = on; pragma cache_size = -${READ_CACHE_KIB}`);
      const guard = Guard.over(connection, resolve(path), await schemaAfter(FILE_FORMS[kind].migrations), mark);
      const close = async (): Promise<void> => {
        connection.close();
        await opened?.close();
      };
      return {
        path: resolve(path),
        kind,
        connection,
        guard,
        reserve: reserve ? new DiskReserve(`${resolve(path)}.reserve`) : null,
        close,
      };
    } catch (error) {
      connection.close();
      throw error;
    }
  } catch (error) {
    await mark?.close();
    throw openingFailure(error, FILE_FORMS[kind].title);
  }
}

/** Of pages that were read, in KiB: a read of one record is of seven pages, wherever they lie in the file. */
const READ_CACHE_KIB = 16 * 1024;

/** Names that SQLite takes for no file at all: what was acknowledged would be gone with the process. */
const NO_FILE = /^(?::memory:|file:.*|)$/;

/** @throws VaultError `store-failed` */
export function requireFile(path: string): void {
  if (typeof path !== "string" || NO_FILE.test(path))
    throw new VaultError("store-failed", `The store needs the path of a file, which ${JSON.stringify(path)} is not`);
}

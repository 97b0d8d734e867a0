/**
 * What went wrong with a SQLite file: one word for each thing that a person can do something about.
 */

/** Why a file was not opened although SQLite could. */
export type SqliteFileErrorCode =
  /** The file has tables, but not those of this application. */
  | "foreign"
  /** It has migrations that this version does not know. */
  | "newer"
  /** SQLite finds damage in it. */
  | "corrupt"
  /** The volume does not support write-ahead logging. */
  | "no-wal";

/** Whatever went wrong. `cannot-open`: the file cannot be made or opened; `other`: nothing that is known here. */
export type SqliteFailure =
  SqliteFileErrorCode | "busy" | "read-only" | "io" | "full" | "cannot-open" | "not-a-database" | "other";

/** Thrown when a file is not what it must be. {@link sqliteFailure} tells it from others, by its name and code. */
export class SqliteFileError extends Error {
  override readonly name = "SqliteFileError";
  readonly code: SqliteFileErrorCode;

  constructor(code: SqliteFileErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Extended result code, or its lowest byte (the primary code) -> what it means. */
const RESULT_CODES: Readonly<Record<number, SqliteFailure>> = {
  5: "busy",
  8: "read-only",
  10: "io",
  11: "corrupt",
  13: "full",
  14: "cannot-open",
  26: "not-a-database",
  // The shared-memory file of the write-ahead log could not grow (SQLITE_IOERR_SHMSIZE).
  4874: "full",
};

/** What a failed opening or query says, whatever it threw. */
export function sqliteFailure(error: unknown): SqliteFailure {
  if (!(error instanceof Error)) return "other";
  if ("errcode" in error && typeof error.errcode === "number")
    return RESULT_CODES[error.errcode] ?? RESULT_CODES[error.errcode & 0xff] ?? "other";
  if (error.name === "SqliteFileError" && "code" in error) return error.code as SqliteFileErrorCode;
  // Of node:fs, which makes the file.
  if ("syscall" in error && "code" in error) return error.code === "ENOSPC" ? "full" : "cannot-open";
  return "other";
}

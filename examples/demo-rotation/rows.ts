// What hands do in the demo's databases: one byte of a message is turned over and turned back, and a row of a person's
// key is kept and put back as it was before the rotation. Whoever does that can write the database, and has no key.
import { join } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";

type Row = Record<string, SQLOutputValue>;

function withDatabase<Result>(path: string, use: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    return use(database);
  } finally {
    database.close();
  }
}

const RECORD = "record = (SELECT record FROM records WHERE id = ?)";

/** Turns over the last byte of a record's message; once more turns it back. */
export function turnOverAByte(dataDir: string, id: string): string {
  withDatabase(join(dataDir, "records.sqlite"), (database) => {
    const row = database.prepare(`SELECT message FROM versions WHERE ${RECORD}`).get(id);
    const message = Buffer.from(bytesOf(row, "message"));
    message.writeUInt8(message.readUInt8(message.length - 1) ^ 1, message.length - 1);
    database.prepare(`UPDATE versions SET message = ? WHERE ${RECORD}`).run(message, id);
  });
  return `sqlite3 records.sqlite "UPDATE versions SET message = X'…' WHERE ${RECORD.replace("?", `'${id}'`)}"`;
}

/** A person's key as it lies in the database. */
export interface KeptKey {
  readonly row: number;
  readonly wrapSet: number;
  readonly wraps: Uint8Array;
}

/** The newest key that lies under the keys of the regions. */
export function keepAKey(dataDir: string): KeptKey {
  return withDatabase(join(dataDir, "keys.sqlite"), (database) => {
    const row = database
      .prepare(
        "SELECT key, wrap_set, wraps FROM keys WHERE wrap_set IN (SELECT id FROM wrap_sets WHERE form LIKE '%:kms:%') " +
          "ORDER BY key DESC LIMIT 1",
      )
      .get();
    return { row: Number(row?.["key"]), wrapSet: Number(row?.["wrap_set"]), wraps: bytesOf(row, "wraps") };
  });
}

/** Puts it back. */
export function putBack(dataDir: string, { row, wrapSet, wraps }: KeptKey): string {
  withDatabase(join(dataDir, "keys.sqlite"), (database) => {
    database.prepare("UPDATE keys SET wraps = ?, wrap_set = ? WHERE key = ?").run(wraps, wrapSet, row);
  });
  return `sqlite3 keys.sqlite "UPDATE keys SET wraps = X'…', wrap_set = ${wrapSet} WHERE key = ${row}"`;
}

function bytesOf(row: Row | undefined, column: string): Uint8Array {
  const value = row?.[column];
  if (value instanceof Uint8Array) return value;
  throw new Error(`there is no ${column}`);
}

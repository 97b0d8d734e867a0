// A backup has no tags: in an old one, those of somebody who was erased since are equal to those of the living, and
// tell who was meant. They are derived, and a restore builds them anew.
import { existsSync, renameSync } from "node:fs";
import { open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { createEmptyFileSync } from "@strongroom/base/files";

/** Tables of tags, in both kinds of databases. */
export const TAG_TABLES: readonly string[] = ["tags", "unique_tags"];

/**
 * Takes the tags out of a copy, and writes it anew: what was deleted lies in the free pages of a database. Throws
 * SQLite's errors.
 */
export function withoutTags(path: string): void {
  const database = new DatabaseSync(path);
  const draft = `${path}.draft`;
  try {
    const present = TAG_TABLES.filter((name) => hasRows(database, name));
    // A database that never had one is left as it is.
    if (present.length === 0) return;
    database.exec("begin immediate");
    for (const name of present) database.exec(`delete from ${name}`);
    database.exec("update indexes set state = 'building' where state = 'ready'");
    database.exec("commit");
    createEmptyFileSync(draft);
    database.prepare("vacuum into ?").run(draft);
  } finally {
    database.close();
  }
  if (existsSync(draft)) renameSync(draft, path);
}

function hasRows(database: DatabaseSync, table: string): boolean {
  const isThere = database.prepare("select 1 from sqlite_schema where type = 'table' and name = ?").get(table);
  return isThere !== undefined && database.prepare(`select 1 from ${table} limit 1`).get() !== undefined;
}

/** The table of contents of a dump is no longer. */
const MOST_CONTENTS = 16 * 1024 * 1024;
const COPIED = /COPY [^\s(]*\b(?:unique_)?tags"? \(/;

/** Whether a dump in the custom form of pg_dump has rows of a table of tags: its contents are listed first. */
export async function dumpsTags(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, MOST_CONTENTS)), 0, undefined, 0);
    return COPIED.test(buffer.toString("latin1", 0, bytesRead));
  } finally {
    await file.close();
  }
}

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { sql } from "kysely";
import { openDatabase } from "../../src/sqlite/open-database.ts";
import { APPLICATION_ID } from "../../src/sqlite/schema.ts";
import { temporaryFolder } from "../support/vault.ts";

/** Pragma -> the value that the connection must have. Most hold for one connection, so only it can tell. */
const SETTINGS: readonly (readonly [pragma: string, value: string | number])[] = [
  ["journal_mode", "wal"],
  ["synchronous", 2], // FULL
  ["secure_delete", 1],
  ["trusted_schema", 0],
  ["cell_size_check", 1],
  ["temp_store", 2], // MEMORY: no temporary file
  ["busy_timeout", 0], // waiting is done without blocking the process
  ["application_id", APPLICATION_ID],
  ["max_page_count", 250],
];

test("a connection is durable, forgets what was deleted, and writes no temporary file", async (t) => {
  const path = join(await temporaryFolder(t), "vault.sqlite");
  const db = await openDatabase(path, { busyTimeoutMs: 100, maxBytes: 250 * 4096 + 4095 });
  for (const [pragma, value] of SETTINGS) {
    const { rows } = await sql.raw<Record<string, string | number>>(`pragma ${pragma}`).execute(db);
    assert.equal(Object.values(rows[0]!)[0], value, pragma);
  }
  await db.destroy();
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { sql } from "kysely";
import { openDatabase } from "../../src/sqlite/database.ts";
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
  const file = await openDatabase(path, {
    busyTimeoutMs: 100,
    maxBytes: 250 * 4096 + 4095,
    mark: false,
    reserve: false,
  });
  for (const [pragma, value] of SETTINGS) {
    const { rows } = await sql.raw<Record<string, string | number>>(`pragma ${pragma}`).execute(file.db);
    assert.equal(Object.values(rows[0]!)[0], value, pragma);
  }
  await file.close();
});

test("a vault that needs no migration is opened without a write, as on a full disk", async (t) => {
  const path = join(await temporaryFolder(t), "vault.sqlite");
  const options = { busyTimeoutMs: 0, maxBytes: 1e9, mark: true, reserve: false };
  const writer = await openDatabase(path, options);
  await writer.db.connection().execute(async (connection) => {
    // The lock of writing is taken: whoever writes now fails at once.
    await sql`begin immediate`.execute(connection);
    const reader = await openDatabase(path, options);
    assert.deepEqual(await reader.db.selectFrom("versions").selectAll().execute(), []);
    await reader.close();
    await sql`rollback`.execute(connection);
  });
  await writer.close();
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openRecords } from "../../../src/stores/sqlite/database.ts";
import { APPLICATION_ID } from "../../../src/stores/sqlite/schema.ts";
import { temporaryFolder } from "../../support/storage.ts";

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
  ["query_only", 1],
];

test("a connection is durable, forgets what was deleted, and writes no temporary file", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const file = await openRecords(path, {
    busyTimeoutMs: 100,
    maxBytes: 250 * 4096 + 4095,
    mark: false,
    reserve: false,
    moveFrom: null,
  });
  for (const [pragma, value] of SETTINGS) {
    const row = file.connection.database.prepare(`pragma ${pragma}`).get();
    assert.equal(Object.values(row!)[0], value, pragma);
  }
  await file.close();
});

test("a vault that needs no migration is opened without a write, as on a full disk", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const options = { busyTimeoutMs: 0, maxBytes: 1e9, mark: true, reserve: false, moveFrom: null };
  const writer = await openRecords(path, options);
  using other = new DatabaseSync(path);
  // The lock of writing is taken: whoever writes now fails at once.
  other.exec("begin immediate");
  const reader = await openRecords(path, options);
  assert.deepEqual(reader.connection.database.prepare("select * from versions").all(), []);
  assert.throws(() => {
    reader.connection.exec("delete from versions");
  }, /readonly/);
  await reader.close();
  other.exec("rollback");
  await writer.close();
});

/**
 * A key store in a file, for tests with a hand in it or with processes of their own.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import type { KeyStore } from "@strongroom/vault";
import { sqliteKeyStore } from "@strongroom/vault/sqlite";
import type { SqliteKeyStoreOptions } from "@strongroom/vault/sqlite";
import { defer } from "../../../../tests/support/defer.ts";
import { temporaryFolder } from "./storage.ts";

export interface KeysFile {
  readonly path: string;
  readonly store: KeyStore;
}

/** At epoch 0, as a store that is new. */
export async function keysFile(t: TestContext, options: SqliteKeyStoreOptions = {}): Promise<KeysFile> {
  const path = join(await temporaryFolder(t), "keys.sqlite");
  const store = await sqliteKeyStore(path, options);
  defer(t, () => store.close());
  return { path, store };
}

/** Plain SQL from outside, whatever the rules of a table say. */
export function hand(path: string, sql: string): void {
  // A vault that has it open may be writing just now.
  using database = new DatabaseSync(path, { timeout: 5000 });
  database.exec("pragma ignore_check_constraints = on");
  assert.ok(Number(database.prepare(sql).run().changes) > 0, `the test's own SQL changed nothing: ${sql}`);
}

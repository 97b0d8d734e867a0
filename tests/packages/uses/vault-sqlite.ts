import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "@strongroom/vault";
import { DEFAULT_SQLITE_STORE_OPTIONS, sqliteStore, type SqliteStoreOptions } from "@strongroom/vault/sqlite";
import { inFolder } from "./support/folder.ts";

export const use = (): Promise<void> =>
  inFolder(async (folder) => {
    const options: SqliteStoreOptions = DEFAULT_SQLITE_STORE_OPTIONS;
    const store: Store = await sqliteStore(join(folder, "vault.sqlite"), options);
    await store.close();
    assert.ok((await stat(join(folder, "vault.sqlite"))).size > 0);
  });

/** What the compiler is to refuse. */
export function misuse(store: Store): void {
  // @ts-expect-error a path is text
  void sqliteStore(42);
  // @ts-expect-error a store is not a number
  store satisfies number;
}

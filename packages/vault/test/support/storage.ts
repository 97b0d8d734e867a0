/**
 * Where the vaults of a test keep their records: in memory, or in SQLite when `STRONGROOM_TEST_STORE=sqlite` says so.
 * What a vault does must not depend on it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import type { KeyStore, Store } from "@strongroom/vault";
import { MemoryKeyStorage, memoryKeyStore, MemoryStorage, memoryStore } from "@strongroom/vault/memory";
import { sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../tests/support/defer.ts";

export interface TestStorage {
  /** Another store over the same storage, as another process would open it. Closed by the caller. */
  open(): Promise<Store>;
  /** The same of the key store beside it. */
  openKeys(): Promise<KeyStore>;
}

/** A storage in SQLite, which has a path. */
export interface FileStorage extends TestStorage {
  readonly path: string;
  readonly keysPath: string;
}

/** A folder that is removed after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-vault-"));
  defer(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function testStorage(t: TestContext): Promise<TestStorage> {
  if (process.env["STRONGROOM_TEST_STORE"] === "sqlite") return fileStorage(t);
  return memoryStorage();
}

/** In memory, whatever is asked for otherwise. */
export function memoryStorage(storage: MemoryStorage = new MemoryStorage()): TestStorage {
  const keyStorage = new MemoryKeyStorage();
  return { open: async () => memoryStore({ storage }), openKeys: async () => memoryKeyStore({ storage: keyStorage }) };
}

/** For tests with processes of their own, or with a hand in the database. */
export async function fileStorage(t: TestContext): Promise<FileStorage> {
  const path = join(await temporaryFolder(t), "vault.sqlite");
  const keysPath = join(dirname(path), "keys.sqlite");
  return { path, keysPath, open: () => sqliteStore(path), openKeys: () => sqliteKeyStore(keysPath) };
}

/** Lets time pass for a store in SQLite, whose clock is the machine's: moves the moments in these columns of its tables. */
export async function passTime(
  path: string,
  moments: Readonly<Record<string, readonly string[]>>,
  ms: number,
): Promise<void> {
  using database = new DatabaseSync(path, { timeout: 5000 });
  for (const [table, columns] of Object.entries(moments))
    database
      .prepare(`update ${table} set ${columns.map((column) => `${column} = ${column} - :ms`).join()}`)
      .run({ ms });
}

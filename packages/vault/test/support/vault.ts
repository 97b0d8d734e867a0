/**
 * A real vault for tests: SQLite in a folder of its own, messages under a raw AES key.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { openVault } from "@strongroom/vault";
import type { RecordStore, Vault, VaultOptions } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../tests/support/defer.ts";

/** A folder that is removed after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-vault-"));
  defer(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function aesKeyring(key: Uint8Array = randomBytes(32)): Keyring {
  return rawAesKeyring({ keyNamespace: "strongroom-test", keyName: "k", wrappingKey: key });
}

export interface TestVault {
  readonly path: string;
  readonly keyring: Keyring;
  readonly store: RecordStore;
  readonly vault: Vault;
}

export async function testVault(t: TestContext, options: Partial<VaultOptions> = {}): Promise<TestVault> {
  const path = join(await temporaryFolder(t), "vault.sqlite");
  const keyring = options.keyring ?? aesKeyring();
  const store = options.store ?? (await sqliteStore(path));
  const vault = await openVault({ ...options, store, keyring });
  defer(t, () => vault.close());
  return { path, keyring, store, vault };
}

/** What a hand in the database does: plain SQL from outside. */
export function tamper(path: string, ...statements: readonly string[]): void {
  using database = new DatabaseSync(path);
  for (const statement of statements) {
    const { changes } = database.prepare(statement).run();
    if (changes === 0) throw new Error(`the test's own SQL changed nothing: ${statement}`);
  }
}

/**
 * The statement that changes the last byte of the messages which match `where`. It changes it whatever it was: a fixed
 * byte would be the one that is there in one run of 256.
 */
export const lastByteChanged = (where = "true"): string => `update versions set message =
  cast(substr(message, 1, length(message) - 1) || iif(substr(message, -1) = x'00', x'01', x'00') as blob)
  where ${where}`;

export const ADA = { name: "Ada Lovelace", born: 1815, languages: ["en", "fr"] };

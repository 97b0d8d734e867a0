/**
 * A real vault for tests: over a store of its own, messages under a raw AES key.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { openVault } from "@strongroom/vault";
import type { CollectionOptions, Scope, Store, Vault, VaultOptions } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { fileStorage, testStorage } from "./storage.ts";
import type { FileStorage, TestStorage } from "./storage.ts";

export function aesKeyring(key: Uint8Array = randomBytes(32)): Keyring {
  return rawAesKeyring({ keyNamespace: "strongroom-test", keyName: "k", wrappingKey: key });
}

export interface TestVault {
  readonly keyring: Keyring;
  readonly store: Store;
  readonly vault: Vault;
  readonly storage: TestStorage;
  /** Another vault over the same storage, as another process would open it. */
  readonly another: (options?: Partial<VaultOptions>) => Promise<Vault>;
}

/** A kind of vault: what a vault does for those who read and write must not depend on it. */
export interface VaultKind {
  readonly name: string;
  /** Null: without a key store. */
  readonly scope: Scope | null;
}

/** Without a key store, and in each scope with one; there, whoever has a record's id for a name is who it is about. */
export const KINDS: readonly VaultKind[] = [
  { name: "without a key store", scope: null },
  { name: "in record scope", scope: "record" },
  { name: "in subject scope", scope: "subject" },
  { name: "in tenant scope", scope: "tenant" },
];

/** So that names are the same as without a key store. */
const BY_ID: Readonly<Record<string, CollectionOptions>> = Object.fromEntries(
  ["people", "pets", "users", "orders"].map((name) => [name, { subject: "id" }]),
);

/** What a test may choose of its vault. */
export interface TestVaultOptions extends Partial<VaultOptions> {
  readonly storage?: TestStorage;
  readonly kind?: VaultKind;
}

export async function testVault(t: TestContext, options: TestVaultOptions = {}): Promise<TestVault> {
  const { storage = await testStorage(t), kind, ...given } = options;
  const keyring = given.keyring ?? aesKeyring();
  const store = given.store ?? (await storage.open());
  const another = async (more: Partial<VaultOptions> = {}): Promise<Vault> => {
    const scope = kind?.scope ?? null;
    const ofKind = scope === null ? {} : { keys: { store: await storage.openKeys(), scope }, collections: BY_ID };
    const all = { ...ofKind, ...given, keyring, ...more };
    const vault = await openVault({ ...all, store: more.store ?? (await storage.open()) });
    defer(t, () => vault.close());
    return vault;
  };
  return { keyring, store, vault: await another({ store }), storage, another };
}

/** The same in SQLite, for tests with processes of their own or with a hand in the database. */
export async function fileVault(
  t: TestContext,
  options: Partial<VaultOptions> = {},
): Promise<TestVault & Pick<FileStorage, "path">> {
  const storage = await fileStorage(t);
  return { ...(await testVault(t, { ...options, storage })), path: storage.path };
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

/** Ids of a small collection, a page for each row: of records, and of rows that are damaged. */
export async function listedRowByRow(
  vault: Pick<Vault, "list">,
  collection: string,
): Promise<{ readonly seen: readonly string[]; readonly damaged: readonly string[] }> {
  const [seen, damaged]: [string[], string[]] = [[], []];
  let pages = 0;
  for (let cursor: string | null | undefined; cursor !== null; pages++) {
    assert.ok(pages < 10, "it ends");
    const page = await vault.list(collection, { limit: 1, ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...page.items.map((item) => item.id));
    damaged.push(...(page.damaged ?? []).map((row) => row.id));
    cursor = page.next;
  }
  return { seen, damaged };
}

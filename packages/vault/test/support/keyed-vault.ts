/**
 * Vaults with a key store, whose calls of the keyring are counted and whose rows a test may change as a hand in the
 * database would.
 */
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import type { Keyring } from "@strongroom/envelope";
import { parseAddress } from "@strongroom/vault";
import type { AddressInput, CollectionOptions, KeysOptions, StoredMessage, VaultOptions } from "@strongroom/vault";
import { MemoryStorage } from "@strongroom/vault/memory";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { recordKey } from "../../src/stores/memory/tables.ts";
import type { RecordRow, VersionRow } from "../../src/stores/memory/tables.ts";
import { memoryStorage } from "./storage.ts";
import { aesKeyring, testVault } from "./vault.ts";
import type { TestVault } from "./vault.ts";

/** Calls of a keyring: each would be one of a KMS. */
export interface KeyringCalls {
  encrypt: number;
  decrypt: number;
}

export interface KeyedVault extends TestVault {
  readonly calls: KeyringCalls;
  /** The record's row, to be changed behind the vault's back. */
  readonly change: (address: AddressInput, to: (row: RecordRow) => Partial<RecordRow>) => void;
  /** The newest version's row. */
  readonly changeVersion: (address: AddressInput, to: (row: VersionRow) => Partial<VersionRow>) => void;
  readonly stored: (address: AddressInput) => Promise<StoredMessage>;
  /** Deletes a person's row. */
  readonly forgetPerson: (id: string) => void;
}

export interface KeyedVaultOptions extends Partial<Omit<VaultOptions, "keys">> {
  readonly keys?: Partial<KeysOptions>;
  readonly collections?: Readonly<Record<string, CollectionOptions>>;
}

export async function keyedVault(t: TestContext, { keys, ...options }: KeyedVaultOptions = {}): Promise<KeyedVault> {
  const memory = new MemoryStorage();
  const storage = memoryStorage(memory);
  const { keyring, calls } = counted(aesKeyring(randomBytes(32)));
  const keyStore = keys?.store ?? (await storage.openKeys());
  const opened = await testVault(t, { keyring, storage, ...options, keys: { ...keys, store: keyStore } });
  const another: TestVault["another"] = async (more = {}) =>
    opened.another({ keys: { ...keys, store: await storage.openKeys() }, ...more });
  const tables = tablesOf(memory);
  const change: KeyedVault["change"] = (address, to) => {
    const key = recordKey(parseAddress(address));
    const row = tables.records.get(key);
    if (row === undefined) throw new Error("the test's own record is not there");
    tables.records.set(key, { ...row, ...to(row) });
  };
  return {
    ...opened,
    another,
    calls,
    change,
    changeVersion: (address, to) => {
      change(address, ({ versions }) => ({
        versions: versions.map((row, index) => (index === versions.length - 1 ? { ...row, ...to(row) } : row)),
      }));
    },
    stored: async (address) => (await opened.store.records.read(parseAddress(address), null)).stored!,
    forgetPerson: (id) => {
      if (!tables.subjects.delete(id)) throw new Error("the test's own person is not there");
    },
  };
}

function counted(keyring: Keyring): { readonly keyring: Keyring; readonly calls: KeyringCalls } {
  const calls = { encrypt: 0, decrypt: 0 };
  return {
    calls,
    keyring: {
      onEncrypt: (materials, call) => {
        calls.encrypt += 1;
        return keyring.onEncrypt(materials, call);
      },
      onDecrypt: (materials, dataKeys, call) => {
        calls.decrypt += 1;
        return keyring.onDecrypt(materials, dataKeys, call);
      },
    },
  };
}

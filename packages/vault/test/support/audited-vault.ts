/**
 * Vaults with an audit, all in memory, whose entries a test may look at wherever they lie, and whose rows it may change
 * as a hand in the database would.
 */
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { openVault, parseAddress } from "@strongroom/vault";
import type { AddressInput, AuditOptions, KeyStore, Store, Vault, VaultOptions } from "@strongroom/vault";
import {
  memoryAuditLog,
  MemoryAuditStorage,
  memoryKeyStore,
  MemoryKeyStorage,
  memoryStore,
  MemoryStorage,
} from "@strongroom/vault/memory";
import { defer } from "../../../../tests/support/defer.ts";
import { parseEntry } from "../../src/audit/entry-text.ts";
import type { AuditAction, EntryText } from "../../src/audit/entry.ts";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { recordKey } from "../../src/stores/memory/tables.ts";
import type { RecordRow } from "../../src/stores/memory/tables.ts";
import { aesKeyring } from "./vault.ts";

export interface AuditedVault {
  readonly vault: Vault;
  readonly store: Store;
  readonly keyStore: KeyStore;
  readonly memory: MemoryStorage;
  readonly keyMemory: MemoryKeyStorage;
  readonly logMemory: MemoryAuditStorage;
  /** Another vault over the same memory, as another process would open it. */
  readonly another: (options?: Partial<VaultOptions>) => Promise<Vault>;
  /** Every entry there is, in the log or on its way there, but those of processes; of these actions, when some are given. */
  readonly entries: (...actions: readonly AuditAction[]) => Promise<readonly EntryText[]>;
  /** The record's row, to be put back later as it is now; null: there is none. */
  readonly rowOf: (address: AddressInput) => RecordRow | null;
  /** Puts a row in the place of what is there, behind the vault's back; null: takes it away. */
  readonly putBack: (address: AddressInput, row: RecordRow | null) => void;
}

export interface AuditedVaultOptions extends Partial<Omit<VaultOptions, "audit" | "keys">> {
  readonly audit?: Partial<AuditOptions>;
  /** In the place of the stores of the first vault. */
  readonly alter?: (store: Store) => Store;
}

export async function auditedVault(t: TestContext, options: AuditedVaultOptions = {}): Promise<AuditedVault> {
  const { audit, alter = (own: Store): Store => own, ...given } = options;
  const [memory, keyMemory, logMemory] = [new MemoryStorage(), new MemoryKeyStorage(), new MemoryAuditStorage()];
  const keyring = aesKeyring(randomBytes(32));
  const openOver = async (store: Store, more: Partial<VaultOptions>): Promise<Vault> => {
    const vault = await openVault({
      ...{ keyring, keys: { store: memoryKeyStore({ storage: keyMemory }) } },
      ...given,
      store,
      audit: { log: memoryAuditLog({ storage: logMemory }), ...audit },
      ...more,
    });
    defer(t, () => vault.close());
    return vault;
  };
  const store = memoryStore({ storage: memory });
  const keyStore = memoryKeyStore({ storage: keyMemory });
  const log = memoryAuditLog({ storage: logMemory });
  const vault = await openOver(alter(memoryStore({ storage: memory })), {});
  const tables = tablesOf(memory);
  return {
    vault,
    store,
    keyStore,
    ...{ memory, keyMemory, logMemory },
    another: (more = {}) => openOver(memoryStore({ storage: memory }), more),
    entries: async (...actions) => {
      // What waits first: what is carried to the log meanwhile is there twice, and not missed.
      const waiting = [...(await store.outbox.take(1000)), ...(await keyStore.outbox.take(1000))];
      const texts = [...(await log.entries({ from: 0, limit: 10_000 })), ...waiting].flatMap(({ text }) => text ?? []);
      const all = new Map(texts.flatMap((text) => parseEntry(text) ?? []).map((entry) => [entry.id, entry]));
      return [...all.values()].filter(({ action }) =>
        actions.length === 0 ? !OF_PROCESSES.has(action) : actions.includes(action),
      );
    },
    rowOf: (address) => tables.records.get(recordKey(parseAddress(address))) ?? null,
    putBack: (address, row) => {
      const key = recordKey(parseAddress(address));
      if (row === null) tables.records.delete(key);
      else tables.records.set(key, row);
    },
  };
}

const OF_PROCESSES: ReadonlySet<AuditAction> = new Set<AuditAction>(["open", "close", "adopted", "keys-made"]);

/** Entries in words: the action, what came of it, who did it. */
export const inWords = (entries: readonly EntryText[]): readonly string[] =>
  entries.map(({ action, result, principal }) => `${action} ${result} ${principal}`);

// The vault of an installation, opened by a command: beside a service that runs, as one process more, or alone.
import {
  type AuditLog,
  type KeyStore,
  type LedgerCopy,
  openVault,
  type Store,
  type Vault,
  type VaultOptions,
  type Witness,
} from "@strongroom/vault";
import type { Config } from "../config/config.ts";
import { type OpenedStore, openStore, type StoreParts } from "../store/open.ts";
import type { StoreRole } from "../store/which.ts";
import { erasureOptions, ledgerCopies } from "./ledger-copy.ts";
import type { InstalledKeySets } from "./key-sets.ts";
import { asVaultKeys, keysOptions, vaultFailed } from "./service.ts";

/** What it is opened with. */
export interface CommandVaultParts extends StoreParts {
  readonly keySets: InstalledKeySets;
  readonly witnesses: readonly Witness[];
  readonly acceptRestore?: NonNullable<VaultOptions["audit"]>["acceptRestore"];
  /** Copies of the ledger of erasures; left out: as configured. */
  readonly ledgers?: readonly LedgerCopy[];
  /** Before the vault is opened, of stores that are. */
  readonly prepare?: (stores: CommandStores) => Promise<void>;
}

/** The stores of a vault. */
export interface CommandStores {
  readonly records: Store;
  readonly keys: KeyStore;
  readonly audit: AuditLog;
}

/** An open vault, and its stores. */
export interface CommandVault {
  readonly vault: Vault;
  readonly stores: CommandStores;
  close(): Promise<void>;
}

/** Opens it. Throws what opening a store does, and `startup-failed` with what the vault says. */
export async function openCommandVault(parts: CommandVaultParts): Promise<CommandVault> {
  const ends: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  const opened = async <Role extends StoreRole>(role: Role): Promise<OpenedStore<Role>["store"]> => {
    const one = await openStore(parts, role);
    ends.push(() => one.close());
    return one.store;
  };
  try {
    const stores = { records: await opened("records"), keys: await opened("keys"), audit: await opened("audit") };
    await parts.prepare?.(stores);
    const { config, keySets, witnesses, acceptRestore } = parts;
    const { vault: id } = await stores.records.gate.current();
    const vault = await openVault({
      store: stores.records,
      ...asVaultKeys(keySets.records),
      keys: keysOptions(config, keySets, stores.keys),
      collections: withoutPurposes(config.collections),
      audit: {
        log: stores.audit,
        principal: config.audit.principal,
        witnesses,
        ...(acceptRestore === undefined ? {} : { acceptRestore }),
      },
      erasure: erasureOptions(config, parts.ledgers ?? ledgerCopies(config, id, parts.env)),
    }).catch(vaultFailed);
    ends.push(() => vault.close());
    return { vault, stores, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** What a command does with a whole vault is done for no purpose that a collection could declare. */
function withoutPurposes(collections: Config["collections"]): Config["collections"] {
  const rest = Object.entries(collections).map(([name, { purposes: _, ...declared }]) => [name, declared] as const);
  return Object.fromEntries(rest);
}

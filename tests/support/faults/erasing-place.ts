/**
 * A vault whose people are found by an e-mail of their own and by name, and erased by whichever process begins it: as
 * each of its processes opens it.
 */
import { openVault } from "@strongroom/vault";
import type { CollectionOptions, Vault } from "@strongroom/vault";
import { email, foldedName } from "@strongroom/vault/normalisers";
import { openLogPlace, withLease } from "./audited-place.ts";
import type { AuditedPlace } from "./audited-place.ts";
import { openStores } from "./keyed-place.ts";
import { keyringOf } from "./keys.ts";
import type { TestKey } from "./keys.ts";

export const PEOPLE = "people";

const COLLECTIONS: Readonly<Record<string, CollectionOptions>> = {
  [PEOPLE]: { fields: { email: { find: email(), unique: true }, name: { find: foldedName(), values: 5_000 } } },
};

/** How many indexes a record has a tag in. */
export const INDEXES = 2;

/**
 * So long the others wait for a dead process that was to finish erasures, and for one that carried entries: on a busy
 * machine a living one needs most of it for a page, and must not be taken for dead again and again.
 */
const LEASE_MS = 1_000;
const LOG_LEASE_MS = 2_000;

/** Closing the vault closes its stores. */
export async function openErasing(place: AuditedPlace, key: TestKey): Promise<Vault> {
  const { store, keyStore } = await openStores(place);
  const log = await openLogPlace(place.log);
  try {
    return await openVault({
      store,
      keyring: keyringOf(key),
      keySet: [key.name],
      keys: { store: keyStore },
      collections: COLLECTIONS,
      audit: { log: withLease(log, LOG_LEASE_MS) },
      repair: { intervalMs: 200, lookMs: 100, leaseMs: LEASE_MS },
    });
  } catch (error) {
    for (const opened of [log, keyStore, store]) await opened.close();
    throw error;
  }
}

/**
 * Two stores that belong together: each keeps the other's id, and whoever was first decides. Threats answered: records
 * written under keys of another vault's key store, which a restore of either would leave unreadable; a key store that
 * is new, empty or older than the records, under which people would get second keys.
 */
import { VaultError } from "../errors.ts";
import type { GateState } from "../stores/gate.ts";
import type { KeyName, KeyStore } from "../stores/key-store.ts";
import { STORE_STREAM } from "../stores/outbox.ts";
import type { Store } from "../stores/store.ts";
import type { SubjectId } from "../stores/subjects.ts";

/** So many of the newest people must be known to the key store. */
const NEWEST_PEOPLE = 16;

/** What a gate tells of the pair. */
type BoundGate = Pick<GateState, "vault" | "peer">;

/**
 * What the gates of two stores say against each other; null: nothing.
 *
 * @example
 * ```ts
 * import { pairProblem } from "@strongroom/vault";
 *
 * const [records, keys] = [{ vault: "a", peer: null }, { vault: "b", peer: "c" }];
 * console.log(pairProblem(records, keys)); // prints: key-store-foreign
 * ```
 */
export function pairProblem(records: BoundGate, keys: BoundGate): "key-store-foreign" | "key-store-lost" | null {
  if (keys.peer !== null && keys.peer !== records.vault) return "key-store-foreign";
  if (records.peer !== null && records.peer !== keys.vault) return "key-store-lost";
  return null;
}

/**
 * Binds a record store and a key store to each other, or finds them bound. A store of before adopts the key store that
 * it is first opened with.
 *
 * @returns the vault's id, which every context names
 * @throws VaultError `key-store-foreign`, `key-store-lost`, `key-store-behind`; the stores'
 */
export async function bindStores(store: Store, keyStore: KeyStore): Promise<string> {
  const [records, keys] = await Promise.all([store.gate.current(), keyStore.gate.current()]);
  // Asked before anything is noted: a key store that is given by mistake is to stay free.
  requirePair(records, keys);
  requirePair(records, { ...keys, peer: await keyStore.gate.bind(records.vault) });
  requirePair({ ...records, peer: await store.gate.bind(keys.vault) }, keys);
  await requireNewestPeople(store, keyStore);
  return records.vault;
}

/**
 * That a store is opened as it was: not without a key store, once it has one.
 *
 * @throws VaultError `key-store-lost`; the store's
 */
export async function requireNoKeyStore(store: Store): Promise<void> {
  if ((await store.gate.current()).peer === null) return;
  throw new VaultError("key-store-lost", "The records belong to a key store, and the vault is opened without one");
}

/**
 * That stores whose audit has begun are not opened without one: what is done then would be in no audit, and look like
 * somebody else's doing to whoever opens them with it.
 *
 * @throws VaultError `audit-missing`; the stores'
 */
export async function requireNoAudit(stores: readonly Pick<Store, "outbox">[]): Promise<void> {
  const begun = await Promise.all(stores.map(({ outbox }) => outbox.streams([STORE_STREAM])));
  if (begun.every(([row]) => (row ?? null) === null)) return;
  throw new VaultError("audit-missing", "The stores have an audit, and the vault is opened without one");
}

/** A key store that was set back lacks whoever came since. */
async function requireNewestPeople({ subjects }: Store, { keys }: KeyStore): Promise<void> {
  const ids = (await subjects.newest(NEWEST_PEOPLE)).map(({ id }) => id);
  if (ids.length === 0) return;
  const [names, found] = await Promise.all([keys.names(ids), keys.active(ids.flatMap(keysOfPerson))]);
  // After the others: who is erased meanwhile has lost both, and has a tombstone by now.
  const erased = await keys.erased(ids);
  const hasKey = ids.map((_, index) => found.slice(2 * index, 2 * index + 2).some(({ key }) => key !== null));
  const missing = ids.filter(
    (_, index) => (names[index] ?? null) === null && erased[index] !== true && hasKey[index] !== true,
  );
  if (missing.length > 0)
    throw new VaultError(
      "key-store-behind",
      `The key store knows nothing of ${missing.length} of the ${ids.length} people who were written about last`,
    );
}

const keysOfPerson = (owner: SubjectId): readonly KeyName[] => [
  { kind: "subject", owner },
  { kind: "tenant-subject", owner },
];

const SAID = {
  "key-store-foreign": "The key store belongs to the records of another vault",
  "key-store-lost": "The records belong to another key store than the one that was given",
} as const;

/** @throws VaultError `key-store-foreign`, `key-store-lost` */
function requirePair(records: BoundGate, keys: BoundGate): void {
  const code = pairProblem(records, keys);
  if (code !== null) throw new VaultError(code, SAID[code]);
}

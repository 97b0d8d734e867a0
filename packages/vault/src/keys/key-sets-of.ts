/**
 * The key sets over a gate, without a vault and without a KMS: what looks after a store puts one in force by its names.
 */
import type { Keyring } from "@strongroom/envelope";
import type { Gate } from "../stores/gate.ts";
import { parseKeySet, parseNext } from "./key-set.ts";
import { KeySets } from "./key-sets.ts";
import type { KeySetStatus } from "./key-sets.ts";

/** The names of the wrapping keys of a store. */
export interface KeySetNames {
  /** As `keySet` of a vault, or `keys.keySet` of the key store. */
  readonly keySet: readonly string[];
  /** The set that is to be in force next; left out: there is none. */
  readonly next?: readonly string[];
  /** Of a key store, as `keys.generation` of the vault; left out: 1. */
  readonly generation?: number;
  /** Of `next`; left out: `generation`. */
  readonly nextGeneration?: number;
}

/** Which key set is in force, and a change of it. */
export interface GateKeySets {
  /** As `keySet` of a vault. @throws VaultError `store-newer`; the store's */
  status(): Promise<KeySetStatus>;
  /** As `flipKeySet` of a vault. @throws VaultError `key-set-unknown`, `key-set-moved`, `store-newer`; the store's */
  flip(): Promise<KeySetStatus>;
}

/** Nothing is sealed or opened here. */
const NO_KEYS: Keyring = {
  onEncrypt: () => Promise.reject(new Error("these key sets have names alone")),
  onDecrypt: () => Promise.reject(new Error("these key sets have names alone")),
};

/**
 * The key sets of a store, of records or of keys.
 *
 * @throws VaultError `vault-option-invalid`
 * @example
 * ```ts
 * import { keySetsOf } from "@strongroom/vault";
 * import { memoryKeyStore } from "@strongroom/vault/memory";
 *
 * const store = memoryKeyStore();
 * const sets = keySetsOf(store.gate, { keySet: ["arn:aws:kms:eu-west-1:111122223333:key/a"] });
 * console.log((await sets.status()).state); // prints: unset
 * console.log((await sets.flip()).state); // prints: current
 * await store.close();
 * ```
 */
export function keySetsOf(gate: Gate, names: KeySetNames): GateKeySets {
  const { keySet, next, generation = 1, nextGeneration = generation } = names;
  const current = parseKeySet(NO_KEYS, keySet, generation);
  const following = { keyring: NO_KEYS, keySet: next, generation: nextGeneration };
  return new KeySets(gate, current, next === undefined ? null : parseNext(following, current));
}

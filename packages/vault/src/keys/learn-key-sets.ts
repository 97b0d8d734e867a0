/**
 * Another next key set for a vault that is open.
 */
import { ownOptions } from "@strongroom/base/options";
import { VaultError } from "../errors.ts";
import { parseNextSet } from "./key-set.ts";
import type { KeySet, KeySetInput } from "./key-set.ts";
import type { KeySets } from "./key-sets.ts";

/** The key sets of a vault. */
export interface KnownKeySets {
  readonly records: KeySets;
  /** Null: it has no key store. */
  readonly keys: KeySets | null;
  /** Whether keys are wrapped by the keyring of the records. */
  readonly areShared: boolean;
}

/** What is learned. */
export interface LearnedKeySets {
  readonly records?: KeySetInput;
  readonly keys?: KeySetInput;
}

/** @throws VaultError `vault-option-invalid`, `store-newer`; the stores' */
export async function learnKeySets(known: KnownKeySets, next: LearnedKeySets): Promise<void> {
  const { values, problems: found } = ownOptions(next, ["records", "keys"], "what key sets are of");
  const problems = [...found];
  const { records, keys } = values;
  if (keys !== undefined && known.keys === null) problems.push("the vault has no key store");
  if (keys !== undefined && known.areShared) problems.push("keys are wrapped by the keyring of the records");
  if (problems.length > 0) throw new VaultError("vault-option-invalid", `learnKeySets: ${problems.join("; ")}`);
  const ofKeys = known.areShared ? records : keys;
  // Both are looked at before either is learned.
  const learned = [
    ...(records === undefined ? [] : [await taken(known.records, records)]),
    ...(ofKeys === undefined || known.keys === null ? [] : [await taken(known.keys, ofKeys)]),
  ];
  for (const { keySets, set } of learned) await keySets.learn(set);
}

async function taken(keySets: KeySets, given: unknown): Promise<{ readonly keySets: KeySets; readonly set: KeySet }> {
  return { keySets, set: parseNextSet(given, await keySets.inForce()) };
}

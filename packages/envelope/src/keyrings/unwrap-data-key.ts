/**
 * The part of onDecrypt that keyrings have in common (framework/keyring-interface.md, "OnDecrypt"): the encrypted data
 * keys that are theirs are tried in the order of the message until one opens and is the message's own; what came of
 * each of the others is collected.
 */
import { SecretBytes } from "../crypto/secret.ts";
import type { RegionAttempt } from "../errors/attempts.ts";
import type { EnvelopeError } from "../errors/envelope-error.ts";
import type { EncryptedDataKey } from "../format/encrypted-data-key.ts";
import { requireNotAborted } from "./abort.ts";
import type { KeyringCall } from "./keyring.ts";
import { requireNoDataKey } from "./materials.ts";
import type { DecryptionMaterials } from "./materials.ts";
import { unopenedError } from "./unopened.ts";
import type { Outcome } from "./unopened.ts";

export interface UnwrapPlan {
  isOurs(key: EncryptedDataKey): boolean;
  /** The data key, or why there is none. What it throws ends the whole call. */
  unwrap(key: EncryptedDataKey): SecretBytes | Outcome | Promise<SecretBytes | Outcome>;
  /** What is said of a key that opened but is not the message's. */
  readonly notAccepted: Outcome;
  /** Calls that failed so far, for the error. */
  readonly attempts?: readonly RegionAttempt[];
  /** Makes the error of another code where the keyring knows better. */
  readonly failure?: (unopened: EnvelopeError) => EnvelopeError;
}

/** @throws EnvelopeError as Keyring.onDecrypt does */
export async function unwrapDataKey(
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
  { signal }: KeyringCall,
  plan: UnwrapPlan,
): Promise<DecryptionMaterials> {
  requireNoDataKey(materials);
  const outcomes = new Map<EncryptedDataKey, Outcome>();
  for (const key of encryptedDataKeys.filter((each) => plan.isOurs(each))) {
    requireNotAborted(signal);
    const dataKey = await plan.unwrap(key);
    if (!(dataKey instanceof SecretBytes)) {
      outcomes.set(key, dataKey);
      continue;
    }
    if (dataKey.length === materials.suite.keyLength && materials.accepts(dataKey.bytes))
      return { ...materials, dataKey };
    dataKey.wipe();
    outcomes.set(key, plan.notAccepted);
  }
  const unopened = unopenedError(encryptedDataKeys, outcomes, plan.attempts);
  throw plan.failure?.(unopened) ?? unopened;
}

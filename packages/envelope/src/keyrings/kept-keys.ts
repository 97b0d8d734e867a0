/** What all that is done with kept keys has in common: how long they are, and how one is opened by one of several. */
import type { SecretBytes } from "../crypto/secret.ts";
import { EnvelopeError, FAILURE_RULES, isEnvelopeError } from "../errors.ts";
import type { RegionFailureKind } from "../errors.ts";
import { ALGORITHM_SUITES } from "../format/suites.ts";
import type { AlgorithmSuite } from "../format/suites.ts";
import type { KeyringCall, Rewrapping } from "./keyring.ts";
import { multiKeyring } from "./multi-keyring.ts";

/** Bytes of every kept key. */
export const KEY_LENGTH = 32;

/** All that keyrings ask of a suite is how long its data key is. */
export const SUITE: AlgorithmSuite = ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY;

/**
 * Opens a kept key by the first source that can. Whoever gets it wipes it.
 *
 * @throws EnvelopeError as Keyring.onDecrypt does
 */
export async function openBySources(
  { sources, wraps, encryptionContext, accepts }: Omit<Rewrapping, "have" | "proof">,
  call: KeyringCall,
): Promise<SecretBytes> {
  const { dataKey } = await multiKeyring({ children: sources }).onDecrypt(
    { suite: SUITE, encryptionContext, requiredContextKeys: [], dataKey: null, accepts },
    wraps,
    { ...call, secretKeysOnly: true },
  );
  if (dataKey?.length === KEY_LENGTH && accepts(dataKey.bytes)) return dataKey;
  dataKey?.wipe();
  throw new EnvelopeError("decryption-failed", "The keyring returned no key that is accepted");
}

/** What an opening failed by, as far as it is a call's failure: one that kept a key from being asked says most. */
export function reasonOf(error: unknown, otherwise: RegionFailureKind): RegionFailureKind {
  const attempts = isEnvelopeError(error) ? (error.attempts ?? []) : [];
  const reasons = attempts.map(({ reason }) => reason);
  return reasons.findLast((reason) => !FAILURE_RULES[reason].mayAskAgain) ?? otherwise;
}

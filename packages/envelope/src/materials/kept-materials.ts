/**
 * Encryption materials as a cache keeps them: all that is handed out with message after message is frozen, and whoever
 * reads its bytes gets a copy. Threat answered: a caller who changes a result spoils the messages after it. The objects
 * stay the same from message to message, so that nothing has to be copied for each.
 */
import type { CanonicalContext } from "../format/encryption-context.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { CompleteEncryptionMaterials, WrapReport } from "../keyrings/keyring.ts";

/** The same materials with the same data key, which is shared by handles (`SecretBytes.share`). */
export function keptMaterials({
  signingKey,
  wraps,
  ...materials
}: CompleteEncryptionMaterials): CompleteEncryptionMaterials {
  return {
    ...materials,
    encryptionContext: keptContext(materials.encryptionContext),
    requiredContextKeys: Object.freeze([...materials.requiredContextKeys]),
    encryptedDataKeys: Object.freeze(materials.encryptedDataKeys.map(keptDataKey)),
    signingKey: signingKey === null ? null : Object.freeze({ ...signingKey }),
    ...(wraps === undefined ? {} : { wraps: keptReport(wraps) }),
  };
}

function keptContext({ pairs, bytes }: CanonicalContext): CanonicalContext {
  const ours = Buffer.from(bytes);
  return Object.freeze({
    pairs: Object.freeze(pairs.map(([key, value]) => Object.freeze([key, value] as const))),
    get bytes() {
      return Buffer.from(ours);
    },
  });
}

function keptDataKey({ providerId, ...bytes }: EncryptedDataKey): EncryptedDataKey {
  const [providerInfo, ciphertext] = [Buffer.from(bytes.providerInfo), Buffer.from(bytes.ciphertext)];
  return Object.freeze({
    providerId,
    get providerInfo() {
      return Buffer.from(providerInfo);
    },
    get ciphertext() {
      return Buffer.from(ciphertext);
    },
  });
}

function keptReport({ stored, missing, ...numbers }: WrapReport): WrapReport {
  return Object.freeze({
    ...numbers,
    stored: Object.freeze(stored.map((wrap) => Object.freeze({ ...wrap }))),
    missing: Object.freeze(missing.map((wrap) => Object.freeze({ ...wrap }))),
  });
}

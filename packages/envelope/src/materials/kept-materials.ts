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

/** In memory of its own: Node's pool is written to by all, and structuredClone would take it as it first sees it. */
function ownCopy(bytes: Uint8Array): Buffer {
  return Buffer.from(new Uint8Array(bytes).buffer);
}

function keptContext({ pairs, bytes }: CanonicalContext): CanonicalContext {
  const ours = ownCopy(bytes);
  return Object.freeze({
    pairs: Object.freeze(pairs.map(([key, value]) => Object.freeze([key, value] as const))),
    get bytes() {
      return ownCopy(ours);
    },
  });
}

function keptDataKey({ providerId, ...bytes }: EncryptedDataKey): EncryptedDataKey {
  const [providerInfo, ciphertext] = [ownCopy(bytes.providerInfo), ownCopy(bytes.ciphertext)];
  return Object.freeze({
    providerId,
    get providerInfo() {
      return ownCopy(providerInfo);
    },
    get ciphertext() {
      return ownCopy(ciphertext);
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

/**
 * The default materials manager (framework/default-cmm.md): a keyring, and a fresh signing key for each signed message.
 */
import { generateSigningKey } from "../crypto/signature.ts";
import { EnvelopeError } from "../errors/envelope-error.ts";
import { canonicalPairs, PUBLIC_KEY_FIELD } from "../format/encryption-context.ts";
import type { CanonicalContext } from "../format/encryption-context.ts";
import { FORMAT_LIMITS } from "../format/limits.ts";
import type { AlgorithmSuite } from "../format/suites.ts";
import type { Keyring } from "../keyrings/keyring.ts";
import { requireKeyLength } from "../keyrings/materials.ts";
import type { MaterialsManager } from "./materials-manager.ts";

export function defaultMaterials(keyring: Keyring): MaterialsManager {
  return {
    async getEncryptionMaterials(request, call) {
      const { suite } = request;
      const signingKey = suite.signature === null ? null : generateSigningKey(suite.signature);
      const materials = await keyring.onEncrypt(
        {
          suite,
          encryptionContext:
            signingKey === null
              ? request.encryptionContext
              : withPublicKey(request.encryptionContext, signingKey.publicKey),
          requiredContextKeys: request.requiredContextKeys,
          dataKey: null,
          encryptedDataKeys: [],
          signingKey,
        },
        call,
      );
      if (materials.dataKey === null) throw new EnvelopeError("wrap-failed", "The keyring made no data key");
      return { ...materials, dataKey: requireKeyLength(suite, materials.dataKey) };
    },

    async decryptMaterials(request, call) {
      requirePublicKeyIfSigned(request.suite, request.encryptionContext);
      const { suite, encryptionContext, requiredContextKeys, accepts } = request;
      const materials = await keyring.onDecrypt(
        { suite, encryptionContext, requiredContextKeys, dataKey: null, accepts },
        request.encryptedDataKeys,
        call,
      );
      if (materials.dataKey === null) throw new EnvelopeError("decryption-failed", "The keyring returned no data key");
      return { ...materials, dataKey: requireKeyLength(suite, materials.dataKey) };
    },
  };
}

function withPublicKey(context: CanonicalContext, publicKey: string): CanonicalContext {
  return canonicalPairs([...context.pairs, [PUBLIC_KEY_FIELD, publicKey]], FORMAT_LIMITS);
}

/**
 * A signed suite without its key, or a key without its suite, is refused before any key is asked for: the second
 * would be a signed message whose signature was stripped.
 */
export function requirePublicKeyIfSigned(suite: AlgorithmSuite, context: CanonicalContext): void {
  const present = context.pairs.some(([key]) => key === PUBLIC_KEY_FIELD);
  if (present !== (suite.signature !== null)) {
    const problem = present
      ? `carries ${PUBLIC_KEY_FIELD} although its suite is not signed`
      : `lacks ${PUBLIC_KEY_FIELD} although its suite is signed`;
    throw new EnvelopeError("message-malformed", `The message ${problem}`);
  }
}

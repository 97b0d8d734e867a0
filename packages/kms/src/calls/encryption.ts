// Encryption and decryption with one key, symmetric or RSA, for Encrypt, Decrypt and ReEncrypt.
// RSA: RSAES-OAEP (RFC 8017, section 7.1) with MGF1 and the same hash.

import { constants, createPrivateKey, createPublicKey, privateDecrypt, publicEncrypt } from "node:crypto";
import type { KeyRequest } from "../access/key-access.ts";
import { parseBlob } from "../crypto/ciphertext-blob.ts";
import type { CiphertextBlob, EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { requireAlgorithm, requireUsage } from "../keys/key-rules.ts";
import { KEY_SPECS } from "../keys/key-spec.ts";
import type { EncryptionAlgorithm } from "../keys/key-spec.ts";
import { AwsError, invalidCiphertext, validationError } from "../protocol/aws-error.ts";
import type { Call } from "./call.ts";

const OAEP_HASH: Readonly<
  Partial<Record<EncryptionAlgorithm, { readonly name: "sha1" | "sha256"; readonly length: number }>>
> = {
  RSAES_OAEP_SHA_1: { name: "sha1", length: 20 },
  RSAES_OAEP_SHA_256: { name: "sha256", length: 32 },
};

/** @throws AwsError ValidationException if the plaintext is too long for the RSA key and the hash. */
export function requirePlaintextFits(key: KeyRecord, algorithm: EncryptionAlgorithm, plaintext: Uint8Array): void {
  const hash = OAEP_HASH[algorithm];
  const { material } = KEY_SPECS[key.spec];
  if (hash === undefined || material.kind !== "rsa") return;
  const max = material.modulusLength / 8 - 2 * hash.length - 2;
  if (plaintext.length > max)
    throw validationError(
      `Algorithm ${algorithm} and key spec ${key.spec} cannot encrypt data larger than ${max} bytes.`,
    );
}

/** The ciphertext of `plaintext`: a blob of this server for a symmetric key, plain OAEP for RSA. */
export function encryptWith(
  call: Call,
  key: KeyRecord,
  algorithm: EncryptionAlgorithm,
  plaintext: Uint8Array,
  context: EncryptionContext | undefined,
): Buffer {
  const hash = OAEP_HASH[algorithm];
  if (hash === undefined) return call.material.encrypt(key, plaintext, context ?? {});
  if (context !== undefined && Object.keys(context).length > 0) {
    throw validationError("EncryptionContext is not supported with asymmetric keys.");
  }
  const spki = createPublicKey({ key: call.material.publicKey(key), format: "der", type: "spki" });
  return publicEncrypt({ key: spki, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash.name }, plaintext);
}

/** What a decryption is asked for. */
export interface DecryptRequest {
  readonly ciphertext: Buffer;
  /** The key that the request names; needed for RSA, whose ciphertexts say nothing of their key. */
  readonly reference: string | undefined;
  readonly algorithm: EncryptionAlgorithm;
  readonly context: EncryptionContext | undefined;
  /** What is asked of the key, once it is known. */
  readonly keyRequest: (key: KeyRecord) => KeyRequest;
  /** As messages about the key's usage name the operation. */
  readonly operation: string;
}

/** A key found fit for a decryption, which is then done by `decrypt`. */
export interface Decryption {
  readonly key: KeyRecord;
  /** The plaintext, which the caller wipes. @throws AwsError InvalidCiphertextException. */
  readonly decrypt: () => { plaintext: Buffer; materialId: string };
}

/** Finds the key, checks permission, state, usage and algorithm; nothing is decrypted yet. */
export function prepareDecryption(call: Call, request: DecryptRequest): Decryption {
  const hash = OAEP_HASH[request.algorithm];
  if (hash === undefined) {
    const { key, blob } = keyOfBlob(call, request);
    checkKey(key);
    return { key, decrypt: () => call.material.decrypt(key, blob, request.context ?? {}) };
  }
  if (request.reference === undefined) throw validationError("KeyId is required to decrypt with an asymmetric key.");
  if (request.context !== undefined && Object.keys(request.context).length > 0) {
    throw validationError("EncryptionContext is not supported with asymmetric keys.");
  }
  const key = call.access.findKey(request.reference);
  checkKey(key);
  return {
    key,
    decrypt() {
      const backing = call.material.current(key);
      const plaintext = call.material.withSecret(
        key,
        (secret) => decryptOaep(secret, hash.name, request.ciphertext),
        backing,
      );
      return { plaintext, materialId: backing.id };
    },
  };

  function checkKey(key: KeyRecord): void {
    call.access.admit(key, request.keyRequest(key));
    requireUsage(key, "ENCRYPT_DECRYPT", request.operation);
    requireAlgorithm(key, request.algorithm);
  }
}

/**
 * The key that a blob names, compared with the one that the request names, if it does.
 * @throws AwsError InvalidCiphertextException, IncorrectKeyException, AccessDeniedException.
 */
function keyOfBlob(
  call: Call,
  { ciphertext, reference }: DecryptRequest,
): { readonly key: KeyRecord; readonly blob: CiphertextBlob } {
  const stated = reference === undefined ? null : call.access.findKey(reference);
  const blob = parseBlob(ciphertext);
  if (blob === null) throw invalidCiphertext();
  if (stated !== null && stated.keyId !== blob.keyId) {
    throw new AwsError(
      "IncorrectKeyException",
      "The key ID in the request does not identify a CMK that can perform this operation.",
    );
  }
  const key = stated ?? call.region.keys.get(blob.keyId);
  if (key === undefined) {
    // The same answer for a key that is absent and one that is forbidden.
    throw new AwsError(
      "AccessDeniedException",
      "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or " +
        "you are not allowed to access.",
    );
  }
  return { key, blob };
}

function decryptOaep(secret: Buffer, oaepHash: string, ciphertext: Buffer): Buffer {
  const privateKey = createPrivateKey({ key: secret, format: "der", type: "pkcs8" });
  try {
    return privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, ciphertext);
  } catch {
    // Whatever was wrong with it, the answer is the same (RFC 8017, section 7.1.2, note).
    throw invalidCiphertext();
  }
}

/** With IGNORE_CIPHERTEXT a dry run asks for permission on the named key only. */
export function requireDryRunModifiers(
  modifiers: readonly string[] | undefined,
  dryRun: boolean | undefined,
  reference: string | undefined,
): void {
  if (modifiers === undefined || modifiers.length === 0) return;
  if (dryRun !== true) throw validationError("DryRunModifiers can only be used with DryRun.");
  if (reference === undefined)
    throw new AwsError("ValidationException", "A key must be named when the ciphertext is ignored.");
}

/** What AWS answers to a request without a ciphertext, unless it is a dry run that ignores the ciphertext. */
export const missingCiphertext = (): AwsError =>
  validationError(
    "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
  );

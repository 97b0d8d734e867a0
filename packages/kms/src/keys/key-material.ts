// The secrets of keys: sealed under the root key where they rest, lent out for one piece of work and wiped after it.
// Nothing else in the server holds a key's secret.

import { openBlob, sealBlob } from "../crypto/ciphertext-blob.ts";
import type { CiphertextBlob, EncryptionContext } from "../crypto/ciphertext-blob.ts";
import { backingKeyIdentity, importKeyIdentity } from "../crypto/sealing.ts";
import type { Sealer } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import { invalidCiphertext, invalidState } from "../protocol/aws-error.ts";
import { currentBackingKey } from "./key-record.ts";
import type { BackingKey, ImportWrappingKey, KeyRecord } from "./key-record.ts";

/** Works with the secrets of all keys of a server. */
export class KeyMaterial {
  readonly #sealer: Sealer;

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** The backing key for new work. @throws AwsError KMSInvalidStateException while there is none. */
  current(key: KeyRecord): BackingKey {
    const backing = currentBackingKey(key);
    if (backing === null) throw invalidState(`${key.arn} is pending import.`);
    return backing;
  }

  /** The SubjectPublicKeyInfo (DER) of an asymmetric key, a copy. */
  publicKey(key: KeyRecord): Buffer {
    const { publicKey } = this.current(key);
    if (publicKey === null) throw new KmsError("store-corrupt", `${key.keyId} has no public key.`);
    return Buffer.from(publicKey);
  }

  /** Lends the current secret of a key to `use`, or that of another `backing` key, and wipes it afterwards. */
  withSecret<T>(key: KeyRecord, use: (secret: Buffer) => T, backing: BackingKey = this.current(key)): T {
    if (backing.sealed === null) throw invalidState(`${key.arn} is pending import.`);
    const secret = this.#open(backing.sealed, backingKeyIdentity(key, backing.id));
    let result: T;
    try {
      result = use(secret);
    } catch (error) {
      secret.fill(0);
      throw error;
    }
    if (result instanceof Promise) return result.finally(() => secret.fill(0)) as T;
    secret.fill(0);
    return result;
  }

  /** A ciphertext blob of `plaintext` under the current backing key of a symmetric encryption key. */
  encrypt(key: KeyRecord, plaintext: Uint8Array, context: EncryptionContext): Buffer {
    const backing = this.current(key);
    return this.withSecret(
      key,
      (secret) => sealBlob({ keyId: key.keyId, materialId: backing.id, secret }, plaintext, context),
      backing,
    );
  }

  /**
   * The plaintext of a blob of `key`, which the caller wipes, and the id of the backing key that opened it.
   * @throws AwsError InvalidCiphertextException.
   */
  decrypt(
    key: KeyRecord,
    blob: CiphertextBlob,
    context: EncryptionContext,
  ): { readonly plaintext: Buffer; readonly materialId: string } {
    const backing = key.backingKeys.find(({ id, state }) => id === blob.materialId && state !== "pending");
    if (backing === undefined) throw invalidCiphertext();
    const plaintext = this.withSecret(key, (secret) => openBlob(blob, secret, context), backing);
    if (plaintext === null) throw invalidCiphertext();
    return { plaintext, materialId: backing.id };
  }

  /** Seals the secret of a backing key, for its record. */
  sealSecret(key: Pick<KeyRecord, "region" | "keyId" | "spec">, materialId: string, secret: Uint8Array): Buffer {
    return this.#sealer.seal(secret, backingKeyIdentity(key, materialId));
  }

  /** Seals the private key that material for an import is wrapped for. */
  sealImportKey(key: Pick<KeyRecord, "region" | "keyId">, tokenId: string, privateKey: Uint8Array): Buffer {
    return this.#sealer.seal(privateKey, importKeyIdentity(key, tokenId));
  }

  /** Opens what `sealImportKey` sealed; the caller wipes it. */
  openImportKey({ region, keyId, tokenId, sealed }: ImportWrappingKey): Buffer {
    return this.#open(sealed, importKeyIdentity({ region, keyId }, tokenId));
  }

  #open(sealed: Uint8Array, identity: string): Buffer {
    const secret = this.#sealer.open(sealed, identity);
    if (secret === null) throw new KmsError("store-corrupt", `${identity} does not open.`);
    return secret;
  }
}

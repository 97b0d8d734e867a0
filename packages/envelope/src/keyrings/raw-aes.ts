/**
 * The raw AES keyring (framework/raw-aes-keyring.md): data keys wrapped with AES-GCM under a key held in memory.
 */
import { GCM_TAG_LENGTH, gcmOpen, gcmSeal } from "../crypto/gcm.ts";
import type { GcmCipher } from "../crypto/gcm.ts";
import { randomPublicBytes, randomSecret, SecretBytes } from "../crypto/secret.ts";
import { EnvelopeError, requireNotAborted } from "../errors.ts";
import { asBuffer } from "../format/byte-reader.ts";
import { contextOrders } from "../format/encryption-context.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { IV_LENGTH } from "../format/suites.ts";
import { isBytes, needed, objectOf, readOptions, thatIs } from "../options.ts";
import type { RowsFor } from "../options.ts";
import { requireNoDataKey, unopenedError } from "./data-keys.ts";
import type { KeyOutcome } from "./data-keys.ts";
import { KEY_NAME_ROWS } from "./keyring.ts";
import type { DecryptionMaterials, EncryptionMaterials, Keyring } from "./keyring.ts";

export interface RawAesKeyringOptions {
  /** The provider id of its encrypted data keys; not `aws-kms` or anything that begins so. */
  readonly keyNamespace: string;
  readonly keyName: string;
  /** 16, 24 or 32 bytes from a good source of randomness. Copied: wipe your own. */
  readonly wrappingKey: Uint8Array;
}

export interface RawAesKeyring extends Keyring, Disposable {
  /** Wipes the wrapping key; the keyring cannot be used afterwards. */
  [Symbol.dispose](): void;
}

const readRawAes = objectOf({
  ...KEY_NAME_ROWS,
  wrappingKey: needed(thatIs(isBytes, "a Uint8Array of 16, 24 or 32 bytes")),
} satisfies RowsFor<RawAesKeyringOptions>);

const CIPHERS: ReadonlyMap<number, GcmCipher> = new Map([
  [16, "aes-128-gcm"],
  [24, "aes-192-gcm"],
  [32, "aes-256-gcm"],
]);

/**
 * Wraps data keys under a key that you bring, without any KMS.
 *
 * @throws EnvelopeError `option-invalid`
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { encrypt, inspect, rawAesKeyring } from "@strongroom/envelope";
 *
 * using keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const { message } = await encrypt(Buffer.from("hello"), { keyring, encryptionContext: {} });
 * console.log(inspect(message).encryptedDataKeys[0]?.providerId); // prints: my-app
 * ```
 */
export function rawAesKeyring(options: RawAesKeyringOptions): RawAesKeyring {
  const { keyNamespace, keyName, wrappingKey: given } = readOptions(readRawAes, options);
  const cipher = cipherFor(given);
  const wrappingKey = SecretBytes.copyOf(given);
  const infoPrefix = providerInfoPrefix(keyName);
  const openedBy = Object.freeze({ providerId: keyNamespace, key: keyName, region: null });

  function wrap(dataKey: SecretBytes, aad: Uint8Array): EncryptedDataKey {
    const iv = randomPublicBytes(IV_LENGTH);
    const { ciphertext, tag } = gcmSeal(cipher, wrappingKey.bytes, iv, aad, dataKey.bytes);
    return {
      providerId: keyNamespace,
      providerInfo: Buffer.concat([infoPrefix, iv]),
      ciphertext: Buffer.concat([ciphertext, tag]),
    };
  }

  function unwrapInAnyOrder(
    key: EncryptedDataKey,
    { suite, encryptionContext }: DecryptionMaterials,
  ): SecretBytes | null {
    for (const aad of contextOrders(encryptionContext)) {
      const dataKey = unwrap(key, suite.keyLength, aad);
      if (dataKey !== null) return dataKey;
    }
    return null;
  }

  function unwrap(key: EncryptedDataKey, length: number, aad: Uint8Array): SecretBytes | null {
    if (key.ciphertext.length !== length + GCM_TAG_LENGTH) return null;
    const iv = key.providerInfo.subarray(infoPrefix.length);
    try {
      return new SecretBytes(
        gcmOpen(
          cipher,
          wrappingKey.bytes,
          iv,
          aad,
          key.ciphertext.subarray(0, length),
          key.ciphertext.subarray(length),
        ),
      );
    } catch {
      return null;
    }
  }

  /** Matches namespace, name, tag length and IV length all at once: they are one fixed prefix of the provider info. */
  function isOurs(key: EncryptedDataKey): boolean {
    const info = asBuffer(key.providerInfo);
    return (
      key.providerId === keyNamespace &&
      info.length === infoPrefix.length + IV_LENGTH &&
      info.subarray(0, infoPrefix.length).equals(infoPrefix)
    );
  }

  return {
    async onEncrypt(materials, { signal }): Promise<EncryptionMaterials> {
      requireNotAborted(signal);
      const dataKey = materials.dataKey ?? randomSecret(materials.suite.keyLength);
      const wrapped = wrap(dataKey, materials.encryptionContext.bytes);
      return { ...materials, dataKey, encryptedDataKeys: [...materials.encryptedDataKeys, wrapped] };
    },
    async onDecrypt(materials, encryptedDataKeys, { signal }): Promise<DecryptionMaterials> {
      requireNoDataKey(materials);
      requireNotAborted(signal);
      const outcomes = new Map<EncryptedDataKey, KeyOutcome>();
      for (const key of encryptedDataKeys.filter(isOurs)) {
        const dataKey = unwrapInAnyOrder(key, materials);
        if (dataKey !== null && materials.accepts(dataKey.bytes)) return { ...materials, dataKey, openedBy };
        dataKey?.wipe();
        outcomes.set(key, "does-not-open");
      }
      throw unopenedError(encryptedDataKeys, outcomes);
    },
    [Symbol.dispose]: () => {
      wrappingKey.wipe();
    },
  };
}

function cipherFor(wrappingKey: Uint8Array): GcmCipher {
  const cipher = CIPHERS.get(wrappingKey.length);
  if (cipher === undefined) throw new EnvelopeError("option-invalid", "wrappingKey must be 16, 24 or 32 bytes long");
  return cipher;
}

/** "Key Provider Information" up to its IV: name, tag length in bits, IV length in bytes. */
function providerInfoPrefix(keyName: string): Buffer {
  const name = Buffer.from(keyName, "utf8");
  const prefix = Buffer.alloc(name.length + 8);
  name.copy(prefix);
  prefix.writeUInt32BE(GCM_TAG_LENGTH * 8, name.length);
  prefix.writeUInt32BE(IV_LENGTH, name.length + 4);
  return prefix;
}

// Sealing of key material under the root key: AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D).
// A root key seals far fewer than 2^32 secrets, so random nonces are safe. The associated data names what is
// sealed: a sealed secret that is moved to another key's row does not open.

import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { overwriteJustFreed } from "./freed-memory.ts";

const VERSION = 1;
const NONCE = 12;
const TAG = 16;

/** A 32-byte root key in use. Layout of a sealed secret: version (1) | nonce (12) | tag (16) | ciphertext. */
export class Sealer {
  /** A key object: node:crypto takes it several times as fast as bytes. Null once closed. */
  #rootKey: KeyObject | null;

  /** Takes over `rootKey` (32 bytes), which is wiped. */
  constructor(rootKey: Buffer) {
    if (rootKey.length !== 32) throw new RangeError("a root key has 32 bytes");
    this.#rootKey = createSecretKey(rootKey);
    rootKey.fill(0);
  }

  /** Seals `secret`; `identity` names it and must be given again to open it. */
  seal(secret: Uint8Array, identity: string): Buffer {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv("aes-256-gcm", this.#key(), nonce, { authTagLength: TAG });
    cipher.setAAD(Buffer.from(identity, "utf8"));
    const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), ciphertext]);
  }

  /** The secret, which the caller wipes; null if it was sealed by another key, for another identity, or changed. */
  open(sealed: Uint8Array, identity: string): Buffer | null {
    if (sealed.length < 1 + NONCE + TAG || sealed[0] !== VERSION) return null;
    const decipher = createDecipheriv("aes-256-gcm", this.#key(), sealed.subarray(1, 1 + NONCE), {
      authTagLength: TAG,
    });
    decipher.setAAD(Buffer.from(identity, "utf8"));
    decipher.setAuthTag(sealed.subarray(1 + NONCE, 1 + NONCE + TAG));
    const secret = decipher.update(sealed.subarray(1 + NONCE + TAG));
    // node:crypto deciphers into a place that is one byte longer, copies from there and frees it as it is.
    overwriteJustFreed(secret.length + 1);
    try {
      decipher.final();
      return secret;
    } catch {
      secret.fill(0);
      return null;
    }
  }

  /** Lets go of the root key; OpenSSL wipes it. */
  close(): void {
    this.#rootKey = null;
  }

  #key(): KeyObject {
    if (this.#rootKey === null) throw new Error("the sealer is closed");
    return this.#rootKey;
  }
}

/** What a backing key's secret is sealed as. */
export const backingKeyIdentity = (key: { region: string; keyId: string; spec: string }, materialId: string): string =>
  `strongroom-kms/backing-key/${key.region}/${key.keyId}/${key.spec}/${materialId}`;

/** What the private key for an import is sealed as. */
export const importKeyIdentity = (key: { region: string; keyId: string }, tokenId: string): string =>
  `strongroom-kms/import-key/${key.region}/${key.keyId}/${tokenId}`;

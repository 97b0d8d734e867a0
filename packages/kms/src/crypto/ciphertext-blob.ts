// The ciphertext blob: what Encrypt, GenerateDataKey and their like hand out and Decrypt takes back.
// The format is this server's own (AWS does not publish its own); it is written down in docs/kms.md.
//
//   offset  size  field
//        0     3  magic "SRK"
//        3     1  version, 1
//        4     1  kind of key id: 0 = UUID, 1 = multi-Region (mrk-)
//        5    16  key id, its 32 hexadecimal digits as bytes
//       21    32  id of the backing key
//       53    32  salt
//       85     n  ciphertext, as long as the plaintext
//     85+n    16  AES-256-GCM tag
//
// Key and nonce of each blob are derived by HKDF-SHA-256 (RFC 5869) from the backing key with the blob's own
// random 256-bit salt, so that the number of blobs under one key has no limit of nonces. The associated data is
// the header followed by the encryption context.

import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";

const MAGIC = Buffer.from("SRK", "ascii");
const VERSION = 1;
const SALT = 32;
const TAG = 16;
const HEADER = 3 + 1 + 1 + 16 + 32 + SALT;
const INFO = "strongroom-kms ciphertext v1";

/** A blob's parts, as far as they can be read without a key. */
export interface CiphertextBlob {
  readonly keyId: string;
  readonly materialId: string;
  readonly bytes: Buffer;
}

export type EncryptionContext = Readonly<Record<string, string>>;

/** Reads a blob's header; null if it is not a blob of this format. Nothing is authenticated yet. */
export function parseBlob(bytes: Buffer): CiphertextBlob | null {
  if (bytes.length < HEADER + TAG || !bytes.subarray(0, 3).equals(MAGIC) || bytes[3] !== VERSION) return null;
  const kind = bytes[4];
  if (kind !== 0 && kind !== 1) return null;
  const hex = bytes.toString("hex", 5, 21);
  const keyId = kind === 1 ? `mrk-${hex}` : hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return { keyId, materialId: bytes.toString("hex", 21, 53), bytes };
}

/** Encrypts `plaintext` under a backing key's 32 bytes, bound to the key's identity and the context. */
export function sealBlob(
  backing: { readonly keyId: string; readonly materialId: string; readonly secret: Uint8Array },
  plaintext: Uint8Array,
  context: EncryptionContext,
): Buffer {
  const salt = randomBytes(SALT);
  const header = Buffer.concat([
    MAGIC,
    Buffer.of(VERSION, backing.keyId.startsWith("mrk-") ? 1 : 0),
    Buffer.from(backing.keyId.replace(/^mrk-/, "").replaceAll("-", ""), "hex"),
    Buffer.from(backing.materialId, "hex"),
    salt,
  ]);
  const { key, nonce } = derive(backing.secret, salt);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG });
  cipher.setAAD(Buffer.concat([header, encodeContext(context)]));
  const blob = Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return blob;
}

/** The plaintext, which the caller wipes; null if blob, key or context is not the right one. */
export function openBlob(blob: CiphertextBlob, secret: Uint8Array, context: EncryptionContext): Buffer | null {
  const { bytes } = blob;
  const { key, nonce } = derive(secret, bytes.subarray(HEADER - SALT, HEADER));
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG });
  decipher.setAAD(Buffer.concat([bytes.subarray(0, HEADER), encodeContext(context)]));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG));
  const plaintext = decipher.update(bytes.subarray(HEADER, bytes.length - TAG));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    return null;
  }
}

/** Key objects, not buffers: node:crypto takes them several times as fast. */
function derive(secret: Uint8Array, salt: Uint8Array): { key: KeyObject; nonce: Buffer } {
  const derived = Buffer.from(hkdfSync("sha256", createSecretKey(secret), salt, INFO, 44));
  const [key, nonce] = [createSecretKey(derived.subarray(0, 32)), Buffer.from(derived.subarray(32))];
  derived.fill(0);
  return { key, nonce };
}

/** Pairs sorted by the UTF-8 bytes of their keys, each key and value after its length: no two contexts look alike. */
function encodeContext(context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).map(
    ([key, value]) => [Buffer.from(key, "utf8"), Buffer.from(value, "utf8")] as const,
  );
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  return Buffer.concat(pairs.flatMap(([key, value]) => [lengthOf(key), key, lengthOf(value), value]));
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return length;
}

// Unwrapping imported key material: RSAES-OAEP (RFC 8017) directly, or RSA-OAEP around an AES key that wraps the
// material by AES Key Wrap with Padding (RFC 5649), as AWS's RSA_AES_KEY_WRAP does.

import { constants, createDecipheriv, createPrivateKey, privateDecrypt } from "node:crypto";

/** Wrapping algorithms that this server unwraps. */
const HASHES: Readonly<Record<string, "sha1" | "sha256">> = {
  RSAES_OAEP_SHA_1: "sha1",
  RSAES_OAEP_SHA_256: "sha256",
  RSA_AES_KEY_WRAP_SHA_1: "sha1",
  RSA_AES_KEY_WRAP_SHA_256: "sha256",
};

/** RFC 5649, section 3: the alternative initial value. */
const AIV = Buffer.from("a65959a6", "hex");
const AES_KEY_LENGTH = 32;

/** The material, which the caller wipes; null if it does not unwrap. */
export function unwrapMaterial(algorithm: string, pkcs8: Buffer, wrapped: Buffer): Buffer | null {
  const oaepHash = HASHES[algorithm];
  if (oaepHash === undefined) return null;
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  try {
    const open = (part: Buffer): Buffer =>
      privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, part);
    if (algorithm.startsWith("RSAES_OAEP")) return open(wrapped);
    const aesKey = open(wrapped.subarray(0, modulusBytes));
    if (aesKey.length !== AES_KEY_LENGTH) return null;
    const decipher = createDecipheriv("id-aes256-wrap-pad", aesKey, AIV);
    const material = join(decipher.update(wrapped.subarray(modulusBytes)), decipher.final());
    aesKey.fill(0);
    return material;
  } catch {
    return null;
  }
}

/** The parts as one; the parts are wiped. */
function join(...parts: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(parts);
  for (const part of parts) part.fill(0);
  return whole;
}

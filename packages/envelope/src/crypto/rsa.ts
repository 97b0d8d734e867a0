/**
 * RSA-OAEP with MGF1 of the same hash (RFC 8017, section 7.1), and the reading of RSA keys.
 */
import { constants, createPrivateKey, createPublicKey, KeyObject, privateDecrypt, publicEncrypt } from "node:crypto";
import { SecretBytes } from "./secret.ts";

export type { KeyObject } from "node:crypto";

export type OaepHash = "sha1" | "sha256" | "sha384" | "sha512";

/** PEM text, or a key object of node:crypto. */
export type RsaKeyInput = string | KeyObject;

/** Shorter keys can be broken or soon will be (NIST SP 800-57 part 1, section 5.6). */
export const MIN_RSA_BITS = 2_048;

/** A public key from X.509 SubjectPublicKeyInfo (RFC 5280, section 4.1); null when it is none or too short. */
export function readRsaPublicKey(input: RsaKeyInput): KeyObject | null {
  // node would make a public key of a private one without a word; the text must say that it is public.
  if (typeof input === "string" && !input.includes("-----BEGIN PUBLIC KEY-----")) return null;
  return ofRsa(keyFrom(input, createPublicKey), "public");
}

/** A private key, normally PKCS #8 (RFC 5958, section 2); null when it is none or too short. */
export function readRsaPrivateKey(input: RsaKeyInput): KeyObject | null {
  return ofRsa(keyFrom(input, createPrivateKey), "private");
}

function keyFrom(input: unknown, create: (pem: string) => KeyObject): KeyObject | null {
  if (input instanceof KeyObject) return input;
  if (typeof input !== "string") return null;
  try {
    return create(input);
  } catch {
    return null;
  }
}

/** Plain RSA keys only: one for PSS is for signing. */
function ofRsa(key: KeyObject | null, type: "public" | "private"): KeyObject | null {
  if (key?.type !== type || key.asymmetricKeyType !== "rsa") return null;
  return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS ? key : null;
}

export function rsaSeal(publicKey: KeyObject, oaepHash: OaepHash, plaintext: Uint8Array): Buffer {
  return publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext);
}

/** null, and no more, for every cause of failure: what exactly is wrong with a padding is what an attacker asks for. */
export function rsaOpen(privateKey: KeyObject, oaepHash: OaepHash, ciphertext: Uint8Array): SecretBytes | null {
  try {
    return new SecretBytes(
      privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, ciphertext),
    );
  } catch {
    return null;
  }
}

/**
 * RSA-OAEP with MGF1 of the same hash (RFC 8017, section 7.1), and what an RSA key must be.
 */
import { constants, privateDecrypt, publicEncrypt } from "node:crypto";
import type { Reader } from "../options.ts";
import { readKey } from "./key-input.ts";
import type { KeyInput, KeyKind, KeyObject } from "./key-input.ts";
import { SecretBytes } from "./secret.ts";

export type { KeyObject } from "./key-input.ts";
/** PEM (text, or bytes of it), DER, or a key object of node:crypto. */
export type RsaKeyInput = KeyInput;

export type OaepHash = "sha1" | "sha256" | "sha384" | "sha512";

/** Shorter keys can be broken or soon will be (NIST SP 800-57 part 1, section 5.6). */
export const MIN_RSA_BITS = 2_048;

/** An option that is a plain RSA key: one for PSS is for signing. */
export function rsaKey(kind: KeyKind): Reader<KeyObject> {
  return (value, name, problems) => {
    const key = readKey(kind, value);
    const problem = typeof key === "string" ? key : rsaProblem(key);
    if (problem === null) return key as KeyObject;
    problems.push(`${name} ${problem}`);
    return undefined as never;
  };
}

function rsaProblem({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | null {
  if (asymmetricKeyType !== "rsa") return `must be an RSA key, not one of the type ${asymmetricKeyType ?? "unknown"}`;
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  return bits >= MIN_RSA_BITS ? null : `must be an RSA key of 2,048 bits or more, not ${bits}`;
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

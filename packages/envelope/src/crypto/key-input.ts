/**
 * Asymmetric keys as callers have them: PEM or DER, text or bytes, or a key object. Which encoding it is, is told by
 * what is there: SubjectPublicKeyInfo (RFC 5280, section 4.1) and PKCS #1 (RFC 8017, appendix A) of public keys,
 * PKCS #8 (RFC 5958), PKCS #1 and SEC 1 (RFC 5915) of private ones.
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { types } from "node:util";
import { shown } from "../errors.ts";
import { isBytes } from "../options.ts";

export type { KeyObject } from "node:crypto";

/** PEM (text, or bytes of it), DER, or a key object of node:crypto. */
export type KeyInput = string | Uint8Array | KeyObject;

export type KeyKind = "public" | "private";

/** What a PEM block says of itself -> whose half it is. */
const LABELS: Readonly<Record<string, KeyKind | "encrypted">> = {
  "PUBLIC KEY": "public",
  "RSA PUBLIC KEY": "public",
  "PRIVATE KEY": "private",
  "RSA PRIVATE KEY": "private",
  "EC PRIVATE KEY": "private",
  "ENCRYPTED PRIVATE KEY": "encrypted",
};

const ENCRYPTED =
  "must be a key that is not encrypted: give the key object that createPrivateKey makes of it with its passphrase";
/** A program that only writes should not hold what reads, so no public half is derived. */
const WRONG_HALF: Readonly<Record<KeyKind, string>> = {
  public: "must be the public half, not the private key (createPublicKey makes it of that)",
  private: "must be the private key, not its public half",
};
const UNREADABLE: Readonly<Record<KeyKind, string>> = {
  public: "must be a public key: PEM or DER (SubjectPublicKeyInfo, PKCS #1), or a key object",
  private: "must be a private key: PEM or DER (PKCS #8, PKCS #1, SEC 1), or a key object",
};

/** The key, or what is wrong: the rest of a sentence that begins with the option's name. */
export function readKey(kind: KeyKind, input: unknown): KeyObject | string {
  if (types.isKeyObject(input)) return input.type === kind ? input : wrongHalf(kind, input.type);
  if (typeof input === "string") return fromPem(kind, input);
  if (!isBytes(input)) return UNREADABLE[kind];
  const bytes = Buffer.from(input);
  try {
    return bytes.includes("-----BEGIN ") ? fromPem(kind, bytes.toString("latin1")) : fromDer(kind, bytes);
  } finally {
    if (kind === "private") bytes.fill(0);
  }
}

function wrongHalf(kind: KeyKind, found: string): string {
  return found === "secret" ? UNREADABLE[kind] : WRONG_HALF[kind];
}

function fromPem(kind: KeyKind, pem: string): KeyObject | string {
  const labels = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]{1,64})-----/g)].map(([, label = ""]) => label);
  const label = labels.find((each) => Object.hasOwn(LABELS, each));
  if (label === undefined)
    return labels[0] === undefined ? UNREADABLE[kind] : `${UNREADABLE[kind]}, not a ${shown(labels[0])}`;
  const found = LABELS[label];
  if (found === "encrypted" || /^Proc-Type: *4, *ENCRYPTED/m.test(pem)) return ENCRYPTED;
  if (found !== kind) return WRONG_HALF[kind];
  return attempt(() => (kind === "public" ? createPublicKey(pem) : createPrivateKey(pem))) ?? UNREADABLE[kind];
}

/** The encodings of DER, in the order to try them. */
const PUBLIC_TYPES = ["spki", "pkcs1"] as const;
const PRIVATE_TYPES = ["pkcs8", "sec1", "pkcs1"] as const;

function fromDer(kind: KeyKind, key: Buffer): KeyObject | string {
  // Asked first: node makes a public key of a private one without a word.
  const privateKey = privateDer(key);
  const publicKey = privateKey === null ? publicDer(key) : null;
  const found = kind === "public" ? publicKey : privateKey;
  if (found !== null) return found;
  if (isEncryptedDer(key)) return ENCRYPTED;
  return (privateKey ?? publicKey) === null ? UNREADABLE[kind] : WRONG_HALF[kind];
}

function publicDer(key: Buffer): KeyObject | null {
  for (const type of PUBLIC_TYPES) {
    const made = attempt(() => createPublicKey({ key, format: "der", type }));
    if (made !== null) return made;
  }
  return null;
}

function privateDer(key: Buffer): KeyObject | null {
  for (const type of PRIVATE_TYPES) {
    const made = attempt(() => createPrivateKey({ key, format: "der", type }));
    if (made !== null) return made;
  }
  return null;
}

function isEncryptedDer(key: Buffer): boolean {
  try {
    createPrivateKey({ key, format: "der", type: "pkcs8" });
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ERR_MISSING_PASSPHRASE";
  }
}

/** null for what node cannot read; its own words may quote the key. */
function attempt(create: () => KeyObject): KeyObject | null {
  try {
    return create();
  } catch {
    return null;
  }
}

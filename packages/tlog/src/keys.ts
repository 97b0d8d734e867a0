// Keys that sign notes: their names, their ids, verifier keys as text, and the signature types of c2sp.org/signed-note
// and c2sp.org/tlog-cosignature as a table.

import { createPrivateKey, createPublicKey, hash, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { fromBase64, toBase64 } from "./base64.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { TlogError, tlogFailure } from "./errors.ts";

/** Verifies the signatures of one key. */
export interface Verifier {
  readonly name: string;
  readonly keyId: number;
  /** As others configure it: name, key id, type and public key. */
  readonly vkey: string;
  /** Whether `signature` (without the key id) is this key's on the text. */
  verifies(text: string, signature: Uint8Array): boolean;
}

/** Signs notes. */
export interface Signer extends Verifier {
  /** The signature, without the key id. @throws RangeError if this kind of key does not sign such a text. */
  sign(text: string): Uint8Array;
}

/** `ed25519`: any note. The cosignatures: a checkpoint, at a time. */
export type KeyKind = "ed25519" | "ed25519-cosignature" | "ml-dsa-44-cosignature";

interface SignatureType {
  /** The type's byte in ids and verifier keys. */
  readonly byte: number;
  /** Of node:crypto's public keys. */
  readonly algorithm: string;
  /** What stands before the raw key in its DER form (SubjectPublicKeyInfo). */
  readonly spki: Buffer;
  readonly keyLength: number;
  readonly signatureLength: number;
  /** What is signed, and at what time (seconds) if a time is part of the signature. Null: not a text for this type. */
  message(name: string, text: string, time: bigint): Uint8Array | null;
  readonly timed: boolean;
}

const ED25519 = {
  algorithm: "ed25519",
  spki: Buffer.from("302a300506032b6570032100", "hex"),
  keyLength: 32,
  signatureLength: 64,
} as const;

const TYPES: Readonly<Record<KeyKind, SignatureType>> = {
  ed25519: { byte: 0x01, ...ED25519, timed: false, message: (_name, text) => Buffer.from(text, "utf8") },
  "ed25519-cosignature": {
    byte: 0x04,
    ...ED25519,
    timed: true,
    message: (_name, text, time) => Buffer.from(`cosignature/v1\ntime ${time}\n${text}`, "utf8"),
  },
  "ml-dsa-44-cosignature": {
    byte: 0x06,
    algorithm: "ml-dsa-44",
    spki: Buffer.from("30820532300b06096086480165030403110382052100", "hex"),
    keyLength: 1312,
    signatureLength: 2420,
    timed: true,
    message: cosignedMessage,
  },
};

const TIME_LENGTH = 8;
const MAX_TIME = 2n ** 63n - 1n;

/** `cosigned_message` of c2sp.org/tlog-cosignature, for a whole tree: TLS's encoding, lengths of one byte. */
function cosignedMessage(name: string, text: string, time: bigint): Uint8Array | null {
  const checkpoint = checkpointOrNull(text);
  if (checkpoint === null) return null;
  const [cosigner, origin] = [Buffer.from(name, "utf8"), Buffer.from(checkpoint.origin, "utf8")];
  if (cosigner.length > 255 || origin.length > 255) return null;
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64BE(BigInt(checkpoint.size), 8);
  return Buffer.concat([
    Buffer.from("subtree/v1\n\0", "latin1"),
    Buffer.of(cosigner.length),
    cosigner,
    timeBytes(time),
    Buffer.of(origin.length),
    origin,
    numbers,
    checkpoint.root,
  ]);
}

function checkpointOrNull(text: string): ReturnType<typeof parseCheckpoint> | null {
  try {
    return parseCheckpoint(text);
  } catch (error) {
    if (tlogFailure(error) === null) throw error;
    return null;
  }
}

function timeBytes(time: bigint): Buffer {
  const bytes = Buffer.alloc(TIME_LENGTH);
  bytes.writeBigUInt64BE(time);
  return bytes;
}

/** Whether a key may have this name: not empty, without spaces (of Unicode) and plus signs. */
export const isKeyName = (name: string): boolean =>
  name !== "" && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name);

/** The first four bytes of the hash of name, type and key. */
function keyIdOf(name: string, typed: Uint8Array): number {
  return hash("sha256", Buffer.concat([Buffer.from(`${name}\n`, "utf8"), typed]), "buffer").readUInt32BE(0);
}

/**
 * The verifier of a public key.
 * @param raw the key's bytes alone.
 * @throws TlogError `key-malformed`.
 */
export function verifierOf(name: string, kind: KeyKind, raw: Uint8Array): Verifier {
  const type = TYPES[kind];
  if (!isKeyName(name)) throw new TlogError("key-malformed", "a key's name has no spaces and no plus sign");
  if (raw.length !== type.keyLength)
    throw new TlogError("key-malformed", `a key of this type has ${type.keyLength} bytes`);
  const key = publicKeyOf(type, raw);
  const typed = Buffer.concat([Buffer.of(type.byte), raw]);
  const keyId = keyIdOf(name, typed);
  return {
    name,
    keyId,
    vkey: `${name}+${keyId.toString(16).padStart(8, "0")}+${toBase64(typed)}`,
    verifies: (text, signature) => {
      const [time, bare] = type.timed
        ? [timeOf(signature), signature.subarray(TIME_LENGTH)]
        : ([0n, signature] as const);
      if (bare.length !== type.signatureLength || time === null) return false;
      const message = type.message(name, text, time);
      return message !== null && verify(null, message, key, bare);
    },
  };
}

function timeOf(signature: Uint8Array): bigint | null {
  if (signature.length < TIME_LENGTH) return null;
  const time = Buffer.from(signature.subarray(0, TIME_LENGTH)).readBigUInt64BE(0);
  return time > MAX_TIME ? null : time;
}

function publicKeyOf({ spki, algorithm }: SignatureType, raw: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.concat([spki, raw]), format: "der", type: "spki" });
  } catch {
    throw new TlogError("key-malformed", `this is no ${algorithm} key, or this version of Node does not know them`);
  }
}

/** Reads a verifier key. @throws TlogError `key-malformed`. */
export const parseVkey = (vkey: string): Verifier => readVkey(vkey, null);

/** The same key under another name: a log that begins anew has another name. @throws TlogError `key-malformed`. */
export const renamedVkey = (vkey: string, name: string): Verifier => readVkey(vkey, name);

function readVkey(vkey: string, as: string | null): Verifier {
  const [, name = "", id = "", base64 = ""] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,2048})$/.exec(vkey) ?? [];
  const typed = fromBase64(base64);
  const [kind] = Object.entries(TYPES).find(([, { byte }]) => byte === typed?.[0]) ?? [];
  if (typed === null || kind === undefined) throw new TlogError("key-malformed", "this is no verifier key known here");
  const verifier = verifierOf(name, kind as KeyKind, typed.subarray(1));
  if (Number.parseInt(id, 16) !== verifier.keyId)
    throw new TlogError("key-malformed", "the key id is not that of the name and key");
  return as === null ? verifier : verifierOf(as, kind as KeyKind, typed.subarray(1));
}

/** The kind and the bytes of a public key in its DER form (SubjectPublicKeyInfo). @throws TlogError `key-malformed`. */
export function readPublicKey(der: Uint8Array): {
  readonly kind: "ed25519" | "ml-dsa-44-cosignature";
  readonly raw: Uint8Array;
} {
  for (const kind of ["ed25519", "ml-dsa-44-cosignature"] as const) {
    const { spki, keyLength } = TYPES[kind];
    const isOfType = Buffer.compare(der.subarray(0, spki.length), spki) === 0;
    if (isOfType && der.length === spki.length + keyLength) return { kind, raw: der.slice(spki.length) };
  }
  throw new TlogError("key-malformed", "notes are signed by Ed25519 and ML-DSA-44 keys here");
}

/** A signature that is made elsewhere. */
export interface SignatureRequest {
  /** What the key signs, as it is. */
  readonly message: Uint8Array;
  /** The signature as a note has it, without the key id. */
  complete(signature: Uint8Array): Uint8Array;
}

/**
 * What a key of this name and kind is to sign for a text.
 * @param time seconds since 1970, for signatures that hold a time.
 * @throws RangeError if this kind of key does not sign such a text.
 */
export function signatureRequest(name: string, kind: KeyKind, text: string, time: number): SignatureRequest {
  const type = TYPES[kind];
  const message = type.message(name, text, BigInt(time));
  if (message === null) throw new RangeError("a cosignature is on a checkpoint");
  return {
    message,
    complete: (signature) => (type.timed ? Buffer.concat([timeBytes(BigInt(time)), signature]) : signature),
  };
}

/**
 * The signer of a private key, which stays with node:crypto.
 * @param now seconds since 1970, for signatures that hold a time.
 * @throws TlogError `key-malformed`; RangeError if the key is of another algorithm.
 */
export function signerOf(
  name: string,
  kind: KeyKind,
  key: KeyObject,
  now: () => number = () => Math.floor(Date.now() / 1000),
): Signer {
  const type = TYPES[kind];
  if (key.type !== "private" || key.asymmetricKeyType !== type.algorithm)
    throw new RangeError(`a private ${type.algorithm} key is needed`);
  const der = createPublicKey(key).export({ format: "der", type: "spki" });
  return {
    ...verifierOf(name, kind, der.subarray(-type.keyLength)),
    sign: (text) => {
      const request = signatureRequest(name, kind, text, type.timed ? now() : 0);
      return request.complete(sign(null, request.message, key));
    },
  };
}

/** What stands before the seed in the DER form of an Ed25519 key (RFC 8410, section 7). */
const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The private Ed25519 key of a seed (32 bytes), which is wiped. */
export function signingKeyOf(seed: Buffer): KeyObject {
  const der = Buffer.concat([ED25519_PKCS8, seed]);
  seed.fill(0);
  try {
    return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } finally {
    der.fill(0);
  }
}

/**
 * The keys of one message out of its data key (framework/transitive-requirements.md, "HKDF Encryption Key" and
 * "HKDF Commit Key").
 */
import { timingSafeEqual } from "node:crypto";
import { expand, extract } from "./hkdf.ts";
import type { HkdfHash } from "./hkdf.ts";

/** How a suite derives its keys, in the terms of this folder. */
export interface KeyDerivation {
  readonly id: number;
  readonly keyLength: number;
  readonly kdf: HkdfHash | null;
  readonly committing: boolean;
}

export interface MessageKeys {
  /** Encrypts the body and authenticates the header. Wipe it. */
  readonly cipherKey: Buffer;
  /** Stored in the header of committing suites; not secret. */
  readonly commitKey: Buffer | null;
}

const COMMIT_INFO = Buffer.from("COMMITKEY");
const NO_SALT = Buffer.alloc(0);

export function deriveMessageKeys(derivation: KeyDerivation, messageId: Uint8Array, dataKey: Uint8Array): MessageKeys {
  const { kdf, keyLength, committing } = derivation;
  if (kdf === null) return { cipherKey: ownCopy(dataKey), commitKey: null };
  const pseudoRandomKey = extract(kdf, committing ? messageId : NO_SALT, dataKey);
  const keys = {
    cipherKey: expand(kdf, pseudoRandomKey, committing ? deriveInfo(derivation.id) : messageInfo(derivation.id, messageId), keyLength),
    commitKey: committing ? expand(kdf, pseudoRandomKey, COMMIT_INFO, 32) : null,
  };
  pseudoRandomKey.fill(0);
  return keys;
}

/** A copy, so that wiping the message's key never wipes the data key that other messages use. */
function ownCopy(dataKey: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(dataKey.length);
  copy.set(dataKey);
  return copy;
}

const deriveInfos = new Map<number, Buffer>();

function deriveInfo(id: number): Buffer {
  let info = deriveInfos.get(id);
  if (info === undefined) {
    info = Buffer.concat([suiteBytes(id), Buffer.from("DERIVEKEY")]);
    deriveInfos.set(id, info);
  }
  return info;
}

function messageInfo(id: number, messageId: Uint8Array): Buffer {
  return Buffer.concat([suiteBytes(id), messageId]);
}

function suiteBytes(id: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(id);
  return bytes;
}

/** Constant-time equality, so that a wrong commitment tells nothing about where it differs. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

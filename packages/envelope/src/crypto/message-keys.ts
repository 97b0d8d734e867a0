/**
 * The keys of one message out of its data key (framework/transitive-requirements.md, "HKDF Encryption Key" and
 * "HKDF Commit Key").
 */
import { createSecretKey, timingSafeEqual } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { expand, extract } from "./hkdf.ts";
import type { Expansion, HkdfHash } from "./hkdf.ts";
import { wipeAndRelease } from "./release.ts";

/** How a suite derives its keys, in the terms of this folder. */
export interface KeyDerivation {
  readonly id: number;
  readonly keyLength: number;
  readonly kdf: HkdfHash | null;
  readonly committing: boolean;
}

/**
 * The key of one message inside node's own key store, out of reach of JavaScript. node overwrites it when it is
 * collected (its ByteSource ends in OPENSSL_clear_free), not before: it is dropped with the message. A cipher made with
 * bytes instead would cost 12 us more on Node 24, which probes them for being a key object first.
 */
export type CipherKey = KeyObject;

export interface MessageKeys {
  /** Encrypts the body and authenticates the header. */
  readonly cipherKey: CipherKey;
  /** Stored in the header of committing suites; not secret. */
  readonly commitKey: Buffer | null;
}

const COMMITMENT: Expansion = { info: Buffer.from("COMMITKEY"), length: 32, secrecy: "public" };
const NO_SALT = Buffer.alloc(0);

export function deriveMessageKeys(derivation: KeyDerivation, messageId: Uint8Array, dataKey: Uint8Array): MessageKeys {
  const { kdf, committing } = derivation;
  if (kdf === null) return { cipherKey: createSecretKey(dataKey), commitKey: null };
  const pseudoRandomKey = extract(kdf, committing ? messageId : NO_SALT, dataKey);
  const [derived, commitKey] = expand(
    kdf,
    pseudoRandomKey,
    ...(committing ? committingExpansions(derivation) : [messageExpansion(derivation, messageId)]),
  );
  wipeAndRelease(pseudoRandomKey);
  if (derived === undefined) throw new TypeError("HKDF gave nothing");
  const cipherKey = createSecretKey(derived);
  derived.fill(0);
  return { cipherKey, commitKey: commitKey ?? null };
}

const expansions = new Map<number, readonly [Expansion, Expansion]>();

/** Encryption key and commitment: the same for all messages of a suite, whose ids are the salt. */
function committingExpansions({ id, keyLength }: KeyDerivation): readonly [Expansion, Expansion] {
  let both = expansions.get(id);
  if (both === undefined) {
    both = [
      { info: Buffer.concat([suiteBytes(id), Buffer.from("DERIVEKEY")]), length: keyLength, secrecy: "secret" },
      COMMITMENT,
    ];
    expansions.set(id, both);
  }
  return both;
}

/** The encryption key of a suite without commitment, to whose info the message's id belongs. */
function messageExpansion({ id, keyLength }: KeyDerivation, messageId: Uint8Array): Expansion {
  return { info: Buffer.concat([suiteBytes(id), messageId]), length: keyLength, secrecy: "secret" };
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

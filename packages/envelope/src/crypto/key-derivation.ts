/**
 * The keys of one message out of its data key (framework/transitive-requirements.md, "HKDF Encryption Key" and
 * "HKDF Commit Key"), by HKDF (RFC 5869) out of HMACs (RFC 2104) out of one-shot hashes. One extract can serve several
 * expands, and one-shot hashes cost a fraction of an Hmac object; node's own hkdfSync can do neither. Scratch memory
 * that held a key is wiped before return.
 */
import { createSecretKey, hash } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { EnvelopeError } from "../errors.ts";
import { wipeAndRelease } from "./secret.ts";

export type HkdfHash = "sha256" | "sha384" | "sha512";

const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Longest message that is hashed in scratch memory; a longer one gets memory of its own. */
const SCRATCH_BYTES = 512;
const NOTHING = Buffer.alloc(0);

/** Whether bytes have to be kept from everyone, or can be known without harm. */
export type Secrecy = "secret" | "public";

/** What nobody has to wipe comes as a string: half the cost of a digest in memory of its own. */
function digest(algorithm: HkdfHash, bytes: Uint8Array, secrecy: Secrecy): Buffer {
  return secrecy === "secret"
    ? hash(algorithm, bytes, "buffer")
    : Buffer.from(hash(algorithm, bytes, "binary"), "binary");
}

/**
 * HMAC with one key, set at a time; `wipe` ends its use. Not shared across an await: everything here is synchronous.
 */
class Hmac {
  readonly outputLength: number;
  readonly #algorithm: HkdfHash;
  readonly #block: number;
  /** The key's inner pad, then the message. */
  readonly #inner: Buffer;
  /** The key's outer pad, then the inner digest. */
  readonly #outer: Buffer;
  #innerSecrecy: Secrecy = "secret";

  constructor(algorithm: HkdfHash, block: number, outputLength: number) {
    this.#algorithm = algorithm;
    this.#block = block;
    this.outputLength = outputLength;
    this.#inner = Buffer.allocUnsafeSlow(block + SCRATCH_BYTES);
    this.#outer = Buffer.allocUnsafeSlow(block + outputLength);
  }

  /**
   * @param secrecy of the key. The inner digest is of no use to who lacks the key, as the outer hash needs it too;
   *   under a public key (the salt of HKDF-Extract) it is worth as much as the secret message.
   */
  setKey(key: Uint8Array, secrecy: Secrecy): void {
    this.#innerSecrecy = secrecy === "secret" ? "public" : "secret";
    const block = this.#block;
    const short = key.length > block ? digest(this.#algorithm, key, secrecy) : key;
    for (let index = 0; index < short.length; index++) {
      const byte = short[index] ?? 0;
      this.#inner[index] = byte ^ INNER_PAD;
      this.#outer[index] = byte ^ OUTER_PAD;
    }
    this.#inner.fill(INNER_PAD, short.length, block);
    this.#outer.fill(OUTER_PAD, short.length, block);
    if (short !== key) short.fill(0);
  }

  /** HMAC of the parts joined; a secret result is the caller's to wipe. */
  mac(secrecy: Secrecy, first: Uint8Array, second: Uint8Array = NOTHING, third: Uint8Array = NOTHING): Buffer {
    const block = this.#block;
    const end = block + first.length + second.length + third.length;
    const inner = end <= this.#inner.length ? this.#inner : Buffer.allocUnsafeSlow(end);
    if (inner !== this.#inner) this.#inner.copy(inner, 0, 0, block);
    inner.set(first, block);
    inner.set(second, block + first.length);
    inner.set(third, end - third.length);
    const innerDigest = digest(this.#algorithm, inner.subarray(0, end), this.#innerSecrecy);
    if (inner !== this.#inner) inner.fill(0);
    innerDigest.copy(this.#outer, block);
    if (this.#innerSecrecy === "secret") wipeAndRelease(innerDigest);
    return digest(this.#algorithm, this.#outer, secrecy);
  }

  wipe(): void {
    this.#inner.fill(0);
    this.#outer.fill(0);
  }
}

const HMACS: Readonly<Record<HkdfHash, Hmac>> = {
  sha256: new Hmac("sha256", 64, 32),
  sha384: new Hmac("sha384", 128, 48),
  sha512: new Hmac("sha512", 128, 64),
};

/** HMAC of the parts joined under a secret key. The caller owns and wipes the result. */
export function hmac(
  algorithm: HkdfHash,
  key: Uint8Array,
  ...parts: readonly [Uint8Array, Uint8Array?, Uint8Array?]
): Buffer {
  const machine = HMACS[algorithm];
  machine.setKey(key, "secret");
  // eslint-disable-next-line no-restricted-syntax -- three parts at most
  const result = machine.mac("secret", ...parts);
  machine.wipe();
  return result;
}

/**
 * HKDF-Extract. An empty salt is a block of zeros, which HMAC's padding makes it. The caller owns and wipes the result.
 */
export function extract(algorithm: HkdfHash, salt: Uint8Array, inputKey: Uint8Array): Buffer {
  const machine = HMACS[algorithm];
  machine.setKey(salt, "public");
  const result = machine.mac("secret", inputKey);
  machine.wipe();
  return result;
}

/** One output of HKDF-Expand: `length` bytes bound to `info`. */
export interface Expansion {
  readonly info: Uint8Array;
  readonly length: number;
  readonly secrecy: Secrecy;
}

/**
 * HKDF-Expand, once for each of `expansions`: the pseudo-random key is set up only once for all of them. At most 255
 * hash outputs each. The caller owns the results, and wipes the secret ones.
 */
export function expand(
  algorithm: HkdfHash,
  pseudoRandomKey: Uint8Array,
  ...expansions: readonly Expansion[]
): Buffer[] {
  const machine = HMACS[algorithm];
  const longest = 255 * machine.outputLength;
  if (expansions.some(({ length }) => !Number.isInteger(length) || length < 0 || length > longest)) {
    throw new EnvelopeError("option-invalid", `HKDF with ${algorithm} gives at most ${longest} bytes`);
  }
  machine.setKey(pseudoRandomKey, "secret");
  const results = expansions.map((expansion) => expandOne(machine, expansion));
  machine.wipe();
  return results;
}

const COUNTERS: readonly Buffer[] = Array.from({ length: 256 }, (_, index) => Buffer.of(index));

function expandOne(machine: Hmac, { info, length, secrecy }: Expansion): Buffer {
  const { outputLength } = machine;
  if (length <= outputLength) {
    const only = machine.mac(secrecy, info, COUNTERS[1]);
    if (secrecy === "secret") only.fill(0, length);
    return only.subarray(0, length);
  }
  const result = Buffer.allocUnsafeSlow(length);
  let previous: Buffer = NOTHING;
  for (let counter = 1, offset = 0; offset < length; counter++, offset += outputLength) {
    const next = machine.mac(secrecy, previous, info, COUNTERS[counter]);
    previous.fill(0);
    next.copy(result, offset);
    previous = next;
  }
  previous.fill(0);
  return result;
}

/** SHA-384 as a base64 string. */
export function sha384(bytes: Uint8Array): string {
  return hash("sha384", bytes, "base64");
}

/** SHA-384 as its 48 bytes. */
export function sha384Digest(bytes: Uint8Array): Buffer {
  return hash("sha384", bytes, "buffer");
}

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

export function deriveMessageKeys(derivation: KeyDerivation, messageId: Uint8Array, dataKey: Uint8Array): MessageKeys {
  const { kdf, committing } = derivation;
  if (kdf === null) return { cipherKey: createSecretKey(dataKey), commitKey: null };
  const pseudoRandomKey = extract(kdf, committing ? messageId : NOTHING, dataKey);
  const [derived, commitKey] = expand(
    kdf,
    pseudoRandomKey,
    // eslint-disable-next-line no-restricted-syntax -- one or two
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

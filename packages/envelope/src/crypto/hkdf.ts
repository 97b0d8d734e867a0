/**
 * HKDF (RFC 5869) out of HMACs (RFC 2104) out of one-shot hashes. One extract can serve several expands, and one-shot
 * hashes cost a fraction of an Hmac object; node's own hkdfSync can do neither. Scratch memory that held a key is
 * wiped before return.
 */
import { hash } from "node:crypto";
import { EnvelopeError } from "../errors/envelope-error.ts";

export type HkdfHash = "sha256" | "sha384" | "sha512";

const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Longest message that is hashed in scratch memory; a longer one gets memory of its own. */
const SCRATCH_BYTES = 512;
const NOTHING = Buffer.alloc(0);

/** HMAC with one key, set at a time. Not shared across an await: everything here is synchronous. */
class Hmac {
  readonly outputLength: number;
  readonly #algorithm: HkdfHash;
  readonly #block: number;
  /** The key's inner pad, then the message. */
  readonly #inner: Buffer;
  /** The key's outer pad, then the inner digest. */
  readonly #outer: Buffer;

  constructor(algorithm: HkdfHash, block: number, outputLength: number) {
    this.#algorithm = algorithm;
    this.#block = block;
    this.outputLength = outputLength;
    this.#inner = Buffer.allocUnsafeSlow(block + SCRATCH_BYTES);
    this.#outer = Buffer.allocUnsafeSlow(block + outputLength);
  }

  setKey(key: Uint8Array): void {
    const block = this.#block;
    const short = key.length > block ? hash(this.#algorithm, key, "buffer") : key;
    for (let index = 0; index < short.length; index++) {
      const byte = short[index] ?? 0;
      this.#inner[index] = byte ^ INNER_PAD;
      this.#outer[index] = byte ^ OUTER_PAD;
    }
    this.#inner.fill(INNER_PAD, short.length, block);
    this.#outer.fill(OUTER_PAD, short.length, block);
    if (short !== key) short.fill(0);
  }

  /** The caller owns and wipes the result. */
  mac(first: Uint8Array, second: Uint8Array = NOTHING, third: Uint8Array = NOTHING): Buffer {
    const block = this.#block;
    const end = block + first.length + second.length + third.length;
    const inner = end <= this.#inner.length ? this.#inner : Buffer.allocUnsafeSlow(end);
    if (inner !== this.#inner) this.#inner.copy(inner, 0, 0, block);
    inner.set(first, block);
    inner.set(second, block + first.length);
    inner.set(third, end - third.length);
    const digest = hash(this.#algorithm, inner.subarray(0, end), "buffer");
    inner.fill(0, block, end);
    if (inner !== this.#inner) inner.fill(0, 0, block);
    digest.copy(this.#outer, block);
    digest.fill(0);
    return hash(this.#algorithm, this.#outer, "buffer");
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

/** HMAC of the parts joined. The caller owns and wipes the result. */
export function hmac(algorithm: HkdfHash, key: Uint8Array, ...parts: readonly [Uint8Array, Uint8Array?, Uint8Array?]): Buffer {
  const machine = HMACS[algorithm];
  machine.setKey(key);
  const result = machine.mac(...parts);
  machine.wipe();
  return result;
}

/** HKDF-Extract. An empty salt is a block of zeros, which HMAC's padding makes it. */
export function extract(algorithm: HkdfHash, salt: Uint8Array, inputKey: Uint8Array): Buffer {
  return hmac(algorithm, salt, inputKey);
}

/** One output of HKDF-Expand: `length` bytes bound to `info`. */
export interface Expansion {
  readonly info: Uint8Array;
  readonly length: number;
}

/**
 * HKDF-Expand, once for each of `expansions`: the pseudo-random key is set up only once for all of them. At most 255
 * hash outputs each. The caller owns and wipes the results.
 */
export function expand(algorithm: HkdfHash, pseudoRandomKey: Uint8Array, ...expansions: readonly Expansion[]): Buffer[] {
  const machine = HMACS[algorithm];
  const longest = 255 * machine.outputLength;
  if (expansions.some(({ length }) => !Number.isInteger(length) || length < 0 || length > longest)) {
    throw new EnvelopeError("option-invalid", `HKDF with ${algorithm} gives at most ${longest} bytes`);
  }
  machine.setKey(pseudoRandomKey);
  const results = expansions.map((expansion) => expandOne(machine, expansion));
  machine.wipe();
  return results;
}

const COUNTERS: Buffer = Buffer.from(Array.from({ length: 256 }, (_, index) => index));

function expandOne(machine: Hmac, { info, length }: Expansion): Buffer {
  const { outputLength } = machine;
  if (length <= outputLength) {
    const only = machine.mac(info, COUNTERS.subarray(1, 2));
    only.fill(0, length);
    return only.subarray(0, length);
  }
  const result = Buffer.allocUnsafeSlow(length);
  let previous: Buffer = NOTHING;
  for (let counter = 1, offset = 0; offset < length; counter++, offset += outputLength) {
    const next = machine.mac(previous, info, COUNTERS.subarray(counter, counter + 1));
    previous.fill(0);
    next.copy(result, offset);
    previous = next;
  }
  previous.fill(0);
  return result;
}

/**
 * Secret bytes that do not print and that can be wiped, the memory they lie in, their comparison, and random bytes.
 * Threats answered: a key in a log line, in an error, in JSON; a key that stays in memory after its use; a comparison
 * whose time tells where two values differ.
 */
import { randomBytes, randomFillSync, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";
import { EnvelopeError } from "../errors.ts";

const REDACTED = "[secret]";

/** Bytes that several handles may hold; the last one to let go wipes them. */
interface SharedMemory {
  readonly bytes: Buffer;
  holders: number;
}

let readShared: (secret: SecretBytes) => Buffer;

/**
 * Bytes that do not show in a log, in JSON or in inspection, and that are overwritten when they are no longer wanted.
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { SecretBytes } from "@strongroom/envelope/keyrings";
 *
 * const bytes = randomBytes(32);
 * {
 *   using key = new SecretBytes(bytes);
 *   console.log(`${key}`, key.length); // prints: [secret] 32
 * }
 * console.log(bytes.every((byte) => byte === 0)); // prints: true
 * ```
 */
export class SecretBytes {
  #memory: SharedMemory | null;

  /** Takes ownership: `wipe` overwrites these very bytes. Use `SecretBytes.copyOf` to keep the caller's. */
  constructor(bytes: Uint8Array) {
    this.#memory = {
      bytes: Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      holders: 1,
    };
  }

  static copyOf(bytes: Uint8Array): SecretBytes {
    // Not from the shared pool: a copied secret shares its memory with nothing else.
    const copy = unmovedMemory(bytes.length);
    copy.set(bytes);
    return new SecretBytes(copy);
  }

  /**
   * Another handle on the same bytes, which are overwritten when every handle is wiped. @throws EnvelopeError
   * `secret-wiped`
   */
  share(): SecretBytes {
    const memory = this.#held();
    const handle = new SecretBytes(memory.bytes);
    handle.#memory = memory;
    memory.holders++;
    return handle;
  }

  /**
   * The bytes themselves, which `wipe` overwrites. A handle that shares them first gets memory of its own, so that who
   * writes into it spoils nothing for the others. @throws EnvelopeError `secret-wiped`
   */
  get bytes(): Buffer {
    const memory = this.#held();
    if (memory.holders === 1) return memory.bytes;
    const own = SecretBytes.copyOf(memory.bytes).#held();
    memory.holders--;
    this.#memory = own;
    return own.bytes;
  }

  get length(): number {
    return this.#held().bytes.length;
  }

  get wiped(): boolean {
    return this.#memory === null;
  }

  /** Ends this handle; overwrites the bytes with zeros if it was the last. Safe to call twice. */
  wipe(): void {
    const memory = this.#memory;
    this.#memory = null;
    if (memory !== null && --memory.holders === 0) memory.bytes.fill(0);
  }

  #held(): SharedMemory {
    if (this.#memory === null) throw new EnvelopeError("secret-wiped", "This secret was wiped");
    return this.#memory;
  }

  [Symbol.dispose](): void {
    this.wipe();
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  static {
    readShared = (secret) => secret.#held().bytes;
    Object.defineProperty(SecretBytes.prototype, inspect.custom, { value: () => REDACTED });
  }
}

/**
 * The bytes of a secret to read only, shared or not: inside the library, where every message under a cached key would
 * otherwise copy it. @throws EnvelopeError `secret-wiped`
 */
export function sharedBytes(secret: SecretBytes): Buffer {
  return readShared(secret);
}

/**
 * `length` bytes of zeros that are shared with nothing else and stay where they are until they are freed. Threat
 * answered: V8 keeps a Buffer of up to 64 bytes, which is what a key is, among its own objects, and moves it when it
 * collects garbage; what it moved away from cannot be wiped.
 */
export function unmovedMemory(length: number): Buffer {
  // An ArrayBuffer that was there first is never among V8's objects, however short it is.
  return Buffer.from(new ArrayBuffer(length));
}

/**
 * Frees the memory of `bytes`, which must not be used any more. For results of node:crypto that nobody else has seen:
 * its ciphers and hashes return each in new memory outside the JavaScript heap, of which the garbage collector learns
 * late. Results that were only copied from would pile up by the megabyte, and every next one lie in memory that no
 * cache has seen. Memory that is part of something larger, or shared between threads, stays.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (byteLength > 0 && buffer.byteLength === byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Overwrites a secret with zeros and frees its memory. */
export function wipeAndRelease(secret: Uint8Array): void {
  secret.fill(0);
  release(secret);
}

/** V8 keeps arrays of up to this many bytes among its own objects, which it moves. */
const MOVED_BYTES = 64;

/**
 * Memory of the last long copy, wiped. Kept for the next one: touching fresh memory costs more than copying into it.
 * Null while it is in use.
 */
let spare: Buffer | null = null;
const SPARE_FROM_BYTES = 65_536;
const MOST_SPARE_BYTES = 4 * 1024 * 1024;

/**
 * A copy that nobody else has, for `wipeCopy`. Both take a few percent of the time in which as much is encrypted: too
 * little for a rule about whose memory may change when.
 */
export function copyOfBytes(bytes: Uint8Array): Buffer {
  const copy = memoryFor(bytes.length);
  copy.set(bytes);
  return copy;
}

function memoryFor(length: number): Buffer {
  if (length <= MOVED_BYTES) return unmovedMemory(length);
  if (length < SPARE_FROM_BYTES || spare === null || spare.length < length) return Buffer.allocUnsafeSlow(length);
  const memory = spare;
  spare = null;
  return memory.subarray(0, length);
}

/** Overwrites a copy, and keeps or frees its memory. */
export function wipeCopy(copy: Buffer): void {
  copy.fill(0);
  const { buffer } = copy;
  const keeps = buffer.byteLength >= SPARE_FROM_BYTES && buffer.byteLength <= MOST_SPARE_BYTES;
  if (keeps && (spare === null || spare.length < buffer.byteLength)) spare = Buffer.from(buffer);
  else release(copy);
}

/** Constant-time equality, so that a wrong value tells nothing about where it differs. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

const POOL_BYTES = 8_192;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let used = POOL_BYTES;

/**
 * Fills `target` from a pool that is filled in one call for many; each byte of it is given out once. For public values
 * only, such as message ids: pool bytes are not wiped.
 */
export function fillPublicRandom(target: Buffer): void {
  if (used + target.length > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  pool.copy(target, 0, used, used + target.length);
  used += target.length;
}

export function randomPublicBytes(length: number): Buffer {
  return randomBytes(length);
}

/**
 * Random bytes as a secret: in memory of their own, which nothing moves.
 *
 * @example
 * ```ts
 * import { randomSecret } from "@strongroom/envelope/keyrings";
 *
 * using key = randomSecret(32);
 * console.log(key.length); // prints: 32
 * ```
 */
export function randomSecret(length: number): SecretBytes {
  return new SecretBytes(randomFillSync(unmovedMemory(length)));
}

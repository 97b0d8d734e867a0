/**
 * Secret bytes that do not print and that can be wiped. Threats answered: a key in a log line, in an error, in JSON;
 * a key that stays in memory after its use.
 */
import { inspect } from "node:util";
import { EnvelopeError } from "../errors/envelope-error.ts";
import { unmovedMemory } from "./unmoved-memory.ts";

const REDACTED = "[secret]";

/** Bytes that several handles may hold; the last one to let go wipes them. */
interface SharedMemory {
  readonly bytes: Buffer;
  holders: number;
}

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

  /** The bytes themselves, not a copy. @throws EnvelopeError `secret-wiped` */
  get bytes(): Buffer {
    return this.#held().bytes;
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
    Object.defineProperty(SecretBytes.prototype, inspect.custom, { value: () => REDACTED });
  }
}

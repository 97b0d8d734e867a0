/**
 * Secret bytes that do not print and that can be wiped. Threats answered: a key in a log line, in an error, in JSON;
 * a key that stays in memory after its use.
 */
import { inspect } from "node:util";
import { EnvelopeError } from "../errors/envelope-error.ts";

const REDACTED = "[secret]";

export class SecretBytes {
  #bytes: Buffer | null;

  /** Takes ownership: `wipe` overwrites these very bytes. Use `SecretBytes.copyOf` to keep the caller's. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  static copyOf(bytes: Uint8Array): SecretBytes {
    // Not from the shared pool: a copied secret shares its memory with nothing else.
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    copy.set(bytes);
    return new SecretBytes(copy);
  }

  /** The bytes themselves, not a copy. @throws EnvelopeError `secret-wiped` */
  get bytes(): Buffer {
    if (this.#bytes === null) throw new EnvelopeError("secret-wiped", "This secret was wiped");
    return this.#bytes;
  }

  get length(): number {
    return this.bytes.length;
  }

  get wiped(): boolean {
    return this.#bytes === null;
  }

  /** Overwrites the bytes with zeros. Safe to call twice. */
  wipe(): void {
    this.#bytes?.fill(0);
    this.#bytes = null;
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

/**
 * What is derived from keys of the audit: HKDF for keys, HMAC for entries and addresses. The HMAC is two hashes over
 * pads that were prepared, since every read pays for one, and a machine made anew each time costs more.
 */
import { hash, hkdfSync, timingSafeEqual } from "node:crypto";
import { lp } from "../keys/length-prefixed.ts";

/** Bytes of a key here, and of a hash. */
export const KEY_LENGTH = 32;

const BLOCK = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Texts up to this length are hashed where a buffer lies ready. */
const READY_BYTES = 16 * 1024;

/** A key of the vault's for one thing: 32 bytes that the caller wipes. */
export function derivedKey(key: Uint8Array, label: string, vault: string, salt: Uint8Array = NO_SALT): Buffer {
  return Buffer.from(hkdfSync("sha256", key, salt, lp([label, vault]), KEY_LENGTH));
}

const NO_SALT = new Uint8Array();

/** SHA-256. By a text of its bytes: a hash that is given as bytes has memory of its own, which costs as much again. */
export const sha256 = (bytes: Uint8Array): Buffer => Buffer.from(hash("sha256", bytes, "binary"), "latin1");

/** HMAC-SHA-256 under one key, until it is wiped. */
export class KeyedHash {
  /** Each begins with its pad: the inner one has room for a text behind it, the outer one for the inner hash. */
  readonly #inner = Buffer.alloc(BLOCK + READY_BYTES);
  readonly #outer = Buffer.alloc(BLOCK + KEY_LENGTH);
  #wiped = false;

  /** @param key of at most 64 bytes; it stays the caller's */
  constructor(key: Uint8Array) {
    this.#inner.fill(INNER_PAD, 0, BLOCK);
    this.#outer.fill(OUTER_PAD, 0, BLOCK);
    for (const [index, byte] of key.entries()) {
      this.#inner[index] = INNER_PAD ^ byte;
      this.#outer[index] = OUTER_PAD ^ byte;
    }
  }

  /** 32 bytes. */
  of(text: Uint8Array): Buffer {
    if (this.#wiped) throw new TypeError("the key was wiped");
    const end = BLOCK + text.length;
    const isReady = text.length <= READY_BYTES;
    const inner = isReady ? this.#inner : Buffer.concat([this.#inner.subarray(0, BLOCK), text]);
    if (isReady) inner.set(text, BLOCK);
    this.#outer.write(hash("sha256", inner.subarray(0, end), "binary"), BLOCK, KEY_LENGTH, "latin1");
    // What it begins with is the key.
    if (!isReady) inner.fill(0, 0, BLOCK);
    return sha256(this.#outer);
  }

  verifies(text: Uint8Array, given: Uint8Array): boolean {
    const expected = this.of(text);
    return given.length === expected.length && timingSafeEqual(expected, given);
  }

  wipe(): void {
    this.#wiped = true;
    this.#inner.fill(0);
    this.#outer.fill(0);
  }
}

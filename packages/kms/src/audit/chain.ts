// The audit chain: every entry carries a MAC over itself and the entry before it (HMAC-SHA-256, RFC 2104).
// Threat: someone who can write the database, but has no root key, changes, removes, inserts or reorders entries.
// The last entry's number and MAC are also kept apart (`head`), so that cutting off the end shows as well.

import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { AuditEvent } from "./event.ts";

/** An entry as it is stored. */
export interface AuditEntry {
  readonly seq: number;
  readonly event: string;
  readonly mac: Uint8Array;
}

/** How far the audit goes: what a state of the database is bound to. */
export interface AuditPosition {
  /** How many entries there are. */
  readonly size: number;
  /** Bytes that stand for all of them. */
  readonly head: Uint8Array;
}

/** The MAC before the first entry. */
export const GENESIS: Uint8Array = new Uint8Array(32);

/** The MAC of an entry that follows one with `previous`. */
export function entryMac(key: KeyObject, previous: Uint8Array, seq: number, event: string): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(seq));
  return createHmac("sha256", key).update(previous).update(number).update(event, "utf8").digest();
}

/** The chain's end, kept apart from the entries: number (8 bytes) and a MAC that only the key's holder can make. */
export function headOf(key: KeyObject, seq: number, mac: Uint8Array): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(seq));
  return Buffer.concat([number, createHmac("sha256", key).update("head").update(number).update(mac).digest()]);
}

/** The end of the chain, from which it goes on. */
export class AuditChain {
  /** Null once closed. */
  #key: KeyObject | null;
  #seq: number;
  #last: Uint8Array;

  /**
   * Takes over `key` (32 bytes), which is wiped. `seq` and `mac` are those of the last entry; 0 and GENESIS for an
   * empty chain.
   */
  constructor(key: Buffer, seq: number, mac: Uint8Array) {
    this.#key = createSecretKey(key);
    key.fill(0);
    this.#seq = seq;
    this.#last = mac;
  }

  /** The entries for these events, not yet part of the chain: `accept` them once they are committed. */
  extend(events: readonly AuditEvent[]): readonly AuditEntry[] {
    const key = this.#openKey();
    let seq = this.#seq;
    let last = this.#last;
    return events.map((event) => {
      const text = JSON.stringify(event);
      seq += 1;
      last = entryMac(key, last, seq, text);
      return { seq, event: text, mac: last };
    });
  }

  /** The head after `entries`, to be stored with them. */
  head(entries: readonly AuditEntry[]): Uint8Array {
    const { size, head } = this.position(entries);
    return headOf(this.#openKey(), size, head);
  }

  /** Where the audit ends with `entries`. */
  position(entries: readonly AuditEntry[] = []): AuditPosition {
    const end = entries.at(-1);
    return { size: end?.seq ?? this.#seq, head: end?.mac ?? this.#last };
  }

  /** Goes on from `entries`, now that they are committed. */
  accept(entries: readonly AuditEntry[]): void {
    const end = entries.at(-1);
    if (end === undefined) return;
    this.#seq = end.seq;
    this.#last = end.mac;
  }

  /** Lets go of the key; OpenSSL wipes it. */
  close(): void {
    this.#key = null;
  }

  #openKey(): KeyObject {
    if (this.#key === null) throw new Error("the chain is closed");
    return this.#key;
  }
}

/** Checks entries in order, starting after `previous`; gives the number of the first that does not fit, or null. */
export class ChainVerifier {
  readonly #key: KeyObject;
  #seq = 0;
  #last: Uint8Array = GENESIS;

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  /** Whether `entry` follows the entries before it unchanged. */
  accepts(entry: AuditEntry): boolean {
    const mac = entryMac(this.#key, this.#last, this.#seq + 1, entry.event);
    const fits = entry.seq === this.#seq + 1 && entry.mac.length === mac.length && timingSafeEqual(entry.mac, mac);
    this.#seq += 1;
    this.#last = mac;
    return fits;
  }

  /** Whether the stored head is that of the entries seen. */
  endsAt(head: Uint8Array): boolean {
    const wanted = headOf(this.#key, this.#seq, this.#last);
    return head.length === wanted.length && timingSafeEqual(head, wanted);
  }

  get count(): number {
    return this.#seq;
  }
}

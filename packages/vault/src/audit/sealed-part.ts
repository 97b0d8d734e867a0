/**
 * What an entry tells of one person, sealed under that person's audit key: salt 16 | IV 12 | ciphertext | tag 16. A key
 * is derived for each process and key that it holds, not for each entry, since every read seals one. IVs are random: an
 * entry's number may be used again by another entry, so none is made of it.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomFillSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { lp } from "../keys/length-prefixed.ts";
import type { EntryId } from "../stores/outbox.ts";
import type { EntryPerson, SealedPart } from "./entry.ts";
import { isEntryId } from "./entry-text.ts";
import { derivedKey } from "./key-derivation.ts";

const CIPHER = "aes-256-gcm";
const KEY_LABEL = "strongroom/audit-part-key/1";
const AAD_LABEL = "strongroom/audit-part/1";
const SALT_LENGTH = 16;
const IV_LENGTH = 12;
const TAG_LENGTH = 16;
const TEXT_START = SALT_LENGTH + IV_LENGTH;
/** So many random IVs under one derived key: the odds that two are the same stay below 2^-57. */
const MOST_USES: number = 2 ** 20;
/** Random bytes are drawn for so many IVs at once: a call for each costs more than the rest of what it takes. */
const IVS_AT_ONCE = 512;

/** Which key, of which vault. */
export interface PartTerms {
  readonly vault: string;
  /** Its version; of the vault's own, `vault`. */
  readonly version: string;
}

/** Seals parts under a key that is derived of another with a salt of its own. */
export class PartSealing {
  readonly version: string;
  readonly #salt: Buffer = randomBytes(SALT_LENGTH);
  readonly #key: KeyObject;
  readonly #bound: BoundToEntry;
  #usesLeft = MOST_USES;

  /** @param key stays the caller's to wipe; it is not needed any more then */
  constructor(key: Uint8Array, { vault, version }: PartTerms) {
    this.version = version;
    this.#bound = new BoundToEntry(vault, version);
    this.#key = partKey(key, vault, this.#salt);
  }

  /** Whether it has sealed as much as it may: another one is to be made of the key. */
  get isSpent(): boolean {
    return this.#usesLeft <= 0;
  }

  seal(entry: EntryId, part: SealedPart): EntryPerson {
    this.#usesLeft -= 1;
    const iv = nextIv();
    const cipher = createCipheriv(CIPHER, this.#key, iv);
    cipher.setAAD(this.#bound.to(entry));
    const ciphertext = cipher.update(textOf(part), "utf8");
    cipher.final();
    const sealed = Buffer.concat([this.#salt, iv, ciphertext, cipher.getAuthTag()]);
    return { key: this.version, sealed: sealed.toString("base64url") };
  }
}

/** What a part holds; null: it does not open under this key in this entry, or it holds what no vault writes. */
export function openPart(
  key: Uint8Array,
  { vault, version }: PartTerms,
  { entry, person }: { readonly entry: EntryId; readonly person: EntryPerson },
): SealedPart | null {
  const sealed = Buffer.from(person.sealed, "base64url");
  if (person.key !== version || sealed.length < TEXT_START + TAG_LENGTH) return null;
  const tagStart = sealed.length - TAG_LENGTH;
  try {
    const cipherKey = partKey(key, vault, sealed.subarray(0, SALT_LENGTH));
    const iv = sealed.subarray(SALT_LENGTH, TEXT_START);
    const decipher = createDecipheriv(CIPHER, cipherKey, iv, { authTagLength: TAG_LENGTH });
    decipher.setAAD(new BoundToEntry(vault, version).to(entry));
    decipher.setAuthTag(sealed.subarray(tagStart));
    const text = Buffer.concat([decipher.update(sealed.subarray(TEXT_START, tagStart)), decipher.final()]);
    return partOf(text);
  } catch {
    return null;
  }
}

function partKey(key: Uint8Array, vault: string, salt: Uint8Array): KeyObject {
  const derived = derivedKey(key, KEY_LABEL, vault, salt);
  try {
    return createSecretKey(derived);
  } finally {
    derived.fill(0);
  }
}

/** A part opens in no other entry, and as no other key's. Ids have 36 characters: one is written over the other. */
class BoundToEntry {
  readonly #start: number;
  readonly #bytes: Buffer;

  constructor(vault: string, version: string) {
    this.#start = lp([AAD_LABEL, vault, ""]).length;
    this.#bytes = lp([AAD_LABEL, vault, NO_ENTRY, version]);
  }

  /** Good until the next one is asked for. */
  to(entry: EntryId): Buffer {
    if (!isEntryId(entry)) throw new TypeError("an entry's id is a UUID");
    this.#bytes.write(entry, this.#start, "latin1");
    return this.#bytes;
  }
}

const NO_ENTRY = "0".repeat(36);

const textOf = ({ subject, records, ticket, label }: SealedPart): string =>
  JSON.stringify({ subject, records, ticket, label });

function partOf(text: Buffer): SealedPart | null {
  const part = JSON.parse(text.toString("utf8")) as SealedPart | null;
  const isText = (value: unknown): boolean => typeof value === "string";
  const isWhole =
    part !== null &&
    (part.subject === null || isText(part.subject)) &&
    Array.isArray(part.records) &&
    part.records.every(
      (record: unknown) =>
        Array.isArray(record) && isText(record[0]) && (record[1] === null || Number.isSafeInteger(record[1])),
    ) &&
    [part.ticket, part.label].every((value) => value === undefined || isText(value));
  return isWhole ? part : null;
}

/** Each of its bytes is given out once. */
let ivs: Buffer = Buffer.alloc(0);
let ivsTaken = 0;

function nextIv(): Buffer {
  if (ivsTaken === ivs.length) [ivs, ivsTaken] = [randomBytes(IVS_AT_ONCE * IV_LENGTH), 0];
  ivsTaken += IV_LENGTH;
  return ivs.subarray(ivsTaken - IV_LENGTH, ivsTaken);
}

function randomBytes(length: number): Buffer {
  return randomFillSync(Buffer.allocUnsafeSlow(length));
}

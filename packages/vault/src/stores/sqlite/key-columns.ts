/**
 * Columns of keys and their owners, as they are written and as they are read.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import { MAX_KEY_WRAPS, MAX_WRAP_BYTES } from "../key-limits.ts";
import { KEY_KINDS } from "../key-store.ts";
import type { KeyKind, KeyWrap } from "../key-store.ts";
import { isSubjectId } from "../subjects.ts";
import { idBytes, idOf } from "./ids.ts";

/** Bytes of a name's tag, and of a key's check. */
export const DIGEST_BYTES = 32;

/** Most bytes of a key's wraps: what is longer was written by a hand, and is not carried about. */
const MOST_WRAP_BYTES = MAX_KEY_WRAPS * (MAX_WRAP_BYTES + 4096);

/** An owner as it is kept: of a person, the id's bytes. */
export const ownerValue = (owner: string): Uint8Array | string => (isSubjectId(owner) ? idBytes(owner) : owner);

/** What is selected of an owner's name for {@link ownerOf}. */
export const OWNER_NAME: RawBuilder<string | null> = sql<string | null>`iif(octet_length(owners.name) <= 256,
  iif(typeof(owners.name) = 'blob', 'id:' || hex(owners.name), 'text:' || owners.name), null)`;

/** Null when it is the name of nobody. */
export function ownerOf(selected: string | null): string | null {
  if (selected === null) return null;
  if (selected.startsWith("id:")) return idOf(selected.slice("id:".length));
  const text = selected.slice("text:".length);
  return text === "" || isSubjectId(text) || !text.isWellFormed() ? null : text;
}

export const kindValue = (kind: KeyKind): number => KEY_KINDS.indexOf(kind);
export const kindOf = (value: number | null): KeyKind | null => (value === null ? null : (KEY_KINDS[value] ?? null));

/** What is selected of 32 bytes for {@link digestOf}. */
export const digestBytes = (column: string): RawBuilder<Uint8Array | null> =>
  sql<Uint8Array | null>`iif(octet_length(${sql.ref(column)}) = ${sql.lit(DIGEST_BYTES)}, ${sql.ref(column)}, null)`;

export const wrapBytes: RawBuilder<Uint8Array | null> = sql<Uint8Array | null>`iif(octet_length(keys.wraps) <= ${sql.lit(MOST_WRAP_BYTES)}, keys.wraps, null)`;

/** Each part behind its length in four bytes: provider, info and ciphertext of each wrap. */
export function encodeWraps(wraps: readonly KeyWrap[]): Uint8Array {
  const parts = wraps.flatMap(({ provider, info, ciphertext }) => [Buffer.from(provider, "utf8"), info, ciphertext]);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  return bytes;
}

/** Null when they are none. */
export function decodeWraps(bytes: Uint8Array | null): readonly KeyWrap[] | null {
  if (bytes === null || bytes.length === 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const from = at + 4;
    const length = from <= bytes.length ? view.getUint32(at) : Number.POSITIVE_INFINITY;
    if (from + length > bytes.length) return null;
    parts.push(bytes.subarray(from, from + length));
    at = from + length;
  }
  if (parts.length % 3 !== 0) return null;
  const wraps: KeyWrap[] = [];
  for (let n = 0; n < parts.length; n += 3) {
    const [provider, info, ciphertext] = parts.slice(n, n + 3);
    if (provider === undefined || info === undefined || ciphertext === undefined) return null;
    const name = Buffer.from(provider).toString("utf8");
    if (!Buffer.from(name).equals(provider)) return null;
    wraps.push({ provider: name, info, ciphertext });
  }
  return wraps;
}

/**
 * Columns of keys and their owners, as they are written and as they are read.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import { MAX_KEY_WRAPS, MAX_WRAP_BYTES } from "../key-limits.ts";
import { KEY_KINDS } from "../key-store.ts";
import type { KeyKind } from "../key-store.ts";
import { isSubjectId } from "../subjects.ts";
import { idBytes, idOf } from "./ids.ts";

/** Bytes of a name's tag, and of a key's check. */
export const DIGEST_BYTES = 32;

/** Most bytes of a key's wraps: what is longer was written by a hand, and is not carried about. */
const MOST_WRAP_BYTES = MAX_KEY_WRAPS * (MAX_WRAP_BYTES + 4096);

/** An owner as it is kept: of a person, the id's bytes. */
export const ownerValue = (owner: string): Uint8Array | string => (isSubjectId(owner) ? idBytes(owner) : owner);

/** What is selected of an owner's name for {@link ownerOf}. */
export function ownerName(column: string): RawBuilder<string | null> {
  const name = sql.ref(column);
  return sql<string | null>`iif(octet_length(${name}) <= 256,
    iif(typeof(${name}) = 'blob', 'id:' || hex(${name}), 'text:' || ${name}), null)`;
}

export const OWNER_NAME: RawBuilder<string | null> = ownerName("owners.name");

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

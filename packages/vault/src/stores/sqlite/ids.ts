/**
 * UUIDs as the files keep them: 16 bytes, in the order that their text has too.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import { isSubjectId } from "../subjects.ts";
import type { SubjectId } from "../subjects.ts";

/** Bytes of an id. */
export const ID_BYTES = 16;

/** Of what is no id, none: no row that a vault wrote has them. */
export const idBytes = (id: string): Uint8Array =>
  isSubjectId(id) ? Buffer.from(id.replaceAll("-", ""), "hex") : new Uint8Array();

/** What is selected of an id for {@link idOf}: quicker to hand over than bytes. Null unless it has 16 bytes. */
export const idDigits = (column: string): RawBuilder<string | null> =>
  sql<string | null>`iif(octet_length(${sql.ref(column)}) = ${sql.lit(ID_BYTES)}, hex(${sql.ref(column)}), null)`;

/** Whether it holds a version 4 UUID: what holds none must hide nothing of a page. */
export const isId = (
  column: string,
): RawBuilder<boolean> => sql<boolean>`(octet_length(${sql.ref(column)}) = ${sql.lit(ID_BYTES)}
  and substr(hex(${sql.ref(column)}), 13, 1) = '4' and substr(hex(${sql.ref(column)}), 17, 1) in ('8', '9', 'A', 'B'))`;

/** Null when the digits are those of no version 4 UUID. */
export function idOf(digits: string | null): SubjectId | null {
  if (digits === null) return null;
  const all = digits.toLowerCase();
  const id = `${all.slice(0, 8)}-${all.slice(8, 12)}-${all.slice(12, 16)}-${all.slice(16, 20)}-${all.slice(20)}`;
  return isSubjectId(id) ? id : null;
}

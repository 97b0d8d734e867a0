/**
 * Whom a version is about, as the one column `versions.subject` keeps it, which stands before the message: of scheme 1
 * a name. Of scheme 2, behind a character that no name has, and with that between them: the number of the person's row
 * (nothing: it is about nobody), the ids of further people in hexadecimal, and what it is about when it is nobody. What
 * is empty at the end is left out.
 */
import { sql } from "kysely";
import type { AliasedRawBuilder, RawBuilder } from "kysely";
import type { Subject } from "../../records/address.ts";
import type { NewVersion } from "../units.ts";
import type { SubjectId } from "../subjects.ts";
import { MAX_UNIT_SUBJECTS } from "../unit-people.ts";
import { ID_BYTES, idOf } from "./ids.ts";
import { SUBJECT_COLUMNS, subjectOf } from "./subject-rows.ts";
import type { FoundSubject, SubjectColumns } from "./subject-rows.ts";

/** Begins the subject of what is about nobody: the collection's name follows. */
export const ABOUT_NOBODY = "collection:";

/** Begins and parts the columns of scheme 2: START OF TEXT, which is a control character. */
const MARK = "\u0002";
const ID_DIGITS = 2 * ID_BYTES;
/** A name has 256 bytes, a number 20 digits. */
const LONGEST = MAX_UNIT_SUBJECTS * ID_DIGITS + 512;

/** Whom a version is about. */
export type Whom = Pick<NewVersion, "scheme" | "subject" | "about">;

/** People of a unit -> the numbers of their rows. */
export type People = ReadonlyMap<string, bigint>;

/** The column of a version whose people have these rows. */
export function subjectText({ scheme, subject, about }: Whom, people: People): string {
  if (scheme === 1) return subject;
  const number = people.get(subject);
  const others = about.map((id) => id.replaceAll("-", "")).join("");
  const parts = ["", String(number ?? ""), others, number === undefined ? subject : ""];
  return parts.slice(0, 1 + parts.findLastIndex((part) => part !== "")).join(MARK);
}

/** The number of the row of whom a version is about; null in scheme 1, and where it is nobody. */
export const SUBJECT_NUMBER: RawBuilder<number | null> = sql<number | null>`iif(
  substr(versions.subject, 1, 1) = char(2), cast(substr(versions.subject, 2, 20) as integer), null)`;

/** What {@link whomOf} reads of a version with the row of that number, which is joined there. */
export interface WhomColumns extends SubjectColumns {
  readonly subject: string | null;
}

export const WHOM_COLUMNS: readonly (AliasedRawBuilder<string | null, "subject"> | (typeof SUBJECT_COLUMNS)[number])[] =
  [
    sql<string | null>`iif(octet_length(versions.subject) <= ${sql.lit(LONGEST)}, versions.subject, null)`.as(
      "subject",
    ),
    ...SUBJECT_COLUMNS,
  ];

/** Whom, with the row of scheme 2's subject; null: it is about nobody. */
export interface FoundWhom extends Whom {
  readonly owner: FoundSubject | null;
}

const NONE: readonly SubjectId[] = [];
const NUMBER = /^-?[0-9]{1,19}$/;

/** Whom; or which of the columns are damaged. */
export function whomOf(found: WhomColumns): FoundWhom | string {
  const { subject: text } = found;
  if (typeof text !== "string" || text === "") return "versions.subject";
  if (!text.startsWith(MARK)) return { scheme: 1, subject: text as Subject, about: NONE, owner: null };
  // Nearly always: somebody, and nobody else.
  const isAlone = text.lastIndexOf(MARK) === 0;
  const [, number = "", others = "", nobody = "", ...more] = isAlone ? ["", text.slice(1)] : text.split(MARK);
  const about = others === "" ? NONE : parseAbout(others);
  if (about === null || more.length > 0) return "versions.subject";
  if (number === "")
    return nobody.startsWith(ABOUT_NOBODY)
      ? { scheme: 2, subject: nobody as Subject, about, owner: null }
      : "versions.subject";
  if (!NUMBER.test(number) || nobody !== "") return "versions.subject";
  const owner = subjectOf(found);
  // A number that no person has, or one whose row holds no id.
  if (owner.row === null) return "subjects.id";
  return { scheme: 2, subject: owner.row.id as string as Subject, about, owner };
}

/** Null when they are none: no whole ids, or not sorted. */
function parseAbout(digits: string): readonly SubjectId[] | null {
  if (digits.length % ID_DIGITS !== 0) return null;
  const ids: SubjectId[] = [];
  for (let at = 0; at < digits.length; at += ID_DIGITS) {
    const id = idOf(digits.slice(at, at + ID_DIGITS));
    if (id === null || id <= (ids.at(-1) ?? "")) return null;
    ids.push(id);
  }
  return ids;
}

/**
 * Whom a version is about, as its rows say it: what is read of it, and what of it no vault writes.
 */
import { sql } from "kysely";
import type { AliasedRawBuilder } from "kysely";
import type { Subject } from "../../records/address.ts";
import type { Scheme } from "../rows.ts";
import { isSubjectId } from "../subjects.ts";
import type { SubjectId } from "../subjects.ts";
import { MAX_UNIT_SUBJECTS } from "../unit-people.ts";
import { ID_BYTES, idOf } from "./ids.ts";
import { SUBJECT_COLUMNS, subjectOf } from "./subject-rows.ts";
import type { FoundSubject, SubjectColumns } from "./subject-rows.ts";

/** Begins the subject of what is about nobody: the collection's name follows. */
export const ABOUT_NOBODY = "collection:";

/** Which rows a version has: of scheme 1; of scheme 2 and nobody; of scheme 2 and somebody. */
const ROWS = { first: 0, nobody: 1, somebody: 2 } as const;

/** What {@link whomOf} reads of a version with its `version_subjects` and `subjects`, which are joined there. */
export interface WhomColumns extends SubjectColumns {
  readonly subject: string | null;
  readonly whom: number;
  readonly about: Uint8Array | null;
}

type Own = Omit<WhomColumns, keyof SubjectColumns>;
type Selected = readonly { readonly [Column in keyof Own]: AliasedRawBuilder<Own[Column], Column> }[keyof Own][];

const OWN_COLUMNS: Selected = [
  sql<string | null>`versions.subject`.as("subject"),
  sql<number>`(version_subjects.version_key is not null) + (version_subjects.subject is not null)`.as("whom"),
  sql<Uint8Array | null>`substr(version_subjects.about, 1, ${sql.lit(MAX_UNIT_SUBJECTS * ID_BYTES + 1)})`.as("about"),
];

export const WHOM_COLUMNS: readonly (Selected[number] | (typeof SUBJECT_COLUMNS)[number])[] = [
  ...OWN_COLUMNS,
  ...SUBJECT_COLUMNS,
];

/** Whom a version is about. */
export interface Whom {
  readonly scheme: Scheme;
  readonly subject: Subject;
  readonly about: readonly SubjectId[];
  /** Of scheme 2, the row of whom it is about first; null: it is about nobody. */
  readonly owner: FoundSubject | null;
}

const NONE: readonly SubjectId[] = [];

/** Whom; or which of the columns are damaged. */
export function whomOf(found: WhomColumns): Whom | string {
  const { subject, whom } = found;
  if (typeof subject !== "string") return "versions.subject";
  if (whom === ROWS.first)
    return subject === "" ? "versions.subject" : { scheme: 1, subject: subject as Subject, about: NONE, owner: null };
  const about = found.about === null ? NONE : parseAbout(found.about);
  if (about === null) return "version_subjects.about";
  if (whom === ROWS.nobody)
    return subject.startsWith(ABOUT_NOBODY)
      ? { scheme: 2, subject: subject as Subject, about, owner: null }
      : "version_subjects.subject";
  if (subject !== "") return "versions.subject";
  const owner = subjectOf(found);
  // A number that no person has, or one whose row holds no id.
  if (owner.row === null) return "version_subjects.subject";
  return { scheme: 2, subject: owner.row.id as string as Subject, about, owner };
}

/** Null when they are none: no whole ids, or not sorted. */
function parseAbout(bytes: Uint8Array): readonly SubjectId[] | null {
  if (bytes.length === 0 || bytes.length % ID_BYTES !== 0 || bytes.length > MAX_UNIT_SUBJECTS * ID_BYTES) return null;
  const digits = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
  const ids = Array.from({ length: bytes.length / ID_BYTES }, (_, n) => idOf(digits.slice(n * 32, n * 32 + 32)));
  const isSorted = ids.every((id, n) => isSubjectId(id) && (n === 0 || id > (ids[n - 1] ?? "")));
  return isSorted ? (ids as readonly SubjectId[]) : null;
}

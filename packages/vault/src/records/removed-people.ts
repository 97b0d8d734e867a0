/**
 * Whom a record was about, for the audit of its removal. One entry names some hundreds of people, and the versions of a
 * record may be about many more: what cannot be told in one entry is told in several, since a record that is too much
 * to be told could never be removed.
 */
import type { RecordRows, VersionRow } from "../stores/rows.ts";
import type { RecordStore } from "../stores/store.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { Address, Subject, Version } from "./address.ts";

/** Versions that are read at a time. */
const PAGE = 500;

/** People whom one entry names besides the subject: with ids of the greatest length it stays below its limit. */
const ENTRY_PEOPLE = 500;

/** Whom a part of a record was about. */
export type PeopleOfPart = Pick<VersionRow, "version" | "scheme" | "subject" | "about">;

/**
 * Everybody whom the record was about, as its rows say, in parts that an entry can name. The first is as the newest
 * version is, with its subject; the others name further people only. Null: no row says it.
 */
export async function whomItWasAbout(
  records: Pick<RecordStore, "versions">,
  { damage, newestRow }: RecordRows,
  row: Address,
): Promise<readonly PeopleOfPart[] | null> {
  if (damage !== undefined || newestRow === null) return null;
  const people = new Set<SubjectId>();
  let newest: VersionRow | null = null;
  let before: Version | null = null;
  for (;;) {
    const { versions } = await records.versions(row, { before, limit: PAGE });
    newest ??= versions[0] ?? null;
    for (const { scheme, subject, about } of versions)
      if (scheme === 2) for (const id of [subject, ...about]) if (isSubjectId(id)) people.add(id);
    const last = versions.at(-1)?.version;
    // Rows that somebody changed may be in no order.
    if (versions.length < PAGE || last === undefined || (before !== null && last >= before)) break;
    before = last;
  }
  if (newest === null) return null;
  const { version, scheme, subject } = newest;
  people.delete(subject as string as SubjectId);
  const others = [...people].sort();
  const parts: PeopleOfPart[] = [{ version, scheme, subject, about: others.slice(0, ENTRY_PEOPLE) }];
  for (let start = ENTRY_PEOPLE; start < others.length; start += ENTRY_PEOPLE) {
    const [first, ...more] = others.slice(start, start + ENTRY_PEOPLE);
    parts.push({ version, scheme: 2, subject: first as string as Subject, about: more });
  }
  return parts;
}

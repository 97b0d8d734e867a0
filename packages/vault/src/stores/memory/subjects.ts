/**
 * The people of what is in memory.
 */
import type { AppendResult } from "../outbox.ts";
import type { SubjectRows } from "../store.ts";
import type { SubjectId, SubjectRecord, SubjectRow, UnitSubject } from "../subjects.ts";
import type { UnitResult } from "../units.ts";
import type { MemoryTables, RecordRow, Tables, VersionRow } from "./tables.ts";

/** The calls about people, each done at once. */
export type SubjectCalls = {
  readonly [Name in keyof SubjectRows]: (
    ...args: Parameters<SubjectRows[Name]>
  ) => Awaited<ReturnType<SubjectRows[Name]>>;
};

export function memorySubjects(tables: MemoryTables): SubjectCalls {
  const { subjects } = tables;
  return {
    get: (ids) => ids.map((id) => shown(subjects.get(id))),
    list: ({ after, limit }) =>
      [...subjects.values()]
        .filter(({ id }) => after === null || id > after)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map(copy),
    newest: (limit) => [...subjects.values()].toReversed().slice(0, limit).map(copy),
    setState: ({ id, from, to }) => {
      const row = subjects.get(id) ?? newSubject(id);
      if (!from.includes(row.state)) return row.state;
      subjects.set(id, { ...row, state: to });
      return to;
    },
    records: (id, { after, limit }) =>
      [...tables.records.values()]
        .filter(({ links }) => links.includes(id))
        .map(linked)
        .filter(({ position }) => after === null || Buffer.compare(position, after) > 0)
        .sort((a, b) => Buffer.compare(a.position, b.position))
        .slice(0, limit),
  };
}

/** Who may not be read about, and why. */
export type Closed = (AppendResult & { readonly kind: "subjects-closed" })["closed"];

const newSubject = (id: SubjectId): SubjectRow => ({ id, state: "active", ordinals: { subject: 0, tenant: 0 } });

const copy = ({ id, state, ordinals }: SubjectRow): SubjectRow => ({ id, state, ordinals: { ...ordinals } });

const shown = (row: SubjectRow | undefined): SubjectRow | null => (row === undefined ? null : copy(row));

/** No collection's name has a NUL: what is sorted by these bytes is sorted by collection, then by id. */
function linked({ address: { collection, id }, sealedId }: RecordRow): SubjectRecord {
  const position = Buffer.from(`${collection}\0${id}`);
  return { collection, id, sealedId: sealedId === null ? null : Buffer.from(sealedId), position };
}

/** Why a unit about these people may not be made; null: it may. */
export function refusalOf({ subjects }: Tables, people: readonly UnitSubject[]): UnitResult | null {
  for (const { id } of people) {
    const state = subjects.get(id)?.state ?? "active";
    if (state !== "active") return { kind: "subject-closed", id, state };
  }
  for (const { id, scope, ordinal } of people)
    if (scope !== "record" && ordinal < (subjects.get(id)?.ordinals[scope] ?? 0)) return { kind: "key-set-back", id };
  return null;
}

/** Who of these may not be read about. */
export function closedOf({ subjects }: Tables, ids: readonly SubjectId[]): Closed {
  return ids.flatMap((id) => {
    const state = subjects.get(id)?.state ?? null;
    return state === "active" ? [] : { id, state };
  });
}

/** Makes the rows that there are not, and notes which keys have sealed. */
export function noteSubjects({ subjects }: Tables, people: readonly UnitSubject[]): void {
  for (const { id, scope, ordinal } of people) {
    const row = subjects.get(id) ?? newSubject(id);
    subjects.set(id, scope === "record" ? row : { ...row, ordinals: { ...row.ordinals, [scope]: ordinal } });
  }
}

/** The rows of the people that a version is about. */
export function subjectsOf({ subjects }: Tables, { scheme, subject, about }: VersionRow): readonly SubjectRow[] {
  if (scheme === 1) return [];
  return [subject, ...about].flatMap((id) => shown(subjects.get(id)) ?? []);
}

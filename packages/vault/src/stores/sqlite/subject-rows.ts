/**
 * People of a store: their rows, and the records that are linked to them. Rows are untrusted: a state that is none
 * counts as `restricted`, and an ordinal that is none as the highest, so that nothing of the person is written or
 * released before somebody has looked at it.
 */
import { sql } from "kysely";
import type { AliasedRawBuilder } from "kysely";
import type { SubjectId, SubjectRecord, SubjectRow, SubjectsPage, SubjectState } from "../subjects.ts";
import { foundName, foundSealedId, nameBytes, rowNumber, sealedIdBytes, whole } from "./columns.ts";
import { idBytes, idDigits, idOf } from "./ids.ts";
import { LEAST_NUMBER, numberAt, positionOf } from "./row-positions.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";

/** What is selected of a person's row. */
export interface SubjectColumns {
  readonly subject_id: string | null;
  readonly subject_state: string | null;
  readonly subject_ordinal: number | null;
  readonly tenant_ordinal: number | null;
}

type Selected = readonly {
  readonly [Column in keyof SubjectColumns]: AliasedRawBuilder<SubjectColumns[Column], Column>;
}[keyof SubjectColumns][];

export const SUBJECT_COLUMNS: Selected = [
  idDigits("subjects.id").as("subject_id"),
  sql<SubjectState | null>`iif(subjects.state in ('active', 'restricted', 'erasing', 'erased'), subjects.state, null)`.as(
    "subject_state",
  ),
  whole("subjects.subject_ordinal", 0).as("subject_ordinal"),
  whole("subjects.tenant_ordinal", 0).as("tenant_ordinal"),
];

/** A person's row, and which of its columns hold what no vault writes. */
export interface FoundSubject {
  /** Null: not even the id is one. */
  readonly row: SubjectRow | null;
  readonly damaged: readonly string[];
}

const NONE: readonly string[] = [];

export function subjectOf(found: SubjectColumns): FoundSubject {
  const id = idOf(found.subject_id);
  const state = found.subject_state as SubjectState | null;
  const { subject_ordinal: subject, tenant_ordinal: tenant } = found;
  if (id !== null && state !== null && subject !== null && tenant !== null)
    return { row: { id, state, ordinals: { subject, tenant } }, damaged: NONE };
  const columns = {
    "subjects.id": id,
    "subjects.state": state,
    "subjects.subject_ordinal": subject,
    "subjects.tenant_ordinal": tenant,
  };
  const damaged = Object.entries(columns).flatMap(([name, value]) => (value === null ? [name] : []));
  if (id === null) return { row: null, damaged };
  const ordinals = { subject: subject ?? Number.MAX_SAFE_INTEGER, tenant: tenant ?? Number.MAX_SAFE_INTEGER };
  return { row: { id, state: state ?? "restricted", ordinals }, damaged };
}

interface SubjectKey {
  readonly id: Uint8Array;
}

const BY_ID = statement((db, { id }: SubjectKey) =>
  db
    .selectFrom("subjects")
    .where("id", "=", id)
    .select(rowNumber("subjects.subject").as("subject"))
    .select(SUBJECT_COLUMNS)
    .compile(),
);

/** A person's row with its number; undefined when there is none. */
export function subjectById(
  connection: Connection,
  id: SubjectId,
): (FoundSubject & { readonly subject: bigint }) | undefined {
  const found = connection.first(BY_ID, { id: idBytes(id) });
  return found === undefined ? undefined : { ...subjectOf(found), subject: BigInt(found.subject) };
}

const STATE = statement((db, { id }: SubjectKey) =>
  db
    .selectFrom("subjects")
    .where("id", "=", id)
    .select(sql<string | null>`iif(octet_length(state) <= 16, state, null)`.as("state"))
    .compile(),
);

/** Null: there is no row. */
export function subjectState(connection: Connection, id: SubjectId): SubjectState | null {
  const found = connection.first(STATE, { id: idBytes(id) });
  return found === undefined ? null : (SUBJECT_STATES.find((state) => state === found.state) ?? "restricted");
}

const SUBJECT_STATES: readonly SubjectState[] = ["active", "restricted", "erasing", "erased"];

export function getSubjects(connection: Connection, ids: readonly SubjectId[]): readonly (SubjectRow | null)[] {
  return ids.map((id) => subjectById(connection, id)?.row ?? null);
}

const LIST = statement((db, { after, limit }: { readonly after: Uint8Array; readonly limit: number }) =>
  db.selectFrom("subjects").where("id", ">", after).select(SUBJECT_COLUMNS).orderBy("id").limit(limit).compile(),
);

/** Rows whose id is none are nobody's, and left out; the page goes on behind them. */
export function listSubjects(connection: Connection, { after, limit }: SubjectsPage): readonly SubjectRow[] {
  return connection
    .all(LIST, { after: after === null ? new Uint8Array() : idBytes(after), limit })
    .flatMap((found) => subjectOf(found).row ?? []);
}

const NEWEST = statement((db, { limit }: { readonly limit: number }) =>
  db.selectFrom("subjects").select(SUBJECT_COLUMNS).orderBy("subject", "desc").limit(limit).compile(),
);

export function newestSubjects(connection: Connection, limit: number): readonly SubjectRow[] {
  return connection.all(NEWEST, { limit }).flatMap((found) => subjectOf(found).row ?? []);
}

const RECORDS = statement((db, { id, after, limit }: SubjectKey & { readonly after: bigint; readonly limit: number }) =>
  db
    .selectFrom("links")
    .innerJoin("records", "records.record", "links.record")
    .leftJoin("heads", "heads.record", "links.record")
    .where("links.subject", "=", db.selectFrom("subjects").select("subject").where("id", "=", id))
    .where("links.record", ">", after)
    .select([
      nameBytes("records.collection").as("collection"),
      nameBytes("records.id").as("id"),
      rowNumber("records.record").as("record"),
      sealedIdBytes("heads.sealed_id").as("sealed_id"),
    ])
    .orderBy("links.record")
    .limit(limit)
    .compile(),
);

/** Names that are none are given as they are, cut. @throws VaultError `cursor-invalid` */
export function recordsOfSubject(
  connection: Connection,
  id: SubjectId,
  { after, limit }: { readonly after: Uint8Array | null; readonly limit: number },
): readonly SubjectRecord[] {
  const found = connection.all(RECORDS, {
    id: idBytes(id),
    after: after === null ? LEAST_NUMBER : numberAt(after),
    limit,
  });
  return found.map(({ collection, id: recordId, record, sealed_id: sealed }) => ({
    collection: foundName(collection).text,
    id: foundName(recordId).text,
    sealedId: foundSealedId(sealed),
    position: positionOf(BigInt(record)),
  }));
}

interface NewSubject extends SubjectKey {
  readonly state: SubjectState;
}

const ADD = statement((db, { id, state }: NewSubject) =>
  db
    .insertInto("subjects")
    .values({ id, state, subject_ordinal: 0, tenant_ordinal: 0 })
    .returning(rowNumber("subject").as("subject"))
    .compile(),
);

/** Makes a person's row, which was not there; within the caller's transaction. */
export function addSubject(connection: Connection, id: SubjectId, state: SubjectState): bigint {
  return BigInt(connection.one(ADD, { id: idBytes(id), state }).subject);
}

const SET_STATE = statement((db, { id, state }: NewSubject) =>
  db.updateTable("subjects").set({ state }).where("id", "=", id).compile(),
);

/** A change of a person's state, and whether anything was changed. */
export function setSubjectState(
  connection: Connection,
  { id, from, to }: { readonly id: SubjectId; readonly from: readonly SubjectState[]; readonly to: SubjectState },
): { readonly state: SubjectState; readonly isChanged: boolean } {
  const found = subjectById(connection, id);
  const state = found?.row?.state ?? "active";
  if (!from.includes(state)) return { state, isChanged: false };
  if (found === undefined) addSubject(connection, id, to);
  else connection.run(SET_STATE, { id: idBytes(id), state: to });
  return { state: to, isChanged: true };
}

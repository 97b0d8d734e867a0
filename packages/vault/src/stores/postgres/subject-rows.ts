/**
 * The people of a store. A change of state is made first, and waited for afterwards, as a flip of the gate is: writers
 * under way are not what it waits for to be made, and whoever looks after it sees it (functions/people.ts).
 */
import { VaultError } from "../../errors.ts";
import type { SubjectRows } from "../store.ts";
import { isSubjectId } from "../subjects.ts";
import type { SubjectRecord, SubjectRow, SubjectState } from "../subjects.ts";
import type { Columns } from "./columns.ts";
import { bytes, foundName, nameColumn, sealedIdColumn, text, whole } from "./columns.ts";
import { statement } from "./connection.ts";
import type { Connections } from "./connection.ts";
import { refusalColumn, requireAccepted, writeRefusalColumn } from "./refusals.ts";
import type { SchemaName } from "./schema-name.ts";

const STATES: readonly unknown[] = ["active", "restricted", "erasing", "erased"] satisfies readonly SubjectState[];

/** A state that no vault writes keeps everybody from writing and reading, and can be released. */
const stateOf = (value: unknown): SubjectState => (STATES.includes(value) ? (value as SubjectState) : "restricted");

/** Of somebody who is closed. */
export function closedState(value: unknown): Exclude<SubjectState, "active"> {
  const state = stateOf(value);
  return state === "active" ? "restricted" : state;
}

/** An ordinal that no vault writes refuses every key. */
const ordinalOf = (value: unknown): number => whole(value, 0) ?? Number.MAX_SAFE_INTEGER;

const COLUMNS = "s.id, s.state, s.subject_ordinal, s.tenant_ordinal";

/** Null: there is none. */
function subjectRow(row: Columns): SubjectRow | null {
  const id = row["id"];
  if (!isSubjectId(id)) return null;
  const ordinals = { subject: ordinalOf(row["subject_ordinal"]), tenant: ordinalOf(row["tenant_ordinal"]) };
  return { id, state: stateOf(row["state"]), ordinals };
}

/** The row of the subject of a version `own`. */
export const subjectJoin = (schema: SchemaName): string => `
    left join lateral (
      select s.id, s.state, s.subject_ordinal, s.tenant_ordinal from ${schema}.subjects s
      where own.scheme = 2 and s.id = own.subject limit 1) person on true`;

/**
 * Selects it, and the rows of the others that the version is about as one text. Every operator is given what one of the
 * server's own takes.
 */
export const peopleColumns = (schema: SchemaName): string => `
  person.id as person, person.state as person_state, person.subject_ordinal, person.tenant_ordinal,
  case when own.about is not null then (
    select string_agg(s.id || ' '::text || s.state || ' '::text || s.subject_ordinal::text || ' '::text ||
        s.tenant_ordinal::text, ','::text)
    from ${schema}.subjects s where s.id = any(string_to_array(own.about, ','::text))) end as people`;

/** Of what {@link peopleColumns} selects. */
export function foundPeople(row: Columns): readonly SubjectRow[] {
  const subject = subjectRow({ ...row, id: row["person"], state: row["person_state"] });
  const others = (text(row["people"]) ?? "").split(",").map((found) => {
    const [id, state, ordinal, tenant, ...more] = found.split(" ");
    const columns = { id, state: more.length > 0 ? null : state, subject_ordinal: ordinal, tenant_ordinal: tenant };
    return subjectRow(columns);
  });
  return [subject, ...others].filter((person) => person !== null);
}

/** What the people of one store need. */
export interface SubjectContext {
  readonly connections: Connections;
  readonly schema: SchemaName;
  readonly vault: string;
  /** How long a change of state waits for units under way. */
  readonly drainTimeoutMs: number;
}

export function subjectRows({ connections, schema, vault, drainTimeoutMs }: SubjectContext): SubjectRows {
  const refusal = refusalColumn("$1::text");
  const get = statement(`
    select ${refusal}, ${COLUMNS}
    from ${schema}.vault g cross join unnest($2::text[]) with ordinality u(wanted, n)
    left join lateral (select * from ${schema}.subjects s where s.id = u.wanted limit 1) s on true
    order by u.n`);
  const listed = (order: string, where: string): string => `
    select ${refusal}, ${COLUMNS} from ${schema}.vault g left join lateral (
      select * from ${schema}.subjects s where s.id ~ '${SUBJECT_ID}'::text and ${where} order by ${order} limit $2::bigint) s on true
    order by ${order}`;
  const list = statement(listed("s.id", "($3::text is null or s.id > $3::text)"));
  const newest = statement(listed("s.key desc", "true"));
  const records = statement(`
    select ${refusal}, l.record, ${nameColumn("l.collection")} as collection, ${nameColumn("l.id")} as id,
      encode(l.sealed_id, 'hex') as sealed_id
    from ${schema}.vault g left join lateral (
      select l.record, r.collection, r.id, ${sealedIdColumn("h.sealed_id")}
      from ${schema}.subjects s join ${schema}.links l on l.subject = s.key join ${schema}.records r on r.key = l.record
        left join ${schema}.heads h on h.record = l.record
      where s.id = $2::text and l.record > $3::bigint
      order by l.record limit $4::bigint) l on true
    order by l.record`);
  const mayWrite = statement(`select ${writeRefusalColumn("$1::text")} from ${schema}.vault g`);
  const make = statement(`
    insert into ${schema}.subjects (id, state, subject_ordinal, tenant_ordinal) values ($1::text, 'active', 0, 0)
    on conflict do nothing`);
  const change = statement(`
    update ${schema}.subjects set state = $2::text where id = $1::text and state = any($3::text[])`);
  const current = statement(`select s.state from ${schema}.subjects s where s.id = $1::text`);
  // Whoever holds a share of the row looked before the change.
  const drain = statement(`select from ${schema}.subjects s where s.id = $1::text for update`);

  return {
    async get(ids) {
      if (ids.length === 0) return [];
      const rows = await connections.run(get, [vault, ids], "repeat");
      requireAccepted(rows);
      return rows.map(subjectRow);
    },
    async list({ after, limit }) {
      const rows = await connections.run(list, [vault, limit, after], "repeat");
      requireAccepted(rows);
      return rows.flatMap((row) => subjectRow(row) ?? []);
    },
    async newest(limit) {
      const rows = await connections.run(newest, [vault, limit], "repeat");
      requireAccepted(rows);
      return rows.flatMap((row) => subjectRow(row) ?? []);
    },
    async records(id, { after, limit }) {
      const rows = await connections.run(records, [vault, id, parseRecordPosition(after), limit], "repeat");
      requireAccepted(rows);
      return rows.filter((row) => row["record"] !== null).map(subjectRecord);
    },
    async setState({ id, from, to }) {
      const unnamed = { isNamed: false };
      const state = await connections.transaction(drainTimeoutMs, async (connection) => {
        requireAccepted(await connection.query(mayWrite, [vault], unnamed));
        if (from.includes("active")) await connection.query(make, [id], unnamed);
        await connection.query(change, [id, to, from], unnamed);
        const [row] = await connection.query(current, [id], unnamed);
        return row === undefined ? "active" : stateOf(row["state"]);
      });
      // Asked for again, it waits again: the one before may have been interrupted.
      if (state !== "active")
        await connections.transaction(drainTimeoutMs, (connection) => connection.query(drain, [id], unnamed));
      return state;
    },
  };
}

/** As {@link isSubjectId} has it: of what lies in a table. */
export const SUBJECT_ID = "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

function subjectRecord(row: Columns): SubjectRecord {
  const [collection, id] = [foundName(row["collection"]), foundName(row["id"])];
  return {
    collection: collection.text,
    id: id.text,
    sealedId: bytes(row["sealed_id"]),
    position: recordPosition(row["record"]),
  };
}

/** Where a list of records in the order of their numbers goes on. */
export function recordPosition(key: unknown): Uint8Array {
  const position = Buffer.alloc(8);
  position.writeBigInt64BE(BigInt(text(key) ?? "0"));
  return position;
}

/** The number behind which it does. @throws VaultError `cursor-invalid` */
export function parseRecordPosition(after: Uint8Array | null): string {
  if (after === null) return "-9223372036854775808";
  if (after.byteLength !== 8) throw new VaultError("cursor-invalid", "The position is not one that this list gave out");
  return Buffer.from(after).readBigInt64BE().toString();
}

/**
 * Reads of records: heads, one version, a page of versions. Each is one statement, so that head and versions are of one
 * snapshot, and begins at the gate's row, so that there always is an answer.
 */
import type { Address, Subject, Version } from "../../records/address.ts";
import type {
  RecordRead,
  RecordRows,
  RecordVersions,
  Scheme,
  StoredMessage,
  VersionRow,
  VersionsPage,
} from "../rows.ts";
import type { EntryId } from "../outbox.ts";
import { isSubjectId } from "../subjects.ts";
import type { SubjectId } from "../subjects.ts";
import { MAX_UNIT_SUBJECTS } from "../unit-people.ts";
import type { WrapSetId } from "../wrap-set.ts";
import { damageOf, wholeOr } from "../damage.ts";
import { bytes, isTrue, moment, text, whole } from "./columns.ts";
import type { Columns } from "./columns.ts";
import { statement } from "./connection.ts";
import type { Connections, Statement } from "./connection.ts";
import { refusalColumn, requireAccepted } from "./refusals.ts";
import { foundPeople, peopleColumns, subjectJoin } from "./subject-rows.ts";
import type { SchemaName } from "./schema-name.ts";

/** Of the record whose number is `key`, with its head joined as `h`. */
export const rowsColumns = (schema: SchemaName, key: string): string => `
  h.record is not null as has_head, h.version as head_version, h.state as head_state, h.entry as head_entry,
  (select max(v.version) from ${schema}.versions v where v.record = ${key}) as newest_row,
  (select min(v.version) from ${schema}.versions v where v.record = ${key}) as oldest_row`;

/** It has the form of all random ids here. */
const isEntryId = (value: unknown): value is EntryId => isSubjectId(value);

/** What a record's rows come to, with the columns named that hold what no vault writes. */
export function rowsOf(row: Columns): RecordRows {
  const version = whole(row["head_version"]);
  const state = row["head_state"] === "live" || row["head_state"] === "removed" ? row["head_state"] : null;
  const newest = whole(row["newest_row"]);
  const entry = row["head_entry"];
  const damage = damageOf({
    ...(isTrue(row["has_head"]) ? { "heads.version": version, "heads.state": state } : {}),
    ...(entry === null ? {} : { "heads.entry": isEntryId(entry) ? entry : null }),
    ...(row["newest_row"] === null ? {} : { "versions.version": newest === null ? null : whole(row["oldest_row"]) }),
  });
  return {
    head: version === null || state === null ? null : { version: version as Version, state },
    newestRow: newest as Version | null,
    ...(isEntryId(entry) ? { entry } : {}),
    ...(damage === null ? {} : { damage }),
  };
}

/** A text that is longer is none that a vault writes: 37 bytes a person. */
const LONGEST_ABOUT = 37 * MAX_UNIT_SUBJECTS;

const VERSION_COLUMNS =
  "own.record is not null as there, own.version, own.scheme, own.subject, own.created_at, w.stored, w.target, " +
  `coalesce(left(own.about, ${LONGEST_ABOUT}), ''::text) as about, octet_length(own.message) as message_bytes`;

/** A version's row; or which of its columns are damaged. */
function versionRow(row: Columns): VersionRow | string {
  const target = whole(row["target"], 0);
  const columns = wholeOr<VersionColumns>("versions", {
    version: whole(row["version"]),
    scheme: schemeOf(row["scheme"]),
    subject: text(row["subject"]),
    about: aboutOf(row),
    created_at: moment(row["created_at"]),
    wrap_set: whole(row["stored"], 0) === null ? null : target,
    message: whole(row["message_bytes"], 0),
  });
  if (typeof columns === "string") return columns;
  return {
    version: columns.version as Version,
    scheme: columns.scheme,
    subject: columns.subject as Subject,
    about: columns.about,
    createdAt: columns.created_at,
    wraps: { stored: whole(row["stored"], 0) ?? 0, target: columns.wrap_set },
    messageBytes: columns.message,
  };
}

function schemeOf(selected: unknown): Scheme | null {
  const scheme = whole(selected);
  return scheme === 1 || scheme === 2 ? scheme : null;
}

/** Null: no vault writes it. */
function aboutOf(row: Columns): readonly SubjectId[] | null {
  const about = text(row["about"]);
  if (about === null || about === "") return about === null ? null : [];
  const ids = about.split(",");
  const isSorted = ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? ""));
  const isWhole = isSorted && whole(row["scheme"]) === 2 && !ids.includes(text(row["subject"]) ?? "");
  return isWhole && ids.every(isSubjectId) ? ids : null;
}

/** What is read of a version but its message. */
interface VersionColumns {
  readonly version: number;
  readonly scheme: Scheme;
  readonly subject: string;
  readonly about: readonly SubjectId[];
  readonly created_at: string;
  readonly wrap_set: number;
  readonly message: number;
}

/** The reads of one store. */
export interface RecordReads {
  heads(addresses: readonly Address[]): Promise<readonly RecordRows[]>;
  read(address: Address, version: Version | null): Promise<RecordRead>;
  versions(address: Address, page: VersionsPage): Promise<RecordVersions>;
}

/** @param vault the id that the database must have */
export function recordReads(connections: Connections, schema: SchemaName, vault: string): RecordReads {
  const statements = recordStatements(schema);
  return {
    async heads(addresses) {
      if (addresses.length === 0) return [];
      const rows = await connections.run(
        statements.heads,
        [vault, addresses.map(({ collection }) => collection), addresses.map(({ id }) => id)],
        "repeat",
      );
      requireAccepted(rows);
      return rows.map(rowsOf);
    },
    async read({ collection, id }, version) {
      const rows = await connections.run(statements.read, [vault, collection, id, version], "repeat");
      return recordRead(requireAccepted(rows));
    },
    async versions({ collection, id }, { before, limit }) {
      const rows = await connections.run(statements.versions, [vault, collection, id, before, limit], "repeat");
      const first = requireAccepted(rows);
      const versions = rows.filter((row) => isTrue(row["there"])).map(versionRow);
      const damaged = new Set(versions.filter((row) => typeof row === "string"));
      return {
        ...withDamage(rowsOf(first), [...damaged].join(", ")),
        versions: versions.filter((row) => typeof row !== "string"),
      };
    },
  };
}

function recordStatements(schema: SchemaName): Readonly<Record<"heads" | "read" | "versions", Statement>> {
  // Each by itself, so that no plan reads a table: a session keeps the one that it made when the tables were small.
  const record = `
    left join lateral (
      select r.key from ${schema}.records r where r.collection = a.collection and r.id = a.id limit 1) r on true
    left join lateral (
      select h.record, h.version, h.state, h.entry from ${schema}.heads h where h.record = r.key limit 1) h on true`;
  const wraps = `
    left join lateral (
      select w.stored, w.target from ${schema}.wrap_sets w where w.id = own.wrap_set limit 1) w on true`;
  return {
    heads: statement(`
      select ${refusalColumn("$1::text")}, ${rowsColumns(schema, "r.key")}
      from ${schema}.vault g cross join unnest($2::text[], $3::text[]) with ordinality a(collection, id, n) ${record}
      order by a.n`),
    read: statement(`
      select ${refusalColumn("$1::text")}, ${rowsColumns(schema, "r.key")}, ${VERSION_COLUMNS},
        own.wrap_set, own.revision, encode(own.message, 'hex') as message, ${peopleColumns(schema)}
      from ${schema}.vault g cross join (select $2::text as collection, $3::text as id) a ${record}
      left join lateral (
        select * from ${schema}.versions v
        where v.record = r.key and v.version = coalesce($4::bigint, h.version) limit 1) own on true ${wraps}${subjectJoin(schema)}`),
    versions: statement(`
      select ${refusalColumn("$1::text")}, ${rowsColumns(schema, "r.key")}, ${VERSION_COLUMNS}
      from ${schema}.vault g cross join (select $2::text as collection, $3::text as id) a ${record}
      left join lateral (
        select * from ${schema}.versions v
        where v.record = r.key and ($4::bigint is null or v.version < $4::bigint)
        order by v.version desc limit $5::bigint) own on true ${wraps}
      order by own.version desc`),
  };
}

function recordRead(row: Columns): RecordRead {
  const rows = rowsOf(row);
  if (!isTrue(row["there"])) return { ...rows, stored: null, subjects: [] };
  const own = versionRow(row);
  if (typeof own === "string") return { ...withDamage(rows, own), stored: null, subjects: [] };
  const message = bytes(row["message"]);
  const [wrapSet, revision] = [whole(row["wrap_set"]), whole(row["revision"], 0)];
  if (message === null || wrapSet === null || revision === null) {
    const damage = damageOf({
      "versions.message": message,
      "versions.wrap_set": wrapSet,
      "versions.revision": revision,
    });
    return { ...withDamage(rows, damage ?? ""), stored: null, subjects: [] };
  }
  const { version, scheme, subject, about, createdAt, wraps } = own;
  const stamp = { wrapSet: wrapSet as WrapSetId, revision };
  const stored: StoredMessage = { version, scheme, subject, about, createdAt, wraps, stamp, message };
  return { ...rows, stored, subjects: foundPeople(row) };
}

/** With further columns that hold what no vault writes. */
export function withDamage(rows: RecordRows, more: string): RecordRows {
  if (more === "") return rows;
  return { ...rows, damage: rows.damage === undefined ? more : `${rows.damage}, ${more}` };
}

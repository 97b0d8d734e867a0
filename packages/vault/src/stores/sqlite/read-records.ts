/**
 * Reads of one record: its head, one version, a page of its versions. Head and versions are of one snapshot, which the
 * caller holds.
 */
import { sql } from "kysely";
import type { AliasedRawBuilder, RawBuilder } from "kysely";
import type { Address, Version } from "../../records/address.ts";
import { damageOf } from "../damage.ts";
import type { EntryId } from "../outbox.ts";
import type { Head, RecordRead, RecordRows, RecordVersions, StoredMessage, VersionRow, VersionsPage } from "../rows.ts";
import type { SubjectRow } from "../subjects.ts";
import type { WrapSetId } from "../wrap-set.ts";
import { moment, rowNumber, whole } from "./columns.ts";
import { idDigits, idOf } from "./ids.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { subjectById } from "./subject-rows.ts";
import { SUBJECT_NUMBER, WHOM_COLUMNS, whomOf } from "./whom.ts";
import type { FoundWhom, WhomColumns } from "./whom.ts";
import { countWraps, FORM_COLUMNS, wrapSetOf } from "./wrap-set-rows.ts";

/** What {@link rowsOf} makes a record's rows of. The numbers are null as well where they are damaged. */
export interface RowsColumns {
  readonly has_head: number;
  readonly head_version: number | null;
  readonly head_state: string | null;
  /** The digits of the entry's id; empty: it is damaged. */
  readonly head_entry: string | null;
  readonly has_rows: number;
  readonly newest_row: number | null;
  readonly oldest_row: number | null;
}

/** Of the record that `records.record` names in an outer query: its head, joined there, and its version rows. */
const ROWS_COLUMNS: { [Column in keyof RowsColumns]: RawBuilder<RowsColumns[Column]> } = (() => {
  const own = sql`versions.record = records.record`;
  // Each by itself: SQLite finds one extreme at an end of the index, and two only by reading all.
  const extreme = (which: "min" | "max"): RawBuilder<number | null> => sql<number | null>`
    (select ${whole("found.version")} from (
      select ${sql.raw(which)}(versions.version) as version from versions where ${own}) as found)`;
  return {
    has_head: sql<number>`heads.record is not null`,
    head_version: whole("heads.version"),
    head_state: sql<string | null>`heads.state`,
    head_entry: sql<string | null>`iif(heads.entry is null, null, ifnull(${idDigits("heads.entry")}, ''))`,
    has_rows: sql<number>`exists (select 1 from versions where ${own})`,
    newest_row: extreme("max"),
    oldest_row: extreme("min"),
  };
})();

type SelectedRows = readonly {
  readonly [Column in keyof RowsColumns]: AliasedRawBuilder<RowsColumns[Column], Column>;
}[keyof RowsColumns][];

/** The same as a query selects them. */
export const SELECTED_ROWS: SelectedRows = [
  ROWS_COLUMNS.has_head.as("has_head"),
  ROWS_COLUMNS.head_version.as("head_version"),
  ROWS_COLUMNS.head_state.as("head_state"),
  ROWS_COLUMNS.head_entry.as("head_entry"),
  ROWS_COLUMNS.has_rows.as("has_rows"),
  ROWS_COLUMNS.newest_row.as("newest_row"),
  ROWS_COLUMNS.oldest_row.as("oldest_row"),
];

/** Whether the record that `records.record` names has version rows. */
export const HAS_ROWS: RawBuilder<number> = ROWS_COLUMNS.has_rows;

/** What a record's rows come to, with the columns named that hold what no vault writes. */
export function rowsOf(row: RowsColumns): RecordRows {
  const { head_version: version, head_state: state, newest_row: newestRow } = row;
  const known = state === "live" || state === "removed" ? state : null;
  const head: Head | null = version === null || known === null ? null : { version: version as Version, state: known };
  const entry = row.head_entry === null ? undefined : (idOf(row.head_entry) as string as EntryId | null);
  const rows = { head, newestRow: newestRow as Version | null, ...(typeof entry === "string" ? { entry } : {}) };
  const isWhole = (row.has_head !== 1 || head !== null) && (row.has_rows !== 1 || row.oldest_row !== null);
  if (isWhole && entry !== null && (row.has_rows !== 1 || newestRow !== null)) return rows;
  const damage = damageOf({
    ...(row.has_head === 1 ? { "heads.version": version, "heads.state": known, "heads.entry": entry } : {}),
    ...(row.has_rows === 1 ? { "versions.version": newestRow === null ? null : row.oldest_row } : {}),
  });
  return { ...rows, ...(damage === null ? {} : { damage }) };
}

const ROWS = statement((db, { collection, id }: Address) =>
  db
    .selectFrom("records")
    .leftJoin("heads", "heads.record", "records.record")
    .where("records.collection", "=", collection)
    .where("records.id", "=", id)
    .select(rowNumber("records.record").as("record"))
    .select(SELECTED_ROWS)
    .compile(),
);

const NOTHING: RecordRows = { head: null, newestRow: null };

export function readHead(connection: Connection, address: Address): RecordRows {
  const row = connection.first(ROWS, address);
  return row === undefined ? NOTHING : rowsOf(row);
}

/** What is read of a version but its message, and whom it is about. */
const VERSION_COLUMNS = [
  whole("versions.version").as("version"),
  sql<string | null>`versions.created_at`.as("created_at"),
  whole("versions.wrap_set", 0).as("wrap_set"),
  whole("versions.revision", 0).as("revision"),
  sql<number | null>`octet_length(versions.message)`.as("message_bytes"),
] as const;

interface VersionColumns extends WhomColumns {
  readonly version: number | null;
  readonly created_at: string | null;
  readonly wrap_set: number | null;
  readonly revision: number | null;
  readonly message_bytes: number | null;
  readonly digest: string | null;
  readonly form: string | null;
}

type FoundVersion = Omit<StoredMessage, "message"> & Pick<VersionRow, "messageBytes"> & Pick<FoundWhom, "owner">;

/** A version's row; or which of its columns are damaged. */
function versionOf(row: VersionColumns): FoundVersion | string {
  const whom = whomOf(row);
  if (typeof whom === "string") return whom;
  const { version, revision, message_bytes: messageBytes } = row;
  const createdAt = moment(row.created_at);
  const set = row.wrap_set === null ? null : wrapSetOf(row);
  if (version === null || createdAt === null || set === null || revision === null || messageBytes === null)
    return (
      damageOf({
        "versions.version": version,
        "versions.created_at": createdAt,
        "versions.wrap_set": set,
        "versions.revision": revision,
        "versions.message": messageBytes,
      }) ?? ""
    );
  const stamp = { wrapSet: row.wrap_set as WrapSetId, revision };
  return { version: version as Version, ...whom, createdAt, wraps: countWraps(set), stamp, messageBytes };
}

/** `null` as version: the head's. */
const READ = statement((db, { collection, id, version }: Address & { readonly version: Version | null }) =>
  db
    .selectFrom("records")
    .leftJoin("heads", "heads.record", "records.record")
    .leftJoin("versions", (join) =>
      join
        .onRef("versions.record", "=", "records.record")
        .on("versions.version", "=", sql<number>`ifnull(${version}, heads.version)`),
    )
    .leftJoin("subjects", (join) => join.on("subjects.subject", "=", SUBJECT_NUMBER))
    .leftJoin("wrap_sets", "wrap_sets.id", "versions.wrap_set")
    .where("records.collection", "=", collection)
    .where("records.id", "=", id)
    .select(SELECTED_ROWS)
    .select(VERSION_COLUMNS)
    .select(WHOM_COLUMNS)
    .select(FORM_COLUMNS)
    .select(["versions.message", sql<number>`versions.key is not null`.as("there")])
    .compile(),
);

export function readRecord(connection: Connection, address: Address, version: Version | null): RecordRead {
  const found = connection.first(READ, { ...address, version });
  if (found === undefined) return { ...NOTHING, stored: null, subjects: [] };
  const rows = rowsOf(found);
  if (found.there !== 1) return { ...rows, stored: null, subjects: [] };
  const row = versionOf(found);
  const message: unknown = found.message;
  const damage = typeof row === "string" ? row : message instanceof Uint8Array ? null : "versions.message";
  if (typeof row === "string" || !(message instanceof Uint8Array))
    return { ...rows, damage: joined(rows.damage, damage ?? ""), stored: null, subjects: [] };
  const { version: number, scheme, subject, about, createdAt, wraps, stamp, owner } = row;
  const people = peopleOf(connection, owner, about);
  return {
    ...rows,
    ...(people.damaged.length === 0 ? {} : { damage: joined(rows.damage, people.damaged.join(", ")) }),
    stored: { version: number, scheme, subject, about, createdAt, wraps, stamp, message },
    subjects: people.subjects,
  };
}

interface FoundPeople {
  readonly subjects: readonly SubjectRow[];
  readonly damaged: readonly string[];
}

/** Whom a version is about, in the snapshot in which it was read. Rows that are damaged are left out, and named. */
function peopleOf(connection: Connection, owner: FoundWhom["owner"], about: FoundWhom["about"]): FoundPeople {
  if (owner === null && about.length === 0) return NOBODY;
  const all = [...(owner === null ? [] : [owner]), ...about.flatMap((id) => subjectById(connection, id) ?? [])];
  return {
    subjects: all.flatMap(({ row, damaged }) => (row === null || damaged.length > 0 ? [] : [row])),
    damaged: [...new Set(all.flatMap(({ damaged }) => damaged))],
  };
}

const NOBODY: FoundPeople = { subjects: [], damaged: [] };

const PAGE = statement(
  (
    db,
    { record, before, limit }: { readonly record: bigint; readonly before: number | null; readonly limit: number },
  ) =>
    db
      .selectFrom("versions")
      .leftJoin("subjects", (join) => join.on("subjects.subject", "=", SUBJECT_NUMBER))
      .leftJoin("wrap_sets", "wrap_sets.id", "versions.wrap_set")
      .where("versions.record", "=", record)
      .where(sql<boolean>`versions.version < ifnull(${before}, ${sql.lit(Number.MAX_SAFE_INTEGER)} + 1)`)
      .select(VERSION_COLUMNS)
      .select(WHOM_COLUMNS)
      .select(FORM_COLUMNS)
      .orderBy("versions.version", "desc")
      .limit(limit)
      .compile(),
);

export function readVersions(
  connection: Connection,
  address: Address,
  { before, limit }: VersionsPage,
): RecordVersions {
  const found = connection.first(ROWS, address);
  if (found === undefined) return { ...NOTHING, versions: [] };
  const rows = rowsOf(found);
  const versions = connection.all(PAGE, { record: BigInt(found.record), before, limit }).map(versionOf);
  const damaged = new Set(versions.filter((row) => typeof row === "string"));
  return {
    ...rows,
    ...(damaged.size === 0 ? {} : { damage: joined(rows.damage, [...damaged].join(", ")) }),
    versions: versions
      .filter((row) => typeof row !== "string")
      .map(({ version, scheme, subject, about, createdAt, wraps, messageBytes }) => ({
        version,
        scheme,
        subject,
        about,
        createdAt,
        wraps,
        messageBytes,
      })),
  };
}

const joined = (before: string | undefined, more: string): string =>
  before === undefined ? more : `${before}, ${more}`;

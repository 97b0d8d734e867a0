/**
 * Reads of one record: its head, one version, all versions. Each is one statement, so that head and versions are of one
 * snapshot.
 */
import { sql } from "kysely";
import type { Kysely, RawBuilder } from "kysely";
import { VaultError } from "../errors.ts";
import type { Address, Subject, Version } from "../records/address.ts";
import type { RecordRead, RecordRows, RecordVersions, StoredMessage, VersionRow } from "../store.ts";
import { damageOf, moment, whole } from "./columns.ts";
import type { VaultSchema } from "./schema.ts";

/** What {@link rowsOf} makes a record's rows of. The numbers are null as well where they are damaged. */
export interface RowsColumns {
  readonly has_head: number;
  readonly head_version: number | null;
  readonly head_state: string | null;
  readonly has_rows: number;
  readonly newest_row: number | null;
  readonly oldest_row: number | null;
}

/** Of the record that `collection` and `id` name in an outer query: its head, joined there, and its version rows. */
export function rowsColumns(
  collection: string,
  id: string,
): { [Column in keyof RowsColumns]: RawBuilder<RowsColumns[Column]> } {
  const own = sql`versions.collection = ${sql.ref(collection)} and versions.id = ${sql.ref(id)}`;
  // Each by itself: SQLite finds one extreme at an end of the index, and two only by reading all.
  const extreme = (which: "min" | "max"): RawBuilder<number | null> => sql<number | null>`
    (select ${whole("found.version")} from (
      select ${sql.raw(which)}(versions.version) as version from versions where ${own}) as found)`;
  return {
    has_head: sql<number>`heads.id is not null`,
    head_version: whole("heads.version"),
    head_state: sql<string | null>`heads.state`,
    has_rows: sql<number>`exists (select 1 from versions where ${own})`,
    newest_row: extreme("max"),
    oldest_row: extreme("min"),
  };
}

/** What a record's rows come to, with the columns named that hold what no vault writes. */
export function rowsOf(row: RowsColumns): RecordRows {
  const { head_version: version, head_state: state } = row;
  const known = state === "live" || state === "removed" ? state : null;
  const damage = damageOf({
    ...(row.has_head === 1 ? { "heads.version": version, "heads.state": known } : {}),
    ...(row.has_rows === 1 ? { "versions.version": row.newest_row === null ? null : row.oldest_row } : {}),
  });
  return {
    head: version === null || known === null ? null : { version: version as Version, state: known },
    newestRow: row.newest_row as Version | null,
    ...(damage === null ? {} : { damage }),
  };
}

/** Joined to the address itself, so that there is always a row even when nothing is stored. */
function recordQuery(db: Kysely<VaultSchema>, { collection, id }: Address) {
  const columns = rowsColumns("address.collection", "address.id");
  return db
    .selectFrom(
      sql<{ collection: string; id: string }>`(select ${collection} as collection, ${id} as id)`.as("address"),
    )
    .leftJoin("heads", (join) =>
      join.onRef("heads.collection", "=", "address.collection").onRef("heads.id", "=", "address.id"),
    )
    .select([
      columns.has_head.as("has_head"),
      columns.head_version.as("head_version"),
      columns.head_state.as("head_state"),
      columns.has_rows.as("has_rows"),
      columns.newest_row.as("newest_row"),
      columns.oldest_row.as("oldest_row"),
    ]);
}

export async function readHead(db: Kysely<VaultSchema>, address: Address): Promise<RecordRows> {
  return rowsOf(await recordQuery(db, address).executeTakeFirstOrThrow());
}

/** What is read of a version but its message. */
const VERSION_COLUMNS = [
  whole("own.version").as("version"),
  sql<string | null>`own.subject`.as("subject"),
  sql<string | null>`own.created_at`.as("created_at"),
  whole("own.wraps_stored", 0).as("wraps_stored"),
  whole("own.wraps_target", 0).as("wraps_target"),
  sql<number | null>`octet_length(own.message)`.as("message_bytes"),
] as const;

interface VersionColumns {
  readonly version: number | null;
  readonly subject: string | null;
  readonly created_at: string | null;
  readonly wraps_stored: number | null;
  readonly wraps_target: number | null;
  readonly message_bytes: number | null;
}

/** A version's row; or which of its columns are damaged. */
function versionRow(row: VersionColumns): VersionRow | string {
  const { version, wraps_stored: stored, wraps_target: target, message_bytes: messageBytes } = row;
  const subject = typeof row.subject === "string" ? row.subject : null;
  const createdAt = moment(row.created_at);
  if (
    version === null ||
    subject === null ||
    createdAt === null ||
    stored === null ||
    target === null ||
    messageBytes === null
  )
    return (
      damageOf({
        "versions.version": version,
        "versions.subject": subject,
        "versions.created_at": createdAt,
        "versions.wraps_stored": stored,
        "versions.wraps_target": target,
        "versions.message": messageBytes,
      }) ?? ""
    );
  return {
    version: version as Version,
    subject: subject as Subject,
    createdAt,
    wraps: { stored, target },
    messageBytes,
  };
}

export async function readRecord(
  db: Kysely<VaultSchema>,
  address: Address,
  version: Version | null,
): Promise<RecordRead> {
  const found = await recordQuery(db, address)
    .leftJoin("versions as own", (join) =>
      join
        .onRef("own.collection", "=", "address.collection")
        .onRef("own.id", "=", "address.id")
        .on("own.version", "=", version === null ? sql.ref("heads.version") : sql.val(version)),
    )
    .select(VERSION_COLUMNS)
    .select(["own.message", sql<number>`own.id is not null`.as("there")])
    .executeTakeFirstOrThrow();
  const rows = rowsOf(found);
  if (found.there !== 1) return { ...rows, stored: null };
  const row = versionRow(found);
  const message: unknown = found.message;
  if (typeof row === "string") return { ...rows, damage: joined(rows.damage, row), stored: null };
  if (!(message instanceof Uint8Array))
    return { ...rows, damage: joined(rows.damage, "versions.message"), stored: null };
  const { version: number, subject, createdAt, wraps } = row;
  const stored: StoredMessage = { version: number, subject, createdAt, wraps, message };
  return { ...rows, stored };
}

export async function readVersions(db: Kysely<VaultSchema>, address: Address): Promise<RecordVersions> {
  const found = await recordQuery(db, address)
    .leftJoin("versions as own", (join) =>
      join.onRef("own.collection", "=", "address.collection").onRef("own.id", "=", "address.id"),
    )
    .select(VERSION_COLUMNS)
    .select(sql<number>`own.id is not null`.as("there"))
    .orderBy("own.version", "desc")
    .execute();
  const [first] = found;
  if (first === undefined) throw new VaultError("store-failed", "The database gave no row where one must be");
  const rows = rowsOf(first);
  const versions = found.filter(({ there }) => there === 1).map(versionRow);
  const damaged = new Set(versions.filter((row) => typeof row === "string"));
  return {
    ...rows,
    ...(damaged.size === 0 ? {} : { damage: joined(rows.damage, [...damaged].join(", ")) }),
    versions: versions.filter((row) => typeof row !== "string"),
  };
}

const joined = (before: string | undefined, more: string): string =>
  before === undefined ? more : `${before}, ${more}`;

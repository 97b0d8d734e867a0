/**
 * What is read of the audit's log, within the caller's snapshot. None of it is trusted by who verifies: what a row
 * holds that no vault writes is given as empty or 0, which nothing is proved by.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import type {
  AddressHead,
  AuditLog,
  Latest,
  LatestQuery,
  LogCounts,
  LogRow,
  LogStream,
  OutboxName,
  WholeLogRow,
} from "../audit-log.ts";
import type { Version } from "../../records/address.ts";
import type { KeyVersion } from "../key-store.ts";
import { MAX_APPEND_BYTES, MAX_ENTRY_BYTES } from "../outbox.ts";
import type { AddressTag, EntryId, StreamId } from "../outbox.ts";
import type { HeadState } from "../rows.ts";
import { whole } from "./columns.ts";
import { idBytes, idDigits, idOf, isId } from "./ids.ts";
import { DIGEST_BYTES, digestBytes, ownerName, ownerOf } from "./key-columns.ts";
import type { LogSchema } from "./log-schema.ts";
import { tagOf, tagText } from "./read-outbox.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";

/** How many positions one row of `spans` is about. */
export const SPAN = 1024;

const EMPTY = new Uint8Array();
/** What an entry is found by is shorter: what is longer was written by a hand, and is not carried about. */
const MAX_FOUND_BYTES = 256;
/** More than an entry has. */
const MOST_PEOPLE = 10_000;
/** The last moment that is a date, in milliseconds. */
const LAST_MOMENT = 8_640_000_000_000_000;

/** What is selected of an entry for {@link logRowOf}; as SQL, for statements that are written as it. */
export const LOG_COLUMNS: RawBuilder<LogColumns> = sql<LogColumns>`${whole("entries.position", 0)} as position,
  ${idDigits("entries.id")} as id, ${digestBytes("entries.leaf")} as leaf, entries.text is null as is_forgotten,
  iif(octet_length(entries.text) <= ${sql.lit(MAX_ENTRY_BYTES)}, entries.text, null) as text`;

export interface LogColumns {
  readonly position: number | null;
  readonly id: string | null;
  readonly leaf: Uint8Array | null;
  readonly is_forgotten: number;
  readonly text: Uint8Array | null;
}

export function logRowOf({ position, id, leaf, is_forgotten: isForgotten, text }: LogColumns): LogRow {
  return {
    position: position ?? 0,
    id: (idOf(id) ?? "") as string as EntryId,
    text: isForgotten === 1 ? null : (text ?? EMPTY),
    leaf: leaf ?? EMPTY,
  };
}

/** A text that is as short as any of a vault's; empty otherwise. */
const foundBy = (column: string): RawBuilder<string> =>
  sql<string>`iif(octet_length(${sql.ref(column)}) > ${sql.lit(MAX_FOUND_BYTES)}, '', ${sql.ref(column)})`;

interface WholeColumns extends LogColumns {
  readonly at: number | null;
  readonly principal: string;
  readonly action: string;
  readonly collection: string | null;
  /** A list, as JSON. */
  readonly people: string;
}

const ENTRIES = statement((db, { from, limit }: { readonly from: number; readonly limit: number }) =>
  sql<WholeColumns>`
    select ${LOG_COLUMNS}, ${whole("entries.at", 0)} as at, ${foundBy("entries.principal")} as principal,
      ${foundBy("entries.action")} as action, ${foundBy("entries.collection")} as collection,
      (select json_group_array(${ownerName("entry_people.person")}) from (
        select person from entry_people where position = entries.position limit ${sql.lit(MOST_PEOPLE)}
      ) as entry_people) as people
    from entries where position >= ${from} order by entries.position limit ${limit}`.compile(db),
);

/** As far as their texts are of one append's size together; the first one whatever its size. */
export function readEntries(
  connection: Connection,
  range: { readonly from: number; readonly limit: number },
): readonly WholeLogRow[] {
  const rows: WholeLogRow[] = [];
  let bytes = 0;
  for (const columns of connection.each(ENTRIES, range)) {
    bytes += columns.text?.length ?? 0;
    if (bytes > MAX_APPEND_BYTES && rows.length > 0) break;
    rows.push(wholeRowOf(columns));
  }
  return rows;
}

function wholeRowOf({ at, principal, action, collection, people, ...columns }: WholeColumns): WholeLogRow {
  const named = (JSON.parse(people) as readonly (string | null)[]).map((name) => ownerOf(name) ?? "");
  const isMoment = at !== null && at <= LAST_MOMENT;
  return {
    ...logRowOf(columns),
    found: { at: isMoment ? new Date(at).toISOString() : "", principal, action, collection, people: named.sort() },
  };
}

interface Forgettable {
  /** Milliseconds since the epoch. */
  readonly before: number;
  /** A list of actions, as JSON. */
  readonly keep: string;
  readonly from: number;
  readonly limit: number;
}

/** By moments first, of which only those before are looked at; then the first in the log. */
const FORGETTABLE = statement((db, { before, keep, from, limit }: Forgettable) =>
  sql<{ readonly position: number | null }>`
    select ${whole("position", 0)} as position from entries indexed by entries_whole
    where text is not null and at < ${before} and position >= ${from}
      and action not in (select value from json_each(${keep}))
    order by entries.position limit ${limit}`.compile(db),
);

export const readForgettable = (
  connection: Connection,
  { keep, ...request }: Omit<Forgettable, "keep"> & { readonly keep: readonly string[] },
): readonly number[] =>
  connection.all(FORGETTABLE, { ...request, keep: JSON.stringify(keep) }).flatMap(({ position }) => position ?? []);

type Counted = keyof LogCounts;

const COUNTED: Readonly<Record<Counted, keyof LogSchema>> = {
  entries: "entries",
  subtrees: "subtrees",
  heads: "addresses",
  messages: "messages",
  streams: "delivered",
  people: "entry_people",
};

const COUNTS = statement((db, _values: object) =>
  sql<LogCounts>`select ${sql.join(
    Object.entries(COUNTED).map(([name, table]) => sql`(select count(*) from ${sql.table(table)}) as ${sql.ref(name)}`),
  )}`.compile(db),
);

export const countRows = (connection: Connection): LogCounts => ({ ...connection.one(COUNTS, {}) });

const POSITION = statement((db, { id }: { readonly id: Uint8Array }) =>
  db.selectFrom("entries").where("id", "=", id).select(whole("position", 0).as("position")).compile(),
);

export const positionsOf = (connection: Connection, ids: readonly EntryId[]): readonly (number | null)[] =>
  ids.map((id) => connection.first(POSITION, { id: idBytes(id) })?.position ?? null);

/** From one key to the next larger one: entries that name it are not gone through. Keys are bytes, all else is text. */
const NAMED_KEYS = statement((db, { after, limit }: { readonly after: Uint8Array; readonly limit: number }) =>
  sql<{ readonly key: string | null }>`
    with recursive named(person) as (
      select min(person) from entry_people where person > ${after}
      union all
      select (select min(person) from entry_people where person > named.person) from named where person is not null
    )
    select ${idDigits("named.person")} as key from named where ${isId("named.person")} limit ${limit}`.compile(db),
);

export const readNamedKeys = (
  connection: Connection,
  { after, limit }: Parameters<AuditLog["namedKeys"]>[0],
): readonly KeyVersion[] =>
  connection
    .all(NAMED_KEYS, { after: after === null ? EMPTY : idBytes(after), limit })
    .flatMap(({ key }) => (idOf(key) as string as KeyVersion | null) ?? []);

interface HeadColumns {
  readonly version: number | null;
  readonly state: string | null;
  readonly has_entry: number;
  readonly entry: string | null;
}

const HEAD_COLUMNS = [
  whole("version").as("version"),
  sql<string | null>`iif(state in ('live', 'removed'), state, null)`.as("state"),
  sql<number>`entry is not null`.as("has_entry"),
  idDigits("entry").as("entry"),
] as const;

const headOf = ({ version, state, has_entry: hasEntry, entry }: HeadColumns): AddressHead => ({
  version: (version ?? 0) as Version,
  state: (state ?? "") as HeadState,
  entry: hasEntry === 1 ? ((idOf(entry) ?? "") as string as EntryId) : null,
});

const HEAD = statement((db, { tag }: { readonly tag: string }) =>
  db.selectFrom("addresses").where("tag", "=", tag).select(HEAD_COLUMNS).compile(),
);

interface MessageValue {
  readonly tag: string;
  readonly version: number;
  readonly sha256: Uint8Array;
}

const IS_KNOWN = statement((db, { tag, version, sha256 }: MessageValue) =>
  db
    .selectFrom("messages")
    .where("tag", "=", tag)
    .where("version", "=", version)
    .where("sha256", "=", sha256)
    .select(sql`1`.as("found"))
    .compile(),
);

const HEAD_AND_MESSAGE = statement((db, { tag, version, sha256 }: MessageValue) =>
  db
    .selectFrom("addresses")
    .where("tag", "=", tag)
    .select(HEAD_COLUMNS)
    .select(
      sql<number>`exists (
        select 1 from messages where tag = ${tag} and version = ${version} and sha256 = ${sha256})`.as("is_known"),
    )
    .compile(),
);

/** One descent of an index for the head, and one for the message. */
export function readLatest(connection: Connection, queries: readonly LatestQuery[]): readonly Latest[] {
  return queries.map(({ tag, message }) => {
    if (message === null) {
      const head = connection.first(HEAD, { tag });
      return { head: head === undefined ? null : headOf(head), isKnown: false };
    }
    const found = connection.first(HEAD_AND_MESSAGE, { tag, ...message });
    if (found !== undefined) return { head: headOf(found), isKnown: found.is_known === 1 };
    return { head: null, isKnown: connection.first(IS_KNOWN, { tag, ...message }) !== undefined };
  });
}

const FIRST = statement((db, { tag }: { readonly tag: string }) =>
  db
    .selectFrom("messages")
    .where("tag", "=", tag)
    .select(whole("version").as("version"))
    .orderBy("messages.version")
    .limit(1)
    .compile(),
);

/** One descent of an index for each. */
export const readFirstVersions = (connection: Connection, tags: readonly AddressTag[]): readonly (Version | null)[] =>
  tags.map((tag) => (connection.first(FIRST, { tag })?.version ?? null) as Version | null);

interface HeadsPage {
  readonly after: string;
  readonly limit: number;
  /** Of a state that none has: heads of all states. */
  readonly without: string;
}

const HEADS = statement((db, { after, limit, without }: HeadsPage) =>
  db
    .selectFrom("addresses")
    .where("tag", ">", after)
    // What is none of both is not known to be removed.
    .where(sql<boolean>`state is not ${without}`)
    .where(sql<boolean>`octet_length(tag) = 22 and tag not glob '*[^A-Za-z0-9_-]*'`)
    .select(tagText("tag").as("tag"))
    .select(HEAD_COLUMNS)
    .orderBy("addresses.tag")
    .limit(limit)
    .compile(),
);

/** Rows whose tag is none are no address's: they are left out, and take no place of a page. */
export function readHeads(
  connection: Connection,
  { only, after, limit }: Parameters<AuditLog["heads"]>[0],
): readonly (AddressHead & { readonly tag: AddressTag })[] {
  const page = { after: after ?? "", limit, without: only === "live" ? "removed" : "" };
  return connection.all(HEADS, page).flatMap(({ tag: text, ...row }) => {
    const tag = tagOf(text);
    return tag === null ? [] : [{ tag, ...headOf(row) }];
  });
}

interface HashColumns {
  readonly place: number | null;
  readonly hash: Uint8Array | null;
}

interface HashRange {
  readonly height: number;
  readonly start: number;
  readonly end: number;
}

const SUBTREES = statement((db, { height, start, end }: HashRange) =>
  db
    .selectFrom("subtrees")
    .where("height", "=", height)
    .where("place", ">=", start)
    .where("place", "<", end)
    .select([whole("place", 0).as("place"), digestBytes("hash").as("hash")])
    .orderBy("subtrees.place")
    .compile(),
);

const LEAVES = statement((db, { start, end }: HashRange) =>
  db
    .selectFrom("entries")
    .where("position", ">=", start)
    .where("position", "<", end)
    .select([whole("position", 0).as("place"), digestBytes("leaf").as("hash")])
    .orderBy("entries.position")
    .compile(),
);

/** Up to the first that is missing, or is no hash. */
export function readHashes(connection: Connection, range: HashRange): readonly Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (const { place, hash } of connection.each<HashRange, HashColumns>(
    range.height === 0 ? LEAVES : SUBTREES,
    range,
  )) {
    if (place !== range.start + hashes.length || hash?.length !== DIGEST_BYTES) break;
    hashes.push(hash);
  }
  return hashes;
}

interface StreamsPage {
  readonly outbox: OutboxName;
  readonly after: Uint8Array;
  readonly limit: number;
}

const DELIVERED = statement((db, { outbox, after, limit }: StreamsPage) =>
  db
    .selectFrom("delivered")
    .where("outbox", "=", outbox)
    .where("stream", ">", after)
    .where(isId("stream"))
    .select([idDigits("stream").as("stream"), whole("number").as("number"), sql<number>`ended = 1`.as("ended")])
    .orderBy("delivered.stream")
    .limit(limit)
    .compile(),
);

/** Rows whose id is none are no stream's: they are left out, and take no place of a page. */
export function readDelivered(
  connection: Connection,
  outbox: OutboxName,
  { after, limit }: { readonly after: StreamId | null; readonly limit: number },
): readonly LogStream[] {
  return connection
    .all(DELIVERED, { outbox, after: after === null ? EMPTY : idBytes(after), limit })
    .flatMap(({ stream: digits, number, ended }) => {
      const stream = idOf(digits);
      return stream === null
        ? []
        : [{ outbox, stream: stream as string as StreamId, number: number ?? 0, ended: ended === 1 }];
    });
}

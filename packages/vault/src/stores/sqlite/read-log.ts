/**
 * What is read of the audit's log, within the caller's snapshot. None of it is trusted by who verifies: what a row holds
 * that no vault writes is given as empty or 0, which nothing is proved by.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import type { AddressHead, Latest, LatestQuery, LogRow, LogStream, OutboxName } from "../audit-log.ts";
import type { Version } from "../../records/address.ts";
import { MAX_APPEND_BYTES, MAX_ENTRY_BYTES } from "../outbox.ts";
import type { AddressTag, EntryId, StreamId } from "../outbox.ts";
import type { HeadState } from "../rows.ts";
import { whole } from "./columns.ts";
import { idBytes, idDigits, idOf, isId } from "./ids.ts";
import { DIGEST_BYTES, digestBytes } from "./key-columns.ts";
import { tagOf, tagText } from "./read-outbox.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";

/** How many positions one row of `spans` is about. */
export const SPAN = 1024;

const EMPTY = new Uint8Array();

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

const ENTRIES = statement((db, { from, limit }: { readonly from: number; readonly limit: number }) =>
  sql<LogColumns>`select ${LOG_COLUMNS} from entries where position >= ${from} order by entries.position limit ${limit}`.compile(
    db,
  ),
);

/** As far as their texts are of one append's size together; the first one whatever its size. */
export function readEntries(
  connection: Connection,
  range: { readonly from: number; readonly limit: number },
): readonly LogRow[] {
  const found: LogRow[] = [];
  let bytes = 0;
  for (const columns of connection.each(ENTRIES, range)) {
    const row = logRowOf(columns);
    bytes += row.text?.length ?? 0;
    if (bytes > MAX_APPEND_BYTES && found.length > 0) break;
    found.push(row);
  }
  return found;
}

const POSITION = statement((db, { id }: { readonly id: Uint8Array }) =>
  db.selectFrom("entries").where("id", "=", id).select(whole("position", 0).as("position")).compile(),
);

export const positionsOf = (connection: Connection, ids: readonly EntryId[]): readonly (number | null)[] =>
  ids.map((id) => connection.first(POSITION, { id: idBytes(id) })?.position ?? null);

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

/** One descent of an index for the head, and one for the message. */
export function readLatest(connection: Connection, queries: readonly LatestQuery[]): readonly Latest[] {
  return queries.map(({ tag, message }) => {
    const found = connection.first(HEAD, { tag });
    const isKnown = message !== null && connection.first(IS_KNOWN, { tag, ...message }) !== undefined;
    return { head: found === undefined ? null : headOf(found), isKnown };
  });
}

const LIVE = statement((db, { after, limit }: { readonly after: string; readonly limit: number }) =>
  db
    .selectFrom("addresses")
    .where("tag", ">", after)
    // What is none of both is not known to be removed.
    .where("state", "!=", "removed")
    .where(sql<boolean>`octet_length(tag) = 22 and tag not glob '*[^A-Za-z0-9_-]*'`)
    .select(tagText("tag").as("tag"))
    .select(HEAD_COLUMNS)
    .orderBy("addresses.tag")
    .limit(limit)
    .compile(),
);

/** Rows whose tag is none are no address's: they are left out, and take no place of a page. */
export function readLiveHeads(
  connection: Connection,
  { after, limit }: { readonly after: AddressTag | null; readonly limit: number },
): readonly (AddressHead & { readonly tag: AddressTag })[] {
  return connection.all(LIVE, { after: after ?? "", limit }).flatMap(({ tag: text, ...row }) => {
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
  const found: Uint8Array[] = [];
  for (const { place, hash } of connection.each<HashRange, HashColumns>(
    range.height === 0 ? LEAVES : SUBTREES,
    range,
  )) {
    if (place !== range.start + found.length || hash?.length !== DIGEST_BYTES) break;
    found.push(hash);
  }
  return found;
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
    .select([idDigits("stream").as("stream"), whole("number").as("number")])
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
    .flatMap(({ stream: digits, number }) => {
      const stream = idOf(digits);
      return stream === null ? [] : [{ outbox, stream: stream as string as StreamId, number: number ?? 0 }];
    });
}

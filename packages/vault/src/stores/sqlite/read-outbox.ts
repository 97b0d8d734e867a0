/**
 * What is read of an outbox, within the caller's snapshot. Rows that hold what no vault writes are among the others,
 * for the sequencer to tell: what is damaged of them is empty or 0.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import { MAX_APPEND_BYTES, MAX_ENTRY_BYTES } from "../outbox.ts";
import type { AddressTag, EntryId, StreamId, StreamRow, WaitingEntry } from "../outbox.ts";
import { rowNumber, whole } from "./columns.ts";
import { idBytes, idDigits, idOf, isId } from "./ids.ts";
import { digestBytes } from "./key-columns.ts";
import { ONE, statement } from "./statements.ts";
import type { Connection } from "./statements.ts";

const TAG_LENGTH = 22;
const TAG = /^[A-Za-z0-9_-]{22}$/;

/** What is selected of a tag for {@link tagOf}. */
export const tagText = (column: string): RawBuilder<string | null> =>
  sql<string | null>`iif(octet_length(${sql.ref(column)}) = ${sql.lit(TAG_LENGTH)}, ${sql.ref(column)}, null)`;

/** Null when it is none. */
export const tagOf = (selected: string | null): AddressTag | null =>
  selected !== null && TAG.test(selected) ? (selected as AddressTag) : null;

const ENTRY_COLUMNS = [
  rowNumber("position").as("position"),
  idDigits("id").as("id"),
  idDigits("stream").as("stream"),
  whole("number").as("number"),
  sql<number>`ends = 1`.as("ends"),
  tagText("tag").as("tag"),
  digestBytes("mac").as("mac"),
  sql<Uint8Array | null>`iif(octet_length(text) <= ${sql.lit(MAX_ENTRY_BYTES)}, text, null)`.as("text"),
] as const;

interface EntryColumns {
  readonly position: string;
  readonly id: string | null;
  readonly stream: string | null;
  readonly number: number | null;
  readonly ends: number;
  readonly tag: string | null;
  readonly mac: Uint8Array | null;
  readonly text: Uint8Array | null;
}

const EMPTY = new Uint8Array();

function entryOf({ position, id, stream, number, ends, tag, mac, text }: EntryColumns): WaitingEntry {
  return {
    position: BigInt(position),
    id: (idOf(id) ?? "") as string as EntryId,
    stream: (idOf(stream) ?? "") as string as StreamId,
    number: number ?? 0,
    ends: ends === 1,
    tag: tagOf(tag),
    mac: mac ?? EMPTY,
    text: text ?? EMPTY,
  };
}

const OLDEST = statement((db, { limit }: { readonly limit: number }) =>
  db.selectFrom("outbox").select(ENTRY_COLUMNS).orderBy("outbox.position").limit(limit).compile(),
);

/** The oldest, as far as their texts are of one append's size together; the first one whatever its size. */
export function takeWaiting(connection: Connection, limit: number): readonly WaitingEntry[] {
  const found: WaitingEntry[] = [];
  let bytes = 0;
  for (const row of connection.each(OLDEST, { limit })) {
    const entry = entryOf(row);
    bytes += entry.text.length;
    if (bytes > MAX_APPEND_BYTES && found.length > 0) break;
    found.push(entry);
  }
  return found;
}

const OF_TAG = statement((db, { tag }: { readonly tag: string }) =>
  db.selectFrom("outbox").where("tag", "=", tag).select(ENTRY_COLUMNS).orderBy("outbox.position").compile(),
);

const ANY_TAG = statement((db, _values: object) =>
  db
    .selectFrom("outbox")
    .where("tag", "is not", null)
    .select(sql`1`.as("found"))
    .limit(ONE)
    .compile(),
);

export function pendingOf(connection: Connection, tags: readonly AddressTag[]): readonly WaitingEntry[] {
  // While there are readers alone, none has one.
  if (connection.first(ANY_TAG, {}) === undefined) return [];
  const found = [...new Set(tags)].flatMap((tag) => connection.all(OF_TAG, { tag }).map(entryOf));
  return found.sort((a, b) => (a.position < b.position ? -1 : 1));
}

const STREAM_COLUMNS = [whole("last").as("last"), whole("at", 0).as("at")] as const;

interface StreamColumns {
  readonly last: number | null;
  readonly at: number | null;
}

/** The last moment that is a date, in milliseconds. */
const LAST_MOMENT = 8_640_000_000_000_000;
const momentOf = (at: number | null): string => new Date(at === null || at > LAST_MOMENT ? 0 : at).toISOString();

const streamOf = (stream: StreamId, { last, at }: StreamColumns): StreamRow => ({
  stream,
  last: last ?? 0,
  at: momentOf(at),
});

const STREAM = statement((db, { stream }: { readonly stream: Uint8Array }) =>
  db.selectFrom("streams").where("stream", "=", stream).select(STREAM_COLUMNS).compile(),
);

export function readStreams(connection: Connection, ids: readonly StreamId[]): readonly (StreamRow | null)[] {
  return ids.map((id) => {
    const found = connection.first(STREAM, { stream: idBytes(id) });
    return found === undefined ? null : streamOf(id, found);
  });
}

const STREAMS = statement((db, { after, limit }: { readonly after: Uint8Array; readonly limit: number }) =>
  db
    .selectFrom("streams")
    .where("stream", ">", after)
    .where(isId("stream"))
    .select(idDigits("stream").as("stream"))
    .select(STREAM_COLUMNS)
    .orderBy("streams.stream")
    .limit(limit)
    .compile(),
);

/** Rows whose id is none are no stream's: they are left out, and take no place of a page. */
export function listStreams(
  connection: Connection,
  { after, limit }: { readonly after: StreamId | null; readonly limit: number },
): readonly StreamRow[] {
  return connection
    .all(STREAMS, { after: after === null ? EMPTY : idBytes(after), limit })
    .flatMap(({ stream, ...row }) => {
      const id = idOf(stream);
      return id === null ? [] : [streamOf(id as string as StreamId, row)];
    });
}

const WAITING = statement((db, { atMost }: { readonly atMost: number }) =>
  sql<{ readonly entries: number }>`
    select count(*) as entries from (select 1 from outbox limit ${atMost})`.compile(db),
);

const SINCE = statement((db, _values: object) =>
  db.selectFrom("outbox").select(whole("at", 0).as("at")).orderBy("outbox.position").limit(ONE).compile(),
);

export function countWaiting(
  connection: Connection,
  atMost: number,
): { readonly entries: number; readonly since: string | null } {
  const oldest = connection.first(SINCE, {});
  return {
    entries: connection.first(WAITING, { atMost })?.entries ?? 0,
    since: oldest === undefined ? null : momentOf(oldest.at),
  };
}

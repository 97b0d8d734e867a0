/**
 * The outbox of a store: each call is one statement that calls a function (functions/outbox.ts). What waits is not
 * trusted: what no vault writes is given as it is, empty or 0 where it is nothing at all.
 */
import { refused } from "../checked.ts";
import { STORE_WRITER } from "../gate.ts";
import type { AddressTag, AppendResult, EntryId, Outbox, StreamId, StreamRow, WaitingEntry } from "../outbox.ts";
import { MAX_APPEND_BYTES, MAX_ENTRY_BYTES } from "../outbox.ts";
import { takeAppend } from "../outbox-limits.ts";
import { isSubjectId } from "../subjects.ts";
import { bytes, isTrue, moment, text, whole } from "./columns.ts";
import type { Columns } from "./columns.ts";
import { placeholders, statement } from "./connection.ts";
import type { Connections, Statement } from "./connection.ts";
import { entryArguments } from "./entries.ts";
import { refusalColumn, requireAccepted } from "./refusals.ts";
import type { SchemaName } from "./schema-name.ts";
import { closedState } from "./subject-rows.ts";

/** What the outbox of one store needs. */
export interface OutboxContext {
  readonly connections: Connections;
  readonly schema: SchemaName;
  /** The id that the database must have. */
  readonly vault: string;
  readonly lockTimeoutMs: number;
}

/** Writes entries. */
export const appendStatement = (schema: SchemaName): Statement =>
  statement(`select result, stream, last, person, state from ${schema}.append_v1(${placeholders(13)})`);

const WAITING = `w.position, w.id, w.stream, w.number, w.ends, w.tag, encode(w.mac, 'hex') as mac,
      encode(w.text, 'hex') as text`;

/** A moment that a row does not hold. */
const NO_MOMENT = new Date(0).toISOString();

/** @param people whether the store has any */
export function postgresOutbox(
  { connections, schema, vault, lockTimeoutMs }: OutboxContext,
  { people }: { readonly people: boolean },
): Outbox {
  const asked = (columns: string, call: string): Statement =>
    statement(`
    select ${refusalColumn("$1::text")}, ${columns}
    from ${schema}.vault g left join lateral ${schema}.${call} w on true`);
  const append = appendStatement(schema);
  const take = asked(WAITING, "take_v1($2::bigint, $3::bigint, $4::integer)");
  const pending = asked(WAITING, "pending_v1($2::text[], $3::integer)");
  const drop = statement(`select result from ${schema}.drop_v1(${placeholders(4)})`);
  const streams = asked("w.stream, w.last, w.at", "streams_v1($2::uuid[])");
  const closeStreams = statement(`select result from ${schema}.close_streams_v1(${placeholders(5)})`);
  const waiting = asked("w.entries, w.since", "waiting_v1($2::bigint)");
  const listStreams = statement(`
    select ${refusalColumn("$1::text")}, w.stream, w.last, w.at
    from ${schema}.vault g left join lateral (
      select s.stream, s.last, s.at from ${schema}.streams s
      where s.stream >= coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'::uuid)
        and s.stream is distinct from $2::uuid order by s.stream limit $3::bigint) w on true
    order by w.stream`);

  async function ask(query: Statement, values: readonly unknown[]): Promise<readonly Columns[]> {
    const rows = await connections.run(query, [vault, ...values], "repeat");
    requireAccepted(rows);
    return rows;
  }

  const common = [vault, STORE_WRITER, Math.ceil(lockTimeoutMs)];
  async function change(query: Statement, values: readonly unknown[]): Promise<void> {
    requireAccepted(await connections.run(query, [...common, ...values], "repeat"), "result");
  }

  return {
    async append(given, active) {
      const own = takeAppend(given, active);
      if (!people && own.active.length > 0) throw refused("a key store knows nobody who is active");
      const values = [...common, own.active, ...entryArguments(own.entries)];
      const rows = await connections.run(append, values, "unknown");
      requireAccepted(rows, "result");
      return appendResult(rows);
    },
    async take(limit) {
      return (await ask(take, [limit, MAX_APPEND_BYTES, MAX_ENTRY_BYTES])).flatMap(waitingEntry);
    },
    async pending(tags) {
      if (tags.length === 0) return [];
      return (await ask(pending, [tags, MAX_ENTRY_BYTES])).flatMap(waitingEntry);
    },
    async drop(positions) {
      if (positions.length > 0) await change(drop, [positions.map(String)]);
    },
    async streams(ids) {
      if (ids.length === 0) return [];
      return (await ask(streams, [ids])).map((row) => (isSubjectId(row["stream"]) ? streamRow(row) : null));
    },
    async listStreams({ after, limit }) {
      const rows = await ask(listStreams, [after, limit]);
      return rows.filter((row) => row["stream"] !== null).map(streamRow);
    },
    async closeStreams(closed) {
      if (closed.length === 0) return;
      await change(closeStreams, [closed.map(({ stream }) => stream), closed.map(({ last }) => last)]);
    },
    async waiting(atMost) {
      const [row] = await ask(waiting, [atMost]);
      return { entries: whole(row?.["entries"], 0) ?? 0, since: moment(row?.["since"]) };
    },
  };
}

function appendResult(rows: readonly Columns[]): AppendResult {
  const [row] = rows;
  switch (row?.["result"]) {
    case "made":
      return { kind: "made" };
    case "moved":
      return {
        kind: "stream-moved",
        stream: (text(row["stream"]) ?? "") as StreamId,
        last: whole(row["last"], 0) ?? Number.MAX_SAFE_INTEGER,
      };
    default:
      return {
        kind: "subjects-closed",
        closed: rows.flatMap(({ person, state }) =>
          isSubjectId(person) ? { id: person, state: state === null ? null : closedState(state) } : [],
        ),
      };
  }
}

const TAG = /^[A-Za-z0-9_-]{22}$/;

/** None: there is none. */
function waitingEntry(row: Columns): readonly WaitingEntry[] {
  const position = text(row["position"]);
  if (position === null) return [];
  const [id, stream, tag] = [row["id"], row["stream"], text(row["tag"])];
  return [
    {
      position: BigInt(position),
      id: (isSubjectId(id) ? id : "") as string as EntryId,
      stream: (isSubjectId(stream) ? stream : "") as string as StreamId,
      number: whole(row["number"], 0) ?? 0,
      ends: isTrue(row["ends"]),
      tag: tag === null || TAG.test(tag) ? (tag as AddressTag | null) : ("" as string as AddressTag),
      text: bytes(row["text"]) ?? new Uint8Array(),
      mac: bytes(row["mac"]) ?? new Uint8Array(),
    },
  ];
}

/** A number that no vault writes is 0: whoever knows more of the stream finds that it is behind. */
const streamRow = (row: Columns): StreamRow => ({
  stream: (text(row["stream"]) ?? "") as StreamId,
  last: whole(row["last"], 0) ?? 0,
  at: moment(row["at"]) ?? NO_MOMENT,
});

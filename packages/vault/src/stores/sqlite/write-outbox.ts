/**
 * The outbox, within the writer's transaction: entries are written where their numbers are the next of their streams,
 * and go when they are in the log.
 */
import { sql } from "kysely";
import { VaultError } from "../../errors.ts";
import type { AppendResult, StreamId, StreamRow } from "../outbox.ts";
import type { SubjectId } from "../subjects.ts";
import { rowNumber, whole } from "./columns.ts";
import { foundEntries } from "./entries-taken.ts";
import type { FoundEntry, TakenEntries } from "./entries-taken.ts";
import { readGate } from "./gate-row.ts";
import { idBytes } from "./ids.ts";
import { MOST_POSITION, POSITIONS } from "./outbox-schema.ts";
import { ONE, statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { subjectState } from "./subject-rows.ts";
import { changed, Undone } from "./undone.ts";

/** Writes all of them, or none: somebody may not be read about, or a stream has moved. */
export function appendAll(
  connection: Connection,
  taken: TakenEntries,
  active: readonly SubjectId[],
): AppendResult | Undone<AppendResult> {
  const closed = active.flatMap((id) => {
    const state = subjectState(connection, id);
    return state === "active" ? [] : [{ id, state }];
  });
  if (closed.length > 0) return new Undone({ kind: "subjects-closed", closed });
  const writer = new EntryWriter(connection, taken);
  const entries = foundEntries(taken);
  const moved = entries.find((entry) => !writer.goesOn(entry));
  if (moved !== undefined) return new Undone({ kind: "stream-moved", ...writer.foundOf(moved) });
  for (const entry of entries) writer.add(entry);
  writer.end();
  return changed({ kind: "made" }, entries.length > 0);
}

interface StreamValue {
  readonly stream: Uint8Array;
}

const LAST = statement((db, { stream }: StreamValue) =>
  db.selectFrom("streams").where("stream", "=", stream).select(whole("last").as("last")).compile(),
);

const SET_LAST = statement((db, row: StreamValue & { readonly last: number; readonly at: number }) =>
  db.replaceInto("streams").values({ stream: row.stream, last: row.last, at: row.at }).compile(),
);

const NEWEST = statement((db, _values: object) =>
  db
    .selectFrom("outbox")
    .where("position", "<", sql.raw<bigint>(String(MOST_POSITION)))
    .select(rowNumber("position").as("position"))
    .orderBy("outbox.position", "desc")
    .limit(ONE)
    .compile(),
);

interface NewEntry extends Omit<FoundEntry, "previous" | "ends" | "stream">, StreamValue {
  readonly position: bigint;
  readonly ends: number;
  readonly at: number;
}

const ADD = statement((db, row: NewEntry) =>
  db
    .insertInto("outbox")
    .values({
      position: row.position,
      id: row.id,
      stream: row.stream,
      number: row.number,
      ends: row.ends,
      tag: row.tag,
      at: row.at,
      mac: row.mac,
      text: row.text,
    })
    .compile(),
);

interface Stream {
  readonly id: StreamId;
  readonly bytes: Uint8Array;
  /** As it was found. */
  readonly found: number;
  /** With the entries that go on from there. */
  last: number;
}

/** Writes entries of some streams, behind all that were ever written. */
export class EntryWriter {
  readonly #connection: Connection;
  readonly #streams: readonly Stream[];
  readonly #at = Date.now();
  #position: bigint | null = null;

  /** @throws VaultError `store-altered`: a stream's row holds what no vault writes. Nothing goes on from it. */
  constructor(connection: Connection, { streams }: Pick<TakenEntries, "streams">) {
    this.#connection = connection;
    this.#streams = streams.map((id) => {
      const bytes = idBytes(id);
      const row = connection.first(LAST, { stream: bytes });
      if (row?.last === null)
        throw new VaultError("store-altered", "The row of an audit stream holds what no vault writes");
      const found = row?.last ?? 0;
      return { id, bytes, found, last: found };
    });
  }

  /** Whether its number is the next of its stream, where those that went on before it count as made. */
  goesOn({ stream, number }: Pick<FoundEntry, "stream" | "number">): boolean {
    const own = this.#of(stream);
    if (own.last !== number - 1) return false;
    own.last = number;
    return true;
  }

  /** How far the entry's stream was. */
  foundOf({ stream }: Pick<FoundEntry, "stream">): Pick<StreamRow, "stream" | "last"> {
    const { id, found } = this.#of(stream);
    return { stream: id, last: found };
  }

  /** Of one that goes on. */
  add({ id, stream, number, ends, tag, mac, text }: FoundEntry): void {
    const position = (this.#position ??= firstPosition(this.#connection));
    this.#position += 1n;
    const { bytes } = this.#of(stream);
    this.#connection.run(ADD, {
      position,
      id,
      stream: bytes,
      number,
      ends: ends ? 1 : 0,
      tag,
      at: this.#at,
      mac,
      text,
    });
  }

  /** Notes how far the streams are. */
  end(): void {
    for (const { bytes, found, last } of this.#streams)
      if (last > found) this.#connection.run(SET_LAST, { stream: bytes, last, at: this.#at });
  }

  #of(stream: number): Stream {
    const own = this.#streams[stream];
    if (own === undefined) throw new VaultError("store-failed", "An entry is of a stream that was not named");
    return own;
  }
}

/** This transaction is counted already. A count that a hand has set to what none is counts for nothing. */
function firstPosition(connection: Connection): bigint {
  const newest = connection.first(NEWEST, {});
  const behind = newest === undefined ? 0n : BigInt(newest.position) + 1n;
  const own = BigInt(readGate(connection).commits) * POSITIONS;
  return own > behind && own < MOST_POSITION ? own : behind;
}

const DROP = statement((db, { position }: { readonly position: bigint }) =>
  db.deleteFrom("outbox").where("position", "=", position).compile(),
);

/** `secure_delete` overwrites what is deleted. */
export function dropEntries(connection: Connection, positions: readonly bigint[]): undefined | Undone<undefined> {
  const dropped = positions.reduce((sum, position) => sum + connection.run(DROP, { position }), 0);
  return changed(undefined, dropped > 0);
}

const CLOSE = statement((db, { stream, last }: StreamValue & { readonly last: number }) =>
  db
    .deleteFrom("streams")
    .where("stream", "=", stream)
    .where("last", "=", last)
    .where(sql<boolean>`not exists (select 1 from outbox where outbox.stream = ${stream})`)
    .compile(),
);

export function closeStreams(
  connection: Connection,
  streams: readonly Pick<StreamRow, "stream" | "last">[],
): undefined | Undone<undefined> {
  const closed = streams.reduce(
    (sum, { stream, last }) => sum + connection.run(CLOSE, { stream: idBytes(stream), last }),
    0,
  );
  return changed(undefined, closed > 0);
}

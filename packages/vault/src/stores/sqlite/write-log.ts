/**
 * The audit's log, within the writer's transaction: entries are added behind what is there, with all that is derived
 * from them, and lose their texts when their time is over.
 */
import { sql } from "kysely";
import { VaultError } from "../../errors.ts";
import type { LogState, LogStream, PositionRange } from "../audit-log.ts";
import type { Lease } from "../jobs.ts";
import { requireWithin } from "../log-limits.ts";
import type { HeadState } from "../rows.ts";
import type { TakenAddition } from "./addition-taken.ts";
import { idBytes } from "./ids.ts";
import { ownerValue } from "./key-columns.ts";
import type { EntryTable } from "./log-schema.ts";
import { readLogState, setForgotten, setLogState } from "./log-state.ts";
import { Unpacked } from "./packed.ts";
import { SPAN } from "./read-log.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { changed, Undone } from "./undone.ts";
import { isHeld } from "./write-jobs.ts";

/**
 * Adds all of it, or nothing: the log is not there any more, or the lease is somebody else's.
 *
 * @throws VaultError `store-failed`: an entry is in it already
 */
export function integrate(
  connection: Connection,
  base: Pick<LogState, "history" | "size">,
  addition: TakenAddition,
  lease: Lease,
): "integrated" | Undone<"overtaken"> {
  const { history, size } = readLogState(connection);
  if (history !== base.history || size !== base.size || !isHeld(connection, lease)) return new Undone("overtaken");
  if (addition.begins) for (const query of BEGIN_ANEW) connection.run(query, {});
  const pieces = new Unpacked(addition.bytes);
  addEntries(connection, size, addition.entries, pieces);
  for (const { height, index } of addition.subtrees)
    connection.run(ADD_SUBTREE, { height, place: index, hash: pieces.next() });
  setLogState(connection, addition.state, pieces.next());
  for (const head of addition.heads) connection.run(SET_ADDRESS, { ...head, entry: pieces.nextOrNull() });
  for (const tag of addition.removed) connection.run(DROP_MESSAGES, { tag });
  for (const message of addition.messages) connection.run(ADD_MESSAGE, { ...message, sha256: pieces.next() });
  for (const { outbox, stream, number, ended } of addition.streams)
    connection.run(SET_DELIVERED, { outbox, stream: idBytes(stream), number, ended: ended ? 1 : 0 });
  for (const { outbox, stream } of addition.closed) connection.run(DROP_DELIVERED, { outbox, stream: idBytes(stream) });
  return "integrated";
}

/** What is known of addresses and streams. */
const BEGIN_ANEW = [
  statement((db, _values: object) => db.deleteFrom("addresses").compile()),
  statement((db, _values: object) => db.deleteFrom("messages").compile()),
  statement((db, _values: object) => db.deleteFrom("delivered").compile()),
] as const;

interface NewEntryRow extends Omit<EntryTable, "position" | "text"> {
  readonly position: number;
  readonly text: Uint8Array;
}

const ADD_ENTRY = statement((db, row: NewEntryRow) =>
  db
    .insertInto("entries")
    .values({
      position: row.position,
      id: row.id,
      leaf: row.leaf,
      at: row.at,
      principal: row.principal,
      action: row.action,
      collection: row.collection,
      text: row.text,
    })
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

const ADD_PERSON = statement((db, row: { readonly person: Uint8Array | string; readonly position: number }) =>
  db
    .insertInto("entry_people")
    .values({ person: row.person, position: row.position })
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

interface SpanRow {
  readonly span: number;
  least: number;
  greatest: number;
}

const WIDEN_SPAN = statement((db, { span, least, greatest }: Readonly<SpanRow>) =>
  db
    .insertInto("spans")
    .values({ span, least, greatest })
    .onConflict((conflict) =>
      conflict.doUpdateSet({
        least: sql<number>`min(spans.least, ${least})`,
        greatest: sql<number>`max(spans.greatest, ${greatest})`,
      }),
    )
    .compile(),
);

function addEntries(connection: Connection, size: number, entries: TakenAddition["entries"], pieces: Unpacked): void {
  const spans = new Map<number, SpanRow>();
  for (const [index, { people, ...entry }] of entries.entries()) {
    const position = size + index;
    const row = { ...entry, position, id: pieces.next(), leaf: pieces.next(), text: pieces.next() };
    if (connection.run(ADD_ENTRY, row) !== 1)
      throw new VaultError("store-failed", "An entry is in the audit's log already, or another one in its place");
    for (const person of people) connection.run(ADD_PERSON, { person: ownerValue(person), position });
    const span = Math.floor(position / SPAN);
    const found = spans.get(span);
    if (found === undefined) spans.set(span, { span, least: entry.at, greatest: entry.at });
    else {
      found.least = Math.min(found.least, entry.at);
      found.greatest = Math.max(found.greatest, entry.at);
    }
  }
  for (const span of spans.values()) connection.run(WIDEN_SPAN, span);
}

const ADD_SUBTREE = statement(
  (db, row: { readonly height: number; readonly place: number; readonly hash: Uint8Array }) =>
    db.replaceInto("subtrees").values({ height: row.height, place: row.place, hash: row.hash }).compile(),
);

interface TagValue {
  readonly tag: string;
}
interface VersionOfTag extends TagValue {
  readonly version: number;
}

const SET_ADDRESS = statement(
  (db, row: VersionOfTag & { readonly state: HeadState; readonly entry: Uint8Array | null }) =>
    db
      .replaceInto("addresses")
      .values({ tag: row.tag, version: row.version, state: row.state, entry: row.entry })
      .compile(),
);

const DROP_MESSAGES = statement((db, { tag }: TagValue) => db.deleteFrom("messages").where("tag", "=", tag).compile());

const ADD_MESSAGE = statement((db, row: VersionOfTag & { readonly sha256: Uint8Array }) =>
  db
    .insertInto("messages")
    .values({ tag: row.tag, version: row.version, sha256: row.sha256 })
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

interface DeliveredKey extends Pick<LogStream, "outbox"> {
  readonly stream: Uint8Array;
}

const SET_DELIVERED = statement((db, row: DeliveredKey & { readonly number: number; readonly ended: number }) =>
  db
    .replaceInto("delivered")
    .values({ outbox: row.outbox, stream: row.stream, number: row.number, ended: row.ended })
    .compile(),
);

const DROP_DELIVERED = statement((db, { outbox, stream }: DeliveredKey) =>
  db.deleteFrom("delivered").where("outbox", "=", outbox).where("stream", "=", stream).compile(),
);

/** Texts that are there: of what has none nothing is written. */
const DROP_TEXTS = statement((db, { from, to }: PositionRange) =>
  db
    .updateTable("entries")
    .set({ text: null })
    .where("position", ">=", from)
    .where("position", "<", to)
    .where("text", "is not", null)
    .compile(),
);

const DROP_PEOPLE = statement((db, { from, to }: PositionRange) =>
  db.deleteFrom("entry_people").where("position", ">=", from).where("position", "<", to).compile(),
);

/**
 * How many went. `secure_delete` overwrites them.
 *
 * @throws VaultError `store-failed`: some are beyond the log
 */
export function forget(connection: Connection, ranges: readonly PositionRange[]): number | Undone<number> {
  requireWithin(ranges, readLogState(connection).size);
  let [texts, people] = [0, 0];
  for (const range of ranges) {
    texts += connection.run(DROP_TEXTS, range);
    people += connection.run(DROP_PEOPLE, range);
  }
  const last = ranges.at(-1);
  if (last !== undefined) setForgotten(connection, last.to);
  return changed(texts, texts + people > 0);
}

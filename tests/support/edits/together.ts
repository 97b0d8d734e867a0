/**
 * Changes of rows that belong together: a record's and what the log derived of it, the log and what says how far it is,
 * streams in both places, entries and their leaves, rows of the outbox that are exchanged.
 */
import { leafHash } from "@strongroom/tlog/tree";
import type { Hand, Row } from "../swaps/hand.ts";
import { isSame } from "../swaps/hand.ts";
import { rowsOf, tableOf, WRITTEN } from "./record-rows.ts";
import type { When } from "./moments.ts";
import { rollbacks, whole } from "./rollbacks.ts";
import type { Copies } from "./rollbacks.ts";
import type { Place } from "./site.ts";
import { RECORDS, RESTRICTED } from "./world.ts";
import type { Change, Edit } from "./change.ts";

type Hands = Readonly<Record<Place, Pick<Hand, "tables">>>;

/** What is known to whoever does it. */
export interface AllCopies {
  readonly now: Hands;
  readonly before: Hands;
  readonly entries: Copies["entries"];
}

/** All of them: of the log where everything is in it, and of the outboxes where something waits in them. */
export function changesTogether(copies: AllCopies, when: When): readonly Change[] {
  return when === "waiting"
    ? [...ofOutbox(copies), ...ofStreams(copies)]
    : [...ofRecordAndLog(copies), ...ofLog(copies), ...ofStreams(copies), ...ofPeople(copies)];
}

/** Takes rows of a table away, or puts others in their place. */
function table(now: Hands, place: Place, name: string) {
  const { rows, key } = tableOf(now[place], name);
  const edit = (gone: readonly Row[], put: readonly Row[]): Edit => ({ place, table: name, gone, put });
  return {
    rows,
    all: (put: readonly Row[]): Edit => ({ ...edit(rows, put), whole: true }),
    each: (change: (row: Row) => Row | null) => edit(rows, changed(rows, change)),
    of: (is: (row: Row) => boolean, change: (row: Row) => Row | null) => {
      const own = rows.filter(is);
      return edit(own, changed(own, change));
    },
    isKey: (one: Row, other: Row): boolean => key.every((column) => isSame(one[column], other[column])),
    put: (put: readonly Row[]) => edit([], put),
  };
}

const changed = (rows: readonly Row[], change: (row: Row) => Row | null): readonly Row[] =>
  rows.map(change).filter((row) => row !== null);

/** A record set back, and with it what the log says of it. */
function ofRecordAndLog({ now, before, entries }: AllCopies): readonly Change[] {
  const plain = rollbacks({ now: now.records, before: before.records, entries }, 1).filter(({ kind }) =>
    SET_BACK.has(kind),
  );
  const addresses = table(now, "audit", "addresses");
  const messages = table(now, "audit", "messages");
  return plain.flatMap(({ kind, edits }): readonly Change[] => {
    const heads = edits.find((edit) => edit.table === "heads");
    const head = heads?.gone[0];
    const old = heads?.put[0];
    const known = addresses.rows.find(({ entry }) => isSame(entry, head?.["entry"]));
    if (head === undefined || old === undefined || known === undefined) return [];
    const backKnown = { ...known, version: old["version"], state: old["state"], entry: old["entry"] };
    const addressBack = addresses.of(
      (row) => row === known,
      () => backKnown,
    );
    const messagesBack = messages.of(
      (row) => row["tag"] === known["tag"],
      () => null,
    );
    const oldMessages = tableOf(before.audit, "messages").rows.filter((row) => row["tag"] === known["tag"]);
    return [
      {
        kind: `${kind}; the log's head of it gone`,
        edits: [
          ...edits,
          addresses.of(
            (row) => row === known,
            () => null,
          ),
        ],
      },
      { kind: `${kind}; the log's head of it set back`, edits: [...edits, addressBack] },
      {
        kind: `${kind}; the log's head and messages of it set back`,
        edits: [...edits, addressBack, { ...messagesBack, put: oldMessages }],
      },
      {
        kind: `${kind}; the log's head and messages gone, and the adoption not over`,
        edits: [
          ...edits,
          addresses.of(
            (row) => row === known,
            () => null,
          ),
          messagesBack,
          table(now, "audit", "log_state").each((row) => ({ ...row, adopted: 0n })),
        ],
      },
    ];
  });
}

const SET_BACK: ReadonlySet<string> = new Set([
  "the same, and the head's old entry",
  "a removal undone from a copy of the rows",
  "a record that was written again set back to before its removal",
]);

/** The log, with what says how far it is. */
function ofLog({ now, before }: AllCopies): readonly Change[] {
  const entries = table(now, "audit", "entries");
  const state = table(now, "audit", "log_state");
  const last = entries.rows.at(-1);
  const old = tableOf(before.audit, "entries").rows.length;
  const isNew = ({ position }: Row): boolean => Number(position) >= old;
  const asBefore = (place: Place, name: string): Edit => table(now, place, name).all(tableOf(before[place], name).rows);
  const logTables = ["log_state", "entries", "entry_people", "spans", "subtrees", "addresses", "messages", "delivered"];
  const logBack = logTables.map((name) => asBefore("audit", name));
  const other = (text: unknown): Buffer =>
    Buffer.from(
      Buffer.from(text as Uint8Array)
        .toString()
        .replace('"local"', '"other"'),
    );
  return [
    {
      kind: "an entry's text and its leaf",
      edits: [
        entries.of(
          (row) => row === last,
          (row) => ({
            ...row,
            principal: "other",
            text: other(row["text"]),
            leaf: Buffer.from(leafHash(other(row["text"]))),
          }),
        ),
      ],
    },
    {
      kind: "the last entry gone, and the log's size one less",
      edits: [
        entries.of(
          (row) => row === last,
          () => null,
        ),
        state.each((row) => ({ ...row, size: whole(row["size"]) - 1n })),
      ],
    },
    {
      kind: "an entry's text gone, as if its time were over",
      edits: [
        entries.of(
          (row) => row === entries.rows[0],
          (row) => ({ ...row, text: null }),
        ),
        state.each((row) => ({ ...row, forgotten: 1n })),
        table(now, "audit", "entry_people").of(
          ({ position }) => position === entries.rows[0]?.["position"],
          () => null,
        ),
      ],
    },
    {
      kind: "entries of the second step gone, and the state of before",
      edits: [entries.of(isNew, () => null), asBefore("audit", "log_state")],
    },
    { kind: "all tables of the log set back", edits: logBack },
    {
      kind: "all tables of the log set back, and the key store's checkpoint",
      edits: [...logBack, asBefore("keys", "checkpoint")],
    },
    {
      kind: "all tables of the log set back, the key store's checkpoint, and the outboxes with their streams",
      edits: [
        ...logBack,
        asBefore("keys", "checkpoint"),
        ...(["records", "keys"] as const).flatMap((place) => [asBefore(place, "outbox"), asBefore(place, "streams")]),
      ],
    },
    {
      kind: "the log's history and checkpoint gone",
      edits: [
        state.each((row) => ({
          ...row,
          history: null,
          checkpoint: null,
          size: 0n,
          peaks: Buffer.alloc(0),
          published: 0n,
        })),
      ],
    },
    {
      kind: "the log emptied, and the key store's checkpoint gone",
      edits: [
        ...["entries", "entry_people", "spans", "subtrees", "addresses", "messages", "delivered"].map((name) =>
          table(now, "audit", name).all([]),
        ),
        state.each((row) => ({
          ...row,
          ...{
            history: null,
            checkpoint: null,
            size: 0n,
            peaks: Buffer.alloc(0),
            published: 0n,
            adopted: 0n,
            forgotten: 0n,
          },
        })),
        table(now, "keys", "checkpoint").all([]),
      ],
    },
    {
      kind: "published less, and the key store's checkpoint of before",
      edits: [asBefore("keys", "checkpoint"), state.each((row) => ({ ...row, published: 1n }))],
    },
    { kind: "the key store's checkpoint of before", edits: [asBefore("keys", "checkpoint")] },
    {
      kind: "adoption not over, and a head of the log gone",
      edits: [
        state.each((row) => ({ ...row, adopted: 0n })),
        table(now, "audit", "addresses").of(
          (row) => row === table(now, "audit", "addresses").rows[0],
          () => null,
        ),
      ],
    },
    {
      kind: "who is in entries exchanged",
      edits: [
        table(now, "audit", "entry_people").each((row) => ({
          ...row,
          position: BigInt(entries.rows.length) - 1n - whole(row["position"]),
        })),
      ],
    },
  ];
}

/** Streams where they are written, and how far the log says that they are. */
function ofStreams({ now }: AllCopies): readonly Change[] {
  return (["records", "keys"] as const).flatMap((place): readonly Change[] => {
    const streams = table(now, place, "streams");
    const delivered = table(now, "audit", "delivered");
    const isOwn = ({ outbox }: Row): boolean => outbox === place;
    const less =
      (column: string) =>
      (row: Row): Row => ({ ...row, [column]: whole(row[column]) - 1n });
    return [
      { kind: `${place}: all streams gone`, edits: [streams.all([])] },
      {
        kind: `${place}: all streams gone, there and in the log`,
        edits: [streams.all([]), delivered.of(isOwn, () => null)],
      },
      {
        kind: `${place}: streams one less, there and in the log`,
        edits: [
          streams.each((row) => (row["last"] === 1n ? row : less("last")(row))),
          delivered.of((row) => isOwn(row) && row["number"] !== 1n, less("number")),
        ],
      },
      { kind: `${place}: streams in the log ended`, edits: [delivered.of(isOwn, (row) => ({ ...row, ended: 1n }))] },
      {
        kind: `${place}: all streams gone, and ended in the log`,
        edits: [streams.all([]), delivered.of(isOwn, (row) => ({ ...row, ended: 1n }))],
      },
      {
        kind: `${place}: what waits gone, and its streams as far as the log`,
        edits: [
          table(now, place, "outbox").all([]),
          streams.each((row) => {
            const known = delivered.rows.find((one) => isOwn(one) && isSame(one["stream"], row["stream"]));
            return known === undefined ? null : { ...row, last: known["number"] };
          }),
        ],
      },
    ];
  });
}

/** Rows of the outboxes. */
function ofOutbox({ now, entries }: AllCopies): readonly Change[] {
  const outbox = table(now, "records", "outbox");
  const keys = table(now, "keys", "outbox");
  const [one, two] = outbox.rows;
  const last = outbox.rows.at(-1);
  if (one === undefined || two === undefined || last === undefined) return [];
  const exchanged = (...columns: readonly string[]): Edit => {
    const pick = (row: Row): Row => Object.fromEntries(columns.map((column) => [column, row[column]]));
    return {
      place: "records",
      table: "outbox",
      gone: [one, last],
      put: [
        { ...one, ...pick(last) },
        { ...last, ...pick(one) },
      ],
    };
  };
  return [
    ...[
      ["text", "mac"],
      ["text", "mac", "id"],
      ["stream", "number"],
      ["position"],
      ["number"],
      ["text", "mac", "id", "stream", "number", "tag", "ends"],
    ].map((columns): Change => ({ kind: `outbox: ${columns.join(", ")} exchanged`, edits: [exchanged(...columns)] })),
    { kind: "outbox: all that waits gone", edits: [outbox.all([])] },
    {
      kind: "outbox: all that waited before put there once more",
      edits: [outbox.put(entries.map((row, index) => ({ ...row, position: 2n ** 50n + BigInt(index) })))],
    },
    {
      kind: "outbox: a row moved to the key store's",
      edits: [
        outbox.of(
          (row) => row === last,
          () => null,
        ),
        keys.put([last]),
      ],
    },
    {
      kind: "outbox: the last row gone, and its stream one less",
      edits: [
        outbox.of(
          (row) => row === last,
          () => null,
        ),
        table(now, "records", "streams").of(
          ({ stream }) => isSame(stream, last["stream"]),
          (row) => ({ ...row, last: whole(row["last"]) - 1n }),
        ),
      ],
    },
  ];
}

/** People: their restriction, and whose records are whose. */
function ofPeople({ now }: AllCopies): readonly Change[] {
  const subjects = table(now, "records", "subjects");
  const names = table(now, "keys", "names");
  const restricted = subjects.rows.find(({ state }) => state === "restricted");
  const released = subjects.of(
    (row) => row === restricted,
    (row) => ({ ...row, state: "active" }),
  );
  const rows = rowsOf(
    now.records,
    RECORDS.find(({ person }) => person === RESTRICTED)!,
    WRITTEN,
  );
  return [
    { kind: "a restriction lifted", edits: [released] },
    {
      kind: "a restriction lifted, and a name gone",
      edits: [
        released,
        names.of(
          (row) => row === names.rows[0],
          () => null,
        ),
      ],
    },
    ...(rows === null
      ? []
      : [
          {
            kind: "a person's records said to be another's",
            edits: [
              table(now, "records", "links").of(
                (row) => rows.links.includes(row),
                (row) => ({ ...row, subject: subjects.rows[0]?.["subject"] }),
              ),
            ],
          },
        ]),
  ];
}

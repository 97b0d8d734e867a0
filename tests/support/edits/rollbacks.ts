/**
 * What somebody does with one record who may write to the record store, and has copies of its rows of before: sets it
 * back, undoes its removal, uses a number twice, takes a version out, puts it elsewhere. Each as it is, and with the
 * entries of the record's writes in the outbox taken away, or those of before put there once more.
 */
import type { Hand, Row } from "../swaps/hand.ts";
import { isSame } from "../swaps/hand.ts";
import { rowsOf, tableOf, WRITTEN } from "./record-rows.ts";
import type { RecordRows } from "./record-rows.ts";
import { RECORDS, truthOf } from "./world.ts";
import type { TrialRecord } from "./world.ts";
import type { Change, Edit } from "./change.ts";

/** What is known to whoever does it. */
export interface Copies {
  /** The record store as it is. */
  readonly now: Pick<Hand, "tables">;
  /** As it was after the first step. */
  readonly before: Pick<Hand, "tables">;
  /** Rows of its outbox of both steps, from when they waited. */
  readonly entries: readonly Row[];
}

/** A record, as it is and as it was. */
interface Twice {
  readonly of: TrialRecord;
  readonly now: RecordRows;
  readonly before: RecordRows;
}

type Tables = Partial<
  Record<"records" | "heads" | "versions" | "links", { readonly gone?: readonly Row[]; readonly put?: readonly Row[] }>
>;

const edits = (tables: Tables): readonly Edit[] =>
  Object.entries(tables).map(([table, { gone = [], put = [] }]) => ({ place: "records", table, gone, put }));

/** In the place of a row, another one of the same key. */
const changed = (row: Row, columns: Row): { readonly gone: readonly Row[]; readonly put: readonly Row[] } => ({
  gone: [row],
  put: [{ ...row, ...columns }],
});

type Rollback = (record: Twice) => readonly Edit[] | null;

/** A number of eight bytes, whichever way the database gives it. */
export const whole = (value: unknown): bigint => BigInt(value as bigint | number);

const newest = ({ versions }: RecordRows): Row | undefined => versions.at(-1);
const wasLonger = ({ now, before }: Twice): boolean =>
  now.versions.length > before.versions.length && before.versions.length > 0;
const isRemoved = ({ head }: RecordRows): boolean => head["state"] === "removed";

/** The rows that were written since, taken away. */
const shortened = ({ now, before }: Twice): { readonly gone: readonly Row[] } => ({
  gone: now.versions.filter((row) => !before.versions.some((old) => isSame(old["version"], row["version"]))),
});

/** What was in a version, under the number and in the row of another. */
const sealedAs = (row: Row, of: Row): Row => ({
  ...row,
  ...Object.fromEntries(
    ["message", "subject", "about", "wrap_set"].filter((name) => name in row).map((name) => [name, of[name]]),
  ),
});

const OF_LIVE: Readonly<Record<string, Rollback>> = {
  "the newest row deleted, and the head set back": (record) =>
    wasLonger(record)
      ? edits({
          versions: shortened(record),
          heads: changed(record.now.head, { version: record.before.head["version"] }),
        })
      : null,
  "the same, and the head's old entry": (record) =>
    wasLonger(record)
      ? edits({ versions: shortened(record), heads: { gone: [record.now.head], put: [record.before.head] } })
      : null,
  "the head set back alone": (record) =>
    wasLonger(record) ? edits({ heads: { gone: [record.now.head], put: [record.before.head] } }) : null,
  "the newest row deleted alone": (record) => (wasLonger(record) ? edits({ versions: shortened(record) }) : null),
  "an older message put in the newest row": (record) => {
    const [old, last] = [newest(record.before), newest(record.now)];
    return wasLonger(record) && old !== undefined && last !== undefined
      ? edits({ versions: { gone: [last], put: [sealedAs(last, old)] } })
      : null;
  },
  "an older row under the newest number": (record) => {
    const [old, last] = [newest(record.before), newest(record.now)];
    return wasLonger(record) && old !== undefined && last !== undefined
      ? edits({ versions: { gone: [last], put: [{ ...old, key: last["key"], version: last["version"] }] } })
      : null;
  },
  "all of it put back as it was": (record) =>
    wasLonger(record)
      ? edits({
          heads: { gone: [record.now.head], put: [record.before.head] },
          versions: { gone: record.now.versions, put: record.before.versions },
          links: { gone: record.now.links, put: record.before.links },
        })
      : null,
  "an inner version deleted": ({ now }) => {
    const inner = now.versions.at(-2);
    return inner === undefined ? null : edits({ versions: { gone: [inner] } });
  },
  "the first version deleted": ({ now }) => {
    const [first] = now.versions;
    return now.versions.length < 2 || first === undefined ? null : edits({ versions: { gone: [first] } });
  },
  "another version's message in an inner one": ({ now }) => {
    const [inner, last] = [now.versions.at(-2), newest(now)];
    return inner === undefined || last === undefined
      ? null
      : edits({ versions: { gone: [inner], put: [sealedAs(inner, last)] } });
  },
  "the newest version once more, as the next one": ({ now }) => {
    const last = newest(now);
    if (last === undefined) return null;
    const next = whole(last["version"]) + 1n;
    return edits({
      versions: { put: [{ ...last, key: FREE_KEY, version: next }] },
      heads: changed(now.head, { version: next }),
    });
  },
  "all rows deleted": ({ now }) =>
    edits({
      records: { gone: [now.record] },
      heads: { gone: [now.head] },
      versions: { gone: now.versions },
      links: { gone: now.links },
    }),
  "its head and versions deleted": ({ now }) =>
    edits({ heads: { gone: [now.head] }, versions: { gone: now.versions } }),
  "its head deleted": ({ now }) => edits({ heads: { gone: [now.head] } }),
  "said to be removed": ({ now }) =>
    edits({
      heads: changed(now.head, { state: "removed" }),
      versions: { gone: now.versions },
      links: { gone: now.links },
    }),
  "said to be removed, under the next number": ({ now }) =>
    edits({
      heads: changed(now.head, { state: "removed", version: whole(now.head["version"]) + 1n }),
      versions: { gone: now.versions },
      links: { gone: now.links },
    }),
};

const FREE_KEY = 1_000_001n;
const FREE_RECORD = 1_000_002n;

const OF_REMOVED: Readonly<Record<string, Rollback>> = {
  "a removal undone from a copy of the rows": ({ now, before }) =>
    edits({
      heads: { gone: [now.head], put: [before.head] },
      versions: { put: before.versions },
      links: { gone: now.links, put: before.links },
    }),
  "a removal undone, under the tombstone's number": ({ now, before }) => {
    const last = newest(before);
    return last === undefined
      ? null
      : edits({
          heads: changed(now.head, { state: "live" }),
          versions: { put: [...before.versions.slice(0, -1), { ...last, version: now.head["version"] }] },
          links: { gone: now.links, put: before.links },
        });
  },
  "a removal undone, and the tombstone's entry kept": ({ now, before }) =>
    edits({
      heads: { gone: [now.head], put: [{ ...before.head, entry: now.head["entry"] }] },
      versions: { put: before.versions },
      links: { gone: now.links, put: before.links },
    }),
  "the tombstone deleted": ({ now }) => edits({ heads: { gone: [now.head] }, records: { gone: [now.record] } }),
  "the tombstone set back": ({ now }) => edits({ heads: changed(now.head, { version: 1n }) }),
};

const OF_REWRITTEN: Readonly<Record<string, Rollback>> = {
  "a record that was written again set back to before its removal": ({ now, before }) =>
    edits({
      heads: { gone: [now.head], put: [before.head] },
      versions: { gone: now.versions, put: before.versions },
      links: { gone: now.links, put: before.links },
    }),
  "what was before the removal under the new number": ({ now, before }) => {
    const [old, last] = [newest(before), newest(now)];
    return old === undefined || last === undefined
      ? null
      : edits({ versions: { gone: [last], put: [{ ...old, key: last["key"], version: last["version"] }] } });
  },
  "versions of before the removal put back below": ({ before }) => edits({ versions: { put: before.versions } }),
};

/** Changes of one record that need the rows of another. */
function betweenRecords(one: Twice, other: Twice): Readonly<Record<string, readonly Edit[]>> {
  const column = "record" in other.now.record ? "record" : "key";
  const number = other.now.record[column];
  const moved = (row: Row, index: number): Row => ({ ...row, key: FREE_KEY + BigInt(index), record: number });
  const copy = { ...one.now.record, [column]: FREE_RECORD, id: "copied" };
  return {
    "a record copied to another id": edits({
      records: { put: [copy] },
      heads: { put: [{ ...one.now.head, record: FREE_RECORD }] },
      versions: { put: one.now.versions.map((row, index) => ({ ...moved(row, index), record: FREE_RECORD })) },
    }),
    "a record put in the place of another": edits({
      heads: { gone: [other.now.head], put: [{ ...one.now.head, record: number }] },
      versions: { gone: other.now.versions, put: one.now.versions.map(moved) },
    }),
    "a record put in the place of another, under its head": edits({
      versions: {
        gone: other.now.versions,
        put: one.now.versions.slice(-other.now.versions.length).map((row, index) => ({
          ...moved(row, index),
          version: other.now.versions[index]?.["version"],
        })),
      },
    }),
  };
}

/** All of them, of so many records of each kind. */
export function rollbacks({ now, before, entries }: Copies, records: number): readonly Change[] {
  const all = RECORDS.flatMap((of): readonly Twice[] => {
    const [at, was] = [rowsOf(now, of, WRITTEN), rowsOf(before, of, WRITTEN)];
    return at === null || was === null ? [] : [{ of, now: at, before: was }];
  });
  const isAgain = ({ of }: Twice): boolean => of.steps[1].removed === "before";
  const groups: readonly (readonly [Readonly<Record<string, Rollback>>, readonly Twice[]])[] = [
    [OF_LIVE, all.filter((one) => !isAgain(one) && !isRemoved(one.now))],
    [OF_REMOVED, all.filter((one) => isRemoved(one.now))],
    [OF_REWRITTEN, all.filter(isAgain)],
  ];
  const plain = groups.flatMap(([made, some]) =>
    Object.entries(made).flatMap(([kind, edit]) =>
      some
        .flatMap((one) => {
          const done = edit(one);
          return done === null ? [] : [{ one, kind, edits: done }];
        })
        .toSorted((a, b) => truthOf(b.one.of).last - truthOf(a.one.of).last)
        .slice(0, records),
    ),
  );
  const [one, other] = all.filter(({ now: at }) => at.versions.length > 1);
  const between =
    one === undefined || other === undefined
      ? []
      : Object.entries(betweenRecords(one, other)).map(([kind, made]) => ({ one: other, kind, edits: made }));
  return [...plain, ...between].flatMap(({ one: of, kind, edits: made }) =>
    outboxes({ now, before, entries }, of).map(([with_, more]): Change => ({
      kind: `${kind}${with_}`,
      edits: [...made, ...more],
    })),
  );
}

/** What is done to the outbox beside. */
function outboxes(
  { now, before, entries }: Copies,
  { now: { head } }: Twice,
): readonly (readonly [string, readonly Edit[]])[] {
  const waiting = tableOf(now, "outbox").rows;
  const tag = entries.find(({ id }) => isSame(id, head["entry"]))?.["tag"];
  const own = waiting.filter((row) => row["tag"] !== null && isSame(row["tag"], tag));
  const old = entries.filter(
    (row) => row["tag"] !== null && isSame(row["tag"], tag) && !waiting.some(({ id }) => isSame(id, row["id"])),
  );
  const put = (gone: readonly Row[], come: readonly Row[]): readonly Edit[] => [
    {
      place: "records",
      table: "outbox",
      gone,
      put: come.map((row, index) => ({ ...row, position: FREE_POSITION + BigInt(index) })),
    },
  ];
  const without = own.length === 0 ? [] : ([[", its entries taken from the outbox", put(own, [])]] as const);
  const again = old.length === 0 ? [] : ([[", its entries of before put into the outbox", put([], old)]] as const);
  const streams = (of: Copies["now"]): readonly Row[] => tableOf(of, "streams").rows;
  const back: readonly Edit[] = [
    ...put(waiting, []),
    { place: "records", table: "streams", gone: streams(now), put: streams(before) },
  ];
  const withAll = own.length === 0 ? [] : ([[", and outbox and streams of before", back]] as const);
  return [["", []], ...without, ...again, ...withAll];
}

const FREE_POSITION = 2n ** 50n;

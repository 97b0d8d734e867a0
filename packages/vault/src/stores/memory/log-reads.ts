/**
 * What is asked of a log in memory. It reads everything there is: enough for a test. Bytes are copied out: what a
 * reader does with them changes nothing that is kept.
 */
import type { Version } from "../../records/address.ts";
import type { AuditLog, LogPage, LogQuery, LogRow, LogState, WholeLogRow } from "../audit-log.ts";
import type { KeyVersion } from "../key-store.ts";
import { requireWithin } from "../log-limits.ts";
import { MAX_APPEND_BYTES } from "../outbox.ts";
import { isSubjectId } from "../subjects.ts";
import { messageKey, subtreeKey, versionOf } from "./log-tables.ts";
import type { KeptLogEntry, KnownAddress, LogTables } from "./log-tables.ts";

type Asked =
  | "counts"
  | "state"
  | "latest"
  | "firstVersions"
  | "heads"
  | "entries"
  | "positions"
  | "namedKeys"
  | "find"
  | "hashes"
  | "streams"
  | "published"
  | "forgettable"
  | "forget";

/** The calls of a log but `integrate`, each done at once. */
export type LogCalls = {
  readonly [Name in Asked]: (...args: Parameters<AuditLog[Name]>) => Awaited<ReturnType<AuditLog[Name]>>;
};

export function memoryLog(tables: LogTables): LogCalls {
  const { entries, positions, heads, messages, known } = tables;
  return {
    state: () => shownState(tables.state),
    published: (size) => {
      tables.state = { ...tables.state, published: Math.max(tables.state.published, size) };
    },
    latest: (queries) =>
      queries.map(({ tag, message }) => {
        const head = heads.get(tag);
        return {
          head: head === undefined ? null : { version: head.version, state: head.state, entry: head.entry },
          isKnown: message !== null && messages.get(tag)?.has(messageKey(message.version, message.sha256)) === true,
        };
      }),
    firstVersions: (tags) =>
      tags.map((tag) => {
        const versions = [...(messages.get(tag) ?? [])].map(versionOf);
        return (versions.sort((a, b) => a - b)[0] ?? null) as Version | null;
      }),
    heads: ({ only, after, limit }) =>
      [...heads.values()]
        .filter(({ tag, state }) => (only === "all" || state === "live") && (after === null || tag > after))
        .sort((a, b) => (a.tag < b.tag ? -1 : 1))
        .slice(0, limit)
        .map((head): KnownAddress => ({ ...head })),
    entries: ({ from, limit }) => bounded(entries.slice(from, from + limit)).map(wholeEntry),
    counts: () => ({
      entries: entries.length,
      subtrees: tables.subtrees.size,
      heads: heads.size,
      messages: sum(messages.values(), ({ size }) => size),
      streams: known.records.size + known.keys.size,
      people: sum(entries, ({ people }) => people.length),
    }),
    positions: (ids) => ids.map((id) => positions.get(id) ?? null),
    namedKeys: ({ after, limit }) =>
      [...new Set(entries.flatMap(({ people }) => people))]
        .filter((key) => isSubjectId(key) && (after === null || key > (after as string)))
        .sort()
        .slice(0, limit) as KeyVersion[],
    find: (query, page) => pageOf(entries, query, page).map(shownEntry),
    hashes: ({ height, start, end }) => hashesOf(tables, height, start, end),
    streams: (outbox, { after, limit }) =>
      [...known[outbox].values()]
        .filter(({ stream }) => after === null || stream > after)
        .sort((a, b) => (a.stream < b.stream ? -1 : 1))
        .slice(0, limit)
        .map((stream) => ({ ...stream })),
    forgettable: ({ before, keep, from, limit }) =>
      entries
        .slice(from)
        .filter(({ text, at, action }) => text !== null && at < before && !keep.includes(action))
        .slice(0, limit)
        .map(({ position }) => position),
    forget: (ranges) => {
      requireWithin(ranges, tables.state.size);
      const gone = ranges
        .flatMap(({ from, to }) => entries.slice(from, to))
        .filter(({ text, people }) => text !== null || people.length > 0);
      for (const entry of gone) entries[entry.position] = { ...entry, text: null, people: [] };
      tables.state = { ...tables.state, forgotten: Math.max(tables.state.forgotten, ranges.at(-1)?.to ?? 0) };
      return gone.filter(({ text }) => text !== null).length;
    },
  };
}

/** The first of them, until their texts are more bytes than one answer has; at least one. */
function bounded(entries: readonly KeptLogEntry[]): readonly KeptLogEntry[] {
  let left = MAX_APPEND_BYTES;
  const end = entries.findIndex(({ text }, index) => (left -= text?.length ?? 0) < 0 && index > 0);
  return end === -1 ? entries : entries.slice(0, end);
}

function sum<Row>(rows: Iterable<Row>, of: (row: Row) => number): number {
  let total = 0;
  for (const row of rows) total += of(row);
  return total;
}

function pageOf(
  entries: readonly KeptLogEntry[],
  { people, principal, action, collection, since, until }: LogQuery,
  { order, after, limit }: LogPage,
): readonly KeptLogEntry[] {
  const found = entries.filter(
    (entry) =>
      (people === undefined || people.some((key) => entry.people.includes(key))) &&
      (principal === undefined || entry.principal === principal) &&
      (action === undefined || entry.action === action) &&
      (collection === undefined || entry.collection === collection) &&
      (since === undefined || entry.at >= since) &&
      (until === undefined || entry.at < until) &&
      (after === null || (order === "oldest" ? entry.position > after : entry.position < after)),
  );
  return (order === "oldest" ? found : found.toReversed()).slice(0, limit);
}

function hashesOf({ entries, subtrees }: LogTables, height: number, start: number, end: number): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let index = start; index < end; index++) {
    const hash = height === 0 ? entries[index]?.leaf : subtrees.get(subtreeKey(height, index));
    if (hash === undefined) break;
    found.push(Buffer.from(hash));
  }
  return found;
}

function shownState({ subtrees, ...state }: LogState): LogState {
  return { ...state, subtrees: subtrees.map(({ height, hash }) => ({ height, hash: Buffer.from(hash) })) };
}

function shownEntry({ position, id, text, leaf }: KeptLogEntry): LogRow {
  return { position, id, text: text === null ? null : Buffer.from(text), leaf: Buffer.from(leaf) };
}

function wholeEntry(entry: KeptLogEntry): WholeLogRow {
  const { at, principal, action, collection, people } = entry;
  return { ...shownEntry(entry), found: { at, principal, action, collection, people: people.toSorted() } };
}

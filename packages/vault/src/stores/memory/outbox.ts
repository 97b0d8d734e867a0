/**
 * The outbox of what is in memory. Bytes are copied out: what a reader does with them changes nothing that is kept.
 */
import { MAX_APPEND_BYTES } from "../outbox.ts";
import type { Outbox, OutboxEntry, WaitingEntry } from "../outbox.ts";
import type { SubjectId } from "../subjects.ts";
import type { CommonTables } from "./common-tables.ts";
import type { OutboxTables, PlacedEntry } from "./outbox-table.ts";
import type { Closed } from "./subjects.ts";

/** The calls of an outbox, each done at once. */
export type OutboxCalls = {
  readonly [Name in keyof Outbox]: (...args: Parameters<Outbox[Name]>) => Awaited<ReturnType<Outbox[Name]>>;
};

export function memoryOutbox(
  tables: CommonTables,
  closedOf: (ids: readonly SubjectId[]) => Closed,
  now: () => string,
): OutboxCalls {
  const { outbox, streams } = tables;
  return {
    append: (entries, active) => {
      const closed = closedOf(active);
      if (closed.length > 0) return { kind: "subjects-closed", closed };
      const moved = firstMoved(tables, entries);
      if (moved !== undefined)
        return { kind: "stream-moved", stream: moved.stream, last: streams.get(moved.stream)?.last ?? 0 };
      const at = now();
      for (const entry of entries) writeEntry(tables, entry, at);
      return { kind: "made" };
    },
    take: (limit) => outbox.first(limit, MAX_APPEND_BYTES).map(shown),
    pending: (tags) => outbox.of(new Set(tags)).map(shown),
    drop: (positions) => {
      for (const position of positions) outbox.delete(position);
    },
    streams: (ids) => ids.map((id) => streams.get(id) ?? null),
    listStreams: ({ after, limit }) =>
      [...streams.values()]
        .filter(({ stream }) => after === null || stream > after)
        .sort((a, b) => (a.stream < b.stream ? -1 : 1))
        .slice(0, limit),
    closeStreams: (closed) => {
      for (const { stream, last } of closed)
        if (streams.get(stream)?.last === last && !outbox.isWaiting(stream)) streams.delete(stream);
    },
    waiting: (atMost) => ({
      entries: Math.min(outbox.size, atMost),
      since: outbox.first(1)[0]?.at ?? null,
    }),
  };
}

/** One of these entries whose number is not the next of its stream. Of each stream they are one after the other. */
export function firstMoved(
  { streams }: Pick<OutboxTables, "streams">,
  entries: readonly OutboxEntry[],
): OutboxEntry | undefined {
  const firsts = new Map(entries.toReversed().map((entry) => [entry.stream, entry]));
  return [...firsts.values()].find(({ stream, number }) => (streams.get(stream)?.last ?? 0) !== number - 1);
}

/** Writes an entry that is the next of its stream. */
export function writeEntry({ outbox, streams }: OutboxTables, entry: OutboxEntry, at: string): void {
  const { id, stream, number, ends, tag, text, mac } = entry;
  outbox.add({ id, stream, number, ends, tag, text, mac, at });
  streams.set(stream, { stream, last: number, at });
}

/** Writes the entry of a unit; false: it is not the next of its stream. */
export function writeNext(tables: OutboxTables, entry: OutboxEntry, at: string): boolean {
  if (firstMoved(tables, [entry]) !== undefined) return false;
  writeEntry(tables, entry, at);
  return true;
}

function shown({ position, id, stream, number, ends, tag, text, mac }: PlacedEntry): WaitingEntry {
  return { position, id, stream, number, ends, tag, text: Buffer.from(text), mac: Buffer.from(mac) };
}

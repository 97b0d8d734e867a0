/**
 * Entries of the audit as the writer is given them: what was checked and copied at the call, the bytes of all of them
 * in one piece.
 */
import type { EntryId, OutboxEntry, StreamId, UnitEntry } from "../outbox.ts";
import { idBytes } from "./ids.ts";
import { packed, Unpacked } from "./packed.ts";
import type { OwnBytes } from "./units-taken.ts";

/** What of an entry is no bytes. */
interface TakenEntry {
  /** Which of the streams. */
  readonly stream: number;
  readonly number: number;
  readonly ends: boolean;
  readonly tag: string | null;
}

/** In the order in which they are written. */
export interface TakenEntries {
  readonly streams: readonly StreamId[];
  readonly entries: readonly TakenEntry[];
  /** Of each its id, of a unit's the one before it, its MAC and its text. */
  readonly bytes: OwnBytes;
}

/** An entry, unpacked. */
export interface FoundEntry extends TakenEntry {
  readonly id: Uint8Array;
  /** Null: none. */
  readonly previous: Uint8Array | null;
  readonly mac: Uint8Array;
  readonly text: Uint8Array;
}

export function takenEntries(given: readonly (OutboxEntry & Partial<Pick<UnitEntry, "previous">>)[]): TakenEntries {
  const streams = new Map<StreamId, number>();
  const entries = given.map(({ stream: id, number, ends, tag }) => {
    const stream = streams.get(id) ?? streams.size;
    streams.set(id, stream);
    return { stream, number, ends, tag };
  });
  const bytes = packed(
    given.flatMap(({ id, previous, mac, text }) => [idBytes(id), previousBytes(previous ?? null), mac, text]),
  );
  return { streams: [...streams.keys()], entries, bytes };
}

const previousBytes = (id: EntryId | null): Uint8Array | null => (id === null ? null : idBytes(id));

export function foundEntries({ entries, bytes }: TakenEntries): readonly FoundEntry[] {
  const pieces = new Unpacked(bytes);
  return entries.map((entry) => ({
    ...entry,
    id: pieces.next(),
    previous: pieces.nextOrNull(),
    mac: pieces.next(),
    text: pieces.next(),
  }));
}

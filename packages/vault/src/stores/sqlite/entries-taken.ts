/**
 * Entries of the audit as the writer is given them: what was checked and copied at the call, the bytes of all of them
 * in one piece.
 */
import type { OutboxEntry, StreamId, UnitEntry } from "../outbox.ts";
import { idBytes } from "./ids.ts";
import { packed, Unpacked } from "./packed.ts";
import type { OwnBytes } from "./units-taken.ts";

/** Entries in one piece, in the order in which they are written. */
export interface TakenEntries {
  readonly streams: readonly StreamId[];
  readonly count: number;
  /** Of each its place, its tag, its id, of a unit's the one before it, its MAC and its text. */
  readonly bytes: OwnBytes;
}

/** An entry, unpacked. */
export interface FoundEntry {
  /** Which of the streams. */
  readonly stream: number;
  readonly number: number;
  readonly ends: boolean;
  readonly tag: string | null;
  readonly id: Uint8Array;
  /** Null: none. */
  readonly previous: Uint8Array | null;
  readonly mac: Uint8Array;
  readonly text: Uint8Array;
}

type Given = OutboxEntry & Partial<Pick<UnitEntry, "previous">>;

export function takenEntries(given: readonly Given[]): TakenEntries {
  const streams = new Map<StreamId, number>();
  const pieces = given.flatMap(({ stream: id, number, ends, tag, ...entry }) => {
    const stream = streams.get(id) ?? streams.size;
    streams.set(id, stream);
    const previous = entry.previous ?? null;
    return [
      placeBytes({ stream, number, ends }),
      tag === null ? null : Buffer.from(tag, "latin1"),
      idBytes(entry.id),
      previous === null ? null : idBytes(previous),
      entry.mac,
      entry.text,
    ];
  });
  return { streams: [...streams.keys()], count: given.length, bytes: packed(pieces) };
}

export function foundEntries({ count, bytes }: TakenEntries): readonly FoundEntry[] {
  const pieces = new Unpacked(bytes);
  return Array.from({ length: count }, () => ({
    ...placeOf(pieces.next()),
    tag: latin1(pieces.nextOrNull()),
    id: pieces.next(),
    previous: pieces.nextOrNull(),
    mac: pieces.next(),
    text: pieces.next(),
  }));
}

type EntryPlace = Pick<FoundEntry, "stream" | "number" | "ends">;

const STREAM_AT = 8;
const ENDS_AT = 12;
const PLACE_BYTES = 13;

/** Handing an object over to a thread costs as much as writing the entry down. */
function placeBytes({ stream, number, ends }: EntryPlace): Uint8Array {
  const bytes = Buffer.allocUnsafe(PLACE_BYTES);
  bytes.writeDoubleLE(number);
  bytes.writeUInt32LE(stream, STREAM_AT);
  bytes[ENDS_AT] = ends ? 1 : 0;
  return bytes;
}

function placeOf({ buffer, byteOffset, length }: Uint8Array): EntryPlace {
  const bytes = Buffer.from(buffer, byteOffset, length);
  return { number: bytes.readDoubleLE(), stream: bytes.readUInt32LE(STREAM_AT), ends: bytes[ENDS_AT] === 1 };
}

const latin1 = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

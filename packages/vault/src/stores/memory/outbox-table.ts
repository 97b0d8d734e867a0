/**
 * Entries that wait, in the order in which they were committed.
 */
import type { AddressTag, OutboxEntry, StreamId, StreamRow } from "../outbox.ts";
import type { Table } from "./table.ts";

/** An entry that waits, and since when: ISO 8601, UTC. */
export interface KeptEntry extends OutboxEntry {
  readonly at: string;
}

/** The same with its position. */
export interface PlacedEntry extends KeptEntry {
  readonly position: bigint;
}

/** What writing an entry changes. */
export interface OutboxTables {
  readonly outbox: { add(entry: KeptEntry): void };
  readonly streams: Table<StreamRow>;
}

/** Entries by their positions, none of which is ever given twice. */
export class OutboxTable {
  readonly #entries = new Map<bigint, KeptEntry>();
  #last = 0n;

  add(entry: KeptEntry): void {
    this.#last += 1n;
    this.#entries.set(this.#last, entry);
  }

  /** The oldest first, as many as are asked for, until their texts are more bytes than may be; at least one. */
  first(limit: number, bytes: number = Infinity): readonly PlacedEntry[] {
    const found: PlacedEntry[] = [];
    let left = bytes;
    for (const [position, entry] of this.#entries) {
      left -= entry.text.length;
      if (found.length >= limit || (left < 0 && found.length > 0)) break;
      found.push({ ...entry, position });
    }
    return found;
  }

  delete(position: bigint): void {
    this.#entries.delete(position);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Those that change one of these addresses. */
  of(tags: ReadonlySet<AddressTag>): readonly PlacedEntry[] {
    return this.first(Infinity).filter(({ tag }) => tag !== null && tags.has(tag));
  }

  isWaiting(stream: StreamId): boolean {
    return [...this.#entries.values()].some((entry) => entry.stream === stream);
  }
}

/** Entries that nobody sees before they are committed: then they come behind all that were committed before. */
export class NewEntries {
  readonly #below: Pick<OutboxTable, "add">;
  /** In the order in which they come. */
  readonly added: KeptEntry[] = [];

  constructor(below: Pick<OutboxTable, "add">) {
    this.#below = below;
  }

  add(entry: KeptEntry): void {
    this.added.push(entry);
  }

  commit(): void {
    for (const entry of this.added) this.#below.add(entry);
  }
}

/**
 * The outbox and the checkpoint of a store in SQLite, over its file.
 */
import { VaultError } from "../../errors.ts";
import type { CheckpointRow } from "../key-store.ts";
import type { Outbox } from "../outbox.ts";
import { checkAppend, takeCheckpoint } from "../outbox-limits.ts";
import { readCheckpoint } from "./checkpoint-row.ts";
import { takenEntries } from "./entries-taken.ts";
import type { OpenStore } from "./open-store.ts";
import type { KeyOperations, OutboxOperations } from "./operations.ts";
import { countWaiting, listStreams, pendingOf, readStreams, takeWaiting } from "./read-outbox.ts";

/**
 * Appending goes on for a while on a full disk. Of records that are read it is done so often that all of the room that
 * is kept would be used up, and nothing could be removed any more: it has half of it.
 *
 * @param hasPeople whether the file has rows of people
 */
export function outboxOf(
  store: Pick<OpenStore<OutboxOperations>, "read" | "reduce" | "note">,
  { hasPeople }: { readonly hasPeople: boolean },
): Outbox {
  return {
    append: async (entries, active) => {
      const taken = checkAppend(entries, active);
      if (!hasPeople && taken.active.length > 0)
        throw new VaultError("store-failed", "The store does not take this: a key store has no people");
      const own = takenEntries(taken.entries);
      const given = [own, taken.active] as const;
      return hasPeople
        ? store.note("append", [...given], own.bytes.length)
        : store.reduce("append", [...given], own.bytes.length);
    },
    take: (limit) => store.read((db) => takeWaiting(db, limit)),
    pending: (tags) => store.read((db) => pendingOf(db, tags)),
    drop: async (positions) => store.reduce("drop", [[...positions]]),
    streams: (ids) => store.read((db) => readStreams(db, ids)),
    listStreams: (page) => store.read((db) => listStreams(db, page)),
    closeStreams: async (streams) =>
      store.reduce("closeStreams", [streams.map(({ stream, last }) => ({ stream, last }))]),
    waiting: (atMost) => store.read((db) => countWaiting(db, atMost)),
  };
}

export function checkpointOf(store: Pick<OpenStore<KeyOperations>, "read" | "reduce">): CheckpointRow {
  return {
    read: () => store.read(readCheckpoint),
    replace: async (note, seen) => store.reduce("replaceCheckpoint", [takeCheckpoint(note), seen]),
  };
}

/**
 * Stores that break a promise about their outbox.
 */
import type { Outbox, OutboxEntry, StreamRow, WaitingEntry } from "../../../src/stores/outbox.ts";
import type { Store } from "../../../src/stores/store.ts";
import { breaks, turn } from "./sabotage.ts";
import type { Sabotage } from "./sabotage.ts";

/** A store whose outbox has some other methods. */
const outbox = (foundBy: string, parts: (outbox: Outbox, store: Store) => Partial<Outbox>): Sabotage =>
  breaks(foundBy, (store) => ({ outbox: parts(store.outbox, store) }));

const taking = (foundBy: string, change: (taken: readonly WaitingEntry[]) => readonly WaitingEntry[]): Sabotage =>
  outbox(foundBy, (own) => ({ take: async (limit) => change(await own.take(1000)).slice(0, limit) }));

/** Whatever the numbers, they are the next ones. */
async function renumbered(own: Outbox, entries: readonly OutboxEntry[]): Promise<readonly OutboxEntry[]> {
  const rows = await own.streams(entries.map(({ stream }) => stream));
  return entries.map((entry, index) => ({
    ...entry,
    number:
      (rows[index]?.last ?? 0) + entries.slice(0, index + 1).filter(({ stream }) => stream === entry.stream).length,
  }));
}

/** Takes what waits of these streams away. */
async function dropOf(own: Outbox, rows: readonly Pick<StreamRow, "stream">[]): Promise<void> {
  const taken = (await own.take(1000)).filter((entry) => rows.some(({ stream }) => stream === entry.stream));
  await own.drop(taken.map(({ position }) => position));
}

/** What is broken -> who finds it, and how it is broken. */
export const OF_OUTBOX: Readonly<Record<string, Sabotage>> = {
  "takes whatever number there is for the next": outbox(
    "a number is taken only as the next of its stream, and nothing is written otherwise",
    (own) => ({ append: async (entries, active) => own.append(await renumbered(own, entries), active) }),
  ),
  "keeps texts as UTF-8": taking(
    "an entry waits as it was given, byte for byte, and any store over the storage has it",
    (taken) => taken.map((entry) => ({ ...entry, text: Buffer.from(Buffer.from(entry.text).toString()) })),
  ),
  "forgets where a stream ends": taking(
    "an entry waits as it was given, byte for byte, and any store over the storage has it",
    (taken) => taken.map((entry) => ({ ...entry, ends: false })),
  ),
  "begins a stream anew when all of it was delivered": outbox(
    "what was delivered counts: its number does not come again",
    (own) => ({
      drop: async (positions) => {
        await own.drop(positions);
        await own.closeStreams(await own.listStreams({ after: null, limit: 1000 }));
      },
    }),
  ),
  "writes those of an append that it can": outbox("entries of several streams are written all or none", (own) => ({
    append: async (entries, active) => {
      const results = [];
      for (const entry of entries) results.push(await own.append([entry], active));
      return results.find(({ kind }) => kind !== "made") ?? { kind: "made" };
    },
  })),
  "tells whoever comes second that it was made": outbox(
    "of many that use one number at once exactly one is made, and all others are told",
    (own) => ({
      append: async (entries, active) => {
        await own.append(entries, active);
        return { kind: "made" };
      },
    }),
  ),
  "takes a MAC of any length": outbox("what no entry is is refused, and nothing of the append is written", (own) => ({
    append: (entries, active) =>
      own.append(
        entries.map((entry) => ({ ...entry, mac: Buffer.alloc(32) })),
        active,
      ),
  })),
  "takes an append of any length, in pieces": outbox(
    "as many entries and bytes as one append has are written, and more are refused",
    (own) => ({
      append: async (entries, active) => {
        for (let first = 0; first < entries.length; first += 16)
          await own.append(entries.slice(first, first + 16), active);
        return { kind: "made" };
      },
    }),
  ),
  "keeps what its caller's buffers hold a moment later": outbox(
    "what a caller does to an entry after the call changes nothing that is written",
    (own) => ({
      append: async (entries, active) => {
        await turn();
        return own.append(entries, active);
      },
    }),
  ),
  "counts what waits when it is closed": outbox("an outbox that is closed says so", () => ({
    waiting: async () => ({ entries: 0, since: null }),
  })),
  "takes the newest first": taking(
    "the oldest are taken, as many as are asked for, and stay until they are dropped",
    (taken) => taken.toReversed(),
  ),
  "drops what it gives out": outbox(
    "the oldest are taken, as many as are asked for, and stay until they are dropped",
    (own) => ({
      take: async (limit) => {
        const taken = await own.take(limit);
        await own.drop(taken.map(({ position }) => position));
        return taken;
      },
    }),
  ),
  "counts positions from the oldest that waits": outbox(
    "what was dropped is passed over when it is dropped again, whatever came since",
    (own) => ({
      take: async (limit) => (await own.take(limit)).map((entry, index) => ({ ...entry, position: BigInt(index) })),
      drop: async (positions) => {
        const waiting = await own.take(1000);
        await own.drop(waiting.filter((_, index) => positions.includes(BigInt(index))).map(({ position }) => position));
      },
    }),
  ),
  "drops the oldest for a position that there is not": outbox(
    "positions that there are not are passed over, and a new store gives none twice",
    (own) => ({
      drop: async (positions) => {
        const all = (await own.take(1000)).map(({ position }) => position);
        await own.drop(positions.map((position) => (all.includes(position) ? position : (all[0] ?? position))));
      },
    }),
  ),
  "finds the newest of an address and no other": outbox(
    "what waits of an address is found by its tag, in the same order",
    (own) => ({
      pending: async (tags) => [...new Map((await own.pending(tags)).map((entry) => [entry.tag, entry])).values()],
    }),
  ),
  "asks for a hundred addresses and no more": outbox("a thousand addresses are asked for at once", (own) => ({
    pending: (tags) => own.pending(tags.slice(0, 100)),
  })),
  "counts all that wait, whatever the limit": outbox(
    "how many wait is counted up to a limit, with since when the oldest does",
    (own) => ({ waiting: () => own.waiting(1_000_000) }),
  ),
  "tells since when it was asked": outbox(
    "how many wait is counted up to a limit, with since when the oldest does",
    (own) => ({
      waiting: async (atMost) => {
        const { entries } = await own.waiting(atMost);
        return { entries, since: entries === 0 ? null : new Date().toISOString() };
      },
    }),
  ),
  "has what waits in the order of ids": taking(
    "each entry comes after what its writer had seen, whoever writes and takes",
    (taken) => taken.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  ),
  "forgets when a stream was written to": outbox(
    "a stream is as far as its last entry, delivered or not, and tells when that was",
    (own) => ({
      streams: async (ids) => (await own.streams(ids)).map((row) => row && { ...row, at: "2026-01-01T00:00:00.000Z" }),
    }),
  ),
  "lists streams backwards": outbox("pages of every size have each stream once, in the order of their ids", (own) => ({
    listStreams: async ({ after, limit }) => {
      const all = (await own.listStreams({ after: null, limit: 1000 })).toReversed();
      const first = all.findIndex(({ stream }) => stream === after) + 1;
      return all.slice(first, first + limit);
    },
  })),
  "closes a hundred streams and no more": outbox(
    "a thousand streams are written, asked for and closed at once",
    (own) => ({ closeStreams: (rows) => own.closeStreams(rows.slice(0, 100)) }),
  ),
  "closes a stream whatever its number": outbox(
    "a stream is closed only at the number that is named, and when nothing of it waits",
    (own) => ({
      closeStreams: async (rows) =>
        own.closeStreams((await own.streams(rows.map(({ stream }) => stream))).filter((row) => row !== null)),
    }),
  ),
  "closes a stream with what waits of it": outbox(
    "a stream is closed only at the number that is named, and when nothing of it waits",
    (own) => ({
      closeStreams: async (rows) => {
        await dropOf(own, rows);
        await own.closeStreams(rows);
      },
    }),
  ),
  "looks at a stream first and closes it later": outbox(
    "a stream that is closed while it is written to goes on, or the writer is told",
    (own) => ({
      closeStreams: async (rows) => {
        const seen = await own.streams(rows.map(({ stream }) => stream));
        await turn();
        const there = rows.filter(({ last }, index) => seen[index]?.last === last);
        await dropOf(own, there);
        const now = await own.streams(there.map(({ stream }) => stream));
        await own.closeStreams(now.filter((row) => row !== null));
      },
    }),
  ),
  "writes about whoever is closed": outbox(
    "whoever is closed or not known is named, each once, and nothing is written",
    (own) => ({ append: (entries) => own.append(entries, []) }),
  ),
  "takes whoever is not known for active": outbox(
    "whoever is closed or not known is named, each once, and nothing is written",
    (own) => ({
      append: async (entries, active) => {
        const result = await own.append(entries, active);
        if (result.kind !== "subjects-closed") return result;
        const closed = result.closed.filter(({ state }) => state !== null);
        return closed.length > 0 ? { ...result, closed } : own.append(entries, []);
      },
    }),
  ),
  "names the first who is closed": outbox(
    "whoever is closed or not known is named, each once, and nothing is written",
    (own) => ({
      append: async (entries, active) => {
        const result = await own.append(entries, active);
        return result.kind === "subjects-closed" ? { ...result, closed: result.closed.slice(0, 1) } : result;
      },
    }),
  ),
  "uses a number for what it refuses": outbox(
    "of people and numbers that are both in the way one is told, and nothing is written",
    (own) => ({
      append: async (entries, active) => {
        const result = await own.append(entries, active);
        if (result.kind === "subjects-closed") await own.append(await renumbered(own, entries), []);
        return result;
      },
    }),
  ),
  "wants somebody to be active": outbox("an entry is written while everybody in question is active", (own) => ({
    append: async (entries, active) =>
      active.length > 0 ? { kind: "subjects-closed", closed: [] } : own.append(entries, active),
  })),
  "asks for a thousand people and no more": outbox("thousands of people are asked for at once", (own) => ({
    append: (entries, active) => own.append(entries, active.slice(0, 1000)),
  })),
  "looks at states first and writes later": outbox(
    "once a person is closed nothing about them is appended, whoever is reading",
    (own) => ({
      append: async (entries, active) => {
        const looked = await own.append([], active);
        if (looked.kind !== "made") return looked;
        await turn();
        return own.append(entries, []);
      },
    }),
  ),
};

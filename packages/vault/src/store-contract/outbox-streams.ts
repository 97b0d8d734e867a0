/**
 * Part of the contract of every store that has an outbox: how far each stream is, and how one is closed.
 */
import assert from "node:assert/strict";
import { STORE_STREAM } from "../stores/outbox.ts";
import type { StreamId } from "../stores/outbox.ts";
import { turn } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { append, drained, idsIn, lastOf, newEntries, newEntry, newStream } from "./entries.ts";
import type { WithOutbox } from "./entries.ts";

const HOUR_MS = 3_600_000;

export function outboxStreamsContract(contract: Contract<WithOutbox>): void {
  contract("a stream is as far as its last entry, delivered or not, and tells when that was", async (given) => {
    const { store, storage, another } = given;
    const [early, late, never] = [newStream(), newStream(), newStream()];
    await append(store, ...newEntries(3, early));
    await append(store, newEntry(late, 1));
    await storage.passTime(HOUR_MS);
    await append(store, newEntry(late, 2));
    await drained(store);
    const rows = await (await another()).outbox.streams([late, never, early, late]);
    const [first, none, second, again] = rows;
    assert.deepEqual([first?.stream, first?.last, second?.stream, second?.last], [late, 2, early, 3]);
    assert.equal(none, null);
    assert.deepEqual(again, first);
    for (const row of [first, second]) assert.equal(new Date(row!.at).toISOString(), row!.at);
    assert.ok(Date.parse(first!.at) - Date.parse(second!.at) >= HOUR_MS, "by the store's clock");
  });

  contract("pages of every size have each stream once, in the order of their ids", async ({ store, another }) => {
    const streams = [STORE_STREAM, ...Array.from({ length: 8 }, newStream)];
    for (const [index, stream] of streams.toReversed().entries()) await append(store, ...newEntries(index + 1, stream));
    const { outbox } = await another();
    for (const limit of [1, 2, 3, 8, 9, 100]) {
      const found: StreamId[] = [];
      for (let after: StreamId | null = null; ;) {
        const page = await outbox.listStreams({ after, limit });
        assert.ok(page.length <= limit);
        found.push(...page.map(({ stream }) => stream));
        after = page.at(-1)?.stream ?? null;
        if (page.length < limit) break;
      }
      assert.deepEqual(found, streams.toSorted(), `pages of ${limit}`);
    }
    const [row] = await outbox.listStreams({ after: null, limit: 1 });
    assert.deepEqual(row, (await outbox.streams([STORE_STREAM]))[0], "a row is the same whoever asks");
    assert.deepEqual(
      await lastOf(store, ...streams),
      streams.map((_, index) => streams.length - index),
    );
  });

  contract("a thousand streams are written, asked for and closed at once", async ({ store }) => {
    const streams = Array.from({ length: 1000 }, newStream);
    await append(store, ...streams.map((stream) => newEntry(stream, 1)));
    assert.deepEqual(
      await lastOf(store, ...streams),
      streams.map(() => 1),
    );
    await drained(store);
    await store.outbox.closeStreams(streams.slice(1).map((stream) => ({ stream, last: 1 })));
    assert.deepEqual(
      (await store.outbox.listStreams({ after: null, limit: 5000 })).map(({ stream }) => stream),
      streams.slice(0, 1),
    );
  });

  contract("a stream is closed only at the number that is named, and when nothing of it waits", async (given) => {
    const { store, another } = given;
    const other = await another();
    const [done, gone, waiting, open] = [newStream(), newStream(), newStream(), newStream()];
    await append(store, ...newEntries(2, done), ...newEntries(3, gone), ...newEntries(1, open));
    await drained(store);
    const kept = newEntries(2, waiting);
    await append(store, ...kept);
    await store.outbox.drop([(await store.outbox.take(1))[0]!.position]);
    await other.outbox.closeStreams([
      { stream: done, last: 2 },
      { stream: gone, last: 2 },
      { stream: gone, last: 4 },
      { stream: waiting, last: 2 },
      { stream: newStream(), last: 1 },
    ]);
    await other.outbox.closeStreams([]);
    assert.deepEqual(await lastOf(store, done, gone, waiting, open), [null, 3, 2, 1]);
    assert.deepEqual(await idsIn(store), [kept[1]!.id]);
    assert.deepEqual(
      await store.outbox.append([newEntry(done, 3)], []),
      { kind: "stream-moved", stream: done, last: 0 },
      "who slept is told that the stream is gone",
    );
    await append(store, newEntry(done, 1), newEntry(gone, 4), newEntry(waiting, 3));
  });

  contract("a stream that is closed while it is written to goes on, or the writer is told", async (given) => {
    const { store, another, rounds } = given;
    const other = await another();
    for (let round = 0; round < 12 * rounds; round++) {
      const stream = newStream();
      await append(store, newEntry(stream, 1));
      await drained(store);
      const next = newEntry(stream, 2);
      const closing = other.outbox.closeStreams([{ stream, last: 1 }]);
      for (let turns = round % 4; turns > 0; turns--) await turn();
      const appended = await store.outbox.append([next], []);
      await closing;
      if (appended.kind === "made") {
        assert.deepEqual([await lastOf(store, stream), await idsIn(store)], [[2], [next.id]]);
        await drained(store);
      } else {
        assert.deepEqual(appended, { kind: "stream-moved", stream, last: 0 });
        assert.deepEqual([await lastOf(store, stream), await idsIn(store)], [[null], []]);
      }
    }
  });
}

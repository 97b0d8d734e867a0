/**
 * Part of the contract of every store that has an outbox: what waits is taken in an order that tells what came after
 * what, found by its address, and dropped when it was delivered.
 */
import assert from "node:assert/strict";
import type { EntryId } from "../stores/outbox.ts";
import { turn } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { append, drained, idsIn, idsOf, newEntries, newEntry, newStream, newTag, shownEntry } from "./entries.ts";
import { waitingIn } from "./entries.ts";
import type { WithOutbox } from "./entries.ts";

const HOUR_MS = 3_600_000;

export function outboxQueueContract(contract: Contract<WithOutbox>): void {
  contract("the oldest are taken, as many as are asked for, and stay until they are dropped", async ({ store }) => {
    const entries = newEntries(7);
    await append(store, ...entries.slice(0, 4));
    await append(store, ...entries.slice(4));
    for (const limit of [1, 3, 7, 100])
      assert.deepEqual(idsOf(await store.outbox.take(limit)), idsOf(entries.slice(0, limit)), `limit ${limit}`);
    const [, second, , fourth] = await store.outbox.take(4);
    await store.outbox.drop([second!.position, fourth!.position]);
    assert.deepEqual(await idsIn(store), idsOf([0, 2, 4, 5, 6].map((index) => entries[index]!)));
    await drained(store);
    assert.deepEqual(await waitingIn(store), []);
  });

  contract("what was dropped is passed over when it is dropped again, whatever came since", async (given) => {
    const { store, another } = given;
    const other = await another();
    const stream = newStream();
    for (let round = 0; round < 4; round++) {
      await append(store, ...newEntries(2, stream, round * 4));
      const taken = await waitingIn(other);
      const positions = taken.map(({ position }) => position);
      await store.outbox.drop(positions);
      const since = newEntries(2, stream, round * 4 + 2);
      await append(store, ...since);
      await other.outbox.drop([...positions, ...positions]);
      assert.deepEqual(await idsIn(store), idsOf(since), "a position is not given twice");
      await drained(store);
    }
  });

  contract("positions that there are not are passed over, and a new store gives none twice", async (given) => {
    const { store, another } = given;
    const entries = newEntries(2);
    await append(store, ...entries);
    const taken = await waitingIn(store);
    await store.outbox.drop([0n, -1n, 2n ** 62n, -(2n ** 62n), taken.at(-1)!.position + 1000n]);
    await store.outbox.drop([]);
    assert.deepEqual(await idsIn(store), idsOf(entries));
    await drained(store);
    await store.close();
    const later = await another();
    const since = newEntry(newStream(), 1);
    await append(later, since);
    await later.outbox.drop(taken.map(({ position }) => position));
    assert.deepEqual(await idsIn(later), [since.id]);
  });

  contract("what waits of an address is found by its tag, in the same order", async ({ store, another }) => {
    const other = await another();
    const [a, b, none] = [newTag(), newTag(), newTag()];
    const stream = newStream();
    const tags = [a, null, b, a, null, b, a];
    const entries = tags.map((tag, index) => newEntry(stream, index + 1, { tag }));
    await append(store, ...entries);
    const of = (...wanted: readonly (string | null)[]): readonly EntryId[] =>
      idsOf(entries.filter(({ tag }) => wanted.includes(tag) && tag !== null));
    assert.deepEqual(idsOf(await other.outbox.pending([a])), of(a));
    assert.deepEqual(idsOf(await other.outbox.pending([b, a])), of(a, b));
    assert.deepEqual(idsOf(await other.outbox.pending([a, none, a])), of(a), "a tag that comes twice is one");
    assert.deepEqual([await other.outbox.pending([none]), await other.outbox.pending([])], [[], []]);
    const found = await other.outbox.pending([b]);
    assert.deepEqual(found.map(shownEntry), [entries[2]!, entries[5]!].map(shownEntry), "they are whole");
    await store.outbox.drop([found[0]!.position]);
    assert.deepEqual(idsOf(await store.outbox.pending([b])), [entries[5]!.id]);
  });

  contract("a thousand addresses are asked for at once", async ({ store }) => {
    const stream = newStream();
    const entries = Array.from({ length: 1000 }, (_, index) => newEntry(stream, index + 1, { tag: newTag() }));
    await append(store, ...entries);
    const odd = entries.filter((_, index) => index % 2 === 1);
    const tags = [...odd.map(({ tag }) => tag!).reverse(), ...Array.from({ length: 500 }, newTag)];
    assert.deepEqual(idsOf(await store.outbox.pending(tags)), idsOf(odd));
    await store.outbox.drop((await store.outbox.pending(tags)).map(({ position }) => position));
    assert.deepEqual(await idsIn(store), idsOf(entries.filter((_, index) => index % 2 === 0)));
  });

  contract("how many wait is counted up to a limit, with since when the oldest does", async ({ store, storage }) => {
    await append(store, ...newEntries(3));
    const { since: first } = await store.outbox.waiting(10);
    assert.equal(new Date(first ?? "").toISOString(), first);
    await storage.passTime(HOUR_MS);
    await append(store, ...newEntries(4));
    const since = async (): Promise<number> => Date.parse((await store.outbox.waiting(100)).since ?? "");
    const before = await since();
    for (const [atMost, entries] of [
      [1, 1],
      [3, 3],
      [7, 7],
      [8, 7],
    ] as const)
      assert.deepEqual(await store.outbox.waiting(atMost), { entries, since: new Date(before).toISOString() });
    const taken = await store.outbox.take(3);
    await store.outbox.drop(taken.map(({ position }) => position));
    assert.equal((await store.outbox.waiting(10)).entries, 4);
    assert.ok((await since()) - before >= HOUR_MS, "those that are left came an hour later");
    await drained(store);
    assert.deepEqual(await store.outbox.waiting(10), { entries: 0, since: null });
  });

  contract("each entry comes after what its writer had seen, whoever writes and takes", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another(), await another()];
    const each = 10 * rounds;
    const seen = new Map<EntryId, number>();
    const answered: EntryId[] = [];
    let isOver = false;
    const writer = async (own: WithOutbox): Promise<void> => {
      const stream = newStream();
      for (let number = 1; number <= each; number++) {
        const entry = newEntry(stream, number);
        seen.set(entry.id, answered.length);
        await append(own, entry);
        answered.push(entry.id);
      }
    };
    const delivered: EntryId[] = [];
    const sequencer = async (own: WithOutbox): Promise<void> => {
      for (let isLast = false; !isLast;) {
        isLast = isOver;
        for (let taken = await own.outbox.take(5); taken.length > 0; taken = await own.outbox.take(5)) {
          delivered.push(...idsOf(taken));
          await own.outbox.drop(taken.map(({ position }) => position));
        }
        await turn();
      }
    };
    const writers = Promise.all(Array.from({ length: 9 }, (_, index) => writer(stores[index % 3]!)));
    await Promise.all([writers.finally(() => (isOver = true)), sequencer(stores[2]!)]);
    assert.equal(new Set(delivered).size, delivered.length, "each once");
    assert.deepEqual(delivered.toSorted(), answered.toSorted(), "and none is lost");
    const place = new Map(delivered.map((id, index) => [id, index]));
    for (const id of delivered)
      for (const before of answered.slice(0, seen.get(id)))
        assert.ok(place.get(before)! < place.get(id)!, "what was answered before an entry was written comes before it");
  });

  contract("an entry that is damaged is given all the same, and the others are whole", async ({ store, storage }) => {
    if (storage.damage === undefined) return;
    const stream = newStream();
    const tag = newTag();
    const entries = [1, 2, 3].map((number) => newEntry(stream, number, { tag }));
    await append(store, ...entries);
    await storage.damage();
    const waiting = await waitingIn(store);
    assert.deepEqual(waiting.slice(1).map(shownEntry), entries.slice(1).map(shownEntry));
    const [damaged] = waiting;
    const given = [damaged!.id, damaged!.stream, damaged!.number, damaged!.tag, damaged!.text, damaged!.mac];
    const written = [entries[0]!.id, stream, 1, tag, entries[0]!.text, entries[0]!.mac];
    const areEmpty = given.map((value) => value === 0 || (value as string | Uint8Array | null)?.length === 0);
    assert.ok(areEmpty.includes(true), "something of it is damaged");
    for (const [index, isEmpty] of areEmpty.entries())
      if (!isEmpty && given[index] !== null) assert.deepEqual(asText(given[index]), asText(written[index]));
    assert.equal((await store.outbox.waiting(9)).entries, 3);
    assert.deepEqual(idsOf(await store.outbox.pending([tag])).slice(-2), idsOf(entries.slice(1)));
    await append(store, newEntry(newStream(), 1));
    await store.outbox.drop([damaged!.position]);
    assert.deepEqual((await idsIn(store)).slice(0, 2), idsOf(entries.slice(1)));
  });
}

const asText = (value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;

/**
 * Part of the contract of every store that has an outbox: entries are written all or none, each as the next of its
 * stream.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { MAX_APPEND_BYTES, MAX_APPEND_ENTRIES, MAX_ENTRY_BYTES, STORE_STREAM } from "../stores/outbox.ts";
import type { AddressTag, EntryId, OutboxEntry, StreamId } from "../stores/outbox.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { rejects } from "./changes.ts";
import type { Contract } from "./contract.ts";
import {
  append,
  drained,
  idsIn,
  idsOf,
  lastOf,
  newEntries,
  newEntry,
  newStream,
  newTag,
  shownEntry,
} from "./entries.ts";
import { waitingIn } from "./entries.ts";
import type { WithOutbox } from "./entries.ts";

export function outboxContract(contract: Contract<WithOutbox>): void {
  contract("a new store has an empty outbox and no streams", async ({ store }) => {
    const { outbox } = store;
    assert.deepEqual([await outbox.take(10), await outbox.pending([newTag()])], [[], []]);
    assert.deepEqual(await outbox.waiting(10), { entries: 0, since: null });
    assert.deepEqual(await outbox.listStreams({ after: null, limit: 10 }), []);
    assert.deepEqual(await outbox.streams([STORE_STREAM, newStream()]), [null, null]);
    assert.deepEqual(await outbox.append([], []), { kind: "made" });
  });

  contract("an entry waits as it was given, byte for byte, and any store over the storage has it", async (given) => {
    const { store, another } = given;
    const stream = newStream();
    const entries = [
      newEntry(stream, 1, { tag: newTag(), ends: false }),
      newEntry(stream, 2, { text: Buffer.from([0, 0xff, 0xc0, 0x80, 0x0a, 0x27]), mac: Buffer.alloc(32) }),
      newEntry(stream, 3, { text: randomBytes(MAX_ENTRY_BYTES), mac: Buffer.alloc(32, 0xff) }),
      newEntry(stream, 4, { tag: "-_-_-_-_-_-_-_-_-_-_-A" as AddressTag, ends: true }),
    ];
    await append(store, ...entries);
    for (const one of [store, await another()])
      assert.deepEqual((await waitingIn(one)).map(shownEntry), entries.map(shownEntry));
  });

  contract("a number is taken only as the next of its stream, and nothing is written otherwise", async (given) => {
    const { store, another } = given;
    const other = await another();
    const [stream, fresh] = [newStream(), newStream()];
    assert.deepEqual(await store.outbox.append([newEntry(fresh, 2)], []), {
      kind: "stream-moved",
      stream: fresh,
      last: 0,
    });
    assert.deepEqual(await lastOf(store, fresh), [null], "a stream does not begin with what is refused");
    const first = newEntries(3, stream);
    await append(store, ...first);
    for (const number of [1, 3, 5, Number.MAX_SAFE_INTEGER])
      assert.deepEqual(
        await other.outbox.append([newEntry(stream, number)], []),
        { kind: "stream-moved", stream, last: 3 },
        `number ${number}`,
      );
    const next = newEntry(stream, 4);
    await append(other, next);
    assert.deepEqual(await idsIn(store), idsOf([...first, next]));
    assert.deepEqual(await lastOf(store, stream), [4]);
  });

  contract("what was delivered counts: its number does not come again", async ({ store }) => {
    const stream = newStream();
    await append(store, ...newEntries(2, stream));
    await store.outbox.drop((await waitingIn(store)).map(({ position }) => position));
    assert.deepEqual(await store.outbox.append(newEntries(1, stream), []), { kind: "stream-moved", stream, last: 2 });
    await append(store, newEntry(stream, 3));
  });

  contract("entries of several streams are written all or none", async ({ store }) => {
    const [one, two, three] = [newStream(), newStream(), newStream()];
    await append(store, newEntry(two, 1));
    const before = await idsIn(store);
    const moved = [newEntry(one, 1), newEntry(two, 3), newEntry(three, 1)];
    assert.deepEqual(await store.outbox.append(moved, []), { kind: "stream-moved", stream: two, last: 1 });
    assert.deepEqual([await idsIn(store), await lastOf(store, one, two, three)], [before, [null, 1, null]]);
    const mixed = [newEntry(one, 1), newEntry(two, 2), newEntry(one, 2), newEntry(STORE_STREAM, 1), newEntry(two, 3)];
    await append(store, ...mixed);
    assert.deepEqual((await idsIn(store)).slice(1), idsOf(mixed), "in the order in which they were given");
    assert.deepEqual(await lastOf(store, one, two, three, STORE_STREAM), [2, 3, null, 1]);
  });

  contract("of many that use one number at once exactly one is made, and all others are told", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another()];
    const stream = newStream();
    for (let number = 1; number <= 8 * rounds; number++) {
      const entries = Array.from({ length: 12 }, () => newEntry(stream, number));
      const results = await Promise.all(entries.map((entry, index) => stores[index % 2]!.outbox.append([entry], [])));
      const made = entries.filter((_, index) => results[index]!.kind === "made");
      assert.equal(made.length, 1, `number ${number}`);
      for (const result of results)
        if (result.kind !== "made") assert.deepEqual(result, { kind: "stream-moved", stream, last: number });
      assert.equal((await idsIn(store)).at(-1), made[0]!.id, "it is what waits");
    }
    assert.equal((await idsIn(store)).length, 8 * rounds);
  });

  contract("writers of the store's own stream come to an end, each with numbers of their own", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another(), await another()];
    const count = 12 * rounds;
    const writer = async (own: WithOutbox): Promise<void> => {
      for (;;) {
        const [last] = await lastOf(own, STORE_STREAM);
        const { kind } = await own.outbox.append([newEntry(STORE_STREAM, (last ?? 0) + 1)], []);
        if (kind === "made") return;
        assert.equal(kind, "stream-moved");
      }
    };
    await Promise.all(Array.from({ length: count }, (_, index) => writer(stores[index % 3]!)));
    const numbers = (await waitingIn(store)).map(({ number }) => number);
    assert.deepEqual(
      numbers,
      Array.from({ length: count }, (_, index) => index + 1),
    );
  });
}

/** What no entry is: a name for it -> how it differs. */
const NO_ENTRIES: Readonly<Record<string, Partial<OutboxEntry>>> = {
  "no id": { id: "" as EntryId },
  "an id in capitals": { id: "0D6B2C1E-6F0A-4B7E-9C57-0F3A8A1B2C3D" as EntryId },
  "no stream": { stream: "x" as StreamId },
  "number 0": { number: 0 },
  "half a number": { number: 1.5 },
  "a number beyond what is exact": { number: 2 ** 53 },
  "neither an end nor none": { ends: 1 as unknown as boolean },
  "a short tag": { tag: "A".repeat(21) as AddressTag },
  "a tag of other characters": { tag: "+".repeat(22) as AddressTag },
  "an empty tag": { tag: "" as AddressTag },
  "no text": { text: Buffer.alloc(0) },
  "too long a text": { text: Buffer.alloc(MAX_ENTRY_BYTES + 1) },
  "a text that is not bytes": { text: "text" as unknown as Uint8Array },
  "a short MAC": { mac: Buffer.alloc(31) },
  "a long MAC": { mac: Buffer.alloc(33) },
};

export function outboxLimitsContract(contract: Contract<WithOutbox>): void {
  contract("what no entry is is refused, and nothing of the append is written", async ({ store }) => {
    const good = newEntry(newStream(), 1);
    for (const [what, more] of Object.entries(NO_ENTRIES))
      await rejects("store-failed", () => store.outbox.append([good, newEntry(newStream(), 1, more)], [])).catch(
        (error: unknown) => assert.fail(`${what}: ${String(error)}`),
      );
    const stream = newStream();
    const disordered = [
      [newEntry(stream, 2), newEntry(stream, 1)],
      [newEntry(stream, 1), newEntry(stream, 1)],
      [newEntry(stream, 1), newEntry(stream, 3)],
      [good, good],
      [good, newEntry(stream, 1, { id: good.id })],
    ];
    for (const entries of disordered) await rejects("store-failed", () => store.outbox.append(entries, []));
    await rejects("store-failed", () => store.outbox.append([good], ["ada" as SubjectId]));
    assert.deepEqual([await idsIn(store), await lastOf(store, good.stream, stream)], [[], [null, null]]);
    await append(store, good);
  });

  contract("as many entries and bytes as one append has are written, and more are refused", async (given) => {
    const { store, another } = given;
    const many = newEntries(MAX_APPEND_ENTRIES);
    await rejects("store-failed", () => store.outbox.append([...many, newEntry(newStream(), 1)], []));
    await append(store, ...many);
    const stream = newStream();
    const large = Array.from({ length: MAX_APPEND_BYTES / MAX_ENTRY_BYTES }, (_, index) =>
      newEntry(stream, index + 1, { text: Buffer.alloc(MAX_ENTRY_BYTES, index) }),
    );
    const last = newEntry(stream, large.length + 1, { text: Buffer.from("x") });
    await rejects("store-failed", () => store.outbox.append([...large, last], []));
    await append(store, ...large);
    assert.deepEqual(await drained(await another()), idsOf([...many, ...large]));
  });

  contract("what is taken at once has so many bytes, at least one entry, and the next goes on", async ({ store }) => {
    const stream = newStream();
    const entries = Array.from({ length: 20 }, (_, index) =>
      newEntry(stream, index + 1, { text: Buffer.alloc(MAX_ENTRY_BYTES, index), ends: index === 19 }),
    );
    await append(store, ...entries.slice(0, 10));
    await append(store, ...entries.slice(10));
    const taken = await store.outbox.take(100);
    assert.deepEqual(idsOf(taken), idsOf(entries.slice(0, taken.length)));
    assert.ok(taken.length > 0 && taken.length * MAX_ENTRY_BYTES <= MAX_APPEND_BYTES + MAX_ENTRY_BYTES);
    assert.deepEqual(await drained(store), idsOf(entries));
  });

  contract("what a caller does to an entry after the call changes nothing that is written", async ({ store }) => {
    const entry = { ...newEntry(newStream(), 1), text: Buffer.from("as it was"), mac: Buffer.alloc(32, 1) };
    const appended = store.outbox.append([entry], []);
    entry.text.fill(0);
    entry.mac.fill(0);
    entry.number = 7;
    assert.deepEqual(await appended, { kind: "made" });
    const [waiting] = await waitingIn(store);
    assert.equal(Buffer.from(waiting!.text).toString(), "as it was");
    assert.deepEqual([Buffer.from(waiting!.mac), waiting!.number], [Buffer.alloc(32, 1), 1]);
    waiting!.text.fill(0);
    assert.equal(Buffer.from((await waitingIn(store))[0]!.text).toString(), "as it was");
  });

  contract("an outbox that is closed says so", async ({ another }) => {
    const closed = await another();
    await closed.close();
    const { outbox } = closed;
    const calls: readonly (() => Promise<unknown>)[] = [
      () => outbox.append([newEntry(newStream(), 1)], []),
      () => outbox.take(1),
      () => outbox.pending([newTag()]),
      () => outbox.drop([1n]),
      () => outbox.streams([STORE_STREAM]),
      () => outbox.listStreams({ after: null, limit: 1 }),
      () => outbox.closeStreams([{ stream: STORE_STREAM, last: 1 }]),
      () => outbox.waiting(1),
    ];
    for (const call of calls) await rejects("store-closed", call);
  });
}

/**
 * Part of a store's contract, for stores that make units in a transaction of the caller's own (`callerTransaction`):
 * the units' entries are in it too.
 */
import assert from "node:assert/strict";
import { begin } from "./caller-transaction.ts";
import { at, headsOf, live, make, remove, write } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { append, idsIn, idsOf, lastOf, newEntry, newStream, shownEntry, waitingIn, withEntry } from "./entries.ts";
import { newPerson, writeAbout } from "./people.ts";

export function callerEntriesContract(contract: Contract): void {
  contract("entries of a caller's transaction wait when he commits, and not before", async (given) => {
    const { store, storage, another } = given;
    const other = await another();
    const [stream, reader] = [newStream(), newStream()];
    const first = withEntry(write(at("a"), null, 1), stream, 1);
    const { units, transaction } = await begin(store, storage);
    assert.deepEqual(await units.apply([first]), [{ kind: "made" }]);
    const second = withEntry(write(at("a"), live(1), 2), stream, 2, { previous: first.entry.id });
    const last = withEntry(write(at("b"), null, 1), stream, 3, { ends: true });
    assert.deepEqual(await units.apply([second, last]), [{ kind: "made" }, { kind: "made" }], "it sees its numbers");
    const meanwhile = newEntry(reader, 1);
    await append(other, meanwhile);
    assert.deepEqual([await idsIn(other), await lastOf(other, stream, reader)], [[meanwhile.id], [null, 1]]);
    await transaction.commit();
    assert.deepEqual(
      (await idsIn(other)).toSorted(),
      idsOf([meanwhile, first.entry, second.entry, last.entry]).toSorted(),
    );
    const own = (await waitingIn(other)).filter((entry) => entry.stream === stream);
    assert.deepEqual(
      own.map(shownEntry),
      [first, second, last].map(({ entry }) => shownEntry(entry)),
    );
    assert.deepEqual(await lastOf(other, stream), [3]);
    const heads = await other.records.heads([at("a"), at("b")]);
    assert.deepEqual(
      heads.map(({ entry }) => entry),
      [second.entry.id, last.entry.id],
    );
  });

  contract("of a transaction that is rolled back no entry waits, and its numbers are free", async (given) => {
    const { store, storage } = given;
    const [stream, person] = [newStream(), newPerson()];
    await make(store, writeAbout(person, at("b"), null, 1));
    const { units, transaction } = await begin(store, storage);
    await units.apply([
      withEntry(write(at("a"), null, 1), stream, 1),
      withEntry(remove(at("b"), live(1), 1), stream, 2, { ends: true }),
    ]);
    await transaction.rollback();
    assert.deepEqual([await idsIn(store), await lastOf(store, stream)], [[], [null]]);
    assert.deepEqual(await store.outbox.append([newEntry(stream, 1)], [person]), { kind: "made" });
  });

  contract("a number that is not the next is an answer: the transaction goes on", async ({ store, storage }) => {
    const stream = newStream();
    const { units, transaction } = await begin(store, storage);
    const first = withEntry(write(at("a"), null, 1), stream, 1);
    await units.apply([first]);
    const told = await units.apply([
      withEntry(write(at("b"), null, 1), stream, 3),
      withEntry(write(at("c"), null, 1), stream, 4),
    ]);
    assert.ok(told.every(({ kind }) => kind === "stream-moved" || kind === "not-made"));
    assert.ok(told.some(({ kind }) => kind === "stream-moved"));
    const conflict = [withEntry(write(at("b"), null, 1), stream, 2), withEntry(write(at("a"), null, 2), stream, 3)];
    assert.deepEqual(
      (await units.apply(conflict)).map(({ kind }) => kind),
      ["not-made", "conflict"],
    );
    const next = withEntry(write(at("b"), null, 1), stream, 2);
    assert.deepEqual(await units.apply([next]), [{ kind: "made" }], "what was not made has used no number");
    await transaction.commit();
    assert.deepEqual(await headsOf(store, "a", "b", "c"), [live(1), live(1), null]);
    assert.deepEqual([await idsIn(store), await lastOf(store, stream)], [idsOf([first.entry, next.entry]), [2]]);
  });

  contract("readers are audited while a transaction is open, also about its people", async (given) => {
    const { store, storage, another } = given;
    const other = await another();
    const ada = newPerson();
    await make(store, writeAbout(ada, at("a"), null, 1));
    const { units, transaction } = await begin(store, storage);
    await units.apply([withEntry(writeAbout(ada, at("a"), live(1), 2), newStream(), 1)]);
    const entry = newEntry(newStream(), 1);
    assert.deepEqual(await other.outbox.append([entry], [ada]), { kind: "made" }, "it waits for no commit");
    assert.deepEqual(idsOf(await other.outbox.take(9)), [entry.id]);
    await transaction.rollback();
    assert.deepEqual(await idsIn(store), [entry.id], "a read stays told when the transaction is rolled back");
  });
}

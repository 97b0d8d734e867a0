/**
 * Part of a store's contract, for stores that make several units in one transaction (`atomicUnits`): their audit
 * entries stand in one stream, all or none.
 */
import assert from "node:assert/strict";
import type { Head } from "../stores/rows.ts";
import type { Unit } from "../stores/units.ts";
import { at, headsOf, live, make, write } from "./changes.ts";
import type { Contract } from "./contract.ts";
import {
  append,
  drained,
  idsIn,
  idsOf,
  lastOf,
  newEntry,
  newStream,
  newTag,
  shownEntry,
  waitingIn,
} from "./entries.ts";
import { withEntry } from "./entries.ts";
import { entriesOf } from "./unit-entries.ts";

export function entriesTogetherContract(contract: Contract): void {
  contract("the entries of a transaction stand in one stream, in the order of its units", async (given) => {
    const { store, another } = given;
    const count = Math.min(500, store.capabilities.atomicUnits);
    const stream = newStream();
    for (const round of [0, 1]) {
      const units = Array.from({ length: count }, (_, index) =>
        withEntry(write(at(`${round}-${index}`), null, 1), stream, round * count + index + 1, { tag: newTag() }),
      );
      const results = await store.records.apply(units, { atomic: true });
      assert.ok(results.every(({ kind }) => kind === "made"));
      const other = await another();
      assert.deepEqual(
        (await waitingIn(other)).map(shownEntry),
        units.map(({ entry }) => shownEntry(entry)),
      );
      assert.deepEqual(await lastOf(other, stream), [(round + 1) * count]);
      const heads = await other.records.heads(units.map(({ address }) => address));
      assert.deepEqual(
        heads.map(({ entry }) => entry),
        idsOf(units.map(({ entry }) => entry)),
      );
      await drained(other);
    }
  });

  contract("when one unit is in the way no entry is written, and all numbers are free", async (given) => {
    const { store } = given;
    await make(store, write(at("taken"), null, 1));
    const stream = newStream();
    const units = (base: Head | null): readonly Unit[] => [
      withEntry(write(at("a"), null, 1), stream, 1),
      withEntry(write(at("taken"), base, 2), stream, 2),
      withEntry(write(at("c"), null, 1), stream, 3),
    ];
    const told = await store.records.apply(units(null), { atomic: true });
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ["not-made", "conflict", "not-made"],
    );
    assert.deepEqual([await idsIn(store), await lastOf(store, stream)], [[], [null]]);
    const made = units(live(1));
    assert.ok((await store.records.apply(made, { atomic: true })).every(({ kind }) => kind === "made"));
    assert.deepEqual(await idsIn(store), idsOf(made.map(({ entry }) => entry!)));
  });

  contract("when the stream has moved nothing of the transaction is made", async ({ store }) => {
    const stream = newStream();
    await append(store, newEntry(stream, 1));
    for (const numbers of [
      [1, 2, 3],
      [3, 4, 5],
      [2, 4, 5],
      [2, 3, 3],
    ]) {
      const units = numbers.map((number, index) => withEntry(write(at(`id-${index}`), null, 1), stream, number));
      const told = (await store.records.apply(units, { atomic: true })).map(({ kind }) => kind);
      assert.ok(told.includes("stream-moved"), `${numbers.join()}: ${told.join()}`);
      assert.ok(told.every((kind) => kind === "stream-moved" || kind === "not-made"));
    }
    assert.deepEqual(await headsOf(store, "id-0", "id-1", "id-2"), [null, null, null]);
    assert.deepEqual([(await idsIn(store)).length, await lastOf(store, stream)], [1, [1]]);
  });

  contract("units with and without entries are one transaction", async ({ store }) => {
    const unit = withEntry(write(at("b"), null, 1), newStream(), 1);
    const units: readonly Unit[] = [write(at("a"), null, 1), unit, { ...write(at("c"), null, 1), entry: undefined }];
    assert.ok((await store.records.apply(units, { atomic: true })).every(({ kind }) => kind === "made"));
    assert.deepEqual(await idsIn(store), [unit.entry.id]);
    assert.deepEqual([await entriesOf(store, "a"), await entriesOf(store, "b")], [undefined, unit.entry.id]);
  });

  contract("transactions of one stream are made one after the other, each whole", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another()];
    const stream = newStream();
    for (let round = 0; round < 5 * rounds; round++) {
      const results = await Promise.all(
        Array.from({ length: 6 }, async (_, writer) => {
          const ids = Array.from({ length: 4 }, (_none, index) => `${round}-${writer}-${index}`);
          const units = ids.map((id, index) => withEntry(write(at(id), null, 1), stream, round * 4 + index + 1));
          const told = await stores[writer % 2]!.records.apply(units, { atomic: true });
          return told.every(({ kind }) => kind === "made") ? units.map(({ entry }) => entry.id) : [];
        }),
      );
      const made = results.filter((ids) => ids.length > 0);
      assert.equal(made.length, 1, "one of them is made");
      assert.deepEqual((await idsIn(store)).slice(-4), made[0]);
    }
    assert.deepEqual(await lastOf(store, stream), [20 * rounds]);
    assert.equal(new Set(await idsIn(store)).size, 20 * rounds);
  });
}

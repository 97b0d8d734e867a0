/**
 * Part of a store's contract: which indexes there are, and that all writers agree on them by the gate.
 */
import assert from "node:assert/strict";
import type { Epoch } from "../stores/gate.ts";
import type { IndexRow } from "../stores/indexes.ts";
import type { Store } from "../stores/store.ts";
import { applyOne, at, EPOCH, epoch, headsOf, live, make, rejects, remove, rewrapOf, turn } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { declare, filling, fillOne, first, foundIn, newIndex, second, tagOf, writeTagged } from "./tagging.ts";

export function indexesContract(contract: Contract): void {
  contract("a change puts rows in the place of those of their ids, and moves the epoch on by one", async (given) => {
    const { store, another } = given;
    const other = await another();
    assert.deepEqual(await store.indexes.list(), { epoch: 1, indexes: [] });
    const before = await store.gate.current();
    const [mail, name] = [newIndex({ state: "building" }), newIndex({ name: "x".repeat(128), isUnique: true })];
    assert.equal(await store.indexes.change({ from: EPOCH.first, set: [mail, name] }), "changed");
    assert.deepEqual(await other.gate.current(), { ...before, epoch: 2 }, "of the gate nothing else is changed");
    assert.deepEqual(await listed(other), [2, sorted(mail, name)]);
    const next = [{ ...mail, state: "ready" as const }, newIndex({ collection: at("a", "firms").collection })];
    assert.equal(await other.indexes.change({ from: epoch(1), set: next }), "moved");
    assert.deepEqual(await listed(store), [2, sorted(mail, name)], "and nothing was changed");
    assert.equal(await other.indexes.change({ from: epoch(2), set: next }), "changed");
    assert.deepEqual(await listed(store), [3, sorted(...next, name)]);
    assert.equal(await store.gate.flip({ from: epoch(2), digest: "second" }), "moved");
    assert.equal(await store.gate.flip({ from: epoch(3), digest: "second" }), "flipped");
    assert.deepEqual(await listed(store), [4, sorted(...next, name)], "a flip leaves them");
  });

  contract("what is no index, or another one than before, is refused, and the epoch stays", async ({ store }) => {
    const [mail, gone] = [newIndex(), newIndex({ state: "dropped" })];
    await declare(store, mail, gone);
    const odd: Readonly<Record<string, Readonly<Record<keyof IndexRow, unknown>>>> = {
      "no id": { ...newIndex(), id: "email" },
      "an id in capitals": { ...newIndex(), id: "A".repeat(32) },
      "no collection": { ...newIndex(), collection: "People" },
      "no name": { ...newIndex(), name: "" },
      "a long name": { ...newIndex(), name: "x".repeat(129) },
      "neither unique nor not": { ...newIndex(), isUnique: 1 },
      "another state": { ...newIndex(), state: "done" },
      "another collection than before": { ...mail, collection: "firms" },
      "another name than before": { ...mail, name: "name" },
      "unique, and was not": { ...mail, isUnique: true },
      "dropped, and comes back": { ...gone, state: "building" },
    };
    for (const [what, row] of Object.entries(odd))
      await rejects("store-failed", () => {
        return store.indexes.change({ from: epoch(2), set: [newIndex(), row as unknown as IndexRow] });
      }).catch((error: unknown) => assert.fail(`${what}: ${String(error)}`));
    await rejects("store-failed", () => store.indexes.change({ from: epoch(2), set: [mail, mail] }));
    assert.deepEqual(await listed(store), [2, sorted(mail, gone)]);
  });

  contract("after a change no write, no rewrap and no filling of before is made, and all are told", async (given) => {
    const { store, another } = given;
    const mail = newIndex({ state: "building" });
    const from = await declare(store, mail);
    await make(store, first("a", from, tagOf(mail, "a")));
    const late = second("a", from, tagOf(mail, "b"));
    const rewrap = await rewrapOf(store, "a", 1, { epoch: from });
    assert.equal(await declare(await another(), { ...mail, state: "ready" }), 3);
    assert.deepEqual(await store.records.apply([late], { atomic: true }), [{ kind: "gate-moved", epoch: 3 }]);
    assert.deepEqual(await store.inventory.rewrap(rewrap), { kind: "gate-moved", epoch: 3 });
    assert.equal(await fillOne(store, filling("a", from, [tagOf(mail, "b")])), "gate-moved");
    assert.deepEqual([await foundIn(store, [tagOf(mail, "a")]), await foundIn(store, [tagOf(mail, "b")])], [["a"], []]);
    await make(store, remove(at("a"), live(1), 1));
  });

  contract("of many changes at once exactly one is made", async ({ store, another, rounds }) => {
    const stores = [store, await another()];
    for (let from = 1; from <= 8 * rounds; from++) {
      const rows = Array.from({ length: 6 }, () => newIndex());
      const results = await Promise.all(
        rows.map((row, index) => stores[index % 2]!.indexes.change({ from: epoch(from), set: [row] })),
      );
      assert.equal(results.filter((result) => result === "changed").length, 1, results.join());
      const [now, kept] = await listed(store);
      assert.deepEqual([now, kept.length], [from + 1, from]);
      assert.ok(kept.some(({ id }) => id === rows[results.indexOf("changed")]!.id));
    }
  });

  contract("once a change is answered, all that is made has the tags of the new indexes", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another(), await another()];
    const rows: IndexRow[] = [];
    let isOver = false;
    let made = 0;
    const writer = async (name: string, own: Store): Promise<void> => {
      for (let number = 1; !isOver;) {
        await turn();
        const { epoch: seen, indexes } = await own.indexes.list();
        const tags = indexes.map((index) => tagOf(index, "everybody"));
        const base = number === 1 ? null : live(number - 1);
        const kind = await applyOne(own, writeTagged(at(name), base, number, { at: seen, tags }));
        assert.ok(kind === "made" || kind === "gate-moved", kind);
        if (kind === "gate-moved") continue;
        number += 1;
        made += 1;
      }
    };
    const names = Array.from({ length: 6 }, (_, index) => `writer-${index}`);
    const changer = async (): Promise<void> => {
      for (let round = 0; round < 15 * rounds; round++) {
        const row = newIndex({ name: `index ${round}` });
        const before = made;
        await declare(store, row);
        const versions = await headsOf(store, ...names);
        rows.push(row);
        while (made === before) await turn();
        // Whoever wrote since has the tag: nobody wrote as before.
        const after = await headsOf(store, ...names);
        const has = await foundIn(store, [tagOf(row, "everybody")]);
        for (const [index, name] of names.entries())
          if (after[index]?.version !== versions[index]?.version) assert.ok(has.includes(name), `${name} in ${round}`);
        for (let turns = Math.random() * 8; turns > 0; turns--) await turn();
      }
    };
    const writers = names.map((name, index) => writer(name, stores[index % 3]!));
    await Promise.all([...writers, changer().finally(() => (isOver = true))]);
    assert.ok(rows.length > 0 && made > 0);
  });
}

const sorted = (...rows: readonly IndexRow[]): readonly IndexRow[] => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));

/** The epoch, and the rows in the order of their ids. */
async function listed(store: Store): Promise<readonly [Epoch, readonly IndexRow[]]> {
  const { epoch: now, indexes } = await store.indexes.list();
  return [now, sorted(...indexes)];
}

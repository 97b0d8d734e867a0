/**
 * Part of a store's contract, for stores that make several units in one transaction (`atomicUnits`).
 */
import assert from "node:assert/strict";
import { applyOne, at, EPOCH, epoch, headsOf, inventoryOf, large, live, make, messageOf } from "./changes.ts";
import { newWriteId, remove, removed, write } from "./changes.ts";
import type { Contract } from "./contract.ts";

export function transactionsContract(contract: Contract): void {
  contract("all units of a transaction are made or none, and each that is in the way is named", async ({ store }) => {
    await make(store, write(at("a"), null, 1), write(at("b"), null, 1));
    const none = await store.records.apply(
      [
        write(at("c"), null, 1),
        write(at("a"), null, 1),
        write(at("d"), null, 1, { message: large() }),
        remove(at("b"), live(7), 7),
      ],
      { atomic: true },
    );
    assert.deepEqual(
      none.map(({ kind }) => kind),
      ["not-made", "conflict", "not-made", "conflict"],
    );
    assert.deepEqual(await headsOf(store, "a", "b", "c", "d"), [live(1), live(1), null, null]);
    assert.equal((await inventoryOf(store)).length, 2);
    const all = await store.records.apply(
      [write(at("c"), null, 1), write(at("a"), live(1), 2, { message: large() }), remove(at("b"), live(1), 1)],
      { atomic: true },
    );
    assert.deepEqual(
      all.map(({ kind }) => kind),
      ["made", "made", "made"],
    );
    assert.deepEqual(await headsOf(store, "a", "b", "c"), [live(2), removed(1), live(1)]);
  });

  contract("a transaction that was prepared under a key set that was left is not made at all", async ({ store }) => {
    await store.gate.flip({ from: EPOCH.first, digest: "another key set" });
    const told = await store.records.apply(
      [write(at("a"), null, 1, { at: epoch(2) }), write(at("b"), null, 1, { at: epoch(1) })],
      { atomic: true },
    );
    assert.deepEqual(told, [{ kind: "not-made" }, { kind: "gate-moved", epoch: 2 }]);
    assert.deepEqual(await headsOf(store, "a", "b"), [null, null]);
  });

  contract("as many units as it declares are one transaction", async ({ store, another }) => {
    const count = Math.min(store.capabilities.atomicUnits, 1000);
    const ids = Array.from({ length: count }, (_, index) => `id-${index}`);
    const units = ids.map((id) => write(at(id), null, 1, { message: Buffer.from(id) }));
    await make(store, write(at(ids.at(-1)!), null, 1));
    const none = await store.records.apply(units, { atomic: true });
    assert.equal(none.filter(({ kind }) => kind === "not-made").length, count - 1);
    assert.deepEqual(
      (await headsOf(store, ...ids)).filter((head) => head !== null),
      [live(1)],
    );
    const other = await another();
    await make(other, remove(at(ids.at(-1)!), live(1), 1));
    const last = write(at(ids.at(-1)!), removed(1), 2, { message: Buffer.from(ids.at(-1)!) });
    const all = await other.records.apply(
      [...units.slice(0, -1).map((unit) => ({ ...unit, writeId: newWriteId() })), last],
      {
        atomic: true,
      },
    );
    assert.ok(all.every(({ kind }) => kind === "made"));
    for (const id of [ids[0]!, ids[count >> 1]!, ids.at(-1)!])
      assert.equal((await messageOf(store, id))?.toString(), id);
  });

  contract(
    "transactions over the same records in opposite orders are made one after the other, each whole",
    async ({ store, another, rounds }) => {
      const stores = [store, await another()];
      const ids = Array.from({ length: 12 }, (_, index) => `id-${index}`);
      for (let round = 1; round <= 5 * rounds; round++) {
        const base = round === 1 ? null : live(round - 1);
        const results = await Promise.all(
          Array.from({ length: 6 }, async (_, writer) => {
            const order = writer % 2 === 0 ? ids : ids.toReversed();
            const units = order.map((id) => write(at(id), base, round, { message: Buffer.from(`by ${writer}`) }));
            return stores[writer % 3 === 0 ? 0 : 1]!.records.apply(units, { atomic: true });
          }),
        );
        const winners = results.flatMap((result, writer) => (result[0]?.kind === "made" ? [writer] : []));
        assert.equal(winners.length, 1, "one of them is made");
        for (const id of ids) assert.equal((await messageOf(store, id))?.toString(), `by ${winners[0]}`);
      }
    },
  );

  contract("what comes in the way of a transaction leaves its record free", async ({ store }) => {
    await make(store, write(at("a"), null, 1));
    await store.records.apply([write(at("b"), null, 1), write(at("a"), null, 1)], { atomic: true });
    assert.equal(await applyOne(store, write(at("b"), null, 1)), "made");
  });
}

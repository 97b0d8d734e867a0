/**
 * Part of a store's contract: a unit is made whole or not at all, and only on the head that it was prepared against.
 */
import assert from "node:assert/strict";
import type { Unit } from "../stores/units.ts";
import {
  applyEach,
  applyOne,
  at,
  EPOCH,
  epoch,
  headsOf,
  inventoryOf,
  large,
  live,
  make,
  messageOf,
  vaultError,
} from "./changes.ts";
import { newVersion, numbersOf, rejects, remove, removed, write, writeAll } from "./changes.ts";
import type { Contract } from "./contract.ts";

export function unitsContract(contract: Contract): void {
  contract("on a head that is another one in any of its fields nothing is made", async ({ store }) => {
    await make(store, write(at("live"), null, 3), write(at("gone"), null, 3), remove(at("gone"), live(3), 3));
    const bases = { live: live(3), gone: removed(3), absent: null } as const;
    for (const [id, right] of Object.entries(bases)) {
      const heads = [null, live(3), removed(3), live(2), live(4), removed(2), removed(4)];
      for (const base of heads.filter((head) => JSON.stringify(head) !== JSON.stringify(right))) {
        const what = `${id} on ${JSON.stringify(base)}`;
        assert.equal(await applyOne(store, write(at(id), base, 9)), "conflict", `a write of ${what}`);
        assert.equal(await applyOne(store, remove(at(id), base, 9)), "conflict", `a removal of ${what}`);
      }
    }
    assert.deepEqual(await headsOf(store, "live", "gone", "absent"), [live(3), removed(3), null]);
    assert.deepEqual(await numbersOf(store, "live"), [3]);
    assert.equal((await inventoryOf(store)).length, 1, "what was not made is in no inventory");
    for (const [id, right] of Object.entries(bases)) await make(store, write(at(id), right, 9));
  });

  contract("a number is never written twice, and none goes back", async ({ store }) => {
    await make(store, write(at("a"), null, 5, { message: Buffer.from("kept") }));
    for (const number of [5, 4, 1]) assert.notEqual(await result(store, write(at("a"), live(5), number)), "made");
    for (const tombstone of [4, 1]) assert.notEqual(await result(store, remove(at("a"), live(5), tombstone)), "made");
    assert.equal((await messageOf(store, "a"))?.toString(), "kept");
    assert.deepEqual(await numbersOf(store, "a"), [5]);
    const last = Number.MAX_SAFE_INTEGER;
    await make(store, write(at("a"), live(5), last), remove(at("a"), live(last), last));
    assert.deepEqual(await headsOf(store, "a"), [removed(last)]);
  });

  contract("a unit of several versions is made whole, 1 MiB each", async ({ store, another }) => {
    const count = Math.min(3, store.capabilities.unitItems);
    const versions = Array.from({ length: count }, (_, index) => newVersion(index + 1, { message: large() }));
    await make(store, writeAll(at("a"), null, versions));
    const other = await another();
    assert.deepEqual(await headsOf(other, "a"), [live(count)]);
    for (const { version, message } of versions)
      assert.ok((await messageOf(other, "a", version))?.equals(message), `version ${version}`);
    assert.equal((await inventoryOf(store)).length, count);
  });

  contract("a unit of several versions is made not at all when one of its numbers is taken", async ({ store }) => {
    if (store.capabilities.unitItems < 3) return;
    await make(store, write(at("a"), null, 4));
    for (const numbers of [
      [5, 6, 4],
      [5, 6, 6],
      [4, 5, 6],
      [5, 7, 6],
    ]) {
      const unit = writeAll(
        at("a"),
        live(4),
        numbers.map((number) => newVersion(number)),
      );
      assert.notEqual(await result(store, unit), "made", numbers.join());
      assert.deepEqual([await headsOf(store, "a"), await numbersOf(store, "a")], [[live(4)], [4]], numbers.join());
    }
    await make(store, writeAll(at("a"), live(4), [newVersion(5), newVersion(7)]));
  });

  contract("units that are no transaction are made each by itself, and answered in their places", async ({ store }) => {
    await make(store, write(at("a"), null, 1), write(at("b"), null, 1));
    const results = await applyEach(
      store,
      write(at("c"), null, 1, { message: large() }),
      write(at("a"), null, 1),
      remove(at("b"), live(1), 1),
      write(at("d"), null, 1, { at: epoch(7) }),
      write(at("e"), null, 1),
    );
    assert.deepEqual(results, ["made", "conflict", "made", "gate-moved", "made"]);
    assert.deepEqual(await headsOf(store, "a", "b", "c", "d", "e"), [live(1), removed(1), live(1), null, live(1)]);
  });

  contract("a record that is in two units of one call is refused, and nothing is made", async ({ store }) => {
    for (const atomic of [true, false]) {
      const units = [write(at("b"), null, 1), write(at("a"), null, 1), remove(at("a"), live(1), 1)];
      if (atomic && store.capabilities.atomicUnits < units.length) continue;
      await rejects("store-failed", () => store.records.apply(units, { atomic }));
    }
    assert.deepEqual(await headsOf(store, "a", "b"), [null, null]);
  });

  contract("what is beyond the store's capabilities is refused, and nothing is made", async ({ store }) => {
    const { atomicUnits, unitItems, unitBytes } = store.capabilities;
    const refused: Unit[][] = [];
    if (atomicUnits <= 2000)
      refused.push(Array.from({ length: atomicUnits + 1 }, (_, index) => write(at(`a-${index}`), null, 1)));
    if (unitItems <= 2000)
      refused.push([
        writeAll(
          at("a-0"),
          null,
          Array.from({ length: unitItems + 1 }, (_, n) => newVersion(n + 1)),
        ),
      ]);
    if (unitBytes <= 32 * 1024 * 1024)
      refused.push([write(at("a-0"), null, 1, { message: Buffer.alloc(unitBytes + 1) })]);
    for (const units of refused) await rejects("store-failed", () => store.records.apply(units, { atomic: true }));
    assert.deepEqual(await headsOf(store, "a-0"), [null]);
  });

  contract("a removal is made at every epoch, a write only at that in force", async ({ store }) => {
    await make(store, write(at("a"), null, 1));
    await store.gate.flip({ from: EPOCH.first, digest: "another key set" });
    for (const number of [0, 1, 3]) {
      const [told] = await store.records.apply([write(at("b"), null, 1, { at: epoch(number) })], { atomic: true });
      assert.deepEqual(told, { kind: "gate-moved", epoch: 2 });
    }
    assert.deepEqual(await headsOf(store, "b"), [null]);
    await make(store, write(at("b"), null, 1, { at: epoch(2) }), remove(at("a"), live(1), 1));
  });

  contract("a removal of what was damaged does not set back what is sound by now", async ({ store }) => {
    await make(store, write(at("a"), null, 1), write(at("a"), live(1), 7));
    const told = await result(store, remove(at("a"), "damaged", 1));
    const [head] = await headsOf(store, "a");
    if (told === "made") assert.deepEqual(head, removed(7));
    else assert.deepEqual([told, head], ["conflict", live(7)]);
  });
}

/** What becomes of a unit; one that no vault makes may be refused as a whole. */
async function result(store: Parameters<typeof applyOne>[0], unit: Unit): Promise<string> {
  try {
    return await applyOne(store, unit);
  } catch (error) {
    assert.equal(vaultError(error).code, "store-failed");
    return "refused";
  }
}

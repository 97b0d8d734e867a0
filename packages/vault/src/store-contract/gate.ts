/**
 * Part of a store's contract: nothing is made under a key set that was left.
 */
import assert from "node:assert/strict";
import type { WrapSetCount } from "../stores/inventory.ts";
import type { Store } from "../stores/store.ts";
import { applyOne, at, EPOCH, epoch, headsOf, live, make, messageOf, newVersion, turn } from "./changes.ts";
import { rewrapOf, wrapSet, write, writeAll } from "./changes.ts";
import type { Contract } from "./contract.ts";

export function gateContract(contract: Contract): void {
  contract("after a flip no write and no rewrap of before is made, and both are told the epoch", async (given) => {
    const { store, another } = given;
    const other = await another();
    await make(store, write(at("a"), null, 1));
    const stale = await rewrapOf(store, "a", 1);
    await other.gate.flip({ from: EPOCH.first, digest: "second" });
    assert.deepEqual(await store.inventory.rewrap(stale), { kind: "gate-moved", epoch: 2 });
    assert.deepEqual(await store.inventory.rewrap({ ...stale, message: null }), { kind: "gate-moved", epoch: 2 });
    const told = await store.records.apply([write(at("a"), live(1), 2)], { atomic: true });
    assert.deepEqual(told, [{ kind: "gate-moved", epoch: 2 }]);
    assert.equal((await messageOf(store, "a"))?.toString(), "message 1");
    assert.deepEqual(await store.inventory.rewrap({ ...stale, epoch: epoch(2) }), { kind: "made" });
    await make(store, write(at("a"), live(1), 2, { at: epoch(2) }));
  });

  contract("once a flip is answered, nothing of before is made any more, whoever is writing", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another(), await another()];
    const flips = 25 * rounds;
    let isOver = false;
    const results = { made: 0, "gate-moved": 0 };
    const writer = async (name: string, own: Store): Promise<void> => {
      for (let number = 1; !isOver;) {
        await turn();
        const { epoch: seen } = await own.gate.current();
        const more = { at: seen, wrapSet: wrapSet([`key of ${seen}`]) };
        const kind = await applyOne(own, write(at(name), number === 1 ? null : live(number - 1), number, more));
        assert.ok(kind === "made" || kind === "gate-moved", kind);
        results[kind] += 1;
        if (kind === "made") number += 1;
      }
    };
    const left: WrapSetCount[] = [];
    const flipper = async (): Promise<void> => {
      for (let from = 1; from <= flips; from++) {
        const before = results.made;
        assert.equal(await store.gate.flip({ from: epoch(from), digest: `set ${from + 1}` }), "flipped");
        left.push(...(await countsOf(store, from)));
        // Until somebody has written under the new set: a flip over writers that do nothing shows nothing.
        while (results.made === before) await turn();
        // Not in step with the writers, or every flip finds them at the same point.
        for (let turns = Math.random() * 8; turns > 0; turns--) await turn();
      }
    };
    const writers = Array.from({ length: 8 }, (_, index) => writer(`writer-${index}`, stores[index % 3]!));
    await Promise.all([...writers, flipper().finally(() => (isOver = true))]);
    assert.ok(left.length > 0 && results.made > 0);
    const now = await store.inventory.counts(
      left.map(({ id }) => id),
      1_000_000,
    );
    const late = now.reduce((sum, { items }, index) => sum + items - left[index]!.items, 0);
    assert.equal(late, 0, `${late} late units in ${flips} flips`);
  });

  contract("writes that are under way when the key set changes are made before the answer, or not", async (given) => {
    const { store, another, rounds } = given;
    const other = await another();
    for (let round = 0; round < 10 * rounds; round++) {
      const from = epoch(round + 1);
      const ids = Array.from({ length: 8 }, (_, index) => `id-${round}-${index}`);
      const underWay = ids.map((id) => {
        const unit = writeAll(at(id), null, [newVersion(1, { wrapSet: wrapSet([`key of ${from}`]) })], from);
        return applyOne(store, unit);
      });
      const flip = other.gate.flip({ from, digest: `set ${from + 1}` }).then(() => headsOf(other, ...ids));
      const [there, ...kinds] = await Promise.all([flip, ...underWay]);
      assert.deepEqual(
        there.map((head) => head !== null),
        kinds.map((kind) => kind === "made"),
        "what is made is there when the flip is answered",
      );
    }
  });

  contract("once drained, nothing of before is made, also when whoever flipped has no answer yet", async (given) => {
    const { store, another, rounds } = given;
    const [flipping, draining] = [await another(), await another()];
    for (let round = 0; round < 10 * rounds; round++) {
      const from = epoch(round + 1);
      const ids = Array.from({ length: 8 }, (_, index) => `id-${round}-${index}`);
      const underWay = ids.map((id) => applyOne(store, write(at(id), null, 1, { at: from })));
      const flip = flipping.gate.flip({ from, digest: `set ${from + 1}` });
      while ((await draining.gate.current()).epoch === from) await turn();
      await draining.gate.drained();
      const there = await headsOf(draining, ...ids);
      const kinds = await Promise.all(underWay);
      assert.deepEqual(
        there.map((head) => head !== null),
        kinds.map((kind) => kind === "made"),
        "what is made is there when the gate is drained",
      );
      assert.equal(await flip, "flipped");
    }
    await store.gate.drained();
  });
}

/** How many versions have the set of that epoch; nothing when nobody wrote under it. */
async function countsOf(store: Store, of: number): Promise<readonly WrapSetCount[]> {
  const known = (await store.inventory.sets()).find(({ set }) => set?.wraps[0]?.key === `key of ${of}`);
  return known === undefined ? [] : store.inventory.counts([known.id], 1_000_000);
}

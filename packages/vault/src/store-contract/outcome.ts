/**
 * Part of a store's contract: what became of a write whose answer was lost is settled by asking, for good.
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
  large,
  live,
  make,
  remove,
  removed,
  write,
  turn,
} from "./changes.ts";
import type { Contract } from "./contract.ts";

const DAY_MS = 86_400_000;

export function outcomeContract(contract: Contract): void {
  contract("what was made is made, and what was never sent is void, each in its place", async ({ store, another }) => {
    const other = await another();
    const [one, two, gone] = [write(at("a"), null, 1), write(at("a"), live(1), 2), remove(at("a"), live(2), 2)];
    await make(store, one, two, gone);
    const never = write(at("b"), null, 1);
    for (const asked of [store, other])
      assert.deepEqual(await asked.records.outcome([never, two, one, never, gone, two]), [
        "void",
        "made",
        "made",
        "void",
        "made",
        "made",
      ]);
  });

  contract("what was told to be void is never made, however it is tried", async ({ store, another }) => {
    const other = await another();
    await make(store, write(at("c"), null, 1));
    const units = [write(at("a"), null, 1, { message: large() }), remove(at("c"), live(1), 1), write(at("d"), null, 1)];
    assert.deepEqual(await other.records.outcome(units), ["void", "void", "void"]);
    for (const unit of units) assert.notEqual(await applyOne(store, unit), "made");
    assert.ok((await applyEach(other, ...units)).every((kind) => kind !== "made"));
    assert.deepEqual(await headsOf(store, "a", "c", "d"), [null, live(1), null]);
    assert.deepEqual(await store.records.outcome(units), ["void", "void", "void"]);
    await make(store, write(at("a"), null, 1), remove(at("c"), live(1), 1));
  });

  contract("what was made is not made again under its name", async ({ store }) => {
    const unit = write(at("a"), null, 1);
    await make(store, unit, remove(at("a"), live(1), 1));
    const again: Unit = { ...write(at("a"), removed(1), 2), writeId: unit.writeId };
    assert.notEqual(await applyOne(store, again), "made");
    assert.deepEqual(await headsOf(store, "a"), [removed(1)]);
    assert.deepEqual(await store.records.outcome([unit]), ["made"]);
  });

  contract("what was refused is void", async ({ store }) => {
    await make(store, write(at("a"), null, 1));
    const [conflict, moved] = [write(at("a"), null, 1), write(at("b"), null, 1, { at: epoch(9) })];
    assert.deepEqual([await applyOne(store, conflict), await applyOne(store, moved)], ["conflict", "gate-moved"]);
    const units = [conflict, moved];
    if (store.capabilities.atomicUnits > 1) {
      const together = [write(at("c"), null, 1), write(at("a"), null, 1)];
      await store.records.apply(together, { atomic: true });
      units.push(...together);
    }
    assert.deepEqual(
      await store.records.outcome(units),
      units.map(() => "void"),
    );
  });

  contract(
    "what was made stays made for a day, also when another removed the record",
    async ({ store, storage, another }) => {
      const other = await another();
      const unit = write(at("a"), null, 1);
      await make(store, unit);
      await make(other, remove(at("a"), live(1), 1), write(at("a"), removed(1), 2), remove(at("a"), live(2), 2));
      await storage.passTime(DAY_MS - 60_000);
      for (let number = 0; number < 20; number++) await make(other, write(at(`b-${number}`), null, 1));
      assert.deepEqual(await store.records.outcome([unit]), ["made"]);
      assert.deepEqual(await other.records.outcome([unit]), ["made"]);
    },
  );

  contract("asked while it is under way, a write is made or never will be", async ({ store, another, rounds }) => {
    const [asking, looking] = [await another(), await another()];
    const told = { made: 0, void: 0 };
    for (let round = 0; round < 40 * rounds; round++) {
      const id = `id-${round}`;
      const unit = write(at(id), null, 1, round % 8 === 0 ? { message: large() } : {});
      const [kind, outcomes] = await Promise.all([
        applyOne(store, unit),
        later(round % 7, () => asking.records.outcome([unit])),
      ]);
      const [outcome] = outcomes;
      assert.ok(outcome === "made" || outcome === "void");
      told[outcome] += 1;
      assert.equal(kind === "made", outcome === "made", `answered ${kind}, told to be ${outcome}`);
      assert.deepEqual(await headsOf(looking, id), [outcome === "made" ? live(1) : null]);
    }
    assert.equal(told.made + told.void, 40 * rounds);
  });

  contract("whoever asks is told the same", async ({ store, another, rounds }) => {
    const stores = [store, await another(), await another()];
    for (let round = 0; round < 10 * rounds; round++) {
      const unit = write(at(`id-${round}`), null, 1);
      const asked = stores.map((one, index) => later(index, () => one.records.outcome([unit])));
      const [kind, ...told] = await Promise.all([applyOne(store, unit), ...asked]);
      const outcomes = new Set(told.flat());
      assert.equal(outcomes.size, 1);
      assert.equal(outcomes.has("made"), kind === "made");
    }
  });

  contract("a removal that is asked for while it is under way is made or never will be", async (given) => {
    const { store, another, rounds } = given;
    const asking = await another();
    for (let round = 0; round < 10 * rounds; round++) {
      const id = `id-${round}`;
      await make(store, write(at(id), null, 1));
      const unit = remove(at(id), live(1), 1);
      const [kind, outcomes] = await Promise.all([
        applyOne(store, unit),
        later(round % 5, () => asking.records.outcome([unit])),
      ]);
      assert.equal(kind === "made", outcomes[0] === "made");
      assert.deepEqual(await headsOf(asking, id), [kind === "made" ? removed(1) : live(1)]);
    }
    assert.equal((await store.gate.current()).epoch, EPOCH.first);
  });
}

/** After so many turns of the event loop. */
async function later<Result>(turns: number, work: () => Promise<Result>): Promise<Result> {
  for (let passed = 0; passed < turns; passed++) await turn();
  return work();
}

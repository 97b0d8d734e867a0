/**
 * Part of a store's contract: states of people. Once a change of state is answered, nothing about the person that began
 * before is made any more.
 */
import assert from "node:assert/strict";
import type { Store, SubjectRows } from "../stores/store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { applyOne, at, make, turn, vaultError, write } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { aboutAll, CLOSED, newPeople, newPerson, recordsOf, row, setState, writeAbout } from "./people.ts";

export function statesContract(contract: Contract): void {
  contract("a state changes from those that are named, and is told as it is then", async ({ store, another }) => {
    const other = await another();
    const ada = newPerson();
    const set: SubjectRows["setState"] = (change) => store.subjects.setState(change);
    assert.equal(await set({ id: ada, from: ["restricted", "erased"], to: "erasing" }), "active", "absent is active");
    assert.equal(await set({ id: ada, from: [], to: "erasing" }), "active");
    assert.equal(await set({ id: ada, from: ["active"], to: "restricted" }), "restricted");
    assert.deepEqual(await other.subjects.get([ada]), [row(ada, "restricted", [0, 0])], "the row was made");
    assert.equal(await other.subjects.setState({ id: ada, from: ["active"], to: "erased" }), "restricted");
    assert.equal(await set({ id: ada, from: ["active", "restricted"], to: "erasing" }), "erasing");
    await make(store, writeAbout(newPerson(), at("a"), null, 1));
    assert.equal(await set({ id: ada, from: ["erasing"], to: "active" }), "active");
    await make(store, write(at("b"), null, 1, aboutAll([ada], { ordinal: 3 })));
    assert.equal(await set({ id: ada, from: ["active"], to: "erased" }), "erased");
    assert.deepEqual(await other.subjects.get([ada]), [row(ada, "erased", [3, 0])], "its ordinals stay");
  });

  contract("of many changes of one state exactly one is made, and all are told it", async ({ store, another }) => {
    const stores = [store, await another()];
    const ada = newPerson();
    const states = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        stores[index % 2]!.subjects.setState({ id: ada, from: ["active"], to: CLOSED[index % 3]! }),
      ),
    );
    assert.equal(new Set(states).size, 1);
    assert.deepEqual(await store.subjects.get([ada]), [row(ada, states[0]!, [0, 0])]);
  });

  contract("once a person is closed nothing about them is made, whoever is writing", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another(), await another()];
    for (let round = 0; round < 8 * rounds; round++) {
      const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
      let isClosed = false;
      const writer = async (own: Store, name: string): Promise<string> => {
        for (let number = 0; ; number++) {
          await turn();
          const wasClosed = isClosed;
          const about = number % 2 === 0 ? aboutAll([ada]) : aboutAll([ben, ada]);
          const kind = await applyOne(own, write(at(`${round}-${name}-${number}`), null, 1, about));
          if (kind !== "made") return kind;
          assert.equal(wasClosed, false, "a unit that began later was made");
        }
      };
      const writers = Array.from({ length: 6 }, (_, index) => writer(stores[index % 3]!, `writer-${index}`));
      for (let turns = Math.random() * 20; turns > 0; turns--) await turn();
      await setState(stores[round % 3]!, ada, "restricted");
      isClosed = true;
      const there = await recordsOf(store, ada, 100_000);
      assert.deepEqual(new Set(await Promise.all(writers)), new Set(["subject-closed"]));
      assert.deepEqual(await recordsOf(store, ada, 100_000), there, "what is made is there when the state is answered");
    }
  });

  contract("writers about the same new people, under rising keys, never stop one another", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another()];
    for (let round = 0; round < 5 * rounds; round++) {
      const people = newPeople(4);
      const writer = async (own: Store, name: number): Promise<readonly string[]> => {
        const order = name % 2 === 0 ? people : people.toReversed();
        const units = order.map((id, index) =>
          write(at(`${round}-${name}-${index}`), null, 1, aboutAll([id, ...people.filter((one) => one !== id)])),
        );
        const results = await own.records.apply(units, { atomic: store.capabilities.atomicUnits >= units.length });
        return results.map(({ kind }) => kind);
      };
      const results = await Promise.all(Array.from({ length: 8 }, (_, name) => writer(stores[name % 2]!, name)));
      assert.deepEqual([...new Set(results.flat())], ["made"]);
      assert.deepEqual(
        await store.subjects.get(people),
        people.map((id) => row(id, "active", [1, 0])),
      );
      const ordinals = await Promise.all(
        Array.from({ length: 8 }, async (_, name) => {
          const about = aboutAll([people[0]!], { ordinal: (name % 4) + 2 });
          return [
            await applyOne(stores[name % 2]!, write(at(`${round}-again-${name}`), null, 1, about)),
            name,
          ] as const;
        }),
      );
      for (const [kind] of ordinals) assert.ok(kind === "made" || kind === "key-set-back", kind);
      const [first] = await store.subjects.get(people);
      assert.equal(first?.ordinals.subject, 5, "the highest of those that were made");
    }
  });

  contract("what is no person is refused or absent, and nobody else is touched", async ({ store }) => {
    const ada = newPerson();
    await make(store, writeAbout(ada, at("a"), null, 1));
    const names = ["", "x", "'; drop table subjects; --", ada.toUpperCase(), `${ada}x`, "\u0000", "x".repeat(5000)];
    for (const name of names as readonly string[] as SubjectId[]) {
      const calls = [
        () => store.subjects.get([name]),
        () => store.subjects.list({ after: name, limit: 9 }),
        () => store.subjects.records(name, { after: null, limit: 9 }),
        () => store.subjects.setState({ id: name, from: ["active"], to: "erased" }),
      ];
      for (const call of calls) await call().catch((error: unknown) => vaultError(error));
    }
    for (const position of [Buffer.alloc(0), Buffer.from([255]), Buffer.alloc(10_000, "a")])
      await store.subjects.records(ada, { after: position, limit: 9 }).catch((error: unknown) => vaultError(error));
    assert.deepEqual(await store.subjects.get([ada]), [row(ada, "active", [1, 0])]);
    assert.deepEqual(await recordsOf(store, ada), ["people/a"]);
  });
}

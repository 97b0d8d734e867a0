/**
 * Part of the contract of a store of records: entries about people are written only while all of them are active, in
 * the same moment.
 */
import assert from "node:assert/strict";
import type { AppendResult } from "../stores/outbox.ts";
import type { Store } from "../stores/store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { at, make, turn, write } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { appendFor, idsIn, lastOf, newEntry, newStream } from "./entries.ts";
import { aboutAll, CLOSED, newPeople, newPerson, setState, writeAbout } from "./people.ts";

/** The people of one unit. */
const AT_ONCE = 60;

export function outboxPeopleContract(contract: Contract): void {
  contract("an entry is written while everybody in question is active", async ({ store, another }) => {
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    await make(store, writeAbout(ada, at("a"), null, 1), writeAbout(ben, at("b"), null, 1));
    const entry = newEntry(newStream(), 1);
    assert.deepEqual(await appendFor(await another(), [ben, ada, ben], entry), { kind: "made" });
    assert.deepEqual(await idsIn(store), [entry.id]);
  });

  contract("whoever is closed or not known is named, each once, and nothing is written", async (given) => {
    const { store, another } = given;
    const other = await another();
    const [ada, ...closed] = newPeople(1 + CLOSED.length) as [SubjectId, ...SubjectId[]];
    const never = newPerson();
    await make(store, writeAbout(ada, at("a"), null, 1));
    for (const [index, state] of CLOSED.entries()) await setState(store, closed[index]!, state);
    const stream = newStream();
    const asked = [never, ada, ...closed.toReversed(), closed[0]!, never];
    const told = await appendFor(other, asked, newEntry(stream, 1), newEntry(stream, 2));
    assert.deepEqual(sortedClosed(told), [
      ...[...CLOSED.map((state, index) => ({ id: closed[index]!, state })), { id: never, state: null }].sort((a, b) =>
        a.id < b.id ? -1 : 1,
      ),
    ]);
    assert.deepEqual([await idsIn(store), await lastOf(store, stream)], [[], [null]], "and no number is used");
    assert.deepEqual(
      sortedClosed(await appendFor(other, [never])),
      [{ id: never, state: null }],
      "without entries too",
    );
    for (const [index, state] of CLOSED.entries())
      assert.deepEqual(sortedClosed(await appendFor(store, [closed[index]!], newEntry(stream, 1))), [
        { id: closed[index]!, state },
      ]);
    assert.deepEqual(await appendFor(store, [ada], newEntry(stream, 1)), { kind: "made" });
    await setState(store, closed[0]!, "active");
    assert.deepEqual(await appendFor(other, [closed[0]!], newEntry(stream, 2)), { kind: "made" });
  });

  contract("of people and numbers that are both in the way one is told, and nothing is written", async ({ store }) => {
    const stream = newStream();
    const { kind } = await appendFor(store, [newPerson()], newEntry(stream, 2));
    assert.ok(kind === "subjects-closed" || kind === "stream-moved");
    assert.deepEqual([await idsIn(store), await lastOf(store, stream)], [[], [null]]);
  });

  contract("thousands of people are asked for at once", async ({ store }) => {
    const people = newPeople(40 * AT_ONCE);
    for (let first = 0; first < people.length; first += AT_ONCE)
      await make(store, write(at(`id-${first}`), null, 1, aboutAll(people.slice(first, first + AT_ONCE))));
    const stream = newStream();
    assert.deepEqual(await appendFor(store, people, newEntry(stream, 1)), { kind: "made" });
    const closed = [people[0]!, people[people.length >> 1]!, people.at(-1)!];
    for (const id of closed) await setState(store, id, "restricted");
    assert.deepEqual(
      sortedClosed(await appendFor(store, people, newEntry(stream, 2))),
      closed.map((id) => ({ id, state: "restricted" })),
    );
  });

  contract("once a person is closed nothing about them is appended, whoever is reading", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another(), await another()];
    for (let round = 0; round < 8 * rounds; round++) {
      const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
      await make(store, write(at(`${round}`), null, 1, aboutAll([ada, ben])));
      let isClosed = false;
      const reader = async (own: Store): Promise<AppendResult["kind"]> => {
        const stream = newStream();
        for (let number = 1; ; number++) {
          await turn();
          const wasClosed = isClosed;
          const result = await appendFor(own, number % 2 === 0 ? [ada] : [ben, ada], newEntry(stream, number));
          if (result.kind !== "made") return result.kind;
          assert.equal(wasClosed, false, "what began later was written");
        }
      };
      const readers = Array.from({ length: 6 }, (_, index) => reader(stores[index % 3]!));
      for (let turns = Math.random() * 20; turns > 0; turns--) await turn();
      await setState(stores[round % 3]!, ada, "restricted");
      isClosed = true;
      const there = (await idsIn(store)).length;
      assert.deepEqual(new Set(await Promise.all(readers)), new Set(["subjects-closed"]));
      assert.equal((await idsIn(store)).length, there, "what is written is there when the state is answered");
    }
  });
}

/** Who is closed, in the order of their ids. */
function sortedClosed(result: AppendResult): unknown {
  if (result.kind !== "subjects-closed") assert.fail(`it was answered ${result.kind}`);
  return result.closed.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

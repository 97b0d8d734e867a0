/**
 * Part of a store's contract: the rows of people. Whoever is closed is written about no more, and no unit is made under
 * a key of theirs that was left.
 */
import assert from "node:assert/strict";
import type { Store } from "../stores/store.ts";
import type { SubjectId, SubjectRow } from "../stores/subjects.ts";
import type { UnitResult } from "../stores/units.ts";
import { applyEach, applyOne, at, EPOCH, headsOf, live, make, numbersOf, remove, removed } from "./changes.ts";
import { write } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { aboutAll, CLOSED, mentioned, newPeople, newPerson, recordsOf, row, setState, writeAbout } from "./people.ts";

/** What becomes of one unit, and all that is told of it. */
async function told(store: Store, unit: Parameters<typeof applyOne>[1]): Promise<UnitResult> {
  const [result] = await store.records.apply([unit], { atomic: true });
  assert.ok(result !== undefined);
  return result;
}

export function subjectsContract(contract: Contract): void {
  contract("nobody has a row before a unit is about them, and then everybody it is about", async (given) => {
    const { store, another } = given;
    const other = await another();
    const [ada, ben, cy] = newPeople(3) as [SubjectId, SubjectId, SubjectId];
    const { subjects } = store;
    assert.deepEqual(await subjects.get([]), []);
    assert.deepEqual(await subjects.get([ada, ben]), [null, null]);
    assert.deepEqual(await subjects.list({ after: null, limit: 9 }), []);
    assert.deepEqual(await subjects.newest(9), []);
    assert.deepEqual(await recordsOf(store, ada), []);
    await make(store, write(at("a"), null, 1, aboutAll([ada, cy])));
    assert.equal(await applyOne(store, writeAbout(ben, at("a"), null, 2)), "conflict");
    const rows = [row(ada, "active", [1, 0]), null, row(cy, "active", [0, 0]), row(ada, "active", [1, 0])];
    assert.deepEqual(await other.subjects.get([ada, ben, cy, ada]), rows, "in the order that was asked");
    await make(store, write(at("b"), null, 1));
    assert.equal((await other.subjects.list({ after: null, limit: 9 })).length, 2, "scheme 1 is about no row");
  });

  contract("people are listed in the order of ids, page by page, each once", async ({ store }) => {
    const people = newPeople(9);
    for (const [index, id] of people.toReversed().entries())
      await make(store, writeAbout(id, at(`id-${index}`), null, 1));
    for (const limit of [1, 2, 8, 9, 10]) {
      const found: SubjectId[] = [];
      for (let page: readonly SubjectRow[] = [], end = false; !end; end = page.length < limit) {
        page = await store.subjects.list({ after: found.at(-1) ?? null, limit });
        found.push(...page.map(({ id }) => id));
        assert.ok(page.length <= limit && found.length <= people.length);
      }
      assert.deepEqual(found, people, `pages of ${limit}`);
    }
  });

  contract("the newest people are those whose rows were made last, whatever became of them since", async (given) => {
    const { store, another } = given;
    const other = await another();
    const sorted = newPeople(5);
    const people = [2, 0, 4, 1, 3].map((place) => sorted[place]!);
    for (const [index, id] of people.entries()) {
      const own = index % 2 === 0 ? store : other;
      if (index === 3) await setState(own, id, "restricted");
      else await make(own, writeAbout(id, at(`id-${index}`), null, 1));
    }
    await make(store, writeAbout(people[0]!, at("id-0"), live(1), 2, aboutAll([people[0]!], { ordinal: 2 })));
    await setState(store, people[1]!, "erased");
    for (const limit of [1, 3, 9])
      assert.deepEqual(
        (await other.subjects.newest(limit)).map(({ id }) => id),
        people.toReversed().slice(0, limit),
      );
  });

  contract("a unit about somebody who is closed is not made, and says who and why", async ({ store, another }) => {
    const other = await another();
    for (const state of CLOSED) {
      const [ada, ben, cy] = newPeople(3) as [SubjectId, SubjectId, SubjectId];
      const id = `of ${state}`;
      await make(store, writeAbout(ada, at(id), null, 1));
      await setState(other, ben, state);
      const closed = { kind: "subject-closed", id: ben, state } as const;
      const more = [aboutAll([ben]), aboutAll([ada, ben]), aboutAll([ben, cy]), aboutAll([ben], { scope: "tenant" })];
      for (const about of [...more, { ...aboutAll([ben]), subjects: [mentioned(ben)] }]) {
        assert.deepEqual(await told(store, write(at(id), live(1), 2, about)), closed);
        assert.deepEqual(await told(store, write(at(`new ${id}`), null, 1, about)), closed);
      }
      assert.deepEqual([await headsOf(store, id, `new ${id}`), await numbersOf(store, id)], [[live(1), null], [1]]);
      assert.deepEqual(await recordsOf(store, ben), []);
      assert.deepEqual(await store.subjects.get([ben, cy]), [row(ben, state, [0, 0]), null], "nothing of it was made");
      const units = [writeAbout(ben, at(`b ${id}`), null, 1), writeAbout(ada, at(`c ${id}`), null, 1)];
      assert.deepEqual(await applyEach(store, ...units), ["subject-closed", "made"]);
      await setState(other, ben, "active");
      await make(store, write(at(id), live(1), 2, aboutAll([ada, ben])));
    }
  });

  contract("a removal is made whoever the record is about", async ({ store }) => {
    for (const state of CLOSED) {
      const ada = newPerson();
      await make(store, writeAbout(ada, at(state), null, 1));
      await setState(store, ada, state);
      await make(store, remove(at(state), live(1), 1));
      assert.deepEqual(await headsOf(store, state), [removed(1)]);
      assert.deepEqual(await store.subjects.get([ada]), [row(ada, state, [1, 0])], "the row stays");
    }
  });

  contract("a unit under an older key of somebody than has sealed before is not made", async ({ store, another }) => {
    const other = await another();
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    let number = 0;
    const sealed = async (own: Store, scope: "subject" | "tenant" | "record", ordinal: number): Promise<UnitResult> => {
      const base = number === 0 ? null : live(number);
      const result = await told(own, write(at("a"), base, number + 1, aboutAll([ada, ben], { scope, ordinal })));
      if (result.kind === "made") number += 1;
      return result;
    };
    const setBack = { kind: "key-set-back", id: ada } as const;
    const made = { kind: "made" } as const;
    assert.deepEqual(await sealed(store, "subject", 3), made);
    for (const ordinal of [1, 2]) assert.deepEqual(await sealed(other, "subject", ordinal), setBack);
    assert.deepEqual(await sealed(store, "record", 0), made, "no key of theirs has sealed it");
    assert.deepEqual(await sealed(other, "tenant", 2), made, "each scope has its own");
    assert.deepEqual(await sealed(store, "tenant", 1), setBack);
    assert.deepEqual(await sealed(store, "subject", 3), made, "the same again");
    assert.deepEqual(await sealed(other, "subject", 4), made);
    assert.deepEqual(await sealed(store, "subject", 3), setBack);
    assert.deepEqual(await store.subjects.get([ada, ben]), [row(ada, "active", [4, 2]), row(ben, "active", [0, 0])]);
    assert.deepEqual([(await headsOf(store, "a"))[0], number], [live(5), 5]);
  });

  contract("what was not made has raised no ordinal", async ({ store }) => {
    const ada = newPerson();
    await make(store, writeAbout(ada, at("a"), null, 1));
    const higher = aboutAll([ada], { ordinal: 9 });
    assert.equal(await applyOne(store, write(at("a"), null, 1, higher)), "conflict");
    assert.equal(await applyOne(store, write(at("a"), live(1), 2, { ...higher, at: EPOCH.none })), "gate-moved");
    await setState(store, ada, "restricted");
    assert.equal(await applyOne(store, write(at("a"), live(1), 2, higher)), "subject-closed");
    await setState(store, ada, "active");
    assert.deepEqual(await store.subjects.get([ada]), [row(ada, "active", [1, 0])]);
  });

  contract("a unit that was not made for somebody's sake never will be", async ({ store, another }) => {
    const other = await another();
    const ada = newPerson();
    const unit = writeAbout(ada, at("a"), null, 1);
    await setState(store, ada, "restricted");
    assert.equal(await applyOne(store, unit), "subject-closed");
    assert.deepEqual(await other.records.outcome([unit]), ["void"]);
    await setState(store, ada, "active");
    assert.equal(await applyOne(other, unit), "conflict", "it is settled");
    await make(store, writeAbout(ada, at("a"), null, 1));
  });

  contract("where more than one thing is in the way, the first of one order is told", async ({ store }) => {
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    await make(store, write(at("a"), null, 1, aboutAll([ada], { ordinal: 5 })));
    await setState(store, ben, "erasing");
    const everything = { ...aboutAll([ada, ben]), at: EPOCH.none };
    assert.equal(await applyOne(store, write(at("a"), null, 1, everything)), "gate-moved");
    assert.equal(await applyOne(store, write(at("a"), null, 1, { ...everything, at: EPOCH.first })), "conflict");
    const unit = write(at("a"), live(1), 2, { ...everything, at: EPOCH.first });
    assert.deepEqual(await told(store, unit), { kind: "subject-closed", id: ben, state: "erasing" });
    await setState(store, ada, "restricted");
    assert.deepEqual(await told(store, { ...unit, writeId: write(at("a"), null, 1).writeId }), {
      kind: "subject-closed",
      id: ada,
      state: "restricted",
    });
  });
}

export function subjectsTogetherContract(contract: Contract): void {
  contract("of a transaction that one closed person stops, nothing is made", async ({ store }) => {
    const [ada, ben, cy] = newPeople(3) as [SubjectId, SubjectId, SubjectId];
    await make(store, write(at("a"), null, 1, aboutAll([ada], { ordinal: 2 })));
    await setState(store, ben, "restricted");
    const results = await store.records.apply(
      [
        write(at("c"), null, 1, aboutAll([cy], { ordinal: 7 })),
        writeAbout(ben, at("b"), null, 1),
        writeAbout(ada, at("a"), live(1), 2),
        write(at("d"), null, 1, aboutAll([ada], { ordinal: 3 })),
        write(at("e"), live(1), 2),
      ],
      { atomic: true },
    );
    assert.deepEqual(results, [
      { kind: "not-made" },
      { kind: "subject-closed", id: ben, state: "restricted" },
      { kind: "key-set-back", id: ada },
      { kind: "not-made" },
      { kind: "conflict" },
    ]);
    assert.deepEqual(await headsOf(store, "a", "b", "c", "d", "e"), [live(1), null, null, null, null]);
    const rows = [row(ada, "active", [2, 0]), row(ben, "restricted", [0, 0]), null];
    assert.deepEqual(await store.subjects.get([ada, ben, cy]), rows);
  });

  contract("a transaction of many units about one person is made, and has one row", async ({ store }) => {
    const count = Math.min(store.capabilities.atomicUnits, 200);
    const ada = newPerson();
    const units = Array.from({ length: count }, (_, index) => writeAbout(ada, at(`id-${index}`), null, 1));
    const results = await store.records.apply(units, { atomic: true });
    assert.ok(results.every(({ kind }) => kind === "made"));
    assert.equal((await store.subjects.list({ after: null, limit: 9 })).length, 1);
    assert.equal((await recordsOf(store, ada)).length, count);
  });
}

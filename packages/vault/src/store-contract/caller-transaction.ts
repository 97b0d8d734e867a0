/**
 * Part of a store's contract, for stores that make units in a transaction of the caller's own (`callerTransaction`).
 */
import assert from "node:assert/strict";
import type { CallerTransaction, Store } from "../stores/store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { applyOne, at, EPOCH, epoch, headsOf, large, live, make, messageOf, rejects } from "./changes.ts";
import { remove, removed, write } from "./changes.ts";
import type { Contract, ContractStorage, ContractTransaction } from "./contract.ts";
import { aboutAll, newPeople, newPerson, recordsOf, row, setState, writeAbout } from "./people.ts";

export function callerTransactionContract(contract: Contract): void {
  contract("what is made in a caller's transaction is there when he commits, and not before", async (given) => {
    const { store, storage, another } = given;
    const other = await another();
    await make(store, write(at("b"), null, 1));
    const { units, transaction } = await begin(store, storage);
    const message = large();
    const made = await units.apply([write(at("a"), null, 1, { message }), remove(at("b"), live(1), 1)]);
    assert.deepEqual(made, [{ kind: "made" }, { kind: "made" }]);
    assert.deepEqual(await headsOf(other, "a", "b"), [null, live(1)]);
    assert.deepEqual(await units.apply([write(at("a"), live(1), 2)]), [{ kind: "made" }], "it sees what is in it");
    await transaction.commit();
    assert.deepEqual(await headsOf(other, "a", "b"), [live(2), removed(1)]);
    assert.ok((await messageOf(other, "a", 1))?.equals(message));
  });

  contract("a caller who rolls back leaves nothing, and what was in it is void", async ({ store, storage }) => {
    const { units, transaction } = await begin(store, storage);
    const unit = write(at("a"), null, 1, { message: large() });
    await units.apply([unit]);
    await transaction.rollback();
    assert.deepEqual(await headsOf(store, "a"), [null]);
    assert.deepEqual(await store.records.outcome([unit]), ["void"]);
    assert.equal(await applyOne(store, write(at("a"), null, 1)), "made");
  });

  contract("a conflict is an answer: nothing of these units is made, and the transaction goes on", async (given) => {
    const { store, storage } = given;
    await make(store, write(at("a"), null, 1));
    const { units, transaction } = await begin(store, storage);
    assert.deepEqual(await units.apply([write(at("first"), null, 1)]), [{ kind: "made" }]);
    const told = await units.apply([write(at("b"), null, 1), write(at("a"), null, 1), write(at("c"), null, 1)]);
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ["not-made", "conflict", "not-made"],
    );
    assert.deepEqual(await units.apply([write(at("c"), null, 1), write(at("a"), live(1), 2)]), [
      { kind: "made" },
      { kind: "made" },
    ]);
    await transaction.commit();
    assert.deepEqual(await headsOf(store, "first", "a", "b", "c"), [live(1), live(2), null, live(1)]);
  });

  contract(
    "a flip waits for a caller's transaction that wrote, and the next one is refused the old set",
    async (given) => {
      const { store, storage, another } = given;
      const other = await another();
      const { units, transaction } = await begin(store, storage);
      await units.apply([write(at("a"), null, 1)]);
      let isFlipped = false;
      const flip = other.gate.flip({ from: EPOCH.first, digest: "second" }).then((result) => {
        isFlipped = true;
        return result;
      });
      await Promise.race([flip, new Promise((resolve) => setTimeout(resolve, 100))]);
      assert.equal(isFlipped, false, "the transaction is open");
      await transaction.commit();
      assert.equal(await flip, "flipped");
      assert.deepEqual(await headsOf(other, "a"), [live(1)]);
      const late = await begin(store, storage);
      assert.deepEqual(await late.units.apply([write(at("b"), null, 1)]), [{ kind: "gate-moved", epoch: 2 }]);
      assert.deepEqual(await late.units.apply([write(at("b"), null, 1, { at: epoch(2) })]), [{ kind: "made" }]);
      await late.transaction.commit();
      assert.deepEqual(await headsOf(other, "b"), [live(1)]);
    },
  );

  contract(
    "who asks for a unit of an open transaction is told what becomes of it",
    async ({ store, storage, another }) => {
      const other = await another();
      for (const [id, ending] of [
        ["a", "commit"],
        ["b", "rollback"],
      ] as const) {
        const { units, transaction } = await begin(store, storage);
        const unit = write(at(id), null, 1);
        await units.apply([unit]);
        const asked = other.records.outcome([unit]);
        // A commit of what was settled meanwhile may fail; then nothing of it is there.
        await transaction[ending]().catch(() => undefined);
        const [outcome] = await asked;
        assert.deepEqual(await headsOf(other, id), [outcome === "made" ? live(1) : null]);
        if (ending === "rollback") assert.equal(outcome, "void");
      }
    },
  );

  contract("of two transactions on one head one is made", async ({ store, storage, another }) => {
    const other = await another();
    const first = await begin(store, storage);
    assert.deepEqual(await first.units.apply([write(at("a"), null, 1)]), [{ kind: "made" }]);
    const second = begin(other, storage).then(async ({ units, transaction }) => {
      const told = await units.apply([write(at("a"), null, 1)]);
      await transaction.commit();
      return told;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await first.transaction.commit();
    assert.deepEqual(await second, [{ kind: "conflict" }]);
  });

  contract("a person is closed when a transaction that wrote about them has ended, and not before", async (given) => {
    const { store, storage, another } = given;
    const other = await another();
    for (const ending of ["commit", "rollback"] as const) {
      const ada = newPerson();
      const { units, transaction } = await begin(store, storage);
      assert.deepEqual(await units.apply([writeAbout(ada, at(ending), null, 1)]), [{ kind: "made" }]);
      let isClosed = false;
      const closing = setState(other, ada, "restricted").then(() => {
        isClosed = true;
      });
      await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 100))]);
      assert.equal(isClosed, false, "the transaction is open");
      await transaction[ending]();
      await closing;
      const isMade = ending === "commit";
      assert.deepEqual(await headsOf(other, ending), [isMade ? live(1) : null]);
      assert.deepEqual(await recordsOf(other, ada), isMade ? [`people/${ending}`] : []);
      assert.deepEqual(await other.subjects.get([ada]), [row(ada, "restricted", [isMade ? 1 : 0, 0])]);
    }
  });

  contract("a closed person, and a key that was left, are answers: the transaction goes on", async (given) => {
    const { store, storage } = given;
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    await setState(store, ada, "erasing");
    const { units, transaction } = await begin(store, storage);
    assert.deepEqual(await units.apply([write(at("b"), null, 1, aboutAll([ben], { ordinal: 4 }))]), [{ kind: "made" }]);
    const told = await units.apply([writeAbout(ben, at("c"), null, 1), writeAbout(ada, at("a"), null, 1)]);
    assert.deepEqual(told, [
      { kind: "key-set-back", id: ben },
      { kind: "subject-closed", id: ada, state: "erasing" },
    ]);
    assert.deepEqual(await units.apply([write(at("c"), null, 1, aboutAll([ben], { ordinal: 4 }))]), [{ kind: "made" }]);
    await transaction.commit();
    assert.deepEqual(await headsOf(store, "a", "b", "c"), [null, live(1), live(1)]);
    assert.deepEqual(await recordsOf(store, ben), ["people/b", "people/c"]);
    assert.deepEqual(await store.subjects.get([ben]), [row(ben, "active", [4, 0])]);
  });

  contract("of a transaction that is rolled back nobody has a row or a link", async ({ store, storage }) => {
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    await make(store, writeAbout(ben, at("b"), null, 1));
    const { units, transaction } = await begin(store, storage);
    await units.apply([
      write(at("a"), null, 1, { ...aboutAll([ada, ben]), sealedId: Buffer.from("sealed") }),
      write(at("b"), live(1), 2, aboutAll([ben], { ordinal: 2 })),
    ]);
    await transaction.rollback();
    assert.deepEqual(await store.subjects.get([ada, ben]), [null, row(ben, "active", [1, 0])]);
    assert.deepEqual([await recordsOf(store, ada), await recordsOf(store, ben)], [[], ["people/b"]]);
    await make(store, writeAbout(ada, at("a"), null, 1));
  });

  contract("two transactions about one new person are both made, one after the other", async (given) => {
    const { store, storage, another } = given;
    const other = await another();
    const ada = newPerson();
    const first = await begin(store, storage);
    assert.deepEqual(await first.units.apply([writeAbout(ada, at("a"), null, 1)]), [{ kind: "made" }]);
    const second = begin(other, storage).then(async ({ units, transaction }) => {
      const told = await units.apply([writeAbout(ada, at("b"), null, 1)]);
      await transaction.commit();
      return told;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await first.transaction.commit();
    assert.deepEqual(await second, [{ kind: "made" }]);
    assert.deepEqual(await recordsOf(store, ada), ["people/a", "people/b"]);
  });

  contract("what is no transaction is refused", async ({ store, storage }) => {
    const { transaction } = await begin(store, storage);
    await transaction.rollback();
    for (const client of [undefined, null, 1, "client", {}, { query: "no" }, [], () => undefined])
      await rejects("transaction-refused", () => open(store, client));
  });
}

/** A transaction of the caller's, and units in it. */
export async function begin(
  store: Store,
  storage: ContractStorage,
): Promise<{ readonly units: CallerTransaction; readonly transaction: ContractTransaction }> {
  assert.ok(storage.begin !== undefined, "a store that is capable of a caller's transaction is given one");
  const transaction = await storage.begin();
  return { units: await open(store, transaction.client), transaction };
}

async function open(store: Store, client: unknown): Promise<CallerTransaction> {
  assert.ok(store.transaction !== undefined);
  return store.transaction(client);
}

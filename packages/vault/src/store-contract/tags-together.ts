/**
 * Part of a store's contract: unique tags of units that are one transaction, or within a caller's own.
 */
import assert from "node:assert/strict";
import type { Tag } from "../stores/indexes.ts";
import { at, headsOf, live, make, remove } from "./changes.ts";
import { begin } from "./caller-transaction.ts";
import type { Contract } from "./contract.ts";
import { asTexts, declare, first, foundIn, newIndex, second, tagOf, tagsIn } from "./tagging.ts";

export function tagsTogetherContract(contract: Contract): void {
  contract("of a transaction none is made when a tag of one of them is taken", async ({ store }) => {
    const mail = newIndex({ isUnique: true });
    const epoch = await declare(store, mail);
    await make(store, first("a", epoch, tagOf(mail, "a")));
    const told = await store.records.apply(
      [first("b", epoch, tagOf(mail, "b")), first("c", epoch, tagOf(mail, "a")), second("a", epoch, tagOf(mail, "a"))],
      { atomic: true },
    );
    assert.deepEqual(told, [{ kind: "not-made" }, { kind: "taken", index: mail.id }, { kind: "not-made" }]);
    assert.deepEqual(await headsOf(store, "a", "b", "c"), [live(1), null, null]);
    assert.deepEqual(
      [await foundIn(store, [tagOf(mail, "b")]), await tagsIn(store, "a")],
      [[], asTexts(tagOf(mail, "a"))],
    );
    await make(store, first("b", epoch, tagOf(mail, "b")));
  });

  contract("of two units of a transaction that want one tag, the later is told that it is taken", async ({ store }) => {
    const mail = newIndex({ isUnique: true });
    const epoch = await declare(store, mail);
    const units = [first("b", epoch, tagOf(mail, "x")), first("a", epoch, tagOf(mail, "x"))];
    const told = await store.records.apply(units, { atomic: true });
    assert.deepEqual(told, [{ kind: "not-made" }, { kind: "taken", index: mail.id }]);
    assert.deepEqual(await headsOf(store, "a", "b"), [null, null]);
  });

  contract("a tag that another record has as the call begins is taken, also if a unit gives it up", async (given) => {
    const { store } = given;
    const mail = newIndex({ isUnique: true });
    const epoch = await declare(store, mail);
    const [a, b, c] = ["a", "b", "c"].map((value) => tagOf(mail, value)) as [Tag, Tag, Tag];
    const x = tagOf(mail, "x");
    await make(store, first("a", epoch, a), first("b", epoch, b));
    const taken = { kind: "taken", index: mail.id };
    for (const [units, told] of [
      [
        [second("a", epoch, b), second("b", epoch, a)],
        [taken, taken],
      ],
      [
        [second("a", epoch, x), second("b", epoch, a)],
        [{ kind: "not-made" }, taken],
      ],
      [
        [second("b", epoch, a), second("a", epoch, x)],
        [taken, { kind: "not-made" }],
      ],
      [
        [remove(at("a"), live(1), 1), first("c", epoch, a)],
        [{ kind: "not-made" }, taken],
      ],
    ] as const)
      assert.deepEqual(await store.records.apply(units, { atomic: true }), told);
    assert.deepEqual([await tagsIn(store, "a"), await tagsIn(store, "b")], [asTexts(a), asTexts(b)]);
    const made = await store.records.apply([second("a", epoch, a, c), second("b", epoch, b, x)], { atomic: true });
    assert.deepEqual(made, [{ kind: "made" }, { kind: "made" }]);
  });
}

export function callerTagsContract(contract: Contract): void {
  contract("a tag that is taken is an answer, and the caller's transaction goes on", async (given) => {
    const { store, storage } = given;
    const mail = newIndex({ isUnique: true });
    const epoch = await declare(store, mail);
    await make(store, first("a", epoch, tagOf(mail, "a")), first("b", epoch, tagOf(mail, "b")));
    const { units, transaction } = await begin(store, storage);
    assert.deepEqual(await units.apply([first("c", epoch, tagOf(mail, "c"))]), [{ kind: "made" }]);
    const told = await units.apply([first("d", epoch, tagOf(mail, "d")), first("e", epoch, tagOf(mail, "a"))]);
    assert.deepEqual(told, [{ kind: "not-made" }, { kind: "taken", index: mail.id }]);
    assert.deepEqual(await units.apply([first("e", epoch, tagOf(mail, "c"))]), [{ kind: "taken", index: mail.id }]);
    // What the transaction itself gave up is free in it.
    assert.deepEqual(await units.apply([second("a", epoch, tagOf(mail, "e"))]), [{ kind: "made" }]);
    assert.deepEqual(await units.apply([remove(at("b"), live(1), 1)]), [{ kind: "made" }]);
    const swapped = await units.apply([first("d", epoch, tagOf(mail, "a"), tagOf(mail, "b"))]);
    assert.deepEqual(swapped, [{ kind: "made" }]);
    await transaction.commit();
    assert.deepEqual(await tagsIn(store, "d"), asTexts(tagOf(mail, "a"), tagOf(mail, "b")));
    assert.deepEqual([await tagsIn(store, "a"), await tagsIn(store, "b")], [asTexts(tagOf(mail, "e")), null]);
    assert.deepEqual(await foundIn(store, [tagOf(mail, "c")]), ["c"]);
  });

  contract("tags of a caller's transaction are there when he commits, and gone when he does not", async (given) => {
    const { store, storage, another } = given;
    const other = await another();
    const mail = newIndex({ isUnique: true });
    const epoch = await declare(store, mail);
    for (const ending of ["rollback", "commit"] as const) {
      const { units, transaction } = await begin(store, storage);
      assert.deepEqual(await units.apply([first("a", epoch, tagOf(mail, "x"))]), [{ kind: "made" }]);
      assert.deepEqual(await foundIn(other, [tagOf(mail, "x")]), []);
      const waiting = other.records.apply([first(ending, epoch, tagOf(mail, "x"))], { atomic: true });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await transaction[ending]();
      const [told] = await waiting;
      if (ending === "rollback") {
        assert.deepEqual(told, { kind: "made" });
        await make(other, remove(at("rollback"), live(1), 1));
      } else assert.deepEqual(told, { kind: "taken", index: mail.id });
    }
    assert.deepEqual(await foundIn(other, [tagOf(mail, "x")]), ["a"]);
  });
}

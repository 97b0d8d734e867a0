/**
 * Part of a store's contract: tags of records that were there before an index, and how tags go.
 */
import assert from "node:assert/strict";
import { parseVersion } from "../records/address.ts";
import type { Filling, IndexId } from "../stores/indexes.ts";
import { applyOne, at, EPOCH, headsOf, leaseOf, live, make, newWriteId, rejects, remove, write } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { asTexts, declare, filling, fillOne, first, foundIn, newIndex, second, tagOf } from "./tagging.ts";
import { tagsIn, writeTagged } from "./tagging.ts";

export function fillingsContract(contract: Contract): void {
  contract("a filling writes the tags of one index, and leaves those of others", async ({ store, another }) => {
    const [mail, name] = [newIndex({ state: "building" }), newIndex({ name: "name", isUnique: true })];
    const epoch = await declare(store, mail, name);
    await make(store, first("a", epoch, tagOf(name, "a")), write(at("b"), null, 1, { at: epoch }));
    const [x, y] = [tagOf(mail, "x"), tagOf(mail, "y")];
    const results = await (
      await another()
    ).indexes.fill([filling("a", epoch, [x, y, y]), filling("b", epoch, [x]), filling("nobody", epoch, [x])], null);
    assert.deepEqual(results, ["filled", "filled", "overtaken"]);
    assert.deepEqual(await tagsIn(store, "a"), asTexts(x, y, tagOf(name, "a")));
    assert.deepEqual([await foundIn(store, [x]), await foundIn(store, [y])], [["a", "b"], ["a"]]);
    assert.equal(await fillOne(store, filling("a", epoch, [x, y])), "filled", "once more is the same");
    assert.equal(await fillOne(store, filling("a", epoch, [y], { tags: [] })), "filled");
    assert.deepEqual(await tagsIn(store, "a"), asTexts(tagOf(name, "a")));
    await make(store, second("b", epoch, y));
    assert.deepEqual([await foundIn(store, [x]), await foundIn(store, [y])], [[], ["b"]]);
  });

  contract("a filling is overtaken by a write and by a removal, and changes nothing then", async ({ store }) => {
    const mail = newIndex({ state: "building" });
    const epoch = await declare(store, mail);
    const [old, now] = [tagOf(mail, "old"), tagOf(mail, "now")];
    for (const id of ["a", "b"]) await make(store, write(at(id), null, 1, { at: epoch }));
    await make(store, second("a", epoch, now), remove(at("b"), live(1), 1));
    const fillings = ["a", "b"].map((id) => filling(id, epoch, [old]));
    assert.deepEqual(await store.indexes.fill(fillings, null), ["overtaken", "overtaken"]);
    const later = { seen: parseVersion(3) };
    assert.equal(await fillOne(store, filling("a", epoch, [old], later)), "overtaken");
    assert.deepEqual([await foundIn(store, [old]), await foundIn(store, [now])], [[], ["a"]]);
    assert.deepEqual([await tagsIn(store, "a"), await tagsIn(store, "b")], [asTexts(now), null]);
  });

  contract("a filling of another epoch, or under a lease that is lost, is not made", async ({ store, storage }) => {
    const mail = newIndex({ state: "building" });
    const epoch = await declare(store, mail);
    const x = tagOf(mail, "x");
    await make(store, write(at("a"), null, 1, { at: epoch }));
    for (const other of [EPOCH.none, EPOCH.first, (epoch + 1) as typeof epoch])
      assert.equal(await fillOne(store, filling("a", other, [x])), "gate-moved");
    const lost = await leaseOf(store, "all", 1000);
    await storage.passTime(2000);
    const lease = await leaseOf(store);
    assert.deepEqual(await store.indexes.fill([filling("a", epoch, [x])], lost), ["overtaken"]);
    assert.deepEqual(await foundIn(store, [x]), []);
    assert.deepEqual(await store.indexes.fill([filling("a", epoch, [x])], lease), ["filled"]);
    await store.gate.flip({ from: epoch, digest: "second" });
    assert.deepEqual(await store.indexes.fill([filling("a", epoch, [], { index: mail.id })], lease), ["gate-moved"]);
    assert.deepEqual(await foundIn(store, [x]), ["a"]);
  });

  contract("of a unique index a filling is told that another record has a tag, each for itself", async (given) => {
    const { store } = given;
    const mail = newIndex({ state: "building", isUnique: true });
    const epoch = await declare(store, mail);
    const [x, y] = [tagOf(mail, "x"), tagOf(mail, "y")];
    await make(store, first("a", epoch, x));
    for (const id of ["b", "c", "d"]) await make(store, write(at(id), null, 1, { at: epoch }));
    const fillings = [filling("b", epoch, [y, x]), filling("c", epoch, [y]), filling("d", epoch, [y])];
    assert.deepEqual(await store.indexes.fill(fillings, null), ["taken", "filled", "taken"]);
    assert.deepEqual([await foundIn(store, [x]), await foundIn(store, [y])], [["a"], ["c"]]);
    assert.deepEqual([await tagsIn(store, "b"), await tagsIn(store, "d")], [[], []]);
    assert.equal(await applyOne(store, second("d", epoch, y)), "taken", "what was filled is taken for writers too");
    await make(store, second("c", epoch, tagOf(mail, "z")));
    assert.equal(await fillOne(store, filling("d", epoch, [y])), "filled");
  });

  contract("nothing is filled of an index that is dropped, unknown, or another collection's", async ({ store }) => {
    const [gone, others] = [newIndex({ state: "dropped" }), newIndex({ collection: at("a", "firms").collection })];
    const epoch = await declare(store, gone, others);
    await make(store, write(at("a"), null, 1, { at: epoch }));
    const fillings = [gone, others, newIndex()].map((index) => filling("a", epoch, [tagOf(index, "x")]));
    assert.deepEqual(await store.indexes.fill(fillings, null), ["overtaken", "overtaken", "overtaken"]);
    assert.deepEqual(await tagsIn(store, "a"), []);
  });

  contract("who fills and who writes at once leave each record with the tags of its newest version", async (given) => {
    const { store, another, rounds } = given;
    const mail = newIndex({ state: "building" });
    const epoch = await declare(store, mail);
    const other = await another();
    for (let round = 0; round < 5 * rounds; round++) {
      const ids = Array.from({ length: 8 }, (_, index) => `${round}-${index}`);
      for (const id of ids) await make(store, write(at(id), null, 1, { at: epoch }));
      const [old, now] = [tagOf(mail, `old ${round}`), tagOf(mail, `now ${round}`)];
      const written = ids.map((id, index) =>
        index % 2 === 0 ? applyOne(store, second(id, epoch, now)) : applyOne(store, remove(at(id), live(1), 1)),
      );
      const filled = ids.map((id) => fillOne(other, filling(id, epoch, [old])));
      assert.ok((await Promise.all(written)).every((kind) => kind === "made"));
      await Promise.all(filled);
      const even = ids.filter((_, index) => index % 2 === 0);
      assert.deepEqual([await foundIn(store, [old]), await foundIn(store, [now])], [[], even]);
    }
  });

  contract("what is no filling is refused, and nothing of the call is made", async ({ store }) => {
    const mail = newIndex({ state: "building" });
    const epoch = await declare(store, mail);
    const x = tagOf(mail, "x");
    await make(store, write(at("a"), null, 1, { at: epoch }));
    const good = filling("a", epoch, [x]);
    const odd: readonly Partial<Record<keyof Filling, unknown>>[] = [
      { index: "email" },
      { tags: [Buffer.alloc(7)] },
      { tags: [Buffer.alloc(33)] },
      { tags: Array.from({ length: 513 }, (_, index) => tagOf(mail, String(index)).tag) },
      { seen: 0 },
      { seen: 1.5 },
    ];
    for (const more of odd)
      await rejects("store-failed", () => store.indexes.fill([good, { ...good, ...more } as Filling], null));
    const many = Array.from({ length: 1001 }, () => good);
    await rejects("store-failed", () => store.indexes.fill(many, null));
    assert.deepEqual(await foundIn(store, [x]), []);
    const tag = Buffer.from(x.tag);
    const filled = store.indexes.fill([{ ...good, tags: [tag] }], null);
    tag.fill(0);
    assert.deepEqual([await filled, await foundIn(store, [x])], [["filled"], ["a"]]);
    assert.deepEqual(await store.indexes.fill([], null), []);
  });
}

export function tagsGoContract(contract: Contract): void {
  contract("tags of records are forgotten whatever their heads are, and those of others stay", async ({ store }) => {
    const [mail, name] = [newIndex(), newIndex({ name: "name", isUnique: true })];
    const epoch = await declare(store, mail, name);
    const x = tagOf(mail, "x");
    for (const id of ["a", "b", "c"]) await make(store, first(id, epoch, x, tagOf(name, id)));
    await make(store, second("b", epoch, x, tagOf(name, "b")));
    await store.indexes.forget(["a", "b", "nobody", "a"].map((id) => at(id)));
    assert.deepEqual([await tagsIn(store, "a"), await tagsIn(store, "b"), await foundIn(store, [x])], [[], [], ["c"]]);
    assert.deepEqual(await headsOf(store, "a", "b", "nobody"), [live(1), live(2), null]);
    assert.deepEqual(await foundIn(store, [tagOf(name, "a")]), []);
    await make(store, first("d", epoch, tagOf(name, "a")));
    await store.indexes.forget([]);
    const many = Array.from({ length: 1001 }, (_, index) => at(String(index)));
    await rejects("store-failed", () => store.indexes.forget(many));
  });

  contract("tags of a dropped index go in steps, then its row, and nothing else", async ({ store, another }) => {
    const indexes = store.indexes;
    for (const isUnique of [false, true]) {
      const [mail, name] = [newIndex({ isUnique }), newIndex({ name: "name", isUnique })];
      const epoch = await declare(store, mail, name);
      const ids = Array.from({ length: 7 }, (_, index) => `${String(isUnique)}-${index}`);
      for (const id of ids) await make(store, first(id, epoch, tagOf(mail, id), tagOf(name, id)));
      for (const index of [mail, { ...mail, state: "building" as const }])
        await rejects("store-failed", () => indexes.purge(index.id, 9));
      const before = await declare(store, { ...mail, state: "dropped" });
      const steps: number[] = [];
      do steps.push(await (await another()).indexes.purge(mail.id, 3));
      while (steps.at(-1) !== 0);
      assert.deepEqual(steps, [3, 3, 1, 0]);
      assert.equal(await indexes.purge(mail.id, 3), 0);
      const { epoch: now, indexes: rows } = await indexes.list();
      assert.deepEqual([now, rows.some(({ id }) => id === mail.id)], [before, false], "and the epoch stays");
      for (const id of ids) assert.deepEqual(await tagsIn(store, id), asTexts(tagOf(name, id)));
      // It is as if it had never been.
      const again = await declare(store, { ...mail, state: "building" });
      assert.deepEqual(await foundIn(store, [tagOf(mail, ids[0]!)]), []);
      await make(store, second(ids[0]!, again, tagOf(mail, ids[1]!), tagOf(name, ids[0]!)));
    }
    assert.equal(await indexes.purge(newIndex().id, 9), 0);
    for (const limit of [0, -1, 1.5, 10_001]) await rejects("store-failed", () => indexes.purge(newIndex().id, limit));
    await rejects("store-failed", () => indexes.purge("email" as IndexId, 9));
  });

  contract("how often tags come is counted, of live records only", async ({ store }) => {
    const [mail, name] = [newIndex(), newIndex({ name: "name", isUnique: true })];
    const epoch = await declare(store, mail, name);
    const values: Readonly<Record<string, string>> = { a: "x y", b: "x", c: "x z", d: "y w", e: "x" };
    for (const [id, own] of Object.entries(values))
      await make(store, first(id, epoch, ...own.split(" ").map((value) => tagOf(mail, value)), tagOf(name, id)));
    await make(store, remove(at("e"), live(1), 1));
    assert.deepEqual(await store.indexes.frequencies(mail.id), [
      { records: 1, tags: 2 },
      { records: 2, tags: 1 },
      { records: 3, tags: 1 },
    ]);
    assert.deepEqual(await store.indexes.frequencies(name.id), [{ records: 1, tags: 4 }]);
    assert.deepEqual(await store.indexes.frequencies(newIndex().id), []);
  });

  contract("indexes of a store that is closed say so", async ({ store, another }) => {
    const mail = newIndex();
    const epoch = await declare(store, mail);
    const x = tagOf(mail, "x");
    await make(store, writeTagged(at("a"), null, 1, { at: epoch, tags: [x] }));
    const closed = await another();
    await closed.close();
    const indexes = closed.indexes;
    const terms = { collection: mail.collection, terms: [[x]] };
    const calls: readonly (() => Promise<unknown>)[] = [
      () => indexes.list(),
      () => indexes.change({ from: epoch, set: [mail] }),
      () => indexes.find({ ...terms, after: null, limit: 1 }),
      () => indexes.count(terms, 1),
      () => indexes.fill([filling("a", epoch, [x])], null),
      () => indexes.forget([at("a")]),
      () => indexes.purge(mail.id, 1),
      () => indexes.tagsOf(at("a")),
      () => indexes.frequencies(mail.id),
    ];
    for (const call of calls) await rejects("store-closed", call);
    assert.deepEqual(await foundIn(store, [x]), ["a"]);
    assert.equal(await applyOne(store, { ...second("a", epoch, x), writeId: newWriteId() }), "made");
  });
}

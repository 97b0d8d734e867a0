/**
 * Part of a store's contract: the tags of a unit go with it, and a tag of a unique index is one record's.
 */
import assert from "node:assert/strict";
import { MAX_TAGS } from "../stores/indexes.ts";
import type { IndexId, Tag } from "../stores/indexes.ts";
import { applyOne, at, EPOCH, headsOf, live, make, newWriteId, rejects, remove, removed, write } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { newPerson, setState, writeAbout } from "./people.ts";
import { asTexts, declare, first, foundIn, newIndex, second, tagOf, tagsIn, writeTagged } from "./tagging.ts";

export function unitTagsContract(contract: Contract): void {
  contract("a unit's tags are there instead of all that the record had", async ({ store, another }) => {
    const [mail, name] = [newIndex(), newIndex({ name: "name", isUnique: true })];
    const epoch = await declare(store, mail, name);
    const [kept, gone, come] = [tagOf(mail, "kept"), tagOf(mail, "gone"), tagOf(mail, "come")];
    await make(store, first("a", epoch, kept, gone, tagOf(name, "one")), first("b", epoch, gone));
    assert.deepEqual(await tagsIn(store, "a"), asTexts(kept, gone, tagOf(name, "one")));
    await make(store, second("a", epoch, kept, come, come, tagOf(name, "two")));
    const other = await another();
    assert.deepEqual(await tagsIn(other, "a"), asTexts(kept, come, tagOf(name, "two")));
    for (const [tag, ids] of [
      [kept, ["a"]],
      [come, ["a"]],
      [gone, ["b"]],
      [tagOf(name, "two"), ["a"]],
      [tagOf(name, "one"), []],
    ] as const)
      assert.deepEqual(await foundIn(other, [tag]), ids);
    await make(store, writeTagged(at("a"), live(2), 3, { at: epoch }));
    assert.deepEqual(await tagsIn(store, "a"), asTexts(kept, come, tagOf(name, "two")), "left out: none is touched");
    await make(store, writeTagged(at("a"), live(3), 4, { at: epoch, tags: [] }));
    assert.deepEqual([await tagsIn(store, "a"), await foundIn(store, [kept])], [[], []]);
  });

  contract("what is removed has no tags, and its unique ones are free", async ({ store }) => {
    const [mail, name] = [newIndex(), newIndex({ name: "name", isUnique: true })];
    const epoch = await declare(store, mail, name);
    const tags = [tagOf(mail, "x"), tagOf(name, "x")];
    await make(store, first("a", epoch, ...tags), remove(at("a"), live(1), 1));
    for (const tag of tags) assert.deepEqual(await foundIn(store, [tag]), []);
    for (const { id } of [mail, name]) assert.deepEqual(await store.indexes.frequencies(id), []);
    assert.equal(await tagsIn(store, "a"), null);
    await make(store, first("b", epoch, ...tags), writeTagged(at("a"), removed(1), 2, { at: epoch }));
    assert.deepEqual(await tagsIn(store, "a"), [], "it does not get them back");
    await make(store, remove(at("b"), live(1), 1), writeTagged(at("a"), live(2), 3, { at: epoch, tags }));
    assert.deepEqual(await foundIn(store, [tags[1]!]), ["a"]);
  });

  contract(
    "a tag of a unique index that another record has is told, and nothing of the unit is made",
    async (given) => {
      const { store, another } = given;
      const [mail, name] = [newIndex({ isUnique: true }), newIndex({ name: "name" })];
      const epoch = await declare(store, mail, name);
      const x = tagOf(mail, "x");
      await make(store, first("a", epoch, x, tagOf(name, "x")), first("b", epoch, tagOf(mail, "b")));
      const other = await another();
      for (const unit of [first("c", epoch, tagOf(name, "c"), x), second("b", epoch, tagOf(name, "b"), x)])
        assert.deepEqual(await other.records.apply([unit], { atomic: true }), [{ kind: "taken", index: mail.id }]);
      assert.deepEqual(await headsOf(store, "a", "b", "c"), [live(1), live(1), null]);
      assert.deepEqual(await tagsIn(store, "b"), asTexts(tagOf(mail, "b")));
      assert.deepEqual([await foundIn(store, [x]), await foundIn(store, [tagOf(name, "c")])], [["a"], []]);
      await make(store, second("a", epoch, x), writeTagged(at("a"), live(2), 3, { at: epoch, tags: [] }));
      await make(store, first("c", epoch, x));
      await make(store, first("d", epoch, tagOf(name, "x")), first("e", epoch, tagOf(name, "x")));
    },
  );

  contract("one value is free in another index, and in that of another collection", async ({ store }) => {
    const [mail, name] = [newIndex({ isUnique: true }), newIndex({ name: "name", isUnique: true })];
    const others = newIndex({ collection: at("a", "firms").collection, isUnique: true });
    const epoch = await declare(store, mail, name, others);
    await make(store, first("a", epoch, tagOf(mail, "x")), first("b", epoch, tagOf(name, "x")));
    await make(store, writeTagged(at("a", "firms"), null, 1, { at: epoch, tags: [tagOf(others, "x")] }));
    assert.equal(await applyOne(store, first("c", epoch, tagOf(name, "x"))), "taken");
  });

  contract("whatever else is in the way of a unit is told before that a tag is taken", async ({ store }) => {
    const mail = newIndex({ isUnique: true });
    const epoch = await declare(store, mail);
    const tags = [tagOf(mail, "x")];
    const ada = newPerson();
    const past = remove(at("past"), live(1), 1);
    await make(store, first("a", epoch, ...tags), first("b", epoch), first("past", epoch), past);
    await setState(store, ada, "restricted");
    const about = writeAbout(ada, at("d"), null, 1, { at: epoch });
    const late = first("d", EPOCH.first, ...tags);
    for (const [kind, unit] of [
      ["conflict", { ...writeTagged(at("past"), removed(1), 2, { at: epoch, tags }), writeId: past.writeId }],
      ["gate-moved", late],
      ["conflict", first("b", epoch, ...tags)],
      ["subject-closed", { ...about, change: { ...about.change, tags } }],
      ["taken", { ...late, change: { ...late.change, epoch } }],
    ] as const)
      assert.equal(await applyOne(store, unit), kind);
  });

  contract("of many writers that want one tag exactly one is made, in whichever store", async (given) => {
    const { store, another, rounds } = given;
    const mail = newIndex({ isUnique: true });
    const epoch = await declare(store, mail);
    const stores = [store, await another(), await another()];
    for (let round = 0; round < 10 * rounds; round++) {
      const wanted = tagOf(mail, `round ${round}`);
      const units = Array.from({ length: 9 }, (_, index) => first(`${round}-${index}`, epoch, wanted));
      const kinds = await Promise.all(units.map((unit, index) => applyOne(stores[index % 3]!, unit)));
      assert.deepEqual(kinds.toSorted(), ["made", ...Array.from({ length: 8 }, () => "taken")], `round ${round}`);
      assert.deepEqual(await foundIn(store, [wanted]), [units[kinds.indexOf("made")]!.address.id]);
    }
  });

  contract("writers that give unique tags to each other all come to an end, with one of each tag", async (given) => {
    const { store, another, rounds } = given;
    const mail = newIndex({ isUnique: true });
    const epoch = await declare(store, mail);
    const stores = [store, await another()];
    const ids = ["a", "b", "c", "d"];
    for (const [index, id] of ids.entries()) await make(store, first(id, epoch, tagOf(mail, String(index))));
    const writer = async (own: number): Promise<void> => {
      for (let number = 2; number <= 1 + 12 * rounds; number++) {
        // Two at a time, of five that four writers want.
        const tags = [number + own, number + 3 * own].map((value) => tagOf(mail, String(value % 5)));
        const unit = writeTagged(at(ids[own]!), live(number - 1), number, { at: epoch, tags });
        if ((await applyOne(stores[own % 2]!, unit)) === "made") continue;
        await make(store, { ...unit, writeId: newWriteId(), change: { ...unit.change, tags: [] } });
      }
    };
    await Promise.all(ids.map((_, own) => writer(own)));
    for (let value = 0; value < 5; value++) {
      const found = await foundIn(store, [tagOf(mail, String(value))]);
      assert.ok(found.length <= 1);
      for (const id of found) assert.ok((await tagsIn(store, id))?.includes(asTexts(tagOf(mail, String(value)))[0]!));
    }
  });

  contract("more tags than a record has, and what is no tag, are refused, and nothing is made", async ({ store }) => {
    const [mail, name] = [newIndex(), newIndex({ name: "name", isUnique: true })];
    const epoch = await declare(store, mail, name);
    const many = Array.from({ length: MAX_TAGS }, (_, index) => tagOf(mail, String(index)));
    const sized = (bytes: number): Tag => ({ index: mail.id, tag: Buffer.alloc(bytes, 1) });
    const refused: Readonly<Record<string, readonly Tag[]>> = {
      "one more than most": [...many, tagOf(mail, "more")],
      "a short one": [sized(7)],
      "a long one": [sized(33)],
      "one of no bytes": [sized(0)],
      "a text": [{ index: mail.id, tag: "tag of eight" as unknown as Uint8Array }],
      "one of no index": [{ index: "email" as IndexId, tag: Buffer.alloc(32) }],
      "one of an index in capitals": [
        { index: mail.id.toUpperCase().replace(/^./, "A") as IndexId, tag: Buffer.alloc(32) },
      ],
      "a short one of a unique index": [{ index: name.id, tag: Buffer.alloc(31) }],
    };
    for (const [what, tags] of Object.entries(refused))
      await rejects("store-failed", () => applyOne(store, first("a", epoch, ...tags))).catch((error: unknown) =>
        assert.fail(`${what}: ${String(error)}`),
      );
    assert.deepEqual(await headsOf(store, "a"), [null]);
    await make(store, first("a", epoch, ...many), first("b", epoch, sized(8), sized(32)));
    assert.deepEqual(await tagsIn(store, "a"), asTexts(...many));
    assert.deepEqual(await tagsIn(store, "b"), asTexts(sized(8), sized(32)));
  });

  contract("tags of an index that is not written are not kept", async ({ store }) => {
    const [mail, gone] = [newIndex(), newIndex({ name: "gone", isUnique: true, state: "dropped" })];
    const others = newIndex({ collection: at("a", "firms").collection });
    const epoch = await declare(store, mail, gone, others);
    const tags = [gone, others, newIndex()].map((index) => tagOf(index, "x"));
    await make(store, first("a", epoch, ...tags, tagOf(mail, "x")), first("b", epoch, ...tags));
    assert.deepEqual([await tagsIn(store, "a"), await tagsIn(store, "b")], [asTexts(tagOf(mail, "x")), []]);
  });

  contract("what a caller does with a tag after the call changes nothing that is kept", async ({ store }) => {
    const mail = newIndex();
    const epoch = await declare(store, mail);
    const bytes = Buffer.alloc(32, 7);
    const tags = [{ index: mail.id, tag: bytes }];
    const made = applyOne(store, first("a", epoch, ...tags));
    bytes.fill(8);
    assert.equal(await made, "made");
    assert.deepEqual(await tagsIn(store, "a"), asTexts({ index: mail.id, tag: Buffer.alloc(32, 7) }));
    (await store.indexes.tagsOf(at("a")))?.[0]?.tag.fill(9);
    assert.deepEqual(await tagsIn(store, "a"), asTexts({ index: mail.id, tag: Buffer.alloc(32, 7) }));
    assert.deepEqual([await tagsIn(store, "nobody"), await foundIn(store, [tagOf(mail, "x")])], [null, []]);
    await make(store, write(at("b"), null, 1, { at: epoch }));
    assert.deepEqual(await tagsIn(store, "b"), []);
  });
}

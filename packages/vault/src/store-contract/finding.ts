/**
 * Part of a store's contract: what is found by tags, page by page.
 */
import assert from "node:assert/strict";
import type { Tag, TagQuery } from "../stores/indexes.ts";
import { at, live, make, PEOPLE, rejects, remove, vaultError, write } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { declare, first, foundIn, newIndex, tagOf, writeTagged } from "./tagging.ts";

export function findContract(contract: Contract): void {
  contract("a record is found that has, of each term, one tag at least", async ({ store, another }) => {
    const [mail, name] = [newIndex(), newIndex({ name: "name", isUnique: true })];
    const now = await declare(store, mail, name);
    const [x, y, z] = ["x", "y", "z"].map((value) => tagOf(mail, value)) as [Tag, Tag, Tag];
    const people: Readonly<Record<string, readonly Tag[]>> = {
      a: [x, tagOf(name, "a")],
      b: [x, y, tagOf(name, "b")],
      c: [y, z],
      d: [tagOf(name, "d")],
      e: [],
    };
    for (const [id, tags] of Object.entries(people)) await make(store, first(id, now, ...tags));
    const other = await another();
    for (const [terms, ids] of [
      [[[x]], "ab"],
      [[[y]], "bc"],
      [[[x, y]], "abc"],
      [[[x], [y]], "b"],
      [[[x, z], [y]], "bc"],
      [[[x], [z]], ""],
      [[[x, x], [x]], "ab"],
      [[[x, tagOf(name, "d")]], "abd"],
      [[[x], [tagOf(name, "a"), tagOf(name, "d")]], "a"],
      [[[x], [y], [tagOf(name, "b")]], "b"],
      [[[tagOf(mail, "a")]], ""],
      [[[tagOf(newIndex(), "x")]], ""],
      [[[x, tagOf(newIndex(), "x")]], "ab"],
      [
        Array.from({ length: 8 }, () => Array.from({ length: 64 }, (_, n) => (n === 63 ? y : tagOf(mail, `${n}`)))),
        "bc",
      ],
    ] as const) {
      assert.deepEqual((await foundIn(other, ...terms)).join(""), ids);
      assert.equal(await other.indexes.count({ collection: PEOPLE, terms }, 100), ids.length);
      assert.equal(await other.indexes.count({ collection: PEOPLE, terms }, 1), Math.min(1, ids.length));
    }
  });

  contract("pages of every size have each once, in one order, and end", async ({ store }) => {
    const [mail, name] = [newIndex(), newIndex({ name: "name" })];
    const now = await declare(store, mail, name);
    const [x, y] = [tagOf(mail, "x"), tagOf(name, "y")];
    const ids = Array.from({ length: 30 }, (_, index) => `id-${(index * 7) % 30}`);
    for (const [index, id] of ids.entries())
      await make(store, first(id, now, x, ...(index % 3 === 0 ? [y] : []), tagOf(name, String(index % 5))));
    const odd = [tagOf(name, "1"), tagOf(name, "3"), tagOf(name, "4")];
    for (const [terms, count] of [
      [[[x]], 30],
      [[[x], [y]], 10],
      [[odd, [x]], 18],
    ] as const) {
      const all = await store.indexes.find({ collection: PEOPLE, terms, after: null, limit: 1000 });
      assert.equal(new Set(all.map(({ id }) => id)).size, count);
      for (const limit of [1, 2, 7, count, 1000]) {
        const found: string[] = [];
        for (let after: Uint8Array | null = null; ;) {
          const page = await store.indexes.find({ collection: PEOPLE, terms, after, limit });
          assert.ok(page.length <= limit && found.length + page.length <= count, `by ${limit}`);
          found.push(...page.map(({ id }) => id));
          after = page.at(-1)?.position ?? null;
          if (after === null) break;
        }
        assert.deepEqual(
          found,
          all.map(({ id }) => id),
          `by ${limit}`,
        );
      }
    }
  });

  contract("a page goes on behind a record that was removed, and has what came since", async ({ store }) => {
    const mail = newIndex();
    const now = await declare(store, mail);
    const x = tagOf(mail, "x");
    for (const id of ["a", "b", "c"]) await make(store, first(id, now, x));
    const query = { collection: PEOPLE, terms: [[x]], after: null, limit: 2 };
    const page = await store.indexes.find(query);
    await make(store, remove(at(page[1]!.id), live(1), 1));
    const rest = await store.indexes.find({ ...query, after: page[1]!.position });
    assert.deepEqual([...page, ...rest].map(({ id }) => id).toSorted(), ["a", "b", "c"]);
    assert.equal(await store.indexes.count(query, 100), 2);
  });

  contract("what is found has its sealed id, and no record of another collection is", async ({ store }) => {
    const firms = at("a", "firms").collection;
    const [mail, other] = [newIndex(), newIndex({ collection: firms })];
    const now = await declare(store, mail, other);
    const sealedId = Buffer.from("sealed");
    await make(store, writeTagged(at("a"), null, 1, { at: now, tags: [tagOf(mail, "x")], sealedId }));
    await make(store, writeTagged(at("b", "firms"), null, 1, { at: now, tags: [tagOf(other, "x")] }));
    const found = await store.indexes.find({
      collection: PEOPLE,
      terms: [[tagOf(mail, "x")]],
      after: null,
      limit: 9,
    });
    assert.deepEqual(
      found.map(({ id, sealedId: sealed }) => [id, Buffer.from(sealed ?? []).toString()]),
      [["a", "sealed"]],
    );
    const terms = [[tagOf(mail, "x"), tagOf(other, "x")]];
    const [firm] = await store.indexes.find({ collection: firms, terms, after: null, limit: 9 });
    assert.deepEqual([firm?.id, firm?.sealedId], ["b", null]);
    assert.equal(await store.indexes.count({ collection: firms, terms }, 9), 1);
  });

  contract("nothing is found by an index that was dropped", async ({ store }) => {
    const [mail, name] = [newIndex({ state: "building" }), newIndex({ name: "name" })];
    const now = await declare(store, mail, name);
    const [x, y] = [tagOf(mail, "x"), tagOf(name, "y")];
    await make(store, first("a", now, x, y));
    assert.deepEqual(await foundIn(store, [x]), ["a"], "while it is built, what has its tags");
    await declare(store, { ...mail, state: "dropped" });
    assert.deepEqual([await foundIn(store, [x]), await foundIn(store, [x], [y])], [[], []]);
    assert.deepEqual(await foundIn(store, [x, y]), ["a"]);
    assert.equal(await store.indexes.count({ collection: PEOPLE, terms: [[x]] }, 9), 0);
  });

  contract("what is no query is refused, and any position is one or is none", async ({ store }) => {
    const mail = newIndex();
    const now = await declare(store, mail);
    const x = tagOf(mail, "x");
    await make(store, first("a", now, x), write(at("b"), null, 1, { at: now }));
    const good: TagQuery = { collection: PEOPLE, terms: [[x]], after: null, limit: 9 };
    const odd: readonly Partial<Record<keyof TagQuery, unknown>>[] = [
      { collection: "People" },
      { terms: [] },
      { terms: [[]] },
      { terms: [[x], []] },
      { terms: Array.from({ length: 9 }, () => [x]) },
      { terms: [Array.from({ length: 65 }, () => x)] },
      { terms: [[{ index: mail.id, tag: Buffer.alloc(7) }]] },
      { terms: [[{ index: "email", tag: Buffer.alloc(32) }]] },
      { limit: 0 },
      { limit: 1001 },
      { limit: 1.5 },
    ];
    for (const more of odd)
      await rejects("store-failed", () => store.indexes.find({ ...good, ...more } as TagQuery)).catch(
        (error: unknown) => assert.fail(`${JSON.stringify(more).slice(0, 100)}: ${String(error)}`),
      );
    await rejects("store-failed", () => store.indexes.count({ ...good, terms: [] }, 9));
    await rejects("store-failed", () => store.indexes.count(good, -1));
    for (const after of [Buffer.alloc(0), Buffer.from([0xff]), Buffer.alloc(8, 0xff), Buffer.alloc(1000, "a")])
      try {
        const found = await store.indexes.find({ ...good, after });
        assert.ok(found.length <= 1);
      } catch (error) {
        assert.equal(vaultError(error).code, "cursor-invalid");
      }
    assert.deepEqual(await foundIn(store, [x]), ["a"]);
  });
}

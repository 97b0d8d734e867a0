/**
 * Part of a store's contract: a collection is listed in the order of its ids' bytes, page by page, and counted.
 */
import assert from "node:assert/strict";
import { parseCollection } from "../records/address.ts";
import { at, day, listed, live, make, PEOPLE, remove, removed, rewrapOf, write, turn } from "./changes.ts";
import type { Contract, Given } from "./contract.ts";

/** In the order of their UTF-8, which for the last two is not that of UTF-16, nor any language's. */
const IDS = ["%", "A", "Z", "_", "a", "a b", "ab", "b", "z", "é", "日本", "\uffee", "\u{10000}", "\u{1f511}"];

export function listsContract(contract: Contract): void {
  contract("a list has the records in the order of their ids' bytes, also beyond the BMP", async ({ store }) => {
    for (const id of IDS.toReversed()) await make(store, write(at(id), null, 1, { createdAt: day(5) }));
    await make(store, write(at("other", "pets"), null, 1));
    assert.deepEqual(
      listed(await store.records.list(PEOPLE, { after: null, limit: 100 })),
      IDS.map((id) => ({ id, head: live(1), newestRow: 1, updatedAt: day(5) })),
    );
    for (const [index, id] of IDS.entries())
      assert.deepEqual(await idsOf(store, Buffer.from(id), 2), IDS.slice(index + 1, index + 3), `behind ${id}`);
    assert.deepEqual(await idsOf(store, Buffer.from("ac"), 1), ["b"], "a place need not be there");
    assert.deepEqual(await idsOf(store, Buffer.from([0xff]), 5), []);
    assert.deepEqual(await idsOf(store, Buffer.alloc(0), 1), [IDS[0]]);
  });

  contract("pages of every size have each record once, and end", async ({ store }) => {
    for (const id of IDS) await make(store, write(at(id), null, 1));
    await make(store, remove(at("b"), live(1), 1), remove(at("\u{1f511}"), live(1), 1));
    const expected = IDS.filter((id) => id !== "b" && id !== "\u{1f511}");
    for (let limit = 1; limit <= expected.length + 1; limit++) {
      const found: string[] = [];
      let after: Uint8Array | null = null;
      for (let pages = 0; ; pages++) {
        assert.ok(pages <= expected.length, "it ends");
        const page: Awaited<ReturnType<typeof store.records.list>> = await store.records.list(PEOPLE, { after, limit });
        assert.ok(page !== null && page.length <= limit);
        found.push(...page.map(({ id }) => id));
        if (page.length < limit) break;
        after = page.at(-1)!.position;
      }
      assert.deepEqual(found, expected, `pages of ${limit}`);
    }
  });

  contract("a list says when the newest version was written, whatever became of the others", async ({ store }) => {
    await make(
      store,
      write(at("a"), null, 1, { createdAt: day(9) }),
      write(at("a"), live(1), 2, { createdAt: day(3) }),
    );
    await store.inventory.rewrap(await rewrapOf(store, "a", 2));
    assert.deepEqual(listed(await store.records.list(PEOPLE, { after: null, limit: 5 })), [
      { id: "a", head: live(2), newestRow: 2, updatedAt: day(3) },
    ]);
  });

  contract("collections are counted, also when all their records are gone", async ({ store, another }) => {
    const other = await another();
    await make(store, write(at("a"), null, 1), write(at("a"), live(1), 2), write(at("b"), null, 1));
    await make(store, write(at("x", "pets"), null, 1), remove(at("x", "pets"), live(1), 1));
    const found = await other.records.collections();
    assert.deepEqual(
      found.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      [
        { name: "people", records: 2 },
        { name: "pets", records: 0 },
      ],
    );
    assert.deepEqual(await other.records.list(parseCollection("pets"), { after: null, limit: 5 }), []);
    assert.equal(await other.records.list(parseCollection("absent"), { after: null, limit: 5 }), null);
    await make(store, write(at("x", "pets"), removed(1), 2));
    assert.equal((await other.records.list(parseCollection("pets"), { after: null, limit: 5 }))?.length, 1);
  });
}

/** For stores whose lists are `strong`. */
export function strongListsContract(contract: Contract): void {
  contract(
    "a list has what another store wrote a moment ago, and nothing that it removed",
    async ({ store, another }) => {
      const other = await another();
      for (let number = 1; number <= 20; number++) {
        const id = `id-${number}`;
        await make(other, write(at(id), null, 1));
        assert.deepEqual(await idsOf(store, null, 10), [id]);
        await make(other, remove(at(id), live(1), 1));
        assert.deepEqual(await idsOf(store, null, 10), []);
      }
    },
  );

  contract("who pages through while others write finds each record that stays once", async ({ store, another }) => {
    const other = await another();
    const staying = Array.from({ length: 40 }, (_, index) => `stays-${String(index).padStart(2, "0")}`);
    for (const id of staying) await make(store, write(at(id), null, 1));
    let isOver = false;
    const writer = async (): Promise<void> => {
      for (let number = 0; !isOver; number++) {
        await turn();
        const id = `stays-${String(number % 40).padStart(2, "0")}-not-${number}`;
        await make(other, write(at(id), null, 1), remove(at(id), live(1), 1));
      }
    };
    const reader = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        const found: string[] = [];
        for (let after: Uint8Array | null = null; ;) {
          const page: Awaited<ReturnType<typeof store.records.list>> = await store.records.list(PEOPLE, {
            after,
            limit: 3,
          });
          found.push(...(page ?? []).map(({ id }) => id));
          if (page === null || page.length === 0) break;
          after = page.at(-1)!.position;
        }
        assert.deepEqual(
          found.filter((id) => staying.includes(id)),
          staying,
        );
      }
    };
    await Promise.all([writer(), reader().finally(() => (isOver = true))]);
  });
}

async function idsOf(
  store: Given["store"],
  after: Uint8Array | null,
  limit: number,
): Promise<readonly string[] | undefined> {
  return (await store.records.list(PEOPLE, { after, limit }))?.map(({ id }) => id);
}

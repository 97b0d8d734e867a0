/**
 * Part of a store's contract: the inventory counts, proves and finds by wrap set, and a rewrap replaces what was read
 * and nothing else.
 */
import assert from "node:assert/strict";
import { bucketOf } from "../stores/bucket.ts";
import { BUCKETS } from "../stores/inventory.ts";
import type { Inventory, InventoryItem, InventoryPage } from "../stores/inventory.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import { applyOne, at, day, idOf, inventoryOf, large, leaseOf, live, make, messageOf, numbersOf } from "./changes.ts";
import { place, remove, removed, rewrapOf, sorted, stampOf, wrapSet, write } from "./changes.ts";
import type { Contract } from "./contract.ts";

const NONE = 987_654_321 as WrapSetId;

export function inventoryContract(contract: Contract): void {
  contract(
    "the same set is one, in whatever order its members come, and in every store",
    async ({ store, another }) => {
      const other = await another();
      const sets = [
        wrapSet(["key-1", "key-2"], ["key-3", "key-4"]),
        wrapSet(["key-1", "key-2", "key-3"], ["key-4"]),
        { ...wrapSet(["key-1"]), target: 2 },
        { ...wrapSet(["key-1"]), target: 1 },
        { wraps: [{ provider: "aws-kms", key: "key-1", material: "m" }], target: 1, missing: [] },
        { wraps: [], target: 0, missing: [] },
      ];
      for (const [index, set] of sets.entries()) {
        await make(store, write(at(`a-${index}`), null, 1, { wrapSet: set }));
        const turned = { ...set, wraps: set.wraps.toReversed(), missing: set.missing.toReversed() };
        await make(other, write(at(`b-${index}`), null, 1, { wrapSet: turned }));
      }
      const known = await other.inventory.sets();
      assert.equal(new Set(known.map(({ id }) => id)).size, sets.length);
      assert.deepEqual(
        known.map(({ set }) => JSON.stringify(set === null ? null : sorted(set))).sort(),
        sets.map((set) => JSON.stringify(sorted(set))).sort(),
      );
      for (const { id } of known) assert.equal((await store.inventory.counts([id], 10))[0]?.items, 2);
    },
  );

  contract("versions are counted by set up to a limit, with since when the first has it", async ({ store }) => {
    const [owing, whole] = [wrapSet(["key-1"], ["key-2"]), wrapSet()];
    await make(store, write(at("a"), null, 1, { wrapSet: owing, createdAt: day(9) }));
    await make(store, write(at("a"), live(1), 2, { wrapSet: owing, createdAt: day(4) }));
    await make(store, write(at("b"), null, 1, { wrapSet: whole, createdAt: day(2) }));
    const [first, second] = [await idOf(store, owing), await idOf(store, whole)];
    assert.deepEqual(await store.inventory.counts([second, NONE, first], 100), [
      { id: second, items: 1, oldest: day(2) },
      { id: NONE, items: 0, oldest: null },
      { id: first, items: 2, oldest: day(4) },
    ]);
    assert.equal((await store.inventory.counts([first], 1))[0]?.items, 1);
    assert.equal(await store.inventory.any([NONE, first]), true);
    assert.equal(await store.inventory.any([NONE]), false);
    await make(store, remove(at("a"), live(2), 2));
    assert.equal(await store.inventory.any([first]), false);
    assert.deepEqual(await store.inventory.counts([first], 9), [{ id: first, items: 0, oldest: null }]);
    assert.equal(await idOf(store, owing), first, "the set is still known");
  });

  contract("pages of every size and share have each version once, in one order", async ({ store }) => {
    const sets = [wrapSet(["key-1"], ["key-2"]), wrapSet(["key-2"], ["key-1"]), wrapSet()];
    for (let number = 0; number < 24; number++) {
      const id = number % 5 === 0 ? `\u{1f511} ${number}` : `id-${number}`;
      const own = { wrapSet: sets[number % 3]!, createdAt: day((number * 7) % 25) };
      await make(store, write(at(id), null, 1, own), write(at(id), live(1), 2, own));
    }
    const ids = await Promise.all(sets.slice(0, 2).map((set) => idOf(store, set)));
    const all = await store.inventory.list({ sets: ids, after: null, limit: 1000 });
    assert.equal(all.length, 32);
    assert.equal(new Set(all.map(nameOf)).size, 32);
    for (const item of all) {
      assert.ok(item.place !== null && item.position.length <= 2048);
      assert.deepEqual([item.place.collection, item.place.id], [item.collection, item.id]);
    }
    assertOrder(all);
    for (const limit of [1, 2, 7, 31, 32, 33])
      assert.deepEqual((await paged(store, { sets: ids, limit })).map(nameOf), all.map(nameOf), `pages of ${limit}`);
    const shares: InventoryItem[] = [];
    const cut = bucketOf(at(all[16]!.id));
    for (const [from, to] of [
      [0, cut],
      [cut, cut + 1],
      [cut + 1, cut + 1],
      [cut + 1, BUCKETS],
    ] as const) {
      const share = await paged(store, { sets: ids, limit: 3, buckets: { from, to } });
      for (const item of share) {
        const bucket = bucketOf(at(item.id));
        assert.ok(bucket >= from && bucket < to);
      }
      shares.push(...share);
    }
    assert.deepEqual(shares.map(nameOf).sort(), all.map(nameOf).sort());
  });

  contract("a position is short whatever is stored, and behind the last there is nothing", async ({ store }) => {
    const long = at("\u{1f511}".repeat(64), `p${"_".repeat(62)}`);
    await make(store, write(long, null, 1, { wrapSet: wrapSet([`key-${"x".repeat(3000)}`]) }));
    const [item] = await inventoryOf(store);
    assert.ok(item !== undefined && item.position.length <= 2048);
    assert.deepEqual(item.place, { ...long, version: 1 });
    assert.deepEqual(await store.inventory.list({ sets: [item.wrapSet], after: item.position, limit: 9 }), []);
  });

  contract("a rewrap replaces the message and its set; everything else of the version stays", async ({ store }) => {
    const owing = wrapSet(["key-1"], ["key-2"]);
    await make(store, write(at("a"), null, 1, { wrapSet: owing, createdAt: day(3) }));
    await make(store, write(at("a"), live(1), 2, { wrapSet: owing }));
    const message = large();
    const change = await rewrapOf(store, "a", 1, { message });
    assert.deepEqual(await store.inventory.rewrap(change), { kind: "made" });
    const { head, newestRow, stored } = await store.records.read(at("a"), place("a", 1).version);
    assert.deepEqual([head, newestRow], [live(2), 2]);
    assert.ok(stored !== null && Buffer.from(stored.message).equals(message));
    assert.deepEqual([stored.subject, stored.createdAt], ["subject", day(3)]);
    assert.deepEqual(stored.wraps, { stored: 3, target: 3 });
    assert.equal(stored.stamp.wrapSet, await idOf(store, change.wrapSet));
    assert.deepEqual(
      await store.inventory.rewrap(change),
      { kind: "overtaken" },
      "what it names is not there any more",
    );
    const set = await idOf(store, change.wrapSet);
    const items = await store.inventory.list({ sets: [set], after: null, limit: 9 });
    assert.deepEqual(
      items.map(({ place: found, since }) => [found, since]),
      [[place("a", 1), day(27)]],
    );
    assert.equal((await messageOf(store, "a"))?.toString(), "message 2");
    assert.equal((await store.inventory.counts([await idOf(store, owing)], 9))[0]?.items, 1);
  });

  contract("a rewrap to the same set is told from what was read before it", async ({ store }) => {
    await make(store, write(at("a"), null, 1));
    const [one, two] = [
      await rewrapOf(store, "a", 1, { wrapSet: wrapSet(), message: Buffer.from("one") }),
      await rewrapOf(store, "a", 1, { wrapSet: wrapSet(), message: Buffer.from("two") }),
    ];
    assert.deepEqual(await store.inventory.rewrap(one), { kind: "made" });
    assert.deepEqual(await store.inventory.rewrap(two), { kind: "overtaken" });
    assert.equal((await messageOf(store, "a"))?.toString(), "one");
  });

  contract("a rewrap without a message corrects the account and leaves the message", async ({ store }) => {
    await make(store, write(at("a"), null, 1, { wrapSet: wrapSet(["key-1"], ["key-2"]), message: large() }));
    const before = await messageOf(store, "a");
    const set = wrapSet(["key-1"]);
    assert.deepEqual(await store.inventory.rewrap(await rewrapOf(store, "a", 1, { message: null, wrapSet: set })), {
      kind: "made",
    });
    assert.ok((await messageOf(store, "a"))?.equals(before!));
    const { stored } = await store.records.read(at("a"), null);
    assert.deepEqual(stored?.wraps, { stored: 1, target: 1 });
    assert.equal((await inventoryOf(store))[0]?.wrapSet, await idOf(store, set));
  });

  contract("a rewrap of what is another version by now, or gone, changes nothing", async ({ store }) => {
    await make(store, write(at("a"), null, 1));
    const change = await rewrapOf(store, "a", 1);
    const wrong = [
      { ...change, seen: { ...change.seen, wrapSet: NONE } },
      { ...change, seen: { ...change.seen, revision: change.seen.revision + 1 } },
      { ...change, place: place("a", 2) },
      { ...change, place: place("b", 1) },
      { ...change, place: place("a", 1, "pets") },
    ];
    for (const one of wrong) assert.deepEqual(await store.inventory.rewrap(one), { kind: "overtaken" });
    await make(store, remove(at("a"), live(1), 1));
    assert.deepEqual(await store.inventory.rewrap(change), { kind: "overtaken" });
    await make(store, write(at("a"), removed(1), 2));
    assert.deepEqual(
      await store.inventory.rewrap(change),
      { kind: "overtaken" },
      "a removed version does not come back",
    );
    assert.deepEqual(await numbersOf(store, "a"), [2]);
    assert.equal((await inventoryOf(store)).length, 1);
  });

  contract(
    "of many rewraps of one version exactly one is made, also between stores",
    async ({ store, another, rounds }) => {
      const stores = [store, await another()];
      await make(store, write(at("a"), null, 1));
      for (let round = 0; round < 5 * rounds; round++) {
        const change = await rewrapOf(store, "a", 1);
        const results = await Promise.all(
          Array.from({ length: 16 }, (_, index) =>
            stores[index % 2]!.inventory.rewrap({ ...change, message: Buffer.from(`by ${index}`) }),
          ),
        );
        const made = results.flatMap(({ kind }, index) => (kind === "made" ? [index] : []));
        assert.equal(made.length, 1);
        assert.equal((await messageOf(store, "a"))?.toString(), `by ${made[0]}`);
      }
    },
  );

  contract("a removal and rewraps that meet leave nothing of the record", async ({ store, another, rounds }) => {
    const other = await another();
    for (let round = 0; round < 10 * rounds; round++) {
      const id = `id-${round}`;
      await make(store, write(at(id), null, 1));
      const change = await rewrapOf(store, id, 1, { message: large() });
      const [kind] = await Promise.all([applyOne(store, remove(at(id), live(1), 1)), other.inventory.rewrap(change)]);
      assert.equal(kind, "made");
    }
    assert.deepEqual(await inventoryOf(store), []);
  });
}

export function failuresContract(contract: Contract): void {
  contract(
    "why a repair failed is kept with its version, and it is not due for a while",
    async ({ store, storage }) => {
      await make(store, write(at("a"), null, 1), write(at("b"), null, 1));
      const lease = await leaseOf(store);
      const [set] = (await store.inventory.sets()).map(({ id }) => id);
      const page = { sets: [set!], after: null, limit: 9 };
      const due = async (): Promise<readonly string[]> =>
        (await store.inventory.list({ ...page, due: true })).map(({ id }) => id).toSorted();
      await store.inventory.fail(lease, place("a", 1), { code: "regions-unavailable", at: day(5), waitMs: 10_000 });
      await store.inventory.fail(lease, place("a", 1), { code: "record-tampered", at: day(6), waitMs: 20_000 });
      await store.inventory.fail(lease, place("a", 9), { code: "record-tampered", at: day(6), waitMs: 20_000 });
      const found = (await store.inventory.list(page)).map(({ id, failure }) => [id, failure]);
      assert.deepEqual(Object.fromEntries(found), {
        a: { attempts: 2, code: "record-tampered", at: day(6) },
        b: null,
      });
      assert.deepEqual(await due(), ["b"]);
      await storage.passTime(15_000);
      assert.deepEqual(await due(), ["b"], "the last failure says how long");
      await storage.passTime(6000);
      assert.deepEqual(await due(), ["a", "b"]);
      await store.inventory.rewrap(await rewrapOf(store, "a", 1, { lease, wrapSet: wrapSet() }));
      assert.deepEqual(
        (await inventoryOf(store)).map(({ failure }) => failure),
        [null, null],
        "what is made is forgotten",
      );
    },
  );

  contract("what failed is found by itself, by pages, whatever set it has", async ({ store, another }) => {
    const ids = Array.from({ length: 5 }, (_, index) => `r-${index}`);
    for (const [index, id] of ids.entries())
      await make(store, write(at(id), null, 1, { wrapSet: wrapSet([`key-${index % 2}`]) }));
    const lease = await leaseOf(store);
    const found = async (limit: number): Promise<readonly unknown[]> => {
      const other = await another();
      const all: unknown[] = [];
      for (let after: string | null = null; ;) {
        const page: readonly InventoryItem[] = await other.inventory.failed({ after, limit });
        all.push(...page.map(({ id, failure, place: own }) => [id, failure?.code, own?.version]));
        if (page.length < limit) return all.sort();
        after = page.at(-1)?.position ?? null;
      }
    };
    assert.deepEqual(await found(2), []);
    for (const id of ids.slice(1))
      await store.inventory.fail(lease, place(id, 1), { code: `code-${id}`, at: day(5), waitMs: 1_000_000 });
    const failed = ids.slice(1).map((id) => [id, `code-${id}`, 1]);
    for (const limit of [1, 2, 4, 9]) assert.deepEqual(await found(limit), failed);
    await store.inventory.rewrap(await rewrapOf(store, "r-1", 1, { lease, wrapSet: wrapSet() }));
    await make(store, remove(at("r-2"), live(1), 1));
    assert.deepEqual(await found(9), failed.slice(2));
    await assert.rejects(store.inventory.failed({ after: "'; --", limit: 9 }), { code: "cursor-invalid" });
  });

  contract("with its record a failure goes", async ({ store }) => {
    await make(store, write(at("a"), null, 1));
    const lease = await leaseOf(store);
    await store.inventory.fail(lease, place("a", 1), { code: "record-tampered", at: day(5), waitMs: 1_000_000 });
    await make(store, remove(at("a"), live(1), 1), write(at("a"), removed(1), 2));
    assert.deepEqual(
      (await inventoryOf(store)).map(({ failure }) => failure),
      [null],
    );
    await store.inventory.fail(lease, place("a", 1), { code: "record-tampered", at: day(5), waitMs: 0 });
    assert.deepEqual(
      (await inventoryOf(store)).map(({ failure, place: found }) => [failure, found]),
      [[null, place("a", 2)]],
    );
  });

  contract("nobody whose lease is another's rewraps or notes a failure", async ({ store, storage, another }) => {
    const other = await another();
    await make(store, write(at("a"), null, 1));
    const stale = await leaseOf(store, "all", 1000);
    const change = await rewrapOf(store, "a", 1, { lease: stale });
    const failure = { code: "record-tampered", at: day(5), waitMs: 1_000_000 };
    await storage.passTime(2000);
    const lease = await leaseOf(other);
    for (const wrong of [
      stale,
      { ...lease, fence: lease.fence + 1 },
      { ...lease, partition: "none" },
      { ...lease, job: "x" },
    ]) {
      assert.deepEqual(await store.inventory.rewrap({ ...change, lease: wrong }), { kind: "overtaken" });
      await store.inventory.fail(wrong, place("a", 1), failure);
    }
    assert.deepEqual(await stampOf(store, "a", 1), change.seen);
    assert.deepEqual((await inventoryOf(store))[0]?.failure, null);
    await other.jobs.finish(lease, { cursor: null, done: 0, failed: 0, problem: null }, 0);
    assert.deepEqual(await store.inventory.rewrap({ ...change, lease }), { kind: "overtaken" }, "it was given back");
    assert.deepEqual(await store.inventory.rewrap({ ...change, lease: null }), { kind: "made" });
  });

  contract("a lease that ran out and that nobody took is still its holder's", async ({ store, storage }) => {
    await make(store, write(at("a"), null, 1));
    const lease = await leaseOf(store, "all", 1000);
    await storage.passTime(2000);
    assert.deepEqual(await store.inventory.rewrap(await rewrapOf(store, "a", 1, { lease })), { kind: "made" });
  });
}

/** Which of them it is. */
export const nameOf = ({ collection, id, place: found }: InventoryItem<AnyPlace>): string =>
  `${collection}/${id}/${found?.version}`;

interface AnyPlace {
  readonly version: number | string;
}

/** By set, bucket and since: whatever the order of the sets is, each comes once. */
export function assertOrder(items: readonly InventoryItem<unknown>[]): void {
  for (const [index, item] of items.entries()) {
    const before = items[index - 1];
    if (before === undefined) continue;
    if (before.wrapSet !== item.wrapSet) {
      assert.ok(
        items.slice(index).every(({ wrapSet: set }) => set !== before.wrapSet),
        "sets one after the other",
      );
      continue;
    }
    const [left, right] = [bucketOf(before), bucketOf(item)];
    assert.ok(left <= right, "buckets in their order");
    if (left === right) assert.ok(before.since! <= item.since!, "the first one first");
  }
}

/** All of them, page by page. */
export async function paged<Place>(
  { inventory }: { readonly inventory: Pick<Inventory<Place, never>, "list"> },
  page: Omit<InventoryPage, "after">,
): Promise<readonly InventoryItem<Place>[]> {
  const found: InventoryItem<Place>[] = [];
  for (let after: string | null = null; ;) {
    const items = await inventory.list({ ...page, after });
    assert.ok(items.length <= page.limit && found.length <= 1000);
    found.push(...items);
    const last: InventoryItem<Place> | undefined = items.at(-1);
    if (last === undefined) return found;
    after = last.position;
  }
}

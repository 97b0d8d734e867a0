/**
 * Part of a store's contract: what a rewrap replaced is kept where it was asked for, is found by its wraps, and goes
 * with its version.
 */
import assert from "node:assert/strict";
import { bucketOf } from "../stores/bucket.ts";
import type { KeptItem } from "../stores/kept.ts";
import type { Rewrap } from "../stores/inventory.ts";
import type { Store } from "../stores/store.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import { applyOne, at, day, idOf, inventoryOf, large, leaseOf, live, make, messageOf, place } from "./changes.ts";
import { rejects, remove, removed, rewrapOf, wrapSet, write } from "./changes.ts";
import type { Contract } from "./contract.ts";

const NONE = 987_654_321 as WrapSetId;
const OLD = wrapSet(["old-1", "old-2"]);

export function keptContract(contract: Contract): void {
  contract("nothing is kept of what nobody asked to keep", async ({ store }) => {
    await make(store, write(at("a"), null, 1, { wrapSet: OLD }));
    await sealAnew(store, "a", 1, {}, false);
    await sealAnew(store, "a", 1, { message: null });
    assert.deepEqual(await keptOf(store), []);
    assert.deepEqual(await store.kept.counts(9), []);
    assert.equal(await store.kept.any(await setsOf(store)), false);
    assert.ok((await store.kept.read(place("a", 1))) === null);
  });

  contract("a message that a rewrap keeps is there byte for byte, under the set it had", async (given) => {
    const { store, another } = given;
    const other = await another();
    const message = large();
    await make(store, write(at("a"), null, 1, { wrapSet: OLD, message }));
    await make(store, write(at("a"), live(1), 2, { wrapSet: OLD }));
    await sealAnew(store, "a", 1, { message: Buffer.from("new") });
    const set = await idOf(store, OLD);
    const kept = await other.kept.read(place("a", 1));
    assert.ok(kept !== null && Buffer.from(kept.message).equals(message));
    assert.equal(kept.wrapSet, set);
    assert.equal((await messageOf(store, "a", 1))?.toString(), "new");
    assert.ok((await other.kept.read(place("a", 2))) === null, "another version's");
    assert.deepEqual(shown(await keptOf(other)), [[place("a", 1), set]]);
    assert.deepEqual(await other.kept.counts(9), [{ id: set, items: 1 }]);
    assert.deepEqual([await other.kept.any([NONE]), await other.kept.any([NONE, set])], [false, true]);
    assert.deepEqual(
      await other.inventory.counts([set], 9),
      [{ id: set, items: 1, oldest: day(2) }],
      "only versions are counted with versions",
    );
  });

  contract("the second message that a rewrap keeps is not kept: the oldest stays", async ({ store }) => {
    await make(store, write(at("a"), null, 1, { wrapSet: OLD, message: Buffer.from("oldest") }));
    await sealAnew(store, "a", 1, { wrapSet: wrapSet(["next"]), message: Buffer.from("second") });
    await sealAnew(store, "a", 1, { message: Buffer.from("third") });
    await sealAnew(store, "a", 1, { message: Buffer.from("fourth") }, false);
    const kept = await store.kept.read(place("a", 1));
    assert.deepEqual([kept && Buffer.from(kept.message).toString(), kept?.wrapSet], ["oldest", await idOf(store, OLD)]);
    assert.equal((await messageOf(store, "a"))?.toString(), "fourth");
    assert.equal((await keptOf(store)).length, 1);
  });

  contract("a rewrap that is not made keeps nothing", async ({ store, another }) => {
    await make(store, write(at("a"), null, 1, { wrapSet: OLD }));
    const change = await keeping(store, "a", 1);
    const lease = await leaseOf(store);
    for (const wrong of [
      { ...change, seen: { ...change.seen, revision: change.seen.revision + 1 } },
      { ...change, lease: { ...lease, fence: lease.fence + 1 } },
      { ...change, place: place("a", 2) },
    ])
      assert.deepEqual(await store.inventory.rewrap(wrong), { kind: "overtaken" });
    await (await another()).gate.flip({ from: change.epoch, digest: "second" });
    assert.deepEqual(await store.inventory.rewrap(change), { kind: "gate-moved", epoch: 2 });
    assert.deepEqual(await keptOf(store), []);
  });

  contract("what is kept goes with its version, also when a new one has its number's place", async ({ store }) => {
    for (const id of ["a", "b"]) {
      await make(store, write(at(id), null, 1, { wrapSet: OLD }), write(at(id), live(1), 2, { wrapSet: OLD }));
      for (const version of [1, 2]) await sealAnew(store, id, version);
    }
    await make(store, remove(at("a"), live(2), 2));
    assert.ok((await store.kept.read(place("a", 1))) === null);
    assert.deepEqual(await idsOf(store), ["b", "b"]);
    await make(store, write(at("a"), removed(2), 3, { wrapSet: OLD }));
    assert.deepEqual(await idsOf(store), ["b", "b"]);
    await make(store, remove(at("b"), live(2), 2));
    assert.deepEqual(await store.kept.counts(9), []);
    assert.equal(await store.kept.any(await setsOf(store)), false);
  });

  contract("a removal, rewraps that keep and what puts back that meet leave nothing of the record", async (given) => {
    const { store, another, rounds } = given;
    const other = await another();
    for (let round = 0; round < 8 * rounds; round++) {
      const id = `id-${round}`;
      await make(store, write(at(id), null, 1, { wrapSet: OLD }));
      if (round % 2 === 0) await sealAnew(store, id, 1);
      const change = await keeping(store, id, 1, { message: large() });
      const [kind] = await Promise.all([
        applyOne(store, remove(at(id), live(1), 1)),
        round % 2 === 0 ? other.kept.restore(restoreOf(change)) : other.inventory.rewrap(change),
      ]);
      assert.equal(kind, "made");
    }
    assert.deepEqual([await keptOf(store), await inventoryOf(store)], [[], []]);
  });

  contract("kept messages are counted by set, up to a limit for each", async ({ store }) => {
    const other = wrapSet(["other"]);
    for (const [id, set] of [
      ["a", OLD],
      ["b", OLD],
      ["c", OLD],
      ["d", other],
    ] as const) {
      await make(store, write(at(id), null, 1, { wrapSet: set }));
      await sealAnew(store, id, 1);
    }
    const [first, second] = [await idOf(store, OLD), await idOf(store, other)];
    const counted = async (atMost: number): Promise<ReadonlyMap<number, number>> =>
      new Map((await store.kept.counts(atMost)).map(({ id, items }) => [id, items]));
    assert.deepEqual(
      await counted(99),
      new Map([
        [first, 3],
        [second, 1],
      ]),
    );
    assert.deepEqual(
      await counted(2),
      new Map([
        [first, 2],
        [second, 1],
      ]),
    );
    assert.equal(
      (await store.inventory.counts([first, second], 9)).reduce((sum, { items }) => sum + items, 0),
      0,
    );
    assert.ok(
      (await store.inventory.sets()).some(({ id }) => id === first),
      "the set is still known",
    );
  });

  contract("pages of every size and share have each kept message once, in one order", async ({ store }) => {
    for (let number = 0; number < 12; number++) {
      const [id, set] = [number % 5 === 0 ? `\u{1f511} ${number}` : `id-${number}`, wrapSet([`old-${number % 3}`])];
      await make(store, write(at(id), null, 1, { wrapSet: set }), write(at(id), live(1), 2, { wrapSet: set }));
      await sealAnew(store, id, 1);
      await sealAnew(store, id, 2);
    }
    const long = at("\u{1f511}".repeat(64), `p${"_".repeat(62)}`);
    await make(store, write(long, null, 1, { wrapSet: OLD }));
    const { stored } = await store.records.read(long, null);
    const longest = { ...(await keeping(store, "id-1", 1)), place: { ...long, version: stored!.version } };
    assert.deepEqual(await store.inventory.rewrap({ ...longest, seen: stored!.stamp }), { kind: "made" });
    const all = await keptOf(store);
    assert.equal(new Set(all.map(nameOf)).size, 25);
    const buckets = all.map(({ place: found }) => bucketOf(found!));
    assert.deepEqual(
      buckets,
      buckets.toSorted((a, b) => a - b),
    );
    assert.ok(all.every(({ position }) => position.length <= 2048));
    for (const limit of [1, 2, 24, 25, 26])
      assert.deepEqual((await paged(store, limit)).map(nameOf), all.map(nameOf), `pages of ${limit}`);
    const cut = buckets[11]!;
    const shares: KeptItem[] = [];
    for (const [from, to] of [
      [0, cut],
      [cut, cut + 1],
      [cut + 1, cut + 1],
      [cut + 1, 256],
    ] as const) {
      const share = await paged(store, 2, { from, to });
      for (const { place: found } of share) assert.ok(bucketOf(found!) >= from && bucketOf(found!) < to);
      shares.push(...share);
    }
    assert.deepEqual(shares.map(nameOf).sort(), all.map(nameOf).sort());
  });

  contract("a position that is none is refused as a cursor, also of kept messages", async ({ store }) => {
    await make(store, write(at("a"), null, 1));
    await sealAnew(store, "a", 1);
    const [item] = await keptOf(store);
    for (const after of ["", "x", "null", "[]", "[1,2,3]", "\u0000", "x".repeat(5000), `${item!.position}x`])
      await rejects("cursor-invalid", () => store.kept.list({ after, limit: 9 }));
  });
}

export function keptChangesContract(contract: Contract): void {
  contract("what is put back is the version's message again, byte for byte, and is kept no more", async (given) => {
    const { store, another } = given;
    const other = await another();
    const message = large();
    await make(store, write(at("a"), null, 1, { wrapSet: OLD, message, createdAt: day(3) }));
    const before = await store.records.read(at("a"), null);
    await sealAnew(store, "a", 1);
    const change = restoreOf(await keeping(store, "a", 1, { lease: await leaseOf(store) }));
    assert.deepEqual(await other.kept.restore(change), { kind: "made" });
    const { stored, ...rows } = await store.records.read(at("a"), null);
    assert.ok(stored !== null && before.stored !== null && Buffer.from(stored.message).equals(message));
    const { stamp } = stored;
    const { stamp: first } = before.stored;
    const columns = { stamp, message: null };
    assert.deepEqual(
      [{ ...stored, ...columns }, rows.head],
      [{ ...before.stored, ...columns }, before.head],
      "its wraps are counted as they were",
    );
    assert.equal(stamp.wrapSet, first.wrapSet);
    assert.ok(stamp.revision > change.seen.revision, "another message than both before it");
    assert.ok((await store.kept.read(place("a", 1))) === null);
    assert.deepEqual(await keptOf(store), []);
    assert.deepEqual(
      (await inventoryOf(store)).map(({ wrapSet: set, since }) => [set, since]),
      [[first.wrapSet, day(26)]],
    );
    assert.deepEqual(await other.kept.restore(change), { kind: "overtaken" });
    assert.deepEqual(await other.kept.restore({ ...change, seen: stamp }), { kind: "overtaken" }, "nothing is kept");
  });

  contract("what is another version by now, or gone, or of another epoch gets nothing back", async (given) => {
    const { store, another } = given;
    await make(store, write(at("a"), null, 1, { wrapSet: OLD }));
    await sealAnew(store, "a", 1);
    const change = restoreOf(await keeping(store, "a", 1));
    await sealAnew(store, "a", 1, { message: Buffer.from("later") });
    assert.deepEqual(await store.kept.restore(change), { kind: "overtaken" }, "another rewrap was before it");
    const seen = (await keeping(store, "a", 1)).seen;
    const lease = await leaseOf(store);
    for (const wrong of [
      { ...change, seen: { ...seen, wrapSet: NONE } },
      { ...change, seen, place: place("a", 2) },
      { ...change, seen, place: place("b", 1) },
      { ...change, seen, lease: { ...lease, fence: lease.fence + 1 } },
      { ...change, seen, lease: { ...lease, partition: "none" } },
    ])
      assert.deepEqual(await store.kept.restore(wrong), { kind: "overtaken" });
    await (await another()).gate.flip({ from: change.epoch, digest: "second" });
    assert.deepEqual(await store.kept.restore({ ...change, seen }), { kind: "gate-moved", epoch: 2 });
    assert.equal((await messageOf(store, "a"))?.toString(), "later");
    assert.ok((await store.kept.read(place("a", 1))) !== null);
    await rejects("store-failed", () => store.kept.restore({ ...change, at: "yesterday" }));
  });

  contract("of many that put back one message exactly one does", async ({ store, another, rounds }) => {
    const stores = [store, await another()];
    await make(store, write(at("a"), null, 1, { wrapSet: OLD, message: Buffer.from("old") }));
    for (let round = 0; round < 5 * rounds; round++) {
      await sealAnew(store, "a", 1);
      const change = restoreOf(await keeping(store, "a", 1));
      const results = await Promise.all(Array.from({ length: 12 }, (_, i) => stores[i % 2]!.kept.restore(change)));
      assert.equal(results.filter(({ kind }) => kind === "made").length, 1);
      assert.equal((await messageOf(store, "a"))?.toString(), "old");
      assert.deepEqual(await keptOf(store), []);
    }
  });

  contract("of a failure nothing is left when a message is put back", async ({ store }) => {
    await make(store, write(at("a"), null, 1, { wrapSet: OLD }));
    await sealAnew(store, "a", 1);
    const lease = await leaseOf(store);
    await store.inventory.fail(lease, place("a", 1), { code: "record-tampered", at: day(5), waitMs: 1_000_000 });
    assert.deepEqual(await store.kept.restore(restoreOf(await keeping(store, "a", 1, { lease }))), { kind: "made" });
    assert.deepEqual(
      (await inventoryOf(store)).map(({ failure }) => failure),
      [null],
    );
  });

  contract("kept messages are let go of by their versions, under a lease that is held", async (given) => {
    const { store, storage, another } = given;
    const other = await another();
    for (const id of ["a", "b", "c"]) {
      await make(store, write(at(id), null, 1, { wrapSet: OLD }));
      await sealAnew(store, id, 1);
    }
    const stale = await leaseOf(store, "all", 1000);
    await storage.passTime(2000);
    const lease = await leaseOf(other);
    for (const wrong of [stale, { ...lease, partition: "none" }]) await store.kept.drop([place("a", 1)], wrong);
    assert.deepEqual(await idsOf(store), ["a", "b", "c"]);
    await store.kept.drop([place("a", 1), place("a", 1), place("none", 1), place("b", 2), place("c", 1)], lease);
    assert.deepEqual(await idsOf(store), ["b"]);
    await store.kept.drop([place("a", 1)], lease);
    await store.kept.drop([], lease);
    const [{ position }] = (await keptOf(store)) as [KeptItem];
    await store.kept.drop([{ position: "nowhere" }, { position: `${position}0` }], null);
    assert.deepEqual(await idsOf(store), ["b"]);
    await store.kept.drop([{ position }], { ...lease, fence: lease.fence + 1 });
    assert.deepEqual(await idsOf(store), ["b"]);
    await store.kept.drop([{ position }], lease);
    assert.deepEqual(await idsOf(store), []);
    assert.equal((await messageOf(store, "a"))?.toString(), "rewrapped 1", "the version stays");
    assert.equal((await inventoryOf(store)).length, 3);
    const many = Array.from({ length: 1001 }, (_, index) => place(`id-${index}`, 1));
    await store.kept.drop(many.slice(1), null);
    await rejects("store-failed", () => store.kept.drop(many, null));
  });

  contract("what is asked of kept messages of a store that is closed is refused", async ({ store, another }) => {
    await make(store, write(at("a"), null, 1));
    const change = restoreOf(await keeping(store, "a", 1));
    const { kept, close } = await closing(another);
    await close();
    for (const call of [
      () => kept.counts(1),
      () => kept.any([]),
      () => kept.list({ after: null, limit: 1 }),
      () => kept.read(change.place),
      () => kept.restore(change),
      () => kept.drop([], null),
    ])
      await rejects("store-closed", call);
  });
}

async function closing(another: () => Promise<Store>): Promise<Pick<Store, "kept" | "close">> {
  const store = await another();
  return { kept: store.kept, close: () => store.close() };
}

/** A rewrap that keeps what was there. */
const keeping = (store: Store, id: string, version: number, more: Partial<Rewrap> = {}): Promise<Rewrap> =>
  rewrapOf(store, id, version, { keeps: true, ...more });

async function sealAnew(
  store: Store,
  id: string,
  version: number,
  more: Partial<Rewrap> = {},
  isKept = true,
): Promise<void> {
  const change = await (isKept ? keeping : rewrapOf)(store, id, version, more);
  assert.deepEqual(await store.inventory.rewrap(change), { kind: "made" });
}

const restoreOf = ({ place: found, seen, epoch, lease }: Rewrap): Parameters<Store["kept"]["restore"]>[0] => ({
  ...{ place: found, seen, epoch, lease },
  at: day(26),
});

/** All that is kept, in the store's order. */
const keptOf = ({ kept }: Store): Promise<readonly KeptItem[]> => kept.list({ after: null, limit: 10_000 });

const shown = (items: readonly KeptItem[]): unknown => items.map(({ place: found, wrapSet: set }) => [found, set]);

const idsOf = async (store: Store): Promise<readonly string[]> =>
  (await keptOf(store)).map(({ place: found }) => found!.id).toSorted();

const setsOf = async ({ inventory }: Store): Promise<readonly WrapSetId[]> =>
  (await inventory.sets()).map(({ id }) => id);

const nameOf = ({ place: found }: KeptItem): string => `${found?.collection}/${found?.id}/${found?.version}`;

/** All of them, page by page. */
async function paged(
  { kept }: Store,
  limit: number,
  buckets?: { readonly from: number; readonly to: number },
): Promise<readonly KeptItem[]> {
  const found: KeptItem[] = [];
  for (let after: string | null = null; ;) {
    const items = await kept.list({ ...(buckets && { buckets }), after, limit });
    assert.ok(items.length <= limit && found.length <= 1000);
    found.push(...items);
    const last: KeptItem | undefined = items.at(-1);
    if (last === undefined) return found;
    after = last.position;
  }
}

/**
 * Part of a key store's contract: the inventory counts and finds keys by wrap set, and a rewrap replaces what was read
 * and nothing else.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { bucketOf } from "../stores/bucket.ts";
import { BUCKETS } from "../stores/inventory.ts";
import { MAX_KEY_WRAPS } from "../stores/key-limits.ts";
import { KEY_KINDS } from "../stores/key-store.ts";
import type { KeyRewrap, KeyStore } from "../stores/key-store.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import { day, EPOCH, epoch, idOf, leaseOf, rejects, wrapSet } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { assertOrder, nameOf, paged } from "./inventory.ts";
import { columns, keyOf, keyOnly, keyRewrapOf, keysOf, makeKeys, newcomer, newKey, newWrap } from "./key-changes.ts";
import { newKeyVersion, placeOf } from "./key-changes.ts";
import { newPeople } from "./people.ts";

const NONE = 987_654_321 as WrapSetId;

export function keyInventoryContract(contract: Contract<KeyStore>): void {
  contract("keys are counted and found by set, with since when, and by whose they are", async ({ store, another }) => {
    const other = await another();
    const [owing, good] = [wrapSet(["key-1"], ["key-2"]), wrapSet()];
    const first = newcomer(undefined, { wrapSet: owing, createdAt: day(9) });
    const second = newKey("vault", { kind: "lookup", wrapSet: owing, createdAt: day(4) });
    const third = newKey("vault", { kind: "names", wrapSet: { ...good, wraps: good.wraps.toReversed() } });
    await makeKeys(store, first, keyOnly(second), keyOnly(third), newcomer(undefined, { wrapSet: good }));
    const [owed, whole] = [await idOf(other, owing), await idOf(other, good)];
    assert.equal((await other.inventory.sets()).length, 2);
    assert.deepEqual(await other.inventory.counts([owed, NONE, whole], 100), [
      { id: owed, items: 2, oldest: day(4) },
      { id: NONE, items: 0, oldest: null },
      { id: whole, items: 2, oldest: day(1) },
    ]);
    assert.equal((await other.inventory.counts([owed], 1))[0]?.items, 1);
    assert.deepEqual([await other.inventory.any([NONE]), await other.inventory.any([NONE, owed])], [false, true]);
    const items = await other.inventory.list({ sets: [owed], after: null, limit: 9 });
    const shown = items.map(({ position: _, ...item }) => item).toSorted((a, b) => (a.since! < b.since! ? -1 : 1));
    assert.deepEqual(
      shown,
      [second, first.key].map((key) => ({
        place: placeOf(key),
        collection: key.kind,
        id: key.owner,
        wrapSet: owed,
        since: key.createdAt,
        failure: null,
      })),
    );
  });

  contract("pages of every size and share have each key once, in one order", async ({ store }) => {
    const sets = [wrapSet(["key-1"], ["key-2"]), wrapSet(["key-2"], ["key-1"]), wrapSet()];
    const people = newPeople(5);
    const owners = [...people, "a", "\u{1f511}".repeat(64), "vault"];
    for (const [index, owner] of owners.entries())
      for (let ordinal = 1; ordinal <= 3; ordinal++) {
        const more = { ordinal, wrapSet: sets[(index + ordinal) % 3]!, createdAt: day((index * 7 + ordinal) % 25) };
        await makeKeys(store, keyOnly(newKey(owner, { kind: KEY_KINDS[index]!, ...more })));
      }
    const ids = await Promise.all(sets.slice(0, 2).map((set) => idOf(store, set)));
    const all = await store.inventory.list({ sets: ids, after: null, limit: 1000 });
    assert.equal(new Set(all.map(nameOf)).size, 16);
    assertOrder(all);
    for (const { place, collection, id, position } of all)
      assert.ok(place?.kind === collection && place.owner === id && position.length <= 2048);
    for (const limit of [1, 5, 15, 16, 17])
      assert.deepEqual((await paged(store, { sets: ids, limit })).map(nameOf), all.map(nameOf), `pages of ${limit}`);
    const cut = bucketOf(all[7]!);
    const shares = [];
    for (const [from, to] of [
      [0, cut],
      [cut, cut + 1],
      [cut + 1, BUCKETS],
    ] as const) {
      const share = await paged(store, { sets: ids, limit: 3, buckets: { from, to } });
      assert.ok(share.every((item) => bucketOf(item) >= from && bucketOf(item) < to));
      shares.push(...share);
    }
    assert.deepEqual(shares.map(nameOf).sort(), all.map(nameOf).sort());
  });

  contract("a position that is none is refused as a cursor", async ({ store }) => {
    await makeKeys(store, newcomer());
    const [item] = await keysOf(store);
    for (const after of ["", "x", "null", "[]", "[1,2,3,4,5]", "\u0000", "x".repeat(5000), `${item!.position}x`])
      await rejects("cursor-invalid", () => store.inventory.list({ sets: [item!.wrapSet], after, limit: 9 }));
  });

  contract(
    "a rewrap replaces the wraps and their set; everything else of the key stays",
    async ({ store, another }) => {
      const other = await another();
      const owing = wrapSet(["key-1"], ["key-2"]);
      const [{ key }, same] = [newcomer(undefined, { wrapSet: owing }), newcomer(undefined, { wrapSet: owing })];
      await makeKeys(store, keyOnly(key), same, keyOnly(newKey(key.owner, { ordinal: 2, wrapSet: owing })));
      const wraps = Array.from({ length: MAX_KEY_WRAPS }, () => newWrap({ ciphertext: randomBytes(8192) }));
      const change = await keyRewrapOf(store, key, { wraps });
      const set = { wrapSet: change.wrapSet };
      const kept = wraps.map((wrap) => ({ ...wrap, ciphertext: Buffer.from(wrap.ciphertext) }));
      const making = other.inventory.rewrap(change);
      for (const { ciphertext } of wraps) ciphertext.fill(0);
      assert.deepEqual(await making, { kind: "made" });
      assert.deepEqual(columns(await keyOf(store, key)), columns({ ...key, wraps: kept, ...set }));
      assert.deepEqual(columns(await keyOf(store, same.key)), columns(same.key), "another's");
      assert.deepEqual(await store.inventory.rewrap(change), { kind: "overtaken" }, "it is another one by now");
      const items = await store.inventory.list({ sets: [await idOf(store, change.wrapSet)], after: null, limit: 9 });
      assert.deepEqual(
        items.map(({ place, since }) => [place, since]),
        [[placeOf(key), day(27)]],
      );
      assert.equal((await store.inventory.counts([await idOf(store, owing)], 9))[0]?.items, 2);
    },
  );

  contract("a rewrap without wraps corrects the account, one to the same set is told from it", async ({ store }) => {
    const { key } = newcomer();
    await makeKeys(store, keyOnly(key));
    const corrected = wrapSet(["key-1"]);
    const account = await keyRewrapOf(store, key, { wraps: null, wrapSet: corrected });
    assert.deepEqual(await store.inventory.rewrap(account), { kind: "made" });
    assert.deepEqual(columns(await keyOf(store, key)), columns({ ...key, wrapSet: corrected }));
    const [one, two] = [newWrap(), newWrap()];
    const both = [
      await keyRewrapOf(store, key, { wraps: [one], wrapSet: corrected }),
      await keyRewrapOf(store, key, { wraps: [two], wrapSet: corrected }),
    ];
    assert.deepEqual(await store.inventory.rewrap(both[0]!), { kind: "made" });
    assert.deepEqual(await store.inventory.rewrap(both[1]!), { kind: "overtaken" });
    assert.deepEqual(columns(await keyOf(store, key)), columns({ ...key, wraps: [one], wrapSet: corrected }));
  });

  contract("a key moves to another generation with its wraps and its check, or not at all", async ({ store }) => {
    const { key } = newcomer();
    await makeKeys(store, keyOnly(key));
    const moved = { generation: 7, check: randomBytes(32) };
    const change = await keyRewrapOf(store, key, { moved });
    assert.deepEqual(await store.inventory.rewrap({ ...change, epoch: EPOCH.none }), { kind: "gate-moved", epoch: 1 });
    assert.deepEqual(columns(await keyOf(store, key)), columns(key));
    assert.deepEqual(await store.inventory.rewrap(change), { kind: "made" });
    const { wraps, wrapSet: set } = change;
    assert.deepEqual(columns(await keyOf(store, key)), columns({ ...key, ...moved, wraps: wraps!, wrapSet: set }));
    const next = await keyRewrapOf(store, key);
    assert.deepEqual(await store.inventory.rewrap(next), { kind: "made" });
    assert.equal((await keyOf(store, key)).generation, 7, "it stays where nothing is said");
  });

  contract("a rewrap of another key than was read, or of none, changes nothing", async ({ store }) => {
    const { key } = newcomer();
    const second = newKey(key.owner, { ordinal: 2 });
    await makeKeys(store, keyOnly(key), keyOnly(second));
    const change = await keyRewrapOf(store, key);
    const { place, seen } = change;
    const wrong: readonly KeyRewrap[] = [
      { ...change, seen: { ...seen, wrapSet: NONE } },
      { ...change, seen: { ...seen, revision: seen.revision + 1 } },
      { ...change, place: { ...place, version: newKeyVersion() } },
      { ...change, place: { ...place, owner: newPeople(1)[0]! } },
      { ...change, place: { ...place, kind: "tenant-subject" } },
    ];
    for (const one of wrong) assert.deepEqual(await store.inventory.rewrap(one), { kind: "overtaken" });
    const refused: readonly Partial<KeyRewrap>[] = [
      { wraps: [] },
      { wraps: Array.from({ length: MAX_KEY_WRAPS + 1 }, () => newWrap()) },
      { wraps: [newWrap({ ciphertext: randomBytes(8193) })] },
      { moved: { generation: 2, check: randomBytes(31) } },
      { moved: { generation: 2, check: randomBytes(32) }, wraps: null },
      { at: "yesterday" },
    ];
    for (const more of refused) await rejects("store-failed", () => store.inventory.rewrap({ ...change, ...more }));
    assert.deepEqual(
      [columns(await keyOf(store, key)), columns(await keyOf(store, second))],
      [columns(key), columns(second)],
    );
  });

  contract("of many rewraps of one key exactly one is made, also between stores", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another()];
    const { key } = newcomer();
    await makeKeys(store, keyOnly(key));
    for (let round = 0; round < 5 * rounds; round++) {
      const change = await keyRewrapOf(store, key);
      const wraps = Array.from({ length: 16 }, (_, index) => [newWrap({ info: Buffer.from(`by ${index}`) })]);
      const results = await Promise.all(
        wraps.map((own, index) => stores[index % 2]!.inventory.rewrap({ ...change, wraps: own })),
      );
      const made = results.flatMap(({ kind }, index) => (kind === "made" ? [`by ${index}`] : []));
      assert.deepEqual(
        (await keyOf(store, key)).wraps.map(({ info }) => Buffer.from(info).toString()),
        made,
      );
    }
  });

  contract("after a flip no rewrap of before is made, and it is told the epoch", async ({ store, another }) => {
    const other = await another();
    const { key } = newcomer();
    await makeKeys(store, keyOnly(key));
    const change = await keyRewrapOf(store, key);
    await other.gate.flip({ from: EPOCH.first, digest: "second" });
    for (const wraps of [change.wraps, null])
      assert.deepEqual(await store.inventory.rewrap({ ...change, wraps }), { kind: "gate-moved", epoch: 2 });
    assert.deepEqual(columns(await keyOf(store, key)), columns(key));
    assert.deepEqual(await store.inventory.rewrap({ ...change, epoch: epoch(2) }), { kind: "made" });
  });
}

export function keyFailuresContract(contract: Contract<KeyStore>): void {
  contract("why a repair failed is kept with its key, which is not due for a while", async ({ store, storage }) => {
    const [first, second] = [newcomer(), newcomer()];
    await makeKeys(store, first, second);
    const place = placeOf(first.key);
    const lease = await leaseOf(store);
    const sets = (await store.inventory.sets()).map(({ id }) => id);
    const due = async (): Promise<readonly string[]> =>
      (await store.inventory.list({ sets, after: null, limit: 9, due: true })).map(({ id }) => id).toSorted();
    const failure = { code: "regions-unavailable", at: day(5), waitMs: 10_000 };
    await store.inventory.fail(lease, place, failure);
    await store.inventory.fail(lease, place, { ...failure, at: day(6), waitMs: 20_000 });
    await store.inventory.fail(lease, { ...place, version: newKeyVersion() }, failure);
    await store.inventory.fail({ ...lease, fence: lease.fence + 1 }, placeOf(second.key), failure);
    assert.deepEqual(
      new Map((await keysOf(store)).map(({ id, failure: found }) => [id, found])),
      new Map([
        ...(await keysOf(store)).map(({ id }) => [id, null] as const),
        [first.key.owner, { attempts: 2, code: "regions-unavailable", at: day(6) }],
      ]),
    );
    const failed = async (after: string | null): Promise<readonly unknown[]> =>
      (await store.inventory.failed({ after, limit: 9 })).map(({ place: own, failure: found }) => [
        own,
        found?.attempts,
      ]);
    assert.deepEqual(await failed(null), [[place, 2]]);
    const [only] = await store.inventory.failed({ after: null, limit: 1 });
    assert.deepEqual(await failed(only!.position), []);
    await storage.passTime(15_000);
    assert.deepEqual(await due(), [second.key.owner], "the last failure says how long");
    await storage.passTime(6000);
    assert.deepEqual(await due(), [first.key.owner, second.key.owner].sort());
    assert.deepEqual(await store.inventory.rewrap(await keyRewrapOf(store, place, { lease })), { kind: "made" });
    assert.ok(
      (await keysOf(store)).every(({ failure: found }) => found === null),
      "what is made is forgotten",
    );
    assert.deepEqual(await failed(null), []);
  });

  contract("nobody whose lease is another's rewraps a key", async ({ store, storage, another }) => {
    const other = await another();
    const { key } = newcomer();
    await makeKeys(store, keyOnly(key));
    const stale = await leaseOf(store, "all", 1000);
    const change = await keyRewrapOf(store, key, { lease: stale });
    await storage.passTime(2000);
    const lease = await leaseOf(other);
    for (const wrong of [stale, { ...lease, fence: lease.fence + 1 }, { ...lease, partition: "none" }])
      assert.deepEqual(await store.inventory.rewrap({ ...change, lease: wrong }), { kind: "overtaken" });
    assert.deepEqual(columns(await keyOf(store, key)), columns(key));
    assert.deepEqual(await store.inventory.rewrap({ ...change, lease }), { kind: "made" });
  });
}

/**
 * Part of a key store's contract: a key becomes its owner's of another kind under the same version, where they have
 * none of that kind and ordinal yet.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { bucketOf } from "../stores/bucket.ts";
import { KEY_KINDS } from "../stores/key-store.ts";
import type { KeyKind, KeyPlace, KeyRewrap, KeyStore, NewKey } from "../stores/key-store.ts";
import { EPOCH, idOf, leaseOf, rejects, wrapSet } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { columns, createOne, keyOf, keyOnly, keyRewrapOf, keysOf, makeKeys, newcomer, newKey } from "./key-changes.ts";
import { placeOf, whole } from "./key-changes.ts";

export function keyMovesContract(contract: Contract<KeyStore>): void {
  contract("a key that becomes one of another kind is found as that, and as nothing else", async (given) => {
    const { store, another } = given;
    const other = await another();
    const { key, name } = newcomer();
    await makeKeys(store, { epoch: EPOCH.first, name, key });
    const change = await moveOf(store, key, "tenant-subject", 4);
    assert.deepEqual(await store.inventory.rewrap(change), { kind: "made" });
    const moved = movedKey(key, change);
    assert.deepEqual(columns(await keyOf(other, key)), columns(moved), "the same version");
    const [before, after] = await other.keys.active([
      { kind: "subject", owner: key.owner },
      { kind: "tenant-subject", owner: key.owner },
    ]);
    assert.deepEqual([before, columns(whole(after!))], [{ key: null }, columns(moved)]);
    assert.deepEqual(await other.keys.versions({ kind: "subject", owner: key.owner }), []);
    assert.deepEqual(await other.keys.owners([key.version]), [{ kind: "tenant-subject", owner: key.owner }]);
    const counts = await other.keys.counts();
    assert.deepEqual([counts.subject, counts["tenant-subject"]], [0, 1]);
    const [item, ...more] = await keysOf(other);
    assert.deepEqual([item?.place, more], [placeOf(moved), []]);
    const bucket = bucketOf({ collection: "tenant-subject", id: key.owner });
    const page = { sets: [item!.wrapSet], after: null, limit: 9 };
    assert.equal((await other.inventory.list({ ...page, buckets: { from: bucket, to: bucket + 1 } })).length, 1);
    assert.deepEqual(
      await store.inventory.rewrap({ ...change, seen: (await keyOf(store, key)).stamp }),
      { kind: "overtaken" },
      "there is none of that kind any more",
    );
    assert.deepEqual(await store.inventory.rewrap(await moveOf(store, moved, "subject", 1)), { kind: "made" }, "back");
    assert.equal((await keyOf(store, key)).kind, "subject");
  });

  contract("the active one is that of the highest ordinal after a move, among those of its kind", async ({ store }) => {
    const { key, name } = newcomer();
    const [second, of] = [newKey(key.owner, { ordinal: 2 }), (kind: KeyKind) => ({ kind, owner: key.owner })];
    const third = newKey(key.owner, { ordinal: 3, kind: "tenant-subject" });
    await makeKeys(store, { epoch: EPOCH.first, name, key }, keyOnly(second), keyOnly(third));
    const active = async (kind: KeyKind): Promise<string | undefined> =>
      (await store.keys.active([of(kind)]))[0]?.key?.version;
    assert.deepEqual(await store.inventory.rewrap(await moveOf(store, second, "tenant-subject", 2)), { kind: "made" });
    assert.deepEqual([await active("subject"), await active("tenant-subject")], [key.version, third.version]);
    assert.deepEqual(await store.inventory.rewrap(await moveOf(store, key, "tenant-subject", 7)), { kind: "made" });
    assert.deepEqual([await active("subject"), await active("tenant-subject")], [undefined, key.version]);
    const all = await store.keys.versions(of("tenant-subject"));
    assert.deepEqual(
      all.map((read) => whole(read).ordinal),
      [7, 3, 2],
    );
    assert.deepEqual(await createOne(store, keyOnly(newKey(key.owner))), { kind: "made" }, "the ordinal is free again");
  });

  contract("where the owner has a key of that kind and ordinal nothing moves, and it is no error", async (given) => {
    const { store } = given;
    const [{ key, name }, stranger] = [newcomer(), newcomer()];
    const taken = newKey(key.owner, { kind: "tenant-subject", ordinal: 1 });
    await makeKeys(store, { epoch: EPOCH.first, name, key }, keyOnly(taken), stranger);
    const lease = await leaseOf(store);
    const change = await moveOf(store, key, "tenant-subject", 1, { lease });
    assert.deepEqual(await store.inventory.rewrap(change), { kind: "overtaken" });
    assert.deepEqual([await columnsOf(store, key), await columnsOf(store, taken)], [columns(key), columns(taken)]);
    assert.deepEqual(await store.inventory.rewrap(await moveOf(store, taken, "tenant-subject", 1)), { kind: "made" });
    const another = await moveOf(store, stranger.key, "tenant-subject", 1);
    assert.deepEqual(await store.inventory.rewrap(another), { kind: "made" }, "another's is not in its way");
    assert.deepEqual(
      await store.inventory.rewrap({ ...change, moved: { ...change.moved!, as: { kind: "subject", ordinal: 1 } } }),
      {
        kind: "made",
      },
    );
  });

  contract(
    "a move that is not of what was read, or under no lease, or of another epoch, moves nothing",
    async (given) => {
      const { store, another } = given;
      const { key, name } = newcomer();
      await makeKeys(store, { epoch: EPOCH.first, name, key });
      const change = await moveOf(store, key, "tenant-subject", 1);
      const lease = await leaseOf(store);
      for (const wrong of [
        { ...change, seen: { ...change.seen, revision: change.seen.revision + 1 } },
        { ...change, place: { ...change.place, kind: "tenant-subject" as const } },
        { ...change, lease: { ...lease, fence: lease.fence + 1 } },
      ])
        assert.deepEqual(await store.inventory.rewrap(wrong), { kind: "overtaken" });
      const wrongly = (as: object): KeyRewrap =>
        ({ ...change, moved: { ...change.moved, as } }) as unknown as KeyRewrap;
      for (const as of [
        { kind: "none", ordinal: 1 },
        { kind: "subject", ordinal: 0 },
        { kind: "subject" },
        { ordinal: 1 },
      ])
        await rejects("store-failed", () => store.inventory.rewrap(wrongly(as)));
      await (await another()).gate.flip({ from: EPOCH.first, digest: "second" });
      assert.deepEqual(await store.inventory.rewrap(change), { kind: "gate-moved", epoch: 2 });
      assert.deepEqual(await columnsOf(store, key), columns(key));
    },
  );

  contract("of many keys of one owner that move to one place exactly one does", async ({ store, another, rounds }) => {
    const stores = [store, await another()];
    for (let round = 0; round < 4 * rounds; round++) {
      const { key, name } = newcomer();
      const keys = [key, ...[2, 3, 4, 5, 6].map((ordinal) => newKey(key.owner, { ordinal }))];
      await makeKeys(store, { epoch: EPOCH.first, name, key }, ...keys.slice(1).map((one) => keyOnly(one)));
      const changes = await Promise.all(keys.map((one) => moveOf(store, one, "tenant-subject", 9)));
      const results = await Promise.all(changes.map((change, i) => stores[i % 2]!.inventory.rewrap(change)));
      assert.deepEqual(results.map(({ kind }) => kind).toSorted(), ["made", ...Array<string>(5).fill("overtaken")]);
      const active = whole((await store.keys.active([{ kind: "tenant-subject", owner: key.owner }]))[0]!);
      assert.equal(active.version, keys[results.findIndex(({ kind }) => kind === "made")]!.version);
      assert.equal((await store.keys.versions({ kind: "subject", owner: key.owner })).length, 5);
    }
  });

  contract("a key may become one of every kind", async ({ store }) => {
    const { key, name } = newcomer();
    await makeKeys(store, { epoch: EPOCH.first, name, key });
    for (const kind of KEY_KINDS) {
      const set = wrapSet([`of ${kind}`]);
      const now = await keyOf(store, key);
      assert.deepEqual(await store.inventory.rewrap(await moveOf(store, now, kind, 3, { wrapSet: set })), {
        kind: "made",
      });
      const counts = await store.keys.counts();
      assert.deepEqual(
        KEY_KINDS.filter((other) => counts[other] > 0),
        [kind],
      );
      assert.equal((await store.inventory.counts([await idOf(store, set)], 9))[0]?.items, 1);
    }
    await store.keys.erase([name.id], key.createdAt);
    assert.deepEqual(await keysOf(store), []);
  });
}

/** The rewrap by which a key becomes one of this kind and ordinal. */
async function moveOf(
  store: KeyStore,
  place: KeyPlace,
  kind: KeyKind,
  ordinal: number,
  more: Partial<KeyRewrap> = {},
): Promise<KeyRewrap> {
  const { kind: found } = await keyOf(store, place);
  const moved = { generation: 1, check: randomBytes(32), as: { kind, ordinal } };
  return keyRewrapOf(store, { ...place, kind: found }, { moved, ...more });
}

function movedKey(key: NewKey, { moved, wraps, wrapSet: set }: KeyRewrap): NewKey {
  assert.ok(moved?.as !== undefined && wraps !== null);
  const { as, ...columnsOfKey } = moved;
  return { ...key, ...columnsOfKey, ...as, wraps, wrapSet: set };
}

const columnsOf = async (store: KeyStore, key: KeyPlace): Promise<unknown> => columns(await keyOf(store, key));

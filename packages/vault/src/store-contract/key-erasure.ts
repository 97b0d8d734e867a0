/**
 * Part of a key store's contract: of somebody who was erased nothing is left but a tombstone, and nothing comes back.
 */
import assert from "node:assert/strict";
import type { KeyStore } from "../stores/key-store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { day, rejects, turn } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { columns, createOne, keyOf, keyOnly, keyRewrapOf, keysOf, makeKeys, nameOf, newcomer } from "./key-changes.ts";
import { newKey, newName } from "./key-changes.ts";
import { newPeople, newPerson } from "./people.ts";

export function erasureContract(contract: Contract<KeyStore>): void {
  contract("all keys and the name of who is erased go, and nobody else's", async ({ store, another }) => {
    const other = await another();
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    const [first, second] = [newcomer(ada), newcomer(ben)];
    const more = [newKey(ada, { ordinal: 2 }), newKey(ada, { kind: "tenant-subject" }), newKey(ben, { ordinal: 2 })];
    await makeKeys(store, first, second, ...more.map((key) => keyOnly(key)));
    await store.keys.erase([ada], day(5));
    const { keys } = other;
    assert.deepEqual(await keys.resolve([first.name.tag, second.name.tag]), [null, ben]);
    assert.deepEqual(
      (await keys.names([ada, ben])).map((name) => name?.id ?? null),
      [null, ben],
    );
    for (const key of [first.key, ...more.slice(0, 2)]) {
      assert.deepEqual(await keys.version(ada, key.version), { key: null });
      assert.deepEqual([await keys.active([nameOf(key)]), await keys.versions(nameOf(key))], [[{ key: null }], []]);
    }
    assert.deepEqual(columns(await keyOf(other, more[2]!)), columns(more[2]!));
    assert.deepEqual(await keys.people({ after: null, limit: 9 }), [ben]);
    assert.deepEqual(await keys.erased([ben, ada, newPerson(), ada]), [false, true, false, true]);
    const { subject, "tenant-subject": tenant } = await keys.counts();
    assert.deepEqual([subject, tenant], [2, 0]);
    assert.deepEqual(
      (await keysOf(other)).map(({ id }) => id),
      [ben, ben],
      "the inventory has none of it",
    );
  });

  contract("who was erased gets no key and no name, and who returns is somebody new", async ({ store, another }) => {
    const other = await another();
    const [ada, never] = newPeople(2) as [SubjectId, SubjectId];
    const creation = newcomer(ada);
    await makeKeys(store, creation);
    await other.keys.erase([ada, never], day(5));
    await other.keys.erase([ada], day(6));
    for (const id of [ada, never]) {
      const { epoch, name, key } = newcomer(id);
      const kinds = [newKey(id, { ordinal: 2 }), newKey(id, { kind: "tenant-subject" }), newKey(id, { kind: "audit" })];
      const creations = [{ epoch, name, key }, { epoch, name, key: null }, ...kinds.map((one) => keyOnly(one))];
      for (const result of await store.keys.create(creations)) assert.deepEqual(result, { kind: "erased" });
    }
    assert.deepEqual(await store.keys.people({ after: null, limit: 9 }), []);
    const again = newcomer();
    await makeKeys(store, { ...again, name: newName(again.name.id, { tag: creation.name.tag }) });
    assert.deepEqual(await store.keys.resolve([creation.name.tag]), [again.name.id]);
    assert.deepEqual(await store.keys.erased([ada, never, again.name.id]), [true, true, false]);
  });

  contract("a rewrap of a key that was erased brings nothing back", async ({ store, another }) => {
    const other = await another();
    const { key, name } = newcomer();
    await makeKeys(store, { ...newcomer(name.id), key });
    const change = await keyRewrapOf(store, key);
    await other.keys.erase([name.id], day(5));
    assert.deepEqual(await store.inventory.rewrap(change), { kind: "overtaken" });
    assert.deepEqual([await keysOf(store), await store.keys.version(key.owner, key.version)], [[], { key: null }]);
  });

  contract("an erasure that meets creations and rewraps leaves nothing", async ({ store, another, rounds }) => {
    const stores = [store, await another()];
    for (let round = 0; round < 10 * rounds; round++) {
      const creation = newcomer();
      const { id } = creation.name;
      await makeKeys(store, creation);
      const change = await keyRewrapOf(store, creation.key);
      const creations = Array.from({ length: 8 }, async (_, index) => {
        for (let turns = Math.random() * 6; turns > 0; turns--) await turn();
        return createOne(stores[index % 2]!, keyOnly(newKey(id, { ordinal: index + 2 })));
      });
      const erasure = stores[round % 2]!.keys.erase([id], day(5));
      const [results] = await Promise.all([Promise.all(creations), erasure, stores[1]!.inventory.rewrap(change)]);
      for (const { kind } of results) assert.ok(kind === "made" || kind === "erased", kind);
      assert.deepEqual(await keysOf(store), []);
      assert.deepEqual(await store.keys.people({ after: null, limit: 9 }), []);
      assert.deepEqual(await store.keys.erased([id]), [true]);
    }
  });

  contract("many are erased in one call, also who comes twice, and nobody for what is no id", async ({ store }) => {
    const creations = Array.from({ length: 700 }, () => newcomer());
    const kept = newcomer();
    await store.keys.create([kept, ...creations]);
    const ids = creations.map(({ name }) => name.id);
    const odd = ["", "vault", kept.name.id.toUpperCase(), "%"] as readonly string[] as SubjectId[];
    for (const id of odd) await rejects("store-failed", () => store.keys.erase([ids[0]!, id], day(5)));
    await rejects("store-failed", () => store.keys.erase(ids, "yesterday"));
    assert.equal((await store.keys.counts()).subject, 701);
    await store.keys.erase([...ids, ...ids.toReversed()], day(5));
    assert.deepEqual(await store.keys.people({ after: null, limit: 9 }), [kept.name.id]);
    assert.ok((await store.keys.erased(ids)).every(Boolean));
  });
}

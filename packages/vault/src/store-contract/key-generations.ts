/**
 * Part of a key store's contract: what a new shredding generation changes. Versions of keys go that nothing hangs on,
 * names get other hashes, and neither is made by whoever decided it before the gate has moved.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Epoch } from "../stores/gate.ts";
import type { KeyDrop, KeyPlace, KeyStore, NameRetag } from "../stores/key-store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { day, EPOCH, rejects } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { columns, createOne, keyOf, keyOnly, keyRewrapOf, keysOf, makeKeys, nameColumns } from "./key-changes.ts";
import { newcomer, newKey, placeOf } from "./key-changes.ts";
import { newPeople } from "./people.ts";

const MADE = { kind: "made" } as const;
const OVERTAKEN = { kind: "overtaken" } as const;

export function keyGenerationsContract(contract: Contract<KeyStore>): void {
  contract("one version of a key goes, and no other one", async ({ store, another }) => {
    const other = await another();
    const [first, second] = [1, 2].map((ordinal) => newKey("acme", { kind: "tenant", ordinal })) as [KeyKept, KeyKept];
    const elsewhere = newKey("other", { kind: "tenant" });
    await makeKeys(store, keyOnly(first), keyOnly(second), keyOnly(elsewhere));
    assert.deepEqual(await store.keys.drop(await dropOf(store, first)), MADE);
    assert.deepEqual(await other.keys.version("acme", first.version), { key: null });
    assert.deepEqual(await other.keys.versions({ kind: "tenant", owner: "acme" }), [
      { key: await keyOf(other, second) },
    ]);
    assert.equal((await keysOf(other)).length, 2);
    assert.equal((await other.keys.counts()).tenant, 2);
    const late = { place: placeOf(first), seen: { wrapSet: 1, revision: 0 }, epoch: EPOCH.first } as KeyDrop;
    assert.deepEqual(await store.keys.drop(late), OVERTAKEN, "it is gone");
    assert.deepEqual(await createOne(store, keyOnly(newKey("acme", { kind: "tenant", ordinal: 2 }))), {
      kind: "exists",
      id: null,
    });
  });

  contract("a key stays that is another one than was seen, or after the gate has moved", async ({ store }) => {
    const key = newKey("acme", { kind: "tenant" });
    await makeKeys(store, keyOnly(key));
    const drop = await dropOf(store, key);
    assert.deepEqual(await store.inventory.rewrap(await keyRewrapOf(store, key)), MADE);
    assert.deepEqual(await store.keys.drop(drop), OVERTAKEN);
    assert.deepEqual(
      await store.keys.drop({ ...drop, place: { ...drop.place, kind: "lookup" } }),
      OVERTAKEN,
      "of another kind",
    );
    const now = await dropOf(store, key);
    const { epoch } = await moved(store);
    assert.deepEqual(await store.keys.drop(now), { kind: "gate-moved", epoch });
    assert.ok((await keyOf(store, key)).version);
    assert.deepEqual(await store.keys.drop({ ...now, epoch }), MADE);
  });

  contract("a name under another hash is found by that, and by no other", async ({ store, another }) => {
    const other = await another();
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    const [first, second] = [newcomer(ada), newcomer(ben)];
    await makeKeys(store, first, second);
    const retag = { id: ada, seen: first.name.tag, tag: randomBytes(32), epoch: EPOCH.first };
    assert.deepEqual(await store.keys.retag(retag), MADE);
    assert.deepEqual(await other.keys.resolve([first.name.tag, retag.tag, second.name.tag]), [null, ada, ben]);
    const [name] = await other.keys.names([ada]);
    assert.deepEqual(nameColumns(name!), nameColumns({ ...first.name, tag: retag.tag }));
    assert.deepEqual(columns(await keyOf(other, first.key)), columns(first.key), "the key is as it was");
    assert.deepEqual(await store.keys.retag(retag), OVERTAKEN, "it is under another one by now");
    const again = newcomer();
    await makeKeys(store, { ...again, name: { ...again.name, tag: first.name.tag } });
    assert.deepEqual(await other.keys.resolve([first.name.tag]), [again.name.id], "the hash of before is nobody's");
  });

  contract("a name stays whose hash somebody else has, who was erased, or after the gate has moved", async (given) => {
    const { store } = given;
    const [ada, ben, eve] = newPeople(3) as [SubjectId, SubjectId, SubjectId];
    const [first, second, third] = [newcomer(ada), newcomer(ben), newcomer(eve)];
    await makeKeys(store, first, second, third);
    const retag = (id: SubjectId, seen: Uint8Array, more: Partial<NameRetag> = {}): NameRetag => ({
      ...{ id, seen, tag: randomBytes(32), epoch: EPOCH.first },
      ...more,
    });
    const taken = retag(ada, first.name.tag, { tag: second.name.tag });
    assert.deepEqual(await store.keys.retag(taken), OVERTAKEN);
    await store.keys.erase([eve], day(5));
    assert.deepEqual(await store.keys.retag(retag(eve, third.name.tag)), OVERTAKEN);
    const { epoch } = await moved(store);
    assert.deepEqual(await store.keys.retag(retag(ada, first.name.tag)), { kind: "gate-moved", epoch });
    assert.deepEqual(await store.keys.resolve([first.name.tag, second.name.tag]), [ada, ben]);
    await rejects("store-failed", () => store.keys.retag(retag(ada, first.name.tag, { tag: randomBytes(31) })));
    await rejects("store-failed", async () =>
      store.keys.drop({ ...(await dropOf(store, first.key)), place: NO_PLACE }),
    );
  });
}

type KeyKept = ReturnType<typeof newKey>;
const NO_PLACE = { kind: "no-kind", owner: "", version: "" } as unknown as KeyPlace;

async function dropOf(store: KeyStore, place: KeyPlace): Promise<KeyDrop> {
  return { place: placeOf(place), seen: (await keyOf(store, place)).stamp, epoch: (await store.gate.current()).epoch };
}

/** The gate after another set was put in force. */
async function moved(store: KeyStore): Promise<{ readonly epoch: Epoch }> {
  const { epoch: from } = await store.gate.current();
  assert.equal(await store.gate.flip({ from, digest: "ab".repeat(32) }), "flipped");
  return store.gate.current();
}

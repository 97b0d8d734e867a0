/**
 * Two processes over one key store that make, renew or erase the same at the same time; and what is left in memory when
 * nobody needs it any more.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { keySetDigest, VaultError } from "@strongroom/vault";
import type { KeyRows, SubjectId } from "@strongroom/vault";
import { memoryKeyStore, MemoryKeyStorage } from "@strongroom/vault/memory";
import type { Subject } from "../../src/records/address.ts";
import { VirtualTime } from "../../../envelope/test/support/virtual-time.ts";
import { rejectsWith } from "../support/errors.ts";
import { flipTo } from "../support/key-sets.ts";
import { byId, byName, opened, sealed, testKeys } from "../support/subject-keys.ts";

const AT = "2026-11-27T20:00:00.000Z";

for (const scope of ["record", "subject", "tenant"] as const)
  test(`of two who make the same people in ${scope} scope one wins, and the other uses what was made`, async (t) => {
    const storage = new MemoryKeyStorage();
    const processes = [testKeys(t, { storage }), testKeys(t, { storage }), testKeys(t, { storage })];
    const requests = Array.from({ length: 20 }, (_, n) => byName(scope, `person-${n}`));
    const made = await Promise.all(processes.map(({ keys }) => keys.sealers(requests, undefined)));
    const [first = [], ...others] = made.map((sealers) =>
      sealers.map((sealer) => (sealer as { subject?: string }).subject),
    );
    assert.ok(first.every((subject) => typeof subject === "string"));
    for (const other of others) assert.deepEqual(other, first);
    const { store, keys } = processes[0]!;
    assert.equal((await store.keys.people({ after: null, limit: 100 })).length, 20);
    const counts = await store.keys.counts();
    assert.equal(counts.subject + counts["tenant-subject"], scope === "record" ? 0 : 20);
    assert.deepEqual([counts.lookup, counts.names], [1, 1]);
    if (scope === "record") return;
    for (const sealers of made)
      for (const sealer of sealers.slice(0, 3)) {
        assert.ok(!(sealer instanceof Error));
        assert.equal(await opened(keys, await sealed(sealer)), "a document");
        sealer[Symbol.dispose]();
      }
  });

test("who looked for the vault's own keys before another process made them, and people, looks again", async (t) => {
  const storage = new MemoryKeyStorage();
  let isFirst = true;
  const rows = (inner: KeyRows): Partial<KeyRows> => ({
    active: async (names) => {
      const found = await inner.active(names);
      if (isFirst) {
        isFirst = false;
        await testKeys(t, { storage }).sealer(byName("subject", "ada"));
      }
      return found;
    },
  });
  const { sealer, store } = testKeys(t, { storage, rows });
  await sealer(byName("subject", "bob"));
  const counts = await store.keys.counts();
  assert.deepEqual([counts.lookup, counts.names, counts.subject], [1, 1, 2]);
});

test("of two who renew the same key at the same time both use one newest key", async (t) => {
  const storage = new MemoryKeyStorage();
  const [one, other] = [testKeys(t, { storage }), testKeys(t, { storage })];
  const id = (await one.sealer(byName("subject", "ada"))).subject as string as SubjectId;
  await Promise.all([one.keys.renew(id, "subject", undefined), other.keys.renew(id, "subject", undefined)]);
  const sealers = [await one.sealer(byId("subject", id)), await other.sealer(byId("subject", id))];
  const ordinals = sealers.map(({ subjects }) => subjects[0]?.ordinal);
  assert.equal(ordinals[0], ordinals[1]);
  assert.ok(ordinals[0] === 2 || ordinals[0] === 3);
});

test("a creation whose end nobody knows is found by the next try, whether it was made or not", async (t) => {
  for (const isMade of [true, false]) {
    const storage = new MemoryKeyStorage();
    await testKeys(t, { storage }).sealer(byName("subject", "first"));
    let failures = 1;
    const rows = (inner: KeyRows): Partial<KeyRows> => ({
      create: async (creations) => {
        if (failures-- <= 0) return inner.create(creations);
        if (isMade) await inner.create(creations);
        throw new VaultError("outcome-unknown", "the connection broke");
      },
    });
    const { sealer, keys, store } = testKeys(t, { storage, rows });
    const ada = await sealer(byName("subject", "ada"));
    assert.equal(await opened(keys, await sealed(ada)), "a document");
    assert.equal((await store.keys.people({ after: null, limit: 10 })).length, 2);
  }
});

test("a key set that changed while keys were made makes them anew", async (t) => {
  const storage = new MemoryKeyStorage();
  const { keyring, sealer, store, keys } = testKeys(t, { storage });
  await sealer(byName("subject", "first"));
  let flips = 1;
  keyring.before = async () => {
    if (flips-- > 0) {
      await flipTo(store, keySetDigest(["other"]));
      await flipTo(store, keySetDigest(["key-1"]));
    }
  };
  const before = keyring.calls.encrypts;
  assert.equal(await opened(keys, await sealed(await sealer(byName("subject", "ada")))), "a document");
  assert.equal(keyring.calls.encrypts, before + 2);
});

describe("somebody who was erased", () => {
  test("is somebody new when they return under their name, also where they are still remembered", async (t) => {
    const storage = new MemoryKeyStorage();
    const [one, other] = [testKeys(t, { storage }), testKeys(t, { storage })];
    const before = await one.sealer(byName("subject", "ada"));
    const id = before.subject as string as SubjectId;
    await other.store.keys.erase([id], AT);
    // Held in memory: the row of the person in the record store is what refuses it.
    assert.equal((await one.sealer(byName("subject", "ada"))).subject, id);
    one.keys.forget(id);
    const after = await one.sealer(byName("subject", "ada"));
    assert.notEqual(after.subject, id);
    assert.equal((await other.sealer(byName("subject", "ada"))).subject, after.subject);
    await rejectsWith("subject-erased", () => one.keys.nameOf(id, undefined));
  });

  test("gets no key by their id, nor by a name that led to them when the key was gone from memory", async (t) => {
    const storage = new MemoryKeyStorage();
    const time = new VirtualTime();
    const { keys, store, sealer } = testKeys(t, { storage, time });
    const id = (await sealer(byName("record", "ada"))).subject as string as SubjectId;
    await store.keys.erase([id], AT);
    const [byItsId] = await keys.sealers([byId("subject", id)], undefined);
    assert.equal((byItsId as { code?: string }).code, "subject-erased");
    assert.notEqual((await sealer(byName("subject", "ada"))).subject, id);
  });
});

for (const when of ["while", "before"])
  test(`a key whose row was read before its person was forgotten is not kept, ${when} it is opened`, async (t) => {
    const storage = new MemoryKeyStorage();
    const id = (await testKeys(t, { storage }).sealer(byName("subject", "ada"))).subject as string as SubjectId;
    const [reached, released] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    let isToBeHeld = false;
    const hold = async (): Promise<void> => {
      if (!isToBeHeld) return;
      isToBeHeld = false;
      reached.resolve(undefined);
      await released.promise;
    };
    const rows = (inner: KeyRows): Partial<KeyRows> => ({
      active: async (names) => {
        const found = await inner.active(names);
        if (when === "before") await hold();
        return found;
      },
    });
    const { keys, keyring } = testKeys(t, { storage, rows });
    await keys.resolve([{ name: "somebody" as Subject, tenant: "default" }], undefined);
    const before = [keys.counts().held, keyring.alive];
    if (when === "while") keyring.before = hold;
    isToBeHeld = true;
    const asked = keys.sealers([byId("subject", id)], undefined);
    await reached.promise;
    await memoryKeyStore({ storage }).keys.erase([id], AT);
    keys.forget(id);
    released.resolve(undefined);
    const [sealer] = await asked;
    assert.equal((sealer as { code?: string }).code, "subject-erased");
    assert.deepEqual([keys.counts().held, keyring.alive], before);
  });

describe("of keys in memory", () => {
  test("nothing is left after a close, nor stored, nor given out", async (t) => {
    const { keys, keyring, sealer, store } = testKeys(t);
    const ada = await sealer(byName("subject", "ada"));
    const message = await sealed(ada);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    keyring.before = () => held;
    const underWay = keys.sealers([byName("subject", "bob")], undefined);
    while (keyring.calls.encrypts < 4) await turn();
    keys.close();
    release();
    await rejectsWith("aborted", () => underWay);
    ada[Symbol.dispose]();
    assert.equal(keyring.alive, 0);
    assert.deepEqual([(await store.keys.counts()).subject, keys.counts().held], [1, 0]);
    await rejectsWith("aborted", () => keys.sealers([byName("subject", "ada")], undefined));
    await rejectsWith("aborted", () => keys.nameOf(ada.subject as string as SubjectId, undefined));
    await assert.rejects(opened(keys, message));
  });

  test("those go that are old, too many, or forgotten", async (t) => {
    const time = new VirtualTime();
    const { keys, keyring, sealer } = testKeys(t, { time, cache: { capacity: 4, maxAgeMs: 1_000 } });
    const subjects: string[] = [];
    for (let n = 0; n < 20; n++) {
      const made = await sealer(byName("subject", `person-${n}`));
      subjects.push(made.subject);
      made[Symbol.dispose]();
    }
    assert.ok(keys.counts().held <= 8, `${keys.counts().held}`);
    const alive = keyring.alive;
    keys.forget(subjects.at(-1) as SubjectId);
    assert.equal(keyring.alive, alive - 1);
    await time.advance(1_001);
    assert.deepEqual([keyring.alive, keys.counts().held], [0, 0]);
    const [again] = await keys.resolve([{ name: "person-3" as Subject, tenant: "default" }], undefined);
    assert.equal(again, subjects[3]);
  });

  test("a sealer holds its own until it is disposed of", async (t) => {
    const { keys, keyring, sealer } = testKeys(t);
    const ada = await sealer(byName("subject", "ada"));
    keys.forget(ada.subject as string as SubjectId);
    const message = await sealed(ada);
    const alive = keyring.alive;
    ada[Symbol.dispose]();
    assert.equal(keyring.alive, alive - 1);
    assert.equal(await opened(keys, message), "a document");
  });

  test("who gives up makes nobody", async (t) => {
    const { keys, keyring, sealer, store } = testKeys(t);
    await sealer(byName("subject", "ada"));
    const giving = new AbortController();
    keyring.before = () => {
      giving.abort();
    };
    await rejectsWith("aborted", () => keys.sealers([byName("subject", "bob")], giving.signal));
    assert.equal((await store.keys.people({ after: null, limit: 10 })).length, 1);
  });
});

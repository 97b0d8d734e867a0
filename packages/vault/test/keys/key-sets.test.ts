/**
 * Which key set writes: the one that the gate has in force, also when that changes between sealing and storing.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { rawAesKeyring } from "@strongroom/envelope";
import { openVault, VaultError, STORE_READER, STORE_WRITER } from "@strongroom/vault";
import type { Epoch, GateState, KeySetInput, Store, Vault } from "@strongroom/vault";
import { memoryStore } from "@strongroom/vault/memory";
import { defer } from "../../../../tests/support/defer.ts";
import { rejectsWith } from "../support/errors.ts";
import { flipTo, keysIn, keysOf, movableTime, namedSet } from "../support/key-sets.ts";
import { testStorage } from "../support/storage.ts";
import { storeWith } from "../support/store-with.ts";
import { testVault } from "../support/vault.ts";

const ada = { collection: "people", id: "ada" };
const bob = { collection: "people", id: "bob" };
const [a, b, c] = [namedSet("a"), namedSet("b"), namedSet("c")];

async function vaultOver(t: TestContext, store: Store, set: KeySetInput, next?: KeySetInput): Promise<Vault> {
  const vault = await openVault({
    store,
    keyring: set.keyring,
    keySet: set.keySet,
    ...(next === undefined ? {} : { next: { keyring: next.keyring, keySet: next.keySet } }),
  });
  defer(t, () => vault.close());
  return vault;
}

test("the first writer puts its set in force; who only reads does not", async (t) => {
  const storage = await testStorage(t);
  const vault = await vaultOver(t, await storage.open(), a, b);
  await rejectsWith("record-absent", () => vault.get(ada));
  const unset = await vault.keySet();
  assert.deepEqual([unset.epoch, unset.inForce, unset.state], [0, null, "unset"]);
  await Promise.all([vault.put(ada, {}), vault.put(bob, {})]);
  assert.deepEqual(await vault.keySet(), {
    epoch: 1,
    inForce: a.digest,
    state: "current",
    current: { digest: a.digest, keys: ["a"] },
    next: { digest: b.digest, keys: ["b"] },
  });
});

test("of two first writers with different sets one is in force, and the other refuses to write", async (t) => {
  const storage = await testStorage(t);
  const vaults = await Promise.all([a, b].map(async (set) => vaultOver(t, await storage.open(), set)));
  const ended = await Promise.allSettled(vaults.map((vault, n) => vault.put({ collection: "people", id: `${n}` }, {})));
  assert.deepEqual(ended.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const refused = ended.find((end) => end.status === "rejected");
  assert.equal((refused?.reason as { code: string }).code, "key-set-unknown");
});

test("a flip changes under which set is written; what is there stays readable, by the other set's keys alone", async (t) => {
  const storage = await testStorage(t);
  const store = await storage.open();
  const calls: string[] = [];
  const watched = (set: KeySetInput): KeySetInput => ({
    keySet: set.keySet,
    keyring: {
      onEncrypt: (...args) => set.keyring.onEncrypt(...args),
      onDecrypt: (...args) => {
        calls.push(set.keySet.join());
        return set.keyring.onDecrypt(...args);
      },
    },
  });
  const vault = await vaultOver(t, store, watched(a), watched(b));
  await vault.put(ada, { n: 1 });
  const flipped = await vault.flipKeySet();
  assert.deepEqual([flipped.epoch, flipped.state], [2, "next"]);
  assert.deepEqual((await vault.flipKeySet()).epoch, 2, "it is in force already");
  await vault.put(bob, { n: 2 });
  assert.deepEqual([await keysOf(store, ada), await keysOf(store, bob)], [["a"], ["b"]]);
  calls.length = 0;
  assert.deepEqual((await vault.get(ada)).document, { n: 1 });
  assert.deepEqual((await vault.get(bob)).document, { n: 2 });
  assert.deepEqual(calls, ["a", "b"], "no keyring is asked for what names none of its keys");
});

test("a flip that ended before all of before had ended is not done when it is tried again, until that has", async (t) => {
  const store = memoryStore();
  let isDrained = false;
  const late = new VaultError("store-failed", "A transaction of before has not ended in time");
  const slow = storeWith(store, {
    gate: {
      flip: async (change) => {
        await store.gate.flip(change);
        throw late;
      },
      drained: () => (isDrained ? store.gate.drained() : Promise.reject(late)),
    },
  });
  await (await vaultOver(t, store, a)).put(ada, {});
  const vault = await vaultOver(t, slow, a, b);
  await rejectsWith("store-failed", () => vault.flipKeySet());
  assert.equal((await vault.keySet()).state, "next");
  await rejectsWith("store-failed", () => vault.flipKeySet());
  isDrained = true;
  assert.equal((await vault.flipKeySet()).epoch, 2);
});

test("an update that inherits its subject opens under the old set and seals under the new one", async (t) => {
  const storage = await testStorage(t);
  const store = await storage.open();
  const vault = await vaultOver(t, store, a, b);
  await vault.put(ada, { n: 1 }, { subject: "person-1" });
  await vault.flipKeySet();
  assert.equal((await vault.put(ada, { n: 2 })).subject, "person-1");
  const compared = await vault.putMany("people", [{ id: "ada", document: { n: 2 } }], { onExisting: "compare" });
  assert.deepEqual(
    compared.map(({ outcome }) => outcome),
    ["unchanged"],
  );
  assert.deepEqual(await keysOf(store, ada), ["b"]);
});

test("keys without names are tried one set after the other, and a failure tells of the set that has the keys", async (t) => {
  const storage = await testStorage(t);
  const unnamed = namedSet("u");
  const store = await storage.open();
  const vault = await openVault({ store, keyring: unnamed.keyring, next: { keyring: b.keyring, keySet: b.keySet } });
  defer(t, () => vault.close());
  await vault.put(ada, { n: 1 });
  await vault.flipKeySet();
  await vault.put(bob, { n: 2 });
  assert.deepEqual([(await vault.get(ada)).document, (await vault.get(bob)).document], [{ n: 1 }, { n: 2 }]);
  const [otherA, otherB] = [namedSet("u"), namedSet("b")];
  const stranger = await vaultOver(t, await storage.open(), { ...otherA, keySet: ["u"] }, otherB);
  await rejectsWith("record-tampered", () => stranger.get(ada));
  const third = await vaultOver(t, await storage.open(), a, c);
  await rejectsWith("key-not-configured", () => third.get(ada));
});

for (const [what, write] of Object.entries<(vault: Vault) => Promise<unknown>>({
  "a put": (vault) => vault.put(ada, { n: 2 }),
  "a batch": (vault) =>
    vault.putMany(
      "people",
      ["ada", "bob"].map((id) => ({ id, document: { n: 2 } })),
      { onExisting: "replace" },
    ),
})) {
  test(`${what} whose key set changes between sealing and storing is sealed anew under the one in force`, async (t) => {
    const storage = await testStorage(t);
    const store = await storage.open();
    const kinds: string[] = [];
    const moving = storeWith(store, {
      records: {
        apply: async (units, options) => {
          if (kinds.length === 0) await flipTo(store, b.digest);
          const results = await store.records.apply(units, options);
          kinds.push(...new Set(results.map(({ kind }) => kind)));
          return results;
        },
      },
    });
    await (await vaultOver(t, await storage.open(), a)).put(ada, { n: 1 });
    const vault = await vaultOver(t, moving, a, b);
    await write(vault);
    assert.deepEqual(kinds, ["gate-moved", "made"]);
    assert.deepEqual(await keysOf(store, ada), ["b"]);
    assert.equal((await vault.get(ada)).version, 2);
  });
}

test("a gate that moves with every try ends the write within its tries, with nothing stored", async (t) => {
  const storage = await testStorage(t);
  const store = await storage.open();
  let tries = 0;
  const moving = storeWith(store, {
    records: {
      apply: async (units, options) => {
        await flipTo(store, ++tries % 2 === 0 ? a.digest : b.digest);
        return store.records.apply(units, options);
      },
    },
  });
  const vault = await openVault({ ...pick(a), store: moving, next: pick(b), limits: { writeAttempts: 3 } });
  defer(t, () => vault.close());
  await rejectsWith("key-set-moved", () => vault.put(ada, {}));
  assert.equal(tries, 3);
  await rejectsWith("key-set-moved", () =>
    vault.putMany("people", [{ id: "ada", document: {} }], { onExisting: "keep" }),
  );
  await rejectsWith("record-absent", () => vault.get(ada));
});

const pick = ({ keyring, keySet }: KeySetInput): KeySetInput => ({ keyring, keySet });

test("under a set that is not known writes refuse, reads and removals go on, until one that is known is in force", async (t) => {
  const storage = await testStorage(t);
  const store = await storage.open();
  const vault = await vaultOver(t, store, a, b);
  await vault.put(ada, { n: 1 });
  await vault.put(bob, { n: 1 });
  const prepared = await vault.prepare(ada, { n: 2 });
  await flipTo(store, c.digest);
  await rejectsWith("key-set-unknown", () => vault.put(ada, { n: 2 }));
  await rejectsWith("key-set-unknown", () =>
    vault.putMany("people", [{ id: "new", document: {} }], { onExisting: "keep" }),
  );
  await rejectsWith("key-set-unknown", () => vault.prepare(ada, { n: 2 }));
  await rejectsWith("key-set-unknown", () => vault.flipKeySet());
  assert.equal((await vault.keySet()).state, "unknown");
  assert.deepEqual((await vault.get(ada)).document, { n: 1 });
  assert.equal((await vault.history(ada)).length, 1);
  assert.equal((await vault.remove(bob)).lastVersion, 1);
  assert.equal(prepared.version, 2);
  const onlyOne = await vaultOver(t, await storage.open(), b);
  assert.equal((await onlyOne.flipKeySet()).state, "current");
  await vault.put(ada, { n: 3 });
  assert.deepEqual(await keysOf(store, ada), ["b"]);
});

test("a removal that is under way over a flip is made all the same: it wraps nothing", async (t) => {
  const storage = await testStorage(t);
  const store = await storage.open();
  const moving = storeWith(store, {
    records: {
      apply: async (units, options) => {
        if (units[0]?.change.kind === "remove") await flipTo(store, c.digest);
        return store.records.apply(units, options);
      },
    },
  });
  const vault = await vaultOver(t, moving, a);
  await vault.put(ada, {});
  assert.equal((await vault.remove(ada)).lastVersion, 1);
});

test("flips under eight writers: nothing is stored under a set that was not in force at its epoch", async (t) => {
  const storage = await testStorage(t);
  const store = await storage.open();
  const inForce = new Map<number, string>();
  let made = 0;
  const late: string[] = [];
  const watched = storeWith(store, {
    records: {
      apply: async (units, options) => {
        const results = await store.records.apply(units, options);
        for (const [index, { change }] of units.entries()) {
          if (change.kind !== "write" || results[index]?.kind !== "made") continue;
          made++;
          const [key] = keysIn(change.versions[0]!.message);
          if (key !== inForce.get(change.epoch)) late.push(`${key} at epoch ${change.epoch}`);
        }
        return results;
      },
    },
  });
  const vault = await vaultOver(t, watched, a, b);
  await store.gate.flip({ from: 0 as Epoch, digest: a.digest });
  inForce.set(1, "a");
  let isOver = false;
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let n = 0; !isOver; n++) {
      await vault.put({ collection: "people", id: `${writer}` }, { n });
      await vault.put({ collection: "people", id: "shared" }, { writer, n });
      // Nothing of a store in memory waits for more than a promise.
      await turn();
    }
  });
  for (let epoch = 1; epoch <= 40; epoch++) {
    inForce.set(epoch + 1, epoch % 2 === 0 ? "a" : "b");
    const set = epoch % 2 === 0 ? a : b;
    assert.equal(await store.gate.flip({ from: epoch as Epoch, digest: set.digest }), "flipped");
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  isOver = true;
  await Promise.all(writers);
  assert.deepEqual(late, []);
  assert.ok(made > 40, String(made));
  const versions = await vault.history({ collection: "people", id: "shared" });
  assert.deepEqual(
    versions.map(({ version }) => version),
    Array.from({ length: versions.length }, (_, n) => versions.length - n),
  );
});

test("a store that is for newer programs by now is noticed in a running process", async (t) => {
  const time = movableTime(t);
  const store = memoryStore();
  let raised: Partial<GateState> = {};
  const newer = storeWith(store, { gate: { current: async () => ({ ...(await store.gate.current()), ...raised }) } });
  const vault = await vaultOver(t, newer, a);
  await vault.put(ada, { n: 1 });
  raised = { minWriter: STORE_WRITER + 1 };
  time.later(5_001);
  await rejectsWith("store-newer", () => vault.put(ada, { n: 2 }));
  await rejectsWith("store-newer", () => vault.remove(ada));
  await rejectsWith("store-newer", () => vault.flipKeySet());
  assert.deepEqual((await vault.get(ada)).document, { n: 1 });
  raised = { minWriter: STORE_WRITER + 1, minReader: STORE_READER + 1 };
  time.later(5_001);
  await rejectsWith("store-newer", () => vault.get(ada));
  await rejectsWith("store-newer", () => vault.history(ada));
  await rejectsWith("store-newer", () => vault.list("people"));
  await rejectsWith("store-newer", () => vault.keySet());
});

test("the gate is asked once for many writes, and not at all within a while", async (t) => {
  const time = movableTime(t);
  const store = memoryStore();
  let asked = 0;
  const counting = storeWith(store, {
    gate: {
      current: () => {
        asked++;
        return store.gate.current();
      },
    },
  });
  const vault = await vaultOver(t, counting, a);
  await vault.put(ada, {});
  asked = 0;
  await Promise.all(Array.from({ length: 20 }, (_, n) => vault.put({ collection: "people", id: `${n}` }, {})));
  await vault.get(ada);
  assert.equal(asked, 0);
  time.later(5_001);
  await Promise.all(Array.from({ length: 20 }, (_, n) => vault.put({ collection: "people", id: `${n}` }, {})));
  assert.equal(asked, 1);
});

test("a digest that somebody wrote into the database is shown escaped", async (t) => {
  const { store, keyring } = await testVault(t);
  const altered = storeWith(store, {
    gate: { current: async () => ({ ...(await store.gate.current()), epoch: 3 as Epoch, digest: "\u001b[2J" }) },
  });
  const vault = await openVault({ store: altered, keyring });
  assert.deepEqual([(await vault.keySet()).inForce, (await vault.keySet()).state], ["\\u{1b}[2J", "unknown"]);
});

test("two keyrings that call their keys alike are told apart by what they open", async (t) => {
  const store = memoryStore();
  const wrappingKey = new Uint8Array(32);
  const same = (n: number): KeySetInput => ({
    keyring: rawAesKeyring({ keyNamespace: "strongroom-test", keyName: "k", wrappingKey: wrappingKey.fill(n).slice() }),
    keySet: [`k${n}`],
  });
  const vault = await vaultOver(t, store, same(1), same(2));
  await vault.put(ada, { n: 1 });
  await vault.flipKeySet();
  await vault.put(bob, { n: 2 });
  assert.deepEqual([(await vault.get(ada)).document, (await vault.get(bob)).document], [{ n: 1 }, { n: 2 }]);
});

/**
 * Writes whose answer is lost: each is found out, so that it is neither a false conflict nor a second version.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { openVault, VaultError } from "@strongroom/vault";
import type { Expectation, RecordStore, Store, Vault } from "@strongroom/vault";
import { memoryStore } from "@strongroom/vault/memory";
import { defer } from "../../../../tests/support/defer.ts";
import { rejectsWith } from "../support/errors.ts";
import { testStorage } from "../support/storage.ts";
import { storeWith } from "../support/store-with.ts";
import { aesKeyring } from "../support/vault.ts";

const ada = { collection: "people", id: "ada" };
const lost = (): VaultError => new VaultError("outcome-unknown", "The connection was lost");
const away = (): VaultError => new VaultError("store-failed", "The store cannot be reached");

/** Of each `apply`, in order, whether its answer is lost before or after it was made; "told": not at all. */
type Fate = "before" | "after" | "told";

interface Lossy {
  readonly vault: Vault;
  readonly store: Store;
  /** How often a store was asked to make units, and what became of some. */
  readonly calls: { apply: number; outcome: number; encryptions: number };
}

interface LossyOptions {
  readonly fates: readonly Fate[];
  readonly outcome?: (ask: RecordStore["outcome"], asked: number) => RecordStore["outcome"];
  readonly store?: Store;
}

async function lossy(t: TestContext, { fates, outcome, store: given }: LossyOptions): Promise<Lossy> {
  const store = given ?? (await (await testStorage(t)).open());
  const calls = { apply: 0, outcome: 0, encryptions: 0 };
  const ask: RecordStore["outcome"] = (units) => store.records.outcome(units);
  const losing = storeWith(store, {
    records: {
      apply: async (units, options) => {
        const fate = fates[calls.apply++] ?? "told";
        if (fate === "before") throw lost();
        const results = await store.records.apply(units, options);
        if (fate === "after") throw lost();
        return results;
      },
      outcome: async (units) => (outcome?.(ask, ++calls.outcome) ?? (calls.outcome++, ask))(units),
    },
  });
  const keyring = aesKeyring();
  const counting: typeof keyring = {
    onDecrypt: (...args) => keyring.onDecrypt(...args),
    onEncrypt: (...args) => {
      calls.encryptions++;
      return keyring.onEncrypt(...args);
    },
  };
  const vault = await openVault({ store: losing, keyring: counting });
  defer(t, () => vault.close());
  return { vault, store, calls };
}

const EXPECTATIONS: readonly Expectation[] = [{ kind: "any" }, { kind: "absent" }];

for (const expect of EXPECTATIONS) {
  test(`a put that was made and whose answer was lost is a success, without a second version (${expect.kind})`, async (t) => {
    const { vault, calls } = await lossy(t, { fates: ["after"] });
    const { version, outcome } = await vault.put(ada, { n: 1 }, { expect });
    assert.deepEqual([version, outcome], [1, "created"]);
    assert.deepEqual(calls, { apply: 1, outcome: 1, encryptions: 1 });
    assert.equal((await vault.history(ada)).length, 1);
  });

  test(`a put that was not made is prepared and written again (${expect.kind})`, async (t) => {
    const { vault, calls } = await lossy(t, { fates: ["before", "before"] });
    assert.equal((await vault.put(ada, { n: 1 }, { expect })).version, 1);
    assert.deepEqual(calls, { apply: 3, outcome: 2, encryptions: 3 });
    assert.deepEqual((await vault.get(ada)).document, { n: 1 });
    assert.equal((await vault.history(ada)).length, 1);
  });
}

test("a write that arrives after it was found not to be made is never made", async (t) => {
  const store = await (await testStorage(t)).open();
  const late: (() => Promise<unknown>)[] = [];
  const slow = storeWith(store, {
    records: {
      apply: async (units, options) => {
        if (late.length > 0) return store.records.apply(units, options);
        late.push(() => store.records.apply(units, options));
        throw lost();
      },
    },
  });
  const { vault } = await lossy(t, { fates: [], store: slow });
  assert.equal((await vault.put(ada, { n: 1 })).version, 1);
  assert.deepEqual(await late[0]?.(), [{ kind: "conflict" }]);
  assert.equal((await vault.history(ada)).length, 1);
});

test("a store that is away when it is asked is asked again until it is back", async (t) => {
  const { vault, calls } = await lossy(t, {
    fates: ["after"],
    outcome: (ask, asked) => (asked <= 4 ? () => Promise.reject(asked % 2 === 0 ? away() : lost()) : ask),
  });
  assert.equal((await vault.put(ada, { n: 1 })).version, 1);
  assert.deepEqual(calls, { apply: 1, outcome: 5, encryptions: 1 });
});

test("what cannot be asked is told as unknown, at once when the store will not be back", async (t) => {
  const { vault, calls } = await lossy(t, {
    fates: ["after"],
    outcome: () => () => Promise.reject(new VaultError("store-closed", "The store is closed")),
  });
  const error = await rejectsWith("outcome-unknown", () => vault.put(ada, { n: 1 }));
  assert.equal((error.cause as VaultError).code, "outcome-unknown");
  assert.deepEqual(calls, { apply: 1, outcome: 1, encryptions: 1 });
  assert.equal((await vault.get(ada)).version, 1, "it was made, which nobody could tell");
});

test("a caller who gives up while the store is asked is told that it is unknown, not that nothing was stored", async (t) => {
  const ending = new AbortController();
  const { vault } = await lossy(t, {
    fates: ["after"],
    outcome: (_, asked) => {
      if (asked === 2) ending.abort();
      return () => (asked === 1 ? Promise.reject(away()) : new Promise(() => undefined));
    },
  });
  await rejectsWith("outcome-unknown", () => vault.put(ada, { n: 1 }, { signal: ending.signal }));
});

test("a store that never answers the question holds a writer up for some seconds, not for ever", async (t) => {
  const began = performance.now();
  const { vault } = await lossy(t, { fates: ["before"], outcome: () => () => new Promise(() => undefined) });
  await rejectsWith("outcome-unknown", () => vault.put(ada, { n: 1 }));
  assert.ok(performance.now() - began < 30_000);
});

test("a removal whose answer was lost is settled too", async (t) => {
  for (const fate of ["before", "after"] as const) {
    const { vault, calls } = await lossy(t, { fates: ["told", fate] });
    await vault.put(ada, { n: 1 });
    assert.equal((await vault.remove(ada)).lastVersion, 1);
    assert.equal(calls.apply, fate === "before" ? 3 : 2);
    await rejectsWith("record-absent", () => vault.get(ada));
  }
});

test("a store that is lost with every try is told as that, and not as other writers", async (t) => {
  const { vault } = await lossy(t, { fates: Array<Fate>(1000).fill("before") });
  await rejectsWith("store-failed", () => vault.put(ada, { n: 1 }));
  await rejectsWith("store-failed", () => vault.putMany("people", items("a", "b"), { onExisting: "replace" }));
  assert.equal(await vault.get(ada).catch((error: unknown) => (error as VaultError).code), "record-absent");
});

const items = (...ids: readonly string[]): { id: string; document: { n: number } }[] =>
  ids.map((id, n) => ({ id, document: { n } }));

for (const atomicUnits of [1000, 1]) {
  for (const fate of ["before", "after"] as const) {
    test(`a batch whose answer was lost ${fate} it was made, ${atomicUnits} units a transaction: each version once`, async (t) => {
      const store = memoryStore({ capabilities: { atomicUnits } });
      const { vault, calls } = await lossy(t, { fates: [fate], store });
      const results = await vault.putMany("people", items("a", "b", "a", "c"), { onExisting: "replace" });
      assert.deepEqual(
        results.map((result) => [result.id, "version" in result ? result.version : null]),
        [
          ["a", 1],
          ["b", 1],
          ["a", 2],
          ["c", 1],
        ],
      );
      assert.deepEqual([calls.apply, calls.encryptions], fate === "before" ? [2, 8] : [1, 4]);
      for (const [id, count] of Object.entries({ a: 2, b: 1, c: 1 }))
        assert.equal((await vault.history({ collection: "people", id })).length, count);
    });
  }
}

test("of a batch in a store without transactions, what was made before the answer was lost stays, and the rest is written", async (t) => {
  const store = memoryStore({ capabilities: { atomicUnits: 1 } });
  let calls = 0;
  const half = storeWith(store, {
    records: {
      apply: async (units, options) => {
        if (++calls > 1) return store.records.apply(units, options);
        await store.records.apply(units.slice(0, 2), options);
        throw lost();
      },
    },
  });
  const { vault, calls: seen } = await lossy(t, { fates: [], store: half });
  await vault.putMany("people", items("a", "b", "c"), { onExisting: "replace" });
  assert.deepEqual([calls, seen.encryptions], [2, 4]);
  for (const { id } of items("a", "b", "c"))
    assert.equal((await vault.history({ collection: "people", id })).length, 1);
});

test("a store that does not say of each unit what became of it is asked", async (t) => {
  const store = memoryStore();
  const short = storeWith(store, {
    records: {
      apply: async (units, options) => (await store.records.apply(units, options)).slice(0, -1),
    },
  });
  const { vault } = await lossy(t, { fates: [], store: short });
  assert.equal((await vault.put(ada, {})).version, 1);
});

test("what is beyond a store's units is refused before anything is encrypted", async (t) => {
  const store = memoryStore({ capabilities: { atomicUnits: 3, unitItems: 2, unitBytes: 2_000 } });
  const { vault, calls } = await lossy(t, { fates: [], store });
  const large = { text: "x".repeat(2_000) };
  await rejectsWith("document-too-large", () => vault.put(ada, large));
  await rejectsWith("document-too-large", () => vault.prepare(ada, large));
  const batch = (...ids: readonly string[]): Promise<unknown> =>
    vault.putMany("people", items(...ids), { onExisting: "replace" });
  await rejectsWith("batch-too-large", () => batch("a", "b", "c", "d"));
  await rejectsWith("batch-too-large", () => batch("a", "a", "a"));
  const halves = ["a", "a"].map((id) => ({ id, document: { text: "x".repeat(1_100) } }));
  await rejectsWith("batch-too-large", () => vault.putMany("people", halves, { onExisting: "compare" }));
  assert.deepEqual([calls.encryptions, calls.apply], [0, 0]);
  await batch("a", "b", "c", "a");
  const kept = await vault.putMany("people", items("a", "a", "a"), { onExisting: "keep" });
  assert.deepEqual(
    kept.map(({ outcome }) => outcome),
    ["kept", "kept", "kept"],
  );
});

test("a message that only its header makes too large is refused before it is stored", async (t) => {
  const store = memoryStore({ capabilities: { unitBytes: 500 } });
  const { vault, calls } = await lossy(t, { fates: [], store });
  await rejectsWith("document-too-large", () => vault.put(ada, { text: "x".repeat(450) }));
  assert.deepEqual([calls.encryptions, calls.apply], [1, 0]);
});

test("a long history is read by pages, each version once", async (t) => {
  const store = memoryStore();
  const { vault } = await lossy(t, { fates: [], store });
  for (let n = 0; n < 21; n++)
    await vault.putMany("people", items(...Array.from({ length: 50 }, () => "ada")), { onExisting: "replace" });
  assert.deepEqual(
    (await vault.history(ada)).map(({ version }) => version),
    Array.from({ length: 1050 }, (_, n) => 1050 - n),
  );
});

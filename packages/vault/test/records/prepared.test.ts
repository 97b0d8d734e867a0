/**
 * Writes that are prepared, and made within a transaction of the caller's own: here one of the store in memory, which
 * everyone else's changes wait for.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import type { KeyStore, Store, Vault } from "@strongroom/vault";
import { MemoryStorage, memoryStore } from "@strongroom/vault/memory";
import { defer } from "../../../../tests/support/defer.ts";
import { rejectsWith } from "../support/errors.ts";
import { flipTo, keysOf, movableTime, namedSet } from "../support/key-sets.ts";
import { storeWith } from "../support/store-with.ts";
import { memoryStorage } from "../support/storage.ts";
import { KINDS, testVault } from "../support/vault.ts";
import type { VaultKind } from "../support/vault.ts";

const ada = { collection: "people", id: "ada" };
const bob = { collection: "people", id: "bob" };
const [a, b] = [namedSet("a"), namedSet("b")];

interface Opened {
  readonly vault: Vault;
  readonly store: Store;
  readonly storage: MemoryStorage;
  /** Calls of the keyring, and calls of the store but those of its transactions. */
  readonly calls: string[];
}

async function opened(t: TestContext, kind: VaultKind): Promise<Opened> {
  const storage = new MemoryStorage();
  const store = memoryStore({ storage });
  const calls: string[] = [];
  const noted = <Part extends object>(part: Part, name: string): Part =>
    new Proxy(part, {
      get: (target, key) => {
        const found = Reflect.get(target, key) as unknown;
        if (typeof found !== "function") return found;
        return (...args: unknown[]) => {
          calls.push(`${name}.${String(key)}`);
          return (found as (...given: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  const watched = storeWith(store, {
    records: noted(store.records, "records"),
    gate: noted(store.gate, "gate"),
    inventory: noted(store.inventory, "inventory"),
    jobs: noted(store.jobs, "jobs"),
    requireRoom: () => {
      calls.push("requireRoom");
      return store.requireRoom();
    },
  });
  const places = memoryStorage(storage);
  const openKeys = async (): Promise<KeyStore> => {
    const keys = await places.openKeys();
    return new Proxy(keys, {
      get: (target, key) => {
        if (key === "keys") return noted(target.keys, "key store");
        const found = Reflect.get(target, key) as unknown;
        return typeof found === "function" ? (found as (...given: unknown[]) => unknown).bind(target) : found;
      },
    });
  };
  const { vault } = await testVault(t, {
    kind,
    storage: { ...places, openKeys },
    store: watched,
    keyring: noted(a.keyring, "keyring"),
    keySet: a.keySet,
    next: { keyring: noted(b.keyring, "keyring"), keySet: b.keySet },
  });
  return { vault, store, storage, calls };
}

for (const kind of KINDS)
  describe(kind.name, () => {
    test("what is prepared is stored when the caller commits, and not before", async (t) => {
      const { vault, storage } = await opened(t, kind);
      await vault.put(bob, { n: 1 }, { subject: "person-1" });
      const prepared = [await vault.prepare(ada, { n: 1 }), await vault.prepare(bob, { n: 2 })];
      assert.deepEqual(
        prepared.map(({ id, version, outcome, subject, wraps }) => ({ id, version, outcome, subject, wraps })),
        [
          { id: "ada", version: 1, outcome: "created", subject: "ada", wraps: { stored: 1, target: 1, missing: [] } },
          {
            id: "bob",
            version: 2,
            outcome: "replaced",
            subject: "person-1",
            wraps: { stored: 1, target: 1, missing: [] },
          },
        ],
      );
      await rejectsWith("record-absent", () => vault.get(ada));
      const transaction = await storage.begin();
      assert.deepEqual(await vault.withTransaction(transaction, prepared), prepared);
      await rejectsWith("record-absent", () => vault.get(ada));
      transaction.commit();
      assert.deepEqual([(await vault.get(ada)).document, (await vault.get(bob)).document], [{ n: 1 }, { n: 2 }]);
    });

    test("within the transaction no keyring is called, and nothing of the store but the transaction", async (t) => {
      const { vault, storage, calls } = await opened(t, kind);
      const prepared = await vault.prepare(ada, { n: 1 });
      // A writer who waits for the transaction holds the record's turn: it must not be waited for.
      const transaction = await storage.begin();
      const writing = vault.put(ada, { n: 2 });
      await new Promise((resolve) => setTimeout(resolve, 10));
      calls.length = 0;
      await vault.withTransaction(transaction, [prepared]);
      assert.deepEqual(calls, []);
      transaction.commit();
      assert.equal((await writing).version, 2);
    });

    test("a caller that rolls back leaves nothing, and what was prepared is used up", async (t) => {
      const { vault, storage } = await opened(t, kind);
      const prepared = await vault.prepare(ada, { n: 1 });
      const transaction = await storage.begin();
      await vault.withTransaction(transaction, [prepared]);
      transaction.rollback();
      await rejectsWith("record-absent", () => vault.get(ada));
      const again = await storage.begin();
      await rejectsWith("vault-option-invalid", () => vault.withTransaction(again, [prepared]));
      again.rollback();
      assert.deepEqual(await vault.collections(), []);
    });

    test("a record that has changed is a conflict of what was expected, and the transaction goes on without any of them", async (t) => {
      const { vault, storage } = await opened(t, kind);
      await vault.put(ada, { n: 1 });
      for (const [expect, code] of [
        [{ kind: "version", version: 1 }, "version-conflict"],
        [{ kind: "any" }, "record-contended"],
        [{ kind: "present" }, "record-contended"],
      ] as const) {
        await vault.remove(ada);
        const { version } = await vault.put(ada, { n: 1 });
        const expected = expect.kind === "version" ? { ...expect, version } : expect;
        const lost = [await vault.prepare(bob, {}), await vault.prepare(ada, {}, { expect: expected })];
        await vault.put(ada, { n: "faster" });
        const kept = await vault.prepare({ collection: "people", id: expect.kind }, {});
        const transaction = await storage.begin();
        await rejectsWith(code, () => vault.withTransaction(transaction, lost));
        await vault.withTransaction(transaction, [kept]);
        transaction.commit();
        assert.deepEqual((await vault.get(ada)).document, { n: "faster" });
        await rejectsWith("record-absent", () => vault.get(bob));
        assert.equal((await vault.get({ collection: "people", id: expect.kind })).version, 1);
      }
    });

    test("of two prepared writes of an absent record one is made", async (t) => {
      const { vault, storage } = await opened(t, kind);
      const expect = { kind: "absent" } as const;
      const prepared = [await vault.prepare(ada, { n: 1 }, { expect }), await vault.prepare(ada, { n: 2 }, { expect })];
      const first = await storage.begin();
      await vault.withTransaction(first, prepared.slice(0, 1));
      first.commit();
      const second = await storage.begin();
      await rejectsWith("version-conflict", () => vault.withTransaction(second, prepared.slice(1)));
      second.rollback();
      await rejectsWith("version-conflict", () => vault.prepare(ada, {}, { expect }));
    });

    test("a key set that changed after the write was prepared is told, and the next write is under the one in force", async (t) => {
      const { vault, store, storage } = await opened(t, kind);
      const prepared = await vault.prepare(ada, { n: 1 });
      await flipTo(store, b.digest);
      const transaction = await storage.begin();
      await rejectsWith("key-set-moved", () => vault.withTransaction(transaction, [prepared]));
      transaction.commit();
      await rejectsWith("record-absent", () => vault.get(ada));
      const anew = await vault.prepare(ada, { n: 1 });
      const second = await storage.begin();
      await vault.withTransaction(second, [anew]);
      second.commit();
      // In the other scopes the message hangs on a key of the key store, which has a key set of its own.
      if (kind.scope === null || kind.scope === "record") assert.deepEqual(await keysOf(store, ada), ["b"]);
    });

    test("only what this vault has prepared is made: no copy, none of another vault's, none twice, none of a record twice", async (t) => {
      const { vault, storage } = await opened(t, kind);
      const other = await opened(t, kind);
      const prepared = await vault.prepare(ada, {});
      const transaction = await storage.begin();
      defer(t, () => {
        transaction.rollback();
      });
      const refused = (given: unknown): Promise<unknown> =>
        rejectsWith("vault-option-invalid", () => vault.withTransaction(transaction, given as never));
      await refused([{ ...prepared }]);
      await refused([await other.vault.prepare(ada, {})]);
      await refused([null]);
      await refused(["x"]);
      await refused(prepared);
      await refused(undefined);
      assert.throws(() => {
        (prepared as { version: number }).version = 9;
      }, TypeError);
      await refused([prepared, await vault.prepare(ada, {})]);
      await refused([prepared]);
      const once = await vault.prepare(ada, {});
      const made = await Promise.allSettled([1, 2].map(() => vault.withTransaction(transaction, [once])));
      assert.deepEqual(
        made.map(({ status }) => status),
        ["fulfilled", "rejected"],
      );
      assert.deepEqual(await vault.withTransaction(transaction, []), []);
    });

    test("a prepared write that is older than a minute is made no more", async (t) => {
      const time = movableTime(t);
      const { vault, storage } = await opened(t, kind);
      const [late, soon] = [await vault.prepare(ada, {}), await vault.prepare(bob, {})];
      const transaction = await storage.begin();
      time.later(59_000);
      await vault.withTransaction(transaction, [soon]);
      time.later(1_001);
      const error = await rejectsWith("vault-option-invalid", () => vault.withTransaction(transaction, [late]));
      assert.match(error.message, /prepared more than 60 s ago/);
      transaction.commit();
    });

    test("what is no transaction is refused, and so is a store that has none", async (t) => {
      const { vault, storage } = await opened(t, kind);
      const ended = await storage.begin();
      ended.rollback();
      for (const client of [null, {}, ended, await new MemoryStorage().begin()])
        await rejectsWith("transaction-refused", async () =>
          vault.withTransaction(client, [await vault.prepare(ada, {})]),
        );
      const { store, another } = await testVault(t, { kind });
      const without = await another({ store: storeWith(store, { transaction: undefined } as never) });
      await rejectsWith("transaction-refused", async () =>
        without.withTransaction({}, [await without.prepare(ada, {})]),
      );
    });

    test("an error of the database comes through as it is", async (t) => {
      const serialization = Object.assign(new Error("could not serialize access"), { code: "40001" });
      const { store, another } = await testVault(t, { kind });
      const failing = storeWith(store, {
        transaction: async () => ({ apply: () => Promise.reject(serialization) }),
      });
      const vault = await another({ store: failing });
      await assert.rejects(
        vault.withTransaction({}, [await vault.prepare(ada, {})]),
        (error) => error === serialization,
      );
    });

    test("more writes than one transaction takes are refused, and documents are taken at the call", async (t) => {
      const store = memoryStore({ capabilities: { atomicUnits: 2 } });
      const { vault } = await testVault(t, { kind, store });
      const prepared = await Promise.all(["1", "2", "3"].map((id) => vault.prepare({ collection: "people", id }, {})));
      await rejectsWith("batch-too-large", () => vault.withTransaction({}, prepared));
      const { vault: second, storage } = await opened(t, kind);
      const document = { n: 1 };
      const preparing = second.collection("people").prepare("ada", document);
      document.n = 2;
      const taken = await preparing;
      const transaction = await storage.begin();
      await second.withTransaction(transaction, [taken]);
      transaction.commit();
      assert.deepEqual((await second.get(ada)).document, { n: 1 });
    });

    test("a writer waits for no turn while a write is prepared, and a caller who gives up prepares nothing", async (t) => {
      const { vault } = await opened(t, kind);
      const prepared = await Promise.all([1, 2].map((n) => vault.prepare(ada, { n })));
      assert.deepEqual(
        prepared.map(({ version }) => version),
        [1, 1],
      );
      await rejectsWith("aborted", () => vault.prepare(ada, {}, { signal: AbortSignal.abort() }));
      await rejectsWith("document-invalid", () => vault.prepare(ada, { n: Number.NaN }));
      await rejectsWith("vault-option-invalid", () => vault.prepare(ada, {}, { expected: 1 } as never));
    });
  });

/**
 * A person's key that another process has renewed, and sealed under: whoever still holds the one before is told by the
 * store, once, and goes on under the new one.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Vault } from "@strongroom/vault";
import { MemoryStorage, memoryStore } from "@strongroom/vault/memory";
import type { SubjectScope } from "../../src/stores/subjects.ts";
import { rejectsWith } from "../support/errors.ts";
import { memoryStorage } from "../support/storage.ts";
import { testVault } from "../support/vault.ts";

const at = (id: string) => ({ collection: "people", id });

for (const scope of ["subject", "tenant"] satisfies SubjectScope[])
  test(`in ${scope} scope a write, a batch and a transaction go on under a key that was renewed elsewhere`, async (t) => {
    const memory = new MemoryStorage();
    const storage = { ...memoryStorage(memory), open: async () => memoryStore({ storage: memory }) };
    const { vault, another } = await testVault(t, { storage, keys: { store: await storage.openKeys(), scope } });
    const late = await another({ keys: { store: await storage.openKeys(), scope } });
    const version = async (id: string): Promise<string | undefined> => {
      const [row] = (await late.subjects.records("ada")).items.filter((item) => item.id === id);
      return row === undefined ? undefined : String((await late.get(at(id))).version);
    };
    await vault.put(at("1"), { n: 1 }, { subject: "ada" });
    const renewed = async (): Promise<void> => {
      // In its memory; then retired, and the new one used.
      await late.put(at("held"), { n: 1 }, { subject: "ada" });
      await vault.subjects.renewKey("ada");
      await vault.put(at("1"), { n: 2 });
    };
    await renewed();
    await late.put(at("2"), { n: 1 }, { subject: "ada" });
    assert.equal(await version("2"), "1");
    await renewed();
    const items = ["ada", "bob", "ada"].map((subject, n) => ({ id: `batch-${n}`, document: { n }, subject }));
    const results = await late.putMany("people", items, { onExisting: "replace" });
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ["created", "created", "created"],
    );
    await renewed();
    const made = async (by: Vault): Promise<void> => {
      const prepared = await by.prepare(at("3"), { n: 1 }, { subject: "ada" });
      const transaction = await memory.begin();
      try {
        await by.withTransaction(transaction, [prepared]);
      } finally {
        transaction.commit();
      }
    };
    await rejectsWith("subject-key-set-back", () => made(late));
    await made(late);
    assert.equal(await version("3"), "1");
  });

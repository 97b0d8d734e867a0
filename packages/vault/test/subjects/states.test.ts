/**
 * What is revoked is revoked at once and in all processes, whatever keys they hold: two vaults over one storage, of
 * which one restricts and the other reads and writes.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KeyStore, Scope, Vault } from "@strongroom/vault";
import { MemoryStorage, memoryStore } from "@strongroom/vault/memory";
import type { SubjectId } from "../../src/stores/subjects.ts";
import { rejectsWith } from "../support/errors.ts";
import { keyedVault } from "../support/keyed-vault.ts";
import { memoryStorage } from "../support/storage.ts";
import { overlaid, storeWith } from "../support/store-with.ts";
import { testVault } from "../support/vault.ts";

const at = (id: string) => ({ collection: "people", id });
const outcomes = async (vault: Vault, items: readonly { id: string; subject?: string; about?: readonly string[] }[]) =>
  (
    await vault.putMany(
      "people",
      items.map((item) => ({ document: { n: 2 }, ...item })),
      { onExisting: "replace" },
    )
  ).map((result) => (result.outcome === "refused" ? result.code : result.outcome));

for (const scope of ["record", "subject", "tenant"] satisfies Scope[])
  describe(`in ${scope} scope`, () => {
    const keys = { scope };

    test("a person restricted in one process is read and written by no other one, until released", async (t) => {
      const { vault, another } = await keyedVault(t, { keys });
      const other = await another();
      await vault.put(at("1"), { n: 1 }, { subject: "ada" });
      await vault.put(at("2"), { n: 1 }, { subject: "bob", about: ["ada"] });
      await vault.put(at("3"), { n: 1 }, { subject: "bob" });
      for (const id of ["1", "2", "3"]) await other.get(at(id));
      assert.equal(await vault.subjects.restrict("ada"), "restricted");
      assert.equal(await vault.subjects.restrict("ada"), "restricted");
      assert.equal(await other.subjects.state("ada"), "restricted");
      for (const each of [vault, other]) {
        for (const id of ["1", "2"]) {
          await rejectsWith("subject-restricted", () => each.get(at(id)));
          await rejectsWith("subject-restricted", () => each.put(at(id), {}));
          await rejectsWith("subject-restricted", () => each.put(at(id), {}, { subject: "bob", repoint: true }));
          await rejectsWith("subject-restricted", () => each.put(at(id), {}, { about: [] }));
          await rejectsWith("subject-restricted", () => each.prepare(at(id), {}));
        }
        await rejectsWith("subject-restricted", () => each.put(at("new"), {}, { subject: "ada" }));
        await rejectsWith("subject-restricted", () => each.put(at("3"), {}, { about: ["ada"] }));
        assert.deepEqual(
          await outcomes(each, [{ id: "1" }, { id: "3" }, { id: "2" }, { id: "new", subject: "ada" }, { id: "3" }]),
          ["subject-restricted", "replaced", "subject-restricted", "subject-restricted", "replaced"],
        );
      }
      assert.deepEqual(
        (await other.history(at("1"))).map(({ subject }) => subject),
        [null],
        "a history does not say who it is",
      );
      assert.equal(await vault.subjects.release("ada"), "active");
      for (const id of ["1", "2"]) assert.deepEqual((await other.get(at(id))).document, { n: 1 });
      await rejectsWith("record-absent", () => other.get(at("new")));
    });

    test("who is restricted while a write is sealed is not written about", async (t) => {
      const { storage, vault, another } = await keyedVault(t, { keys });
      await vault.put(at("1"), { n: 1 }, { subject: "ada" });
      const store = await storage.open();
      let before: () => Promise<unknown> = async () => undefined;
      const late = await another({
        store: storeWith(store, {
          records: {
            apply: async (units, options) => {
              await before();
              return store.records.apply(units, options);
            },
          },
        }),
      });
      await late.get(at("1"));
      before = () => vault.subjects.restrict("ada");
      await rejectsWith("subject-restricted", () => late.put(at("1"), { n: 2 }, { subject: "ada" }));
      await vault.subjects.release("ada");
      // Re-pointed away from her: who it was about is locked too.
      await rejectsWith("subject-restricted", () => late.put(at("1"), {}, { subject: "bob", repoint: true }));
      await vault.subjects.release("ada");
      assert.deepEqual(await outcomes(late, [{ id: "x", subject: "bob" }, { id: "1" }, { id: "y", subject: "ada" }]), [
        "created",
        "subject-restricted",
        "subject-restricted",
      ]);
      await vault.subjects.release("ada");
      assert.deepEqual((await vault.get(at("1"))).document, { n: 1 });
      await rejectsWith("record-absent", () => vault.get(at("y")));
    });

    test("a prepared write about somebody who is restricted meanwhile is not made, and the transaction goes on", async (t) => {
      const memory = new MemoryStorage();
      const storage = { ...memoryStorage(memory), open: async () => memoryStore({ storage: memory }) };
      const { vault } = await testVault(t, { storage, keys: { store: await storage.openKeys(), scope } });
      const ada = await vault.prepare(at("1"), { n: 1 }, { subject: "ada" });
      const bob = await vault.prepare(at("2"), { n: 1 }, { subject: "bob" });
      await vault.subjects.restrict("ada");
      const transaction = await memory.begin();
      await rejectsWith("subject-restricted", () => vault.withTransaction(transaction, [ada]));
      await vault.withTransaction(transaction, [bob]);
      transaction.commit();
      await rejectsWith("record-absent", () => vault.get(at("1")));
      assert.equal((await vault.get(at("2"))).subject, "bob");
    });

    test("who was erased is gone, and who comes back by the same name is somebody new, also where the name is cached", async (t) => {
      const { vault, another, store, storage, stored } = await keyedVault(t, { keys });
      const other = await another();
      await vault.put(at("1"), { n: 1 }, { subject: "ada" });
      await other.get(at("1"));
      await other.put(at("2"), { n: 1 }, { subject: "ada" });
      const id = (await stored(at("1"))).subject as string as SubjectId;
      await store.subjects.setState({ id, from: ["active"], to: "erasing" });
      for (const each of [vault, other]) {
        await rejectsWith("subject-erased", () => each.get(at("1")));
        await rejectsWith("subject-erased", () => each.put(at("new"), {}, { subject: "ada" }));
        await rejectsWith("subject-erased", () => each.subjects.restrict("ada"));
        await rejectsWith("subject-erased", () => each.subjects.release("ada"));
        await rejectsWith("subject-erased", () => each.subjects.renewKey("ada"));
        assert.deepEqual(
          await outcomes(each, [
            { id: "new", subject: "ada" },
            { id: "b", subject: "bob" },
          ]).then((all) => all[0]),
          "subject-erased",
        );
      }
      const keyStore = await storage.openKeys();
      await keyStore.keys.erase([id], new Date().toISOString());
      await store.subjects.setState({ id, from: ["erasing"], to: "erased" });
      await rejectsWith("subject-erased", () => other.get(at("1")));
      await rejectsWith("subject-erased", () => other.put(at("1"), {}));
      await vault.remove(at("1"));
      assert.equal((await other.put(at("1"), { n: 2 }, { subject: "ada" })).subject, "ada");
      assert.notEqual((await stored(at("1"))).subject, id);
      assert.deepEqual(await outcomes(vault, [{ id: "new", subject: "ada" }]), ["created"]);
      assert.equal((await stored(at("new"))).subject, (await stored(at("1"))).subject);
      assert.equal(await vault.subjects.state("ada"), "active");
      await rejectsWith("subject-erased", () => other.get(at("2")));
    });
  });

test("a retired key that is offered as the newest one seals nothing", async (t) => {
  const { vault, another, storage, store, stored } = await keyedVault(t);
  await vault.put(at("1"), { n: 1 }, { subject: "ada" });
  const id = (await stored(at("1"))).subject as string as SubjectId;
  await vault.subjects.renewKey("ada");
  await vault.put(at("1"), { n: 2 });
  assert.equal((await store.subjects.get([id]))[0]?.ordinals.subject, 2);
  const keyStore = await storage.openKeys();
  // As if the row of the newest version were deleted.
  const older: KeyStore = overlaid(keyStore, {
    keys: overlaid(keyStore.keys, {
      active: async (names) =>
        Promise.all(names.map(async (name) => (await keyStore.keys.versions(name)).at(-1) ?? { key: null })),
    }),
  });
  const late = await another({ keys: { store: older } });
  await rejectsWith("subject-key-set-back", () => late.put(at("new"), {}, { subject: "ada" }));
  await rejectsWith("subject-key-set-back", () =>
    late.putMany("people", [{ id: "new", document: {}, subject: "ada" }], { onExisting: "replace" }),
  );
  await rejectsWith("record-absent", () => vault.get(at("new")));
});

/** What was written before there was a key store: it reads on, and its next version is one of scheme 2. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "@strongroom/envelope";
import { parseAddress } from "@strongroom/vault";
import { rejectsWith } from "../support/errors.ts";
import { testStorage } from "../support/storage.ts";
import { aesKeyring, testVault } from "../support/vault.ts";
import type { TestVault } from "../support/vault.ts";
import type { TestContext } from "node:test";

const at = (id: string) => ({ collection: "people", id });

/** A storage with records of before. */
async function adopted(t: TestContext): Promise<TestVault & { readonly before: TestVault }> {
  const storage = await testStorage(t);
  const keyring = aesKeyring();
  const before = await testVault(t, { storage, keyring });
  await before.vault.put(at("1"), { n: 1 });
  await before.vault.put(at("2"), { n: 1 }, { subject: "ada" });
  await before.vault.put(at("2"), { n: 2 });
  await before.vault.put(at("removed"), { n: 1 });
  await before.vault.remove(at("removed"));
  const opened = await testVault(t, { storage, keyring, keys: { store: await storage.openKeys() } });
  return { ...opened, before };
}

test("what was there reads on by its name, and is written on about the same person, under a key of theirs", async (t) => {
  const { vault, store } = await adopted(t);
  assert.deepEqual([(await vault.get(at("1"))).subject, (await vault.get(at("2"))).subject], ["1", "ada"]);
  assert.equal(await vault.subjects.state("ada"), null, "reading makes nobody");
  const put = await vault.put(at("2"), { n: 3 });
  assert.deepEqual([put.subject, put.version], ["ada", 3]);
  assert.equal((await vault.put(at("1"), { n: 2 }, { subject: "1" })).subject, "1");
  const { stored } = await store.records.read(parseAddress(at("2")), null);
  assert.equal(stored?.scheme, 2);
  assert.equal(inspect(stored.message).encryptedDataKeys[0]?.providerId, "aws-kms-hierarchy");
  for (const version of [1, 2, 3]) assert.deepEqual((await vault.get(at("2"), { version })).document, { n: version });
  assert.deepEqual(
    (await vault.history(at("2"))).map(({ version, subject }) => [version, subject]),
    [
      [3, "ada"],
      [2, "ada"],
      [1, "ada"],
    ],
  );
  await vault.put(at("3"), {}, { subject: "ada" });
  assert.equal((await vault.get(at("3"))).subject, "ada");
  assert.deepEqual((await vault.subjects.records("ada")).items.map(({ id }) => id).sort(), ["2", "3"]);
  assert.equal((await vault.put(at("removed"), {})).subject, "people/removed", "a removed record leaves nobody behind");
  await rejectsWith("subject-differs", () => vault.put(at("1"), {}, { subject: "bob" }));
  assert.equal((await vault.put(at("1"), {}, { subject: "bob", repoint: true })).subject, "bob");
});

test("whoever an old record is about can be restricted by name before anything is written about them", async (t) => {
  const { vault, another } = await adopted(t);
  const other = await another({ keys: { store: await (await testStorage(t)).openKeys() } }).catch(() => null);
  assert.equal(other, null, "a key store that is new is not the vault's");
  await vault.subjects.restrict("ada");
  await rejectsWith("subject-restricted", () => vault.get(at("2")));
  await rejectsWith("subject-restricted", () => vault.put(at("2"), {}));
  await rejectsWith("subject-restricted", () => vault.put(at("2"), {}, { subject: "bob", repoint: true }));
  const [refused] = await vault.putMany("people", [{ id: "2", document: {} }], { onExisting: "compare" });
  assert.equal(refused?.outcome === "refused" && refused.code, "subject-restricted");
  assert.deepEqual(
    (await vault.history(at("2"))).map(({ subject }) => subject),
    [null, null],
  );
  await vault.subjects.release("ada");
  assert.equal((await vault.get(at("2"))).subject, "ada");
});

test("an equal document is left as it was, in its old scheme; the proof of an old subject is asked for", async (t) => {
  const { vault, store, before } = await adopted(t);
  const compared = await vault.putMany(
    "people",
    [
      { id: "2", document: { n: 2 } },
      { id: "2", document: { n: 2 }, subject: "ada" },
      { id: "2", document: { n: 2 }, subject: "bob" },
      { id: "2", document: { n: 3 } },
      { id: "2", document: { n: 3 } },
    ],
    { onExisting: "compare" },
  );
  assert.deepEqual(
    compared.map(({ outcome }) => outcome),
    ["unchanged", "unchanged", "refused", "replaced", "unchanged"],
  );
  assert.equal((await store.records.read(parseAddress(at("2")), null)).stored?.scheme, 2);
  // The vault of before, still open in another process, does not write over what it cannot read.
  await rejectsWith("key-store-lost", () => before.vault.get(at("2")));
  await rejectsWith("key-store-lost", () => before.vault.put(at("2"), {}));
  await rejectsWith("key-store-lost", () => before.vault.put(at("2"), {}, { subject: "eve" }));
  assert.deepEqual((await before.vault.get(at("1"))).document, { n: 1 });
});

test("once a store has a key store it is not opened without it", async (t) => {
  const { storage, keyring } = await adopted(t);
  await rejectsWith("key-store-lost", () => testVault(t, { storage, keyring }));
});

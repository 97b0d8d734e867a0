/** What callers do is in the audit, whatever it comes to; where the audit cannot take it, nothing is given out. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openVault, VaultError } from "@strongroom/vault";
import type { Outbox, Store } from "@strongroom/vault";
import { memoryKeyStore } from "@strongroom/vault/memory";
import { auditedVault, inWords } from "../support/audited-vault.ts";
import { rejectsWith } from "../support/errors.ts";
import { overlaid } from "../support/store-with.ts";
import { aesKeyring } from "../support/vault.ts";

const ADA = { collection: "people", id: "ada" };
const BOB = { collection: "people", id: "bob" };
const OF_ADA = { subject: "ada@example.com" };

describe("each call", () => {
  test("is an entry of whoever calls", async (t) => {
    const { vault, entries } = await auditedVault(t);
    const clerk = vault.as({ principal: "token:7", ticket: "T-1" });
    await clerk.put(ADA, { name: "Ada" }, OF_ADA);
    await vault.get(ADA);
    await clerk.collection("people").get("ada");
    await clerk.history(ADA);
    await clerk.list("people");
    await clerk.remove(ADA);
    assert.deepEqual(inWords(await entries()), [
      "write done token:7",
      "read done local",
      "read done token:7",
      "history done token:7",
      "list done token:7",
      "remove done token:7",
    ]);
  });

  test("about people is one of theirs", async (t) => {
    const { vault, entries } = await auditedVault(t);
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    const { subjects } = vault.as({ principal: "officer" });
    await subjects.state(OF_ADA.subject);
    await subjects.restrict(OF_ADA.subject);
    await subjects.release(OF_ADA.subject);
    await subjects.renewKey(OF_ADA.subject);
    await subjects.records(OF_ADA.subject);
    await rejectsWith("subject-absent", () => subjects.renewKey("nobody@example.com"));
    assert.deepEqual(inWords((await entries()).slice(1)), [
      "state done officer",
      "restrict begun officer",
      "restrict done officer",
      "release begun officer",
      "release done officer",
      "renew-key begun officer",
      "renew-key done officer",
      "people-listed done officer",
      "renew-key subject-absent officer",
    ]);
  });

  test("that is refused is one, with the error's code and the record that was asked for", async (t) => {
    const { vault, entries } = await auditedVault(t);
    const clerk = vault.as({ principal: "clerk" });
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    await rejectsWith("record-absent", () => clerk.get(BOB));
    await rejectsWith("record-absent", () => clerk.history(BOB));
    await rejectsWith("record-absent", () => clerk.remove(BOB));
    await rejectsWith("version-absent", () => clerk.get(ADA, { version: 2 }));
    await rejectsWith("version-conflict", () => clerk.put(ADA, { name: "A" }, { expect: { kind: "absent" } }));
    await rejectsWith("subject-differs", () => clerk.put(ADA, { name: "A" }, { subject: "bob@example.com" }));
    await rejectsWith("collection-absent", () => clerk.list("pets"));
    await rejectsWith("id-invalid", () => clerk.get({ collection: "people", id: "a/b" }));
    await rejectsWith("id-invalid", () => clerk.collection("people").remove(".."));
    await vault.subjects.restrict(OF_ADA.subject);
    await rejectsWith("subject-restricted", () => clerk.get(ADA));
    const refused = (await entries()).filter(({ principal }) => principal === "clerk");
    assert.deepEqual(inWords(refused), [
      "read record-absent clerk",
      "history record-absent clerk",
      "remove record-absent clerk",
      "read version-absent clerk",
      "write version-conflict clerk",
      "write subject-differs clerk",
      "list collection-absent clerk",
      "read id-invalid clerk",
      "remove id-invalid clerk",
      "read subject-restricted clerk",
    ]);
    const [write, read] = [(await entries("write"))[0]!, refused.at(-1)!];
    assert.equal(read.records![0]!.tag, write.records![0]!.tag, "the same record");
    assert.equal(read.people![0]!.key, write.people![0]!.key, "found by the person");
  });

  test("that is refused changes nothing that the log knows, and nobody takes it for altered", async (t) => {
    const { vault } = await auditedVault(t);
    const clerk = vault.as({ principal: "clerk" });
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    await rejectsWith("record-absent", () => clerk.remove(BOB));
    await rejectsWith("version-conflict", () => clerk.put(ADA, { name: "A" }, { expect: { kind: "absent" } }));
    await vault.audit!.sequence();
    assert.deepEqual((await vault.audit!.status()).alarms, []);
    assert.deepEqual((await vault.audit!.verify()).problems, []);
    await vault.get(ADA);
  });

  test("names the keys that were made for it, and no hot read names any", async (t) => {
    const { vault, entries } = await auditedVault(t);
    const clerk = vault.as({ principal: "clerk" });
    await clerk.put(ADA, { name: "Ada" }, OF_ADA);
    const made = await entries("keys-made");
    assert.deepEqual(inWords(made), ["keys-made done clerk"]);
    assert.equal(made[0]!.details!["subject"], 1);
    await clerk.get(ADA);
    assert.equal((await entries("keys-made")).length, 1);
  });
});

describe("purposes", () => {
  const collections = { people: { purposes: ["support", "billing"] } };

  test("one that the collection declares must be named by every call of it", async (t) => {
    const { vault, entries } = await auditedVault(t, { collections });
    const calls = [vault, vault.as({ principal: "clerk" })].flatMap((caller) => [
      () => caller.put(ADA, {}, OF_ADA),
      () => caller.putMany("people", [{ id: "ada", document: {} }], { onExisting: "replace" }),
      () => caller.prepare(ADA, {}, OF_ADA),
      () => caller.get(ADA),
      () => caller.history(ADA),
      () => caller.list("people"),
      () => caller.remove(ADA),
    ]);
    for (const call of calls) await rejectsWith("purpose-missing", call);
    await rejectsWith("purpose-refused", () => vault.as({ principal: "clerk", purpose: "sales" }).get(ADA));
    const clerk = vault.as({ principal: "clerk", purpose: "billing" });
    await clerk.put(ADA, { name: "Ada" }, OF_ADA);
    await clerk.get(ADA);
    const all = await entries();
    assert.deepEqual(
      all.filter(({ result }) => result === "done").map(({ purpose }) => purpose),
      ["billing", "billing"],
    );
    assert.equal(all.filter(({ result }) => result === "purpose-missing").length, calls.length);
    await vault.put({ collection: "pets", id: "1" }, { name: "Byron" });
  });

  test("without an audit nobody could hold anybody to them", async (t) => {
    const { store } = await auditedVault(t);
    const keys = { store: memoryKeyStore() };
    await rejectsWith("vault-option-invalid", () => openVault({ store, keyring: aesKeyring(), keys, collections }));
  });
});

describe("where the audit cannot take an entry", () => {
  /** A store whose outbox fails while `isBroken`. */
  const broken =
    (is: { broken: boolean }) =>
    (store: Store): Store =>
      overlaid(store, {
        outbox: overlaid<Outbox>(store.outbox, {
          append: (entries, active) =>
            is.broken ? Promise.reject(new VaultError("store-full", "no room")) : store.outbox.append(entries, active),
        }),
      });

  test("nothing is given out, and nothing is refused in its stead; later it is", async (t) => {
    const is = { broken: false };
    const { vault } = await auditedVault(t, { alter: broken(is) });
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    is.broken = true;
    for (const call of [
      () => vault.get(ADA),
      () => vault.history(ADA),
      () => vault.list("people"),
      () => vault.get(BOB),
      () => vault.subjects.state(OF_ADA.subject),
      () => vault.subjects.restrict(OF_ADA.subject),
    ])
      await rejectsWith("audit-unavailable", call);
    is.broken = false;
    assert.equal(await vault.subjects.state(OF_ADA.subject), "active");
    assert.deepEqual((await vault.get(ADA)).document, { name: "Ada" });
  });
});

describe("a vault", () => {
  test("is not opened without its audit, once it has one", async (t) => {
    const { store, keyStore } = await auditedVault(t);
    const keyring = aesKeyring();
    await rejectsWith("audit-missing", () => openVault({ store, keyring, keys: { store: keyStore } }));
  });

  test("refuses callers that are none, and an audit without keys of people", async (t) => {
    const { vault, store } = await auditedVault(t);
    for (const principal of ["", "Ada Lovelace", "x".repeat(129), 7])
      assert.throws(() => vault.as({ principal: principal as string }), { code: "audit-actor-invalid" });
    assert.throws(() => vault.as({ principal: "a", purpose: "Any thing" }), { code: "audit-actor-invalid" });
    assert.throws(() => vault.as({ principal: "a", porpose: "x" } as never), { code: "vault-option-invalid" });
    const audit = { log: {} as never };
    await rejectsWith("vault-option-invalid", () => openVault({ store, keyring: aesKeyring(), audit }));
  });

  test("of another is not written to by the same log", async (t) => {
    const one = await auditedVault(t);
    await rejectsWith("audit-foreign", async () => {
      const { memoryStore } = await import("@strongroom/vault/memory");
      await one.another({ store: memoryStore(), keys: { store: memoryKeyStore() } });
    });
  });
});

/** A vault in an application: its collections by their names, its own and on behalf of somebody. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createVault } from "@strongroom/vault";
import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import { email } from "@strongroom/vault/normalisers";
import { defer } from "../../../tests/support/defer.ts";
import { aesKeyring } from "./support/vault.ts";

test("declared collections are at hand by their names, on whoever's behalf", async (t) => {
  const vault = await createVault({
    store: memoryStore(),
    keyring: aesKeyring(randomBytes(32)),
    keys: { store: memoryKeyStore() },
    audit: { log: memoryAuditLog() },
    collections: { customers: { fields: { email: { find: email(), unique: true } } }, orders: {} },
  });
  defer(t, () => vault.close());
  assert.deepEqual(Object.keys(vault.records), ["customers", "orders"]);
  assert.equal(vault.records, vault.records);
  const [reader, clerk] = [vault.as({ principal: "reader" }, { roles: ["read"] }), vault.as({ principal: "clerk" })];
  assert.notEqual(clerk.records, reader.records);
  await clerk.records.customers.put("1", { email: "ada@example.com" });
  assert.equal((await reader.records.customers.find({ email: "Ada@example.com" })).items.length, 1);
  await assert.rejects(reader.records.customers.put("2", { email: "b@example.com" }), { code: "not-permitted" });
  await assert.rejects(reader.subjects.restrict("ada"), { code: "not-permitted" });
  assert.throws(() => Object.assign(vault.records, { customers: null }), TypeError);
});

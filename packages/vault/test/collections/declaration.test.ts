/** What may be declared of collections and said of keys; everything that is wrong is named at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openVault, parseCollection, parseTenant } from "@strongroom/vault";
import type { VaultErrorCode } from "@strongroom/vault";
import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import type { Declaration } from "../../src/collections/declaration.ts";
import { parseCollections } from "../../src/collections/declaration.ts";
import { parseKeys } from "../../src/options.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { aesKeyring } from "../support/vault.ts";

const keyring = aesKeyring();

/** What has tests of its own is left out. */
function plain({ fields, indexes, rights, ...declaration }: Declaration): object {
  assert.equal(fields.size + indexes.size + rights.consents.size, 0);
  return declaration;
}

test("what is not declared has defaults, and the vault's scope", async () => {
  const people = parseCollection("people");
  const declarations = await parseCollections({ people: { ids: "sealed" } }, "tenant");
  const defaults = { scope: "tenant", subject: "record", tenant: "default", purposes: null, schema: null };
  assert.deepEqual(plain(declarations.of(people)), { collection: "people", ...defaults, ids: "sealed" });
  const other = parseCollection("other");
  assert.deepEqual(plain(declarations.of(other)), { collection: "other", ...defaults, ids: "public" });
  const all = {
    scope: "record",
    subject: { field: "email" },
    ids: "public",
    tenant: { field: "org" },
    purposes: ["support"],
  } as const;
  const given = { people: { ...all, subject: { field: "email" } } };
  const parsed = await parseCollections(given, "subject");
  given.people.subject.field = "changed afterwards";
  assert.deepEqual(plain(parsed.of(people)), { collection: "people", ...all, schema: null });
  assert.deepEqual((await parseCollections(undefined, "subject")).of(people).scope, "subject");
});

test("every wrong declaration is named", async () => {
  const wrong = {
    People: {},
    a: { scope: "person" },
    b: { subject: "email" },
    c: { subject: { field: "" } },
    d: { subject: { field: "x", fields: "y" } },
    e: { ids: true },
    f: { tenant: "Acme" },
    g: { idz: "sealed" },
    h: null,
    i: { subject: { field: "x".repeat(257) } },
    j: { schema: "string" },
    k: { schema: null },
    l: { schema: [] },
    m: { fields: [] },
    n: { indexes: "email" },
  };
  const { message } = await rejectsWith("vault-option-invalid", () => parseCollections(wrong, "subject"));
  for (const name of Object.keys(wrong)) assert.ok(message.includes(`"${name}"`), `${name}: ${message}`);
  for (const given of [null, [{}], "people", 1, new Map()])
    if (given !== null) await rejectsWith("vault-option-invalid", () => parseCollections(given, "subject"));
});

test("a tenant is up to 63 lower-case characters", () => {
  for (const right of ["a", "0", "acme-2026", "a.b_c", "x".repeat(63)]) assert.equal(parseTenant(right), right);
  for (const wrong of ["", "A", "-a", ".", "a b", "ä", "x".repeat(64), 1, null, undefined])
    throwsWith("tenant-invalid", () => parseTenant(wrong));
});

test("options of the keys have defaults, and everything wrong is named", () => {
  const store = memoryKeyStore();
  const { scope, generation, cache } = parseKeys({ store });
  assert.deepEqual(
    { scope, generation, cache },
    {
      scope: "subject",
      generation: 0,
      cache: { maxAgeMs: 300_000, maxUses: Number.MAX_SAFE_INTEGER, capacity: 10_000 },
    },
  );
  assert.equal(parseKeys({ store, keyring }).generation, 1);
  assert.equal(parseKeys({ store, keyring, generation: 3, cache: { maxUses: 10 } }).cache.maxUses, 10);
  const wrong: readonly (readonly [unknown, VaultErrorCode, RegExp])[] = [
    [null, "vault-option-invalid", /plain object/],
    [{}, "vault-option-invalid", /store must be a KeyStore/],
    [{ store: memoryStore() }, "vault-option-invalid", /store must be a KeyStore/],
    [{ store, scope: "person" }, "vault-option-invalid", /scope/],
    [{ store, keyring: {} }, "vault-option-invalid", /keyring/],
    [{ store, scopes: "record" }, "vault-option-invalid", /"scopes" is not one of/],
    [{ store, keySet: ["a"] }, "vault-option-invalid", /keySet and next/],
    [{ store, generation: 1 }, "vault-option-invalid", /generation must be 0/],
    [{ store, keyring, generation: 0 }, "vault-option-invalid", /generation must be 1/],
    [{ store, keyring, generation: 1.5 }, "vault-option-invalid", /generation/],
    [{ store, cache: { maxUses: 0, maxage: 1 } }, "limit-invalid", /maxUses.*maxage/],
  ];
  for (const [given, code, words] of wrong) assert.match(throwsWith(code, () => parseKeys(given)).message, words);
});

test("openVault refuses what is wrong of both before it asks a store, and collections without keys", async () => {
  const open = (more: object): Promise<unknown> => openVault({ store: memoryStore(), keyring, ...more });
  await rejectsWith("vault-option-invalid", () => open({ collections: {} }));
  await rejectsWith("vault-option-invalid", () => open({ keys: {} }));
  await rejectsWith("vault-option-invalid", () => open({ keys: { store: memoryKeyStore() }, collections: { a: 1 } }));
  const next = { keyring, keySet: ["b"] };
  await rejectsWith("vault-option-invalid", () =>
    open({ keys: { store: memoryKeyStore(), keyring, keySet: ["b"], next } }),
  );
});

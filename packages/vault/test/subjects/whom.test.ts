/** Whom a record is about: what is declared, what its writer says, what stays, and what needs saying. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, PutOptions, Vault } from "@strongroom/vault";
import { MAX_ABOUT } from "@strongroom/vault";
import { rejectsWith } from "../support/errors.ts";
import { keyedVault } from "../support/keyed-vault.ts";
import { testVault } from "../support/vault.ts";

const collections = {
  ids: { subject: "id" },
  fields: { subject: { field: "email" } },
  nobody: { subject: "none" },
  tenants: { scope: "tenant", subject: { field: "email" }, tenant: { field: "org" } },
} as const;

const subjectOf = async (vault: Vault, collection: string, document: JsonObject, options: PutOptions = {}) =>
  (await vault.put({ collection, id: "42" }, document, options)).subject;

test("a new record is about whom its writer says, else as the collection declares, else about itself alone", async (t) => {
  const { vault, stored } = await keyedVault(t, { collections });
  assert.equal(await subjectOf(vault, "undeclared", {}), "undeclared/42");
  assert.equal(await subjectOf(vault, "others", {}), "others/42");
  assert.equal(await subjectOf(vault, "ids", {}), "42");
  assert.equal(await subjectOf(vault, "fields", { email: "ada@example.com" }), "ada@example.com");
  assert.equal(await subjectOf(vault, "nobody", {}), null);
  assert.equal((await vault.get({ collection: "nobody", id: "42" })).subject, null);
  assert.equal((await stored({ collection: "nobody", id: "42" })).subject, "collection:nobody");
  const people = await Promise.all(["undeclared", "others"].map((collection) => stored({ collection, id: "42" })));
  assert.notEqual(people[0]?.subject, people[1]?.subject, "customers/42 and invoices/42 are two people");
  for (const collection of ["undeclared2", "ids2", "fields", "nobody"])
    assert.equal(
      (await vault.put({ collection, id: "43" }, { email: "x@example.com" }, { subject: "bob" })).subject,
      "bob",
    );
  await rejectsWith("subject-missing", () => vault.put({ collection: "fields", id: "1" }, {}));
  await rejectsWith("subject-missing", () => vault.put({ collection: "fields", id: "1" }, { email: 7 }));
  await rejectsWith("subject-invalid", () => vault.put({ collection: "fields", id: "1" }, { email: "a/b/c" }));
  // The name of who is in one record only may be said again, of another record.
  const invoice = { collection: "invoices", id: "7" };
  assert.equal((await vault.put(invoice, {}, { subject: "undeclared/42" })).subject, "undeclared/42");
  assert.equal((await stored(invoice)).subject, people[0]?.subject);
});

test("a plain write never changes it; another name is refused unless the record is to be re-pointed", async (t) => {
  const { vault, stored } = await keyedVault(t, { collections });
  const at = { collection: "fields", id: "42" };
  await vault.put(at, { email: "ada" });
  assert.equal((await vault.put(at, { email: "bob" })).subject, "ada");
  assert.equal((await vault.put(at, { email: "bob" }, { subject: "ada" })).subject, "ada");
  await rejectsWith("subject-differs", () => vault.put(at, {}, { subject: "bob" }));
  await rejectsWith("subject-differs", () => vault.prepare(at, {}, { subject: "bob" }));
  const refused = await vault.putMany("fields", [{ id: "42", document: {}, subject: "bob" }], {
    onExisting: "compare",
  });
  assert.deepEqual(refused[0]?.outcome === "refused" && refused[0].code, "subject-differs");
  assert.equal(await vault.subjects.state("bob"), null, "nobody is made by a write that is refused");
  const before = (await stored(at)).subject;
  assert.equal((await vault.put(at, { email: "bob" }, { repoint: true })).subject, "bob", "whom the document says");
  assert.notEqual((await stored(at)).subject, before);
  assert.equal((await vault.put(at, {}, { subject: "cyd", repoint: true })).subject, "cyd");
  assert.deepEqual(
    (await vault.history(at)).map(({ subject }) => subject),
    ["cyd", "bob", "ada", "ada", "ada"],
  );
  assert.equal((await vault.get(at, { version: 1 })).subject, "ada");
  const nobody = { collection: "nobody", id: "1" };
  await vault.put(nobody, {});
  await rejectsWith("subject-differs", () => vault.put(nobody, {}, { subject: "bob" }));
  assert.equal((await vault.put(nobody, {}, { subject: "bob", repoint: true })).subject, "bob");
});

test("further people are named, kept, changed and left out, and are found by their records", async (t) => {
  const { vault, stored } = await keyedVault(t);
  const at = { collection: "letters", id: "1" };
  const put = (options: PutOptions) => vault.put(at, { n: 1 }, options);
  assert.deepEqual((await put({ subject: "ada", about: ["bob", "cyd", "bob", "ada"] })).about, ["bob", "cyd"]);
  assert.equal((await stored(at)).about.length, 2);
  assert.deepEqual([...((await put({})).about ?? [])].sort(), ["bob", "cyd"], "as before");
  assert.deepEqual([...((await vault.get(at)).about ?? [])].sort(), ["bob", "cyd"]);
  const items = [{ id: "1", document: { n: 1 } }];
  const compared = async (about?: readonly string[]) =>
    (
      await vault.putMany("letters", [{ ...items[0]!, ...(about === undefined ? {} : { about }) }], {
        onExisting: "compare",
      })
    )[0]?.outcome;
  assert.equal(await compared(), "unchanged");
  assert.equal(await compared(["cyd", "bob"]), "unchanged");
  assert.equal(await compared(["cyd"]), "replaced");
  assert.deepEqual(
    (await put({ subject: "cyd", repoint: true })).about,
    undefined,
    "whom it is about is no further one",
  );
  assert.deepEqual((await put({ about: [] })).about, undefined);
  for (const name of ["ada", "bob", "cyd"])
    assert.deepEqual((await vault.subjects.records(name)).items, [{ collection: "letters", id: "1" }]);
  assert.deepEqual((await vault.subjects.records("dan")).items, []);
  const many = Array.from({ length: MAX_ABOUT + 1 }, (_, n) => `p${n}`);
  await rejectsWith("subject-invalid", () => put({ about: many }));
  assert.equal((await put({ about: many.slice(1) })).about?.length, MAX_ABOUT);
  assert.equal((await put({ about: many.slice(0, -1).map((name) => `q${name}`) })).about?.length, MAX_ABOUT);
});

test("two tenants' people of one name are two", async (t) => {
  const { vault, stored } = await keyedVault(t, { collections });
  const put = (id: string, org: string, options: PutOptions = {}) =>
    vault.put({ collection: "tenants", id }, { email: "ada", org }, options);
  await put("1", "acme");
  await put("2", "zeta");
  await put("3", "acme");
  const [one, two, three] = await Promise.all(["1", "2", "3"].map((id) => stored({ collection: "tenants", id })));
  assert.notEqual(one?.subject, two?.subject);
  assert.equal(one?.subject, three?.subject);
  await rejectsWith("tenant-invalid", () => vault.put({ collection: "tenants", id: "4" }, { email: "ada" }));
  await rejectsWith("tenant-invalid", () => put("4", "Acme"));
  await rejectsWith("tenant-invalid", () => put("4", "acme", { tenant: "a/b" }));
  await rejectsWith("subject-differs", () => put("1", "acme", { tenant: "zeta" }));
  await rejectsWith("subject-differs", () => put("1", "acme", { tenant: "zeta", subject: "ada" }));
  assert.equal((await put("1", "acme", { tenant: "acme", subject: "ada" })).subject, "ada");
  assert.equal(await vault.subjects.state("ada"), null);
  await put("5", "acme", { about: ["bob"] });
  await rejectsWith("subject-differs", () => put("5", "zeta"));
  assert.equal(await vault.subjects.state("bob", { tenant: "zeta" }), null, "nobody was made by it");
  await vault.subjects.restrict("ada", { tenant: "zeta" });
  await rejectsWith("subject-restricted", () => vault.get({ collection: "tenants", id: "2" }));
  assert.equal((await vault.get({ collection: "tenants", id: "1" })).subject, "ada");
});

test("records of a batch about one new person make one, and each item follows the one before it", async (t) => {
  const { vault, stored } = await keyedVault(t);
  const item = (id: string, options: PutOptions = {}) => ({ id, document: { n: Math.random() }, ...options });
  const results = await vault.putMany(
    "people",
    [
      item("1", { subject: "ada" }),
      item("2", { subject: "ada", about: ["bob"] }),
      item("1"),
      item("1", { subject: "bob" }),
      item("1", { subject: "bob", repoint: true }),
      item("1", { about: ["ada"] }),
      item("3", { subject: ".." }),
    ],
    { onExisting: "replace" },
  );
  assert.deepEqual(
    results.map((result) => (result.outcome === "refused" ? result.code : `${result.outcome} ${result.version}`)),
    ["created 1", "created 1", "replaced 2", "subject-differs", "replaced 3", "replaced 4", "subject-invalid"],
  );
  const { subject, about } = await vault.get({ collection: "people", id: "1" });
  assert.deepEqual([subject, about], ["bob", ["ada"]]);
  const [one, two] = await Promise.all(["1", "2"].map((id) => stored({ collection: "people", id })));
  assert.deepEqual([one?.subject, one?.about[0]], [two?.about[0], two?.subject]);
});

test("without a key store there are no further people and no tenants, and any write may name another subject", async (t) => {
  const { vault } = await testVault(t);
  const at = { collection: "people", id: "1" };
  for (const wrong of [{ about: [] }, { about: ["bob"] }, { tenant: "acme" }])
    await rejectsWith("vault-option-invalid", () => vault.put(at, {}, wrong));
  assert.equal((await vault.put(at, {}, { subject: "ada" })).subject, "ada");
  assert.equal((await vault.put(at, {}, { subject: "bob" })).subject, "bob");
  await rejectsWith("key-store-lost", () => vault.subjects.state("ada"));
  assert.equal(vault.subjectKeys(), null);
});

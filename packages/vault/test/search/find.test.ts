/**
 * Finding records by their fields: what is looked for and nothing else, whatever a hand in the database has done to the
 * tags, and with each look told in the audit.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { defineCollection } from "@strongroom/vault";
import type { FindQuery, Vault } from "@strongroom/vault";
import { date, email, exact, foldedName, phone } from "@strongroom/vault/normalisers";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { recordKey } from "../../src/stores/memory/tables.ts";
import { parseAddress } from "../../src/records/address.ts";
import { auditedVault } from "../support/audited-vault.ts";
import type { AuditedVault } from "../support/audited-vault.ts";
import { rejectsWith } from "../support/errors.ts";

const people = defineCollection("people", {
  subject: { field: "person" },
  fields: {
    email: { find: email(), unique: true },
    phones: { find: phone({ country: "DE" }) },
    name: { find: foldedName(), values: 50_000, prefix: 3 },
    born: { find: date(), buckets: "month" },
    income: { find: exact(), values: 10_000, buckets: 1_000, leaks: "accepted" },
    sex: { find: exact(), alone: false, values: 3 },
    cvv: { never: true },
  },
  indexes: { who: { fields: ["born", "sex"] } },
});

const ADA = {
  person: "ada",
  email: "Ada@Example.com",
  phones: ["030 1234567", "+44 20 7946 0958"],
  name: "Ada Lovelace",
  born: "1986-03-01",
  income: 12_500,
  sex: "f",
};
const BOB = { ...ADA, person: "bob", email: "bob@example.com", phones: ["030 7654321"], name: "Bob Adams", sex: "m" };

async function having(t: TestContext, more: Parameters<typeof auditedVault>[1] = {}): Promise<AuditedVault> {
  const opened = await auditedVault(t, { collections: [people], ...more });
  await opened.vault.put({ collection: "people", id: "1" }, ADA);
  await opened.vault.put({ collection: "people", id: "2" }, BOB);
  return opened;
}

const idsOf = async (vault: Pick<Vault, "find">, query: FindQuery): Promise<readonly string[]> =>
  (await vault.find("people", query)).items.map(({ id }) => id).sort();

const FOUND: readonly (readonly [query: FindQuery, ids: readonly string[]])[] = [
  [{ email: "ada@example.com" }, ["1"]],
  [{ email: "ada@example.org" }, []],
  [{ phones: "+49 30 1234567" }, ["1"]],
  [{ phones: "+442079460958" }, ["1"]],
  [{ name: "ADA LOVELACE" }, ["1"]],
  [{ name: { prefix: "ada" } }, ["1"]],
  [{ name: { prefix: "Ada Love" } }, ["1"]],
  [{ name: { prefix: "Ada Lovf" } }, []],
  [{ born: "1986-03-01" }, ["1", "2"]],
  [{ born: { from: "1986-03-01", to: "1986-03-01" } }, ["1", "2"]],
  [{ born: { from: "1986-03-02", to: "1986-04-30" } }, []],
  [{ born: { from: "1985-01-01", to: "1987-12-31" } }, ["1", "2"]],
  [{ income: { from: 12_000, to: 12_499 } }, []],
  [{ income: { from: -5_000, to: 12_500 } }, ["1", "2"]],
  [{ income: 12_500 }, ["1", "2"]],
  [{ born: "1986-03-01", sex: "f" }, ["1"]],
  [{ born: { from: "1986-01-01", to: "1986-12-31" }, sex: "m" }, ["2"]],
  [{ born: "1986-03-01", name: "Bob Adams", email: "ada@example.com" }, []],
  [{ born: "1986-03-01", name: "Bob Adams", email: "bob@example.com" }, ["2"]],
];

for (const [query, ids] of FOUND)
  test(`found by ${JSON.stringify(query)}: ${ids.length === 0 ? "nothing" : ids.join(" and ")}`, async (t) => {
    const { vault } = await having(t);
    assert.deepEqual(await idsOf(vault, query), ids);
  });

const WRONG: readonly (readonly [query: unknown, why: RegExp])[] = [
  [{}, /nothing is looked for/],
  [null, /one object/],
  [[], /one object/],
  [{ person: "ada" }, /person: no field that records of people are found by/],
  [{ "ada@example.com": "x" }, /\*\.com: no field/],
  [{ sex: "f" }, /None of these fields is found by itself/],
  [{ email: "" }, /email: a text that is not empty/],
  [{ email: null }, /email: a value, \{ prefix \}|email: a text/],
  [{ email: ["ada@example.com"] }, /email: a value/],
  [{ email: { prefix: "ada" } }, /email: no prefix is declared/],
  [{ email: { from: "a", to: "b" } }, /email: no buckets are declared/],
  [{ name: { prefix: "ad" } }, /name: a prefix has 3 characters/],
  [{ born: { from: "1986-01-01" } }, /born: a value/],
  [{ born: { from: "SECRET", to: "1986-01-01" } }, /born: both ends must be dates/],
  [{ born: { from: "1987-01-01", to: "1986-01-01" } }, /born: the range ends before/],
  [{ born: { from: "1900-01-01", to: "1986-01-01" } }, /born: the range goes over more than 64/],
  [{ income: { from: 0, to: 1e9 } }, /income: the range goes over/],
  [{ income: { from: 0, to: Infinity } }, /income: both ends must be numbers/],
  [{ email: "ada@example.com", cvv: "SECRET", colour: "SECRET" }, /cvv: no field.*colour: no field/],
  [{ born: { from: "0000-01-01", to: "9999-12-31" } }, /goes over/],
];

for (const [query, why] of WRONG)
  test(`not to be looked for: ${JSON.stringify(query)}`, async (t) => {
    const { vault } = await having(t);
    const error = await rejectsWith("find-invalid", () => vault.find("people", query as FindQuery));
    assert.match(error.message, why);
    assert.doesNotMatch(error.message, /SECRET|ada@example/);
  });

test("which indexes answer, and what is compared only then", async (t) => {
  const { vault } = await having(t);
  assert.deepEqual(await vault.explainFind("people", { born: "1986-03-01", sex: "f", email: "a@example.com" }), {
    indexes: [
      { name: "who", fields: ["born", "sex"], tags: 1 },
      { name: "email", fields: ["email"], tags: 1 },
    ],
    compared: [],
  });
  const query = { born: { from: "1986-01-01", to: "1986-12-31" }, sex: "f" };
  assert.deepEqual(await vault.explainFind("people", query), {
    indexes: [{ name: "born:range", fields: ["born"], tags: 12 }],
    compared: ["sex"],
  });
  assert.deepEqual(await vault.countFound("people", query), { atMost: 2, isCapped: false });
});

test("what changes is found by what it is now, and what was removed by nothing", async (t) => {
  const { vault } = await having(t);
  await vault.put({ collection: "people", id: "1" }, { ...ADA, email: "countess@example.com", phones: [] });
  assert.deepEqual(await idsOf(vault, { email: "ada@example.com" }), []);
  assert.deepEqual(await idsOf(vault, { phones: "030 1234567" }), []);
  assert.deepEqual(await idsOf(vault, { email: "countess@example.com" }), ["1"]);
  await vault.remove({ collection: "people", id: "1" });
  assert.deepEqual(await idsOf(vault, { email: "countess@example.com" }), []);
  await vault.put({ collection: "people", id: "3" }, { ...BOB, email: "countess@example.com" });
  assert.deepEqual(await idsOf(vault, { email: "countess@example.com" }), ["3"]);
});

test("a tag that a hand moved to another record is not believed", async (t) => {
  const { vault, memory } = await having(t);
  const { records } = tablesOf(memory);
  const [ada, bob] = ["1", "2"].map((id) => recordKey(parseAddress({ collection: "people", id })));
  const [ofAda, ofBob] = [records.get(ada!)!, records.get(bob!)!];
  records.set(ada!, { ...ofAda, tags: ofBob.tags });
  records.set(bob!, { ...ofBob, tags: ofAda.tags });
  assert.deepEqual(await vault.find("people", { email: "ada@example.com" }), { items: [], next: null });
});

test("a look is told by the names of its fields, also where nothing is found, and what is given out as a read", async (t) => {
  const { vault, entries } = await having(t);
  const clerk = vault.as({ principal: "clerk" });
  await clerk.find("people", { email: "ada@example.com" });
  await clerk.find("people", { name: "nobody", email: "ada@example.com" });
  await clerk.countFound("people", { born: "1986-03-01" });
  const told = await entries("find", "read");
  assert.deepEqual(
    told.map(({ action, result, principal, collection, details }) => [action, result, principal, collection, details]),
    [
      ["read", "done", "clerk", "people", undefined],
      ["find", "done", "clerk", "people", { fields: "email", compared: 1, found: 1, withheld: 0 }],
      ["find", "done", "clerk", "people", { fields: "email,name", compared: 0, found: 0, withheld: 0 }],
      ["find", "done", "clerk", "people", { fields: "born", counted: 2 }],
    ],
  );
  assert.doesNotMatch(JSON.stringify(told), /example|1986/i);
  await rejectsWith("find-invalid", () => clerk.find("people", { person: "ada@example.com" }));
  const refusals = (await entries("find")).filter(({ result }) => result === "find-invalid");
  assert.equal(refusals.length, 1);
  assert.doesNotMatch(JSON.stringify(refusals), /example/);
});

test("who is restricted is withheld, and who is erased is not told of", async (t) => {
  const { vault, store } = await having(t);
  await vault.subjects.restrict("ada");
  const found = await vault.find("people", { born: "1986-03-01" });
  assert.deepEqual(
    found.items.map(({ id }) => id),
    ["2"],
  );
  assert.deepEqual(found.withheld, [{ id: "1", code: "subject-restricted" }]);
  await vault.subjects.release("ada");
  const [ada] = await store.subjects.list({ after: null, limit: 1 });
  for (const { id } of await store.subjects.list({ after: null, limit: 10 }))
    await store.subjects.setState({ id, from: ["active"], to: "erasing" });
  assert.ok(ada !== undefined);
  assert.deepEqual(await vault.find("people", { born: "1986-03-01" }), { items: [], next: null });
});

test("all that is withheld for one reason is one entry", async (t) => {
  const { vault, entries } = await having(t);
  for (const person of ["ada", "bob"]) await vault.subjects.restrict(person);
  assert.equal((await vault.find("people", { born: "1986-03-01" })).withheld?.length, 2);
  const told = (await entries("find")).filter(({ result }) => result === "subject-restricted");
  assert.deepEqual(
    told.map(({ records, details }) => [records?.length, details]),
    [[2, { fields: "born" }]],
  );
});

test("a record that was set back is withheld, and the others are given", async (t) => {
  const { vault, rowOf, putBack } = await having(t);
  const place = { collection: "people", id: "1" };
  const before = rowOf(place);
  await vault.put(place, { ...ADA, name: "Ada King" });
  putBack(place, before);
  const { items, withheld } = await vault.find("people", { born: "1986-03-01" });
  assert.deepEqual([items.map(({ id }) => id), withheld], [["2"], [{ id: "1", code: "record-rolled-back" }]]);
});

test("pages, and a cursor that goes on with its own query only", async (t) => {
  const { vault } = await having(t);
  const items = Array.from({ length: 45 }, (_, index) => ({
    id: `n${String(index).padStart(2, "0")}`,
    document: { ...BOB, person: `p${index}`, email: `p${index}@example.com`, born: "1990-01-01" },
  }));
  await vault.putMany("people", items, { onExisting: "replace" });
  const seen: string[] = [];
  let [cursor, pages]: [string | null | undefined, number] = [undefined, 0];
  let second = "";
  while (cursor !== null) {
    const page = await vault.find("people", { born: "1990-01-01" }, { limit: 10, ...(cursor && { cursor }) });
    seen.push(...page.items.map(({ id }) => id));
    second = page.next ?? second;
    cursor = page.next;
    pages++;
  }
  assert.deepEqual([seen, pages], [items.map(({ id }) => id), 5]);
  for (const query of [{ born: "1990-01-02" }, { email: "p1@example.com" }] as const)
    await rejectsWith("cursor-invalid", () => vault.find("people", query, { cursor: second }));
  await rejectsWith("cursor-invalid", () => vault.find("people", { born: "1990-01-01" }, { cursor: "x" }));
  await rejectsWith("limit-invalid", () => vault.find("people", { born: "1990-01-01" }, { limit: 501 }));
});

test("two tenants of one value are two, and neither finds the other's", async (t) => {
  const { vault } = await auditedVault(t, {
    collections: { people: { tenant: { field: "of" }, fields: { email: { find: email(), unique: true } } } },
  });
  for (const tenant of ["acme", "globex"])
    await vault.put({ collection: "people", id: tenant }, { of: tenant, email: "ada@example.com" });
  for (const tenant of ["acme", "globex"])
    assert.deepEqual(
      (await vault.find("people", { email: "ada@example.com" }, { tenant })).items.map(({ id }) => id),
      [tenant],
    );
  assert.deepEqual(await vault.find("people", { email: "ada@example.com" }, { tenant: "other" }), {
    items: [],
    next: null,
  });
  await rejectsWith("find-invalid", () => vault.find("people", { email: "ada@example.com" }));
});

test("a collection that has no record is looked through in vain, and one without declared fields is refused", async (t) => {
  const { vault, entries } = await auditedVault(t, { collections: [people] });
  assert.deepEqual(await vault.find("people", { email: "ada@example.com" }), { items: [], next: null });
  assert.deepEqual(await vault.countFound("people", { email: "ada@example.com" }), { atMost: 0, isCapped: false });
  assert.deepEqual(
    (await entries("find")).map(({ result, details }) => [result, details]),
    [
      ["done", { fields: "email", found: 0 }],
      ["done", { fields: "email", counted: 0 }],
    ],
  );
  await rejectsWith("find-invalid", () => vault.find("pets", { email: "ada@example.com" }));
});

test("where ids are sealed, what is found has its own", async (t) => {
  const { vault } = await auditedVault(t, {
    collections: { people: { ids: "sealed", fields: { email: { find: email() } } } },
  });
  await vault.put({ collection: "people", id: "ada" }, { email: "ada@example.com" });
  const { items } = await vault.find("people", { email: "ADA@example.com" });
  assert.deepEqual(
    items.map(({ id, document }) => [id, document]),
    [["ada", { email: "ada@example.com" }]],
  );
});

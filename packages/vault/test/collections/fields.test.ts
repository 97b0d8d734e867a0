/**
 * What may be declared of fields: everything that is wrong is told at once, and an index that tells what it hides is
 * refused before there is any record.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineCollection, openVault } from "@strongroom/vault";
import type { CollectionOptions, VaultError, VaultOptions } from "@strongroom/vault";
import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import { date, email, exact, foldedName, phone, postcode, text } from "@strongroom/vault/normalisers";
import type { Declarations } from "../../src/collections/declaration.ts";
import { parseCollections } from "../../src/collections/declaration.ts";
import type { Collection } from "../../src/records/address.ts";
import { rejectsWith } from "../support/errors.ts";
import { aesKeyring } from "../support/vault.ts";

const parsed = (declared: unknown): Promise<Declarations> => parseCollections({ people: declared }, "subject");
const refused = (declared: unknown): Promise<VaultError> => rejectsWith("vault-option-invalid", () => parsed(declared));

test("what is declared of fields is copied, by their paths", async () => {
  const fields = {
    email: { find: email(), unique: true, mask: "email" },
    "address.postcode": { find: postcode() },
    name: { find: foldedName(), values: 50_000, prefix: 3 },
    born: { find: date(), buckets: "month" },
    sex: { find: exact(), alone: false, values: 3 },
    cvv: { never: true },
  } as const;
  const indexes = { who: { fields: ["born", "sex"] } };
  const declared = await parsed({ fields, indexes });
  const own = declared.of("people" as Collection);
  assert.deepEqual([...own.fields.keys()], Object.keys(fields));
  assert.deepEqual([...own.indexes], [["who", { fields: ["born", "sex"] }]]);
  indexes.who.fields.push("email");
  assert.deepEqual(own.indexes.get("who")?.fields, ["born", "sex"]);
  assert.equal(declared.of("pets" as Collection).fields.size, 0);
});

test("everything that is wrong is told at once", async () => {
  const error = await refused({
    fields: {
      "": { find: email() },
      "a..b": { mask: "email" },
      "a:b": { mask: "email" },
      [`a${"b".repeat(64)}`]: { mask: "email" },
      plain: { unique: true, prefix: 3 },
      phone: { find: phone(), unique: "yes", colour: "red" },
      cvv: { never: true, find: exact(), mask: "card" },
      name: { find: foldedName(), unique: true },
      born: { find: email(), buckets: "month" },
      amount: { find: date(), buckets: 10, leaks: "accepted" },
      first: { find: text(), values: 5_000, prefix: 0 },
      lonely: { find: text(), values: 5_000, alone: false },
      shape: { mask: "circle" },
    },
    indexes: {
      "Not A Name": { fields: ["phone", "born"] },
      phone: { fields: ["phone", "born"] },
      one: { fields: ["phone"] },
      twice: { fields: ["phone", "phone"] },
      unknown: { fields: ["phone", "plain", "nowhere"] },
      none: {},
    },
  });
  for (const part of [
    /"" is no path/,
    /"a\.\.b" is no path/,
    /"a:b" is no path/,
    /"ab{63}" is no path/,
    /"plain": without find it has no unique, prefix/,
    /"phone": .*"colour" is not one of/,
    /"phone": unique must be true or false/,
    /"cvv": what is never stored has no find, mask/,
    /"name": folded names tell nobody apart/,
    /"born": buckets of days, months or years are of dates/,
    /"amount": buckets that are so wide are of numbers/,
    /"first": prefix must be/,
    /"lonely": alone is false/,
    /"shape": mask must be one of/,
    /"Not A Name": a name is/,
    /index "phone": a field has that name/,
    /index "one": fields must be a list of 2 to 8/,
    /index "twice": fields must be/,
    /index "unknown": "plain", "nowhere": no field with find/,
    /index "none": fields must be/,
  ])
    assert.match(error.message, part);
});

const FEW: Readonly<Record<string, CollectionOptions>> = {
  "a text of which nobody knows": { fields: { party: { find: text() } } },
  "few values": { fields: { party: { find: text(), values: 12 } } },
  "few of a kind that has many": { fields: { day: { find: date(), values: 31 } } },
  "the first two letters": { fields: { name: { find: foldedName(), values: 50_000, prefix: 2 } } },
  "years of birth": { fields: { born: { find: date(), buckets: "year" } } },
  "ranges of numbers": { fields: { income: { find: exact(), values: 50_000, buckets: 10_000 } } },
};

for (const [what, declared] of Object.entries(FEW))
  test(`${what}: refused, unless it is accepted that it leaks`, async () => {
    assert.match((await refused(declared)).message, /leaks: "accepted"/);
    const fields = Object.entries(declared.fields ?? {}).map(([path, own]) => [path, { ...own, leaks: "accepted" }]);
    await parsed({ fields: Object.fromEntries(fields) });
  });

test("fields of few values may be found together, where there are many values of all of them", async () => {
  const fields = {
    sex: { find: exact(), alone: false, values: 3 },
    party: { find: text(), alone: false, values: 12 },
    born: { find: date(), values: 20_000 },
  } as const;
  await parsed({ fields, indexes: { a: { fields: ["sex", "born"] }, b: { fields: ["party", "born", "sex"] } } });
  const few = { a: { fields: ["sex", "party"] }, b: { fields: ["sex", "born"] } };
  assert.match((await refused({ fields, indexes: few })).message, /index "a": there are about 36 different values/);
  await parsed({ fields, indexes: { ...few, a: { ...few.a, leaks: "accepted" } } });
});

test("a unique field need not declare how many values it has", async () => {
  await parsed({ fields: { number: { find: exact(), unique: true } } });
});

test("collections that were defined are given as a list, and each once", async () => {
  const customers = defineCollection("customers", { fields: { email: { find: email() } } });
  const declared = await parseCollections([customers], "subject");
  assert.equal(declared.of("customers" as Collection).fields.size, 1);
  await rejectsWith("vault-option-invalid", () => parseCollections([customers, customers], "subject"));
  await rejectsWith("vault-option-invalid", () => parseCollections(["customers"], "subject"));
  await rejectsWith("collection-invalid", async () => defineCollection("Not a name", {}));
  const options: VaultOptions = {
    store: memoryStore(),
    keyring: aesKeyring(),
    keys: { store: memoryKeyStore() },
    collections: [customers],
  };
  const vault = await openVault(options);
  await vault.close();
});

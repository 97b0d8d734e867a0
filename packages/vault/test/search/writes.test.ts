/**
 * What is written under declared fields: unique values, whoever writes them at the same time, and processes that declare
 * different things.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, Vault, VaultError } from "@strongroom/vault";
import { email, exact, text } from "@strongroom/vault/normalisers";
import { keyedVault } from "../support/keyed-vault.ts";
import { rejectsWith } from "../support/errors.ts";

const UNIQUE = { people: { fields: { email: { find: email(), unique: true } } } } as const;
const at = (id: string): { collection: string; id: string } => ({ collection: "people", id });

test("a value that another record has is refused by the names of its fields alone, in any spelling", async (t) => {
  const { vault, store } = await keyedVault(t, { collections: UNIQUE });
  await vault.put(at("1"), { email: "ada@example.com" });
  const before = await store.subjects.list({ after: null, limit: 10 });
  const error = await rejectsWith("value-taken", () => vault.put(at("2"), { email: "ADA@Example.com" }));
  assert.deepEqual(error.problems, [{ field: "email", kind: "taken" }]);
  assert.match(error.message, /Another record of people has that value of email/);
  assert.doesNotMatch(`${error.message}${String(error.cause)}`, /ada/i);
  await rejectsWith("record-absent", () => vault.get(at("2")));
  assert.equal(before.length, 1);
  // Its own value it may keep, and another one's it may have once that is free.
  await vault.put(at("1"), { email: "Ada@example.com" });
  await vault.put(at("1"), { email: "countess@example.com" });
  await vault.put(at("2"), { email: "ada@example.com" });
  await vault.remove(at("1"));
  await vault.put(at("3"), { email: "countess@example.com" });
});

test("two records do not exchange unique values in one step, and do by way of a third one", async (t) => {
  const { vault } = await keyedVault(t, { collections: UNIQUE });
  await vault.put(at("1"), { email: "a@example.com" });
  await vault.put(at("2"), { email: "b@example.com" });
  const swap = [
    { id: "1", document: { email: "b@example.com" } },
    { id: "2", document: { email: "a@example.com" } },
  ];
  const results = await vault.putMany("people", swap, { onExisting: "replace" });
  assert.deepEqual(
    results.map((result) => (result.outcome === "refused" ? result.code : result.outcome)),
    ["value-taken", "value-taken"],
  );
  assert.deepEqual(
    (await vault.find("people", { email: "a@example.com" })).items.map(({ id }) => id),
    ["1"],
  );
  await vault.put(at("1"), { email: "c@example.com" });
  await vault.put(at("2"), { email: "a@example.com" });
  await vault.put(at("1"), { email: "b@example.com" });
  assert.deepEqual(
    (await vault.find("people", { email: "b@example.com" })).items.map(({ id }) => id),
    ["1"],
  );
});

test("of a batch the items whose values are taken are refused, and the others are stored", async (t) => {
  const { vault } = await keyedVault(t, { collections: UNIQUE });
  await vault.put(at("0"), { email: "taken@example.com" });
  const addresses = ["a", "taken", "b", "a", "c"].map((name) => `${name}@example.com`);
  const items = addresses.map((value, index) => ({ id: `n${index}`, document: { email: value } }));
  const results = await vault.putMany("people", items, { onExisting: "replace" });
  const outcomes = results.map((result) => (result.outcome === "refused" ? result.code : result.outcome));
  assert.deepEqual(outcomes, ["created", "value-taken", "created", "value-taken", "created"]);
  assert.doesNotMatch(JSON.stringify(results), /example/);
  for (const [index, value] of addresses.entries()) {
    const { items: found } = await vault.find("people", { email: value });
    assert.equal(found.length, 1, `${value} ${index}`);
  }
  // Of two items of one id it is the second that is found, so it is the second whose value counts.
  const twice = [
    { id: "n9", document: { email: "taken@example.com" } },
    { id: "n9", document: { email: "free@example.com" } },
  ];
  const again = await vault.putMany("people", twice, { onExisting: "replace" });
  assert.deepEqual(
    again.map(({ outcome }) => outcome),
    ["created", "replaced"],
  );
  assert.deepEqual(
    (await vault.find("people", { email: "free@example.com" })).items.map(({ id }) => id),
    ["n9"],
  );
});

test("of fifty inserts of one value at a time, by two processes, exactly one wins in each of twenty rounds", async (t) => {
  const opened = await keyedVault(t, { keys: { scope: "tenant" }, collections: UNIQUE });
  const other = await opened.another();
  for (let round = 0; round < 20; round++) {
    const all = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) =>
        (n % 2 === 0 ? opened.vault : other).put(
          { collection: "people", id: `${round}-${n}` },
          { email: `${n % 3 === 0 ? "Ada" : "ada"}${round}@example.com` },
        ),
      ),
    );
    const codes = all.flatMap((one) => (one.status === "rejected" ? [(one.reason as VaultError).code] : []));
    assert.deepEqual([...new Set(codes)], ["value-taken"], `round ${round}`);
    assert.equal(codes.length, 49, `round ${round}`);
    assert.equal((await other.find("people", { email: `ada${round}@example.com` })).items.length, 1);
  }
});

test("half of a surrogate pair keeps no record from being written, and its batch neither", async (t) => {
  const { vault } = await keyedVault(t, { collections: UNIQUE });
  await vault.put(at("1"), { email: "\uD83D", n: 1 });
  const items = ["\uDE00", "whole@example.com"].map((value, n) => ({ id: `n${n}`, document: { email: value } }));
  const results = await vault.putMany("people", items, { onExisting: "replace" });
  assert.deepEqual(
    results.map(({ outcome }) => outcome),
    ["created", "created"],
  );
  assert.deepEqual((await vault.get(at("1"))).document, { email: "\uD83D", n: 1 });
});

test("a list has a tag for each of its members, and no two records share one of a unique field", async (t) => {
  const { vault } = await keyedVault(t, {
    collections: { people: { fields: { "mails.at": { find: email(), unique: true } } } },
  });
  const mails = (...all: readonly string[]): JsonObject => ({ mails: all.map((at) => ({ at })) });
  await vault.put(at("1"), mails("a@example.com", "A@example.com", "b@example.com"));
  await rejectsWith("value-taken", () => vault.put(at("2"), mails("c@example.com", "B@example.com")));
  await vault.put(at("2"), mails("c@example.com"));
  assert.deepEqual(
    (await vault.find("people", { "mails.at": "B@EXAMPLE.com" })).items.map(({ id }) => id),
    ["1"],
  );
});

test("what is blank or left out is found by nothing, and two records may have it", async (t) => {
  const { vault } = await keyedVault(t, { collections: UNIQUE });
  for (const [id, document] of Object.entries({
    a: {},
    b: { email: null },
    c: { email: "" },
    d: { email: "  " },
    e: {},
  }))
    await vault.put(at(id), document);
});

test("a document with more values than a record is found by is refused by the path", async (t) => {
  const { vault } = await keyedVault(t, {
    collections: {
      people: { fields: { words: { find: text(), values: 5_000 }, a: { find: exact(), values: 5_000 } } },
    },
  });
  const words = (count: number): JsonObject => ({ words: Array.from({ length: count }, (_, n) => `w${n}`) });
  await vault.put(at("1"), words(512));
  const error = await rejectsWith("document-unfit", () => vault.put(at("2"), words(513)));
  assert.deepEqual(error.problems, [{ field: "words", kind: "too-many-to-find" }]);
  const results = await vault.putMany("people", [{ id: "3", document: { ...words(512), a: 1 } }], {
    onExisting: "replace",
  });
  assert.equal(results[0]?.outcome, "refused");
});

test("what is never stored is refused wherever it is, before any key is asked for", async (t) => {
  const { vault, calls } = await keyedVault(t, {
    collections: { people: { fields: { cvv: { never: true }, "card.pin": { never: true } } } },
  });
  const wrong: readonly (readonly [JsonObject, readonly string[]])[] = [
    [{ cvv: "123" }, ["cvv"]],
    [{ payments: [{}, { card: { cvv: 123 } }] }, ["payments[1].card.cvv"]],
    [{ cards: [], card: { pin: "1" }, cvv: [] }, ["card.pin", "cvv"]],
    [{ card: [{ pin: "1" }] }, ["card[0].pin"]],
  ];
  for (const [document, fields] of wrong) {
    const error = await rejectsWith("document-unfit", () => vault.put(at("1"), document));
    assert.deepEqual(
      error.problems,
      fields.map((field) => ({ field, kind: "never-stored" })),
    );
    assert.doesNotMatch(error.message, /123/);
  }
  assert.equal(calls.encrypt, 0);
  await vault.put(at("1"), { cvv: null, pin: "1", note: "cvv" });
});

test("a process that does not declare an index writes nothing to its collection, and writes to others", async (t) => {
  const opened = await keyedVault(t, { collections: UNIQUE });
  await opened.vault.put(at("1"), { email: "ada@example.com" });
  for (const collections of [
    {},
    { people: { fields: { email: { find: text(), values: 5_000 } } } },
    { people: { fields: { email: { find: email() } } } },
  ]) {
    const other: Vault = await opened.another({ collections });
    await rejectsWith("index-unknown", () => other.put(at("2"), { email: "bob@example.com" }));
    await rejectsWith("index-unknown", () =>
      other.putMany("people", [{ id: "2", document: {} }], { onExisting: "replace" }),
    );
    await other.put({ collection: "pets", id: "1" }, { name: "Byron" });
    assert.equal((await other.get(at("1"))).version, 1);
  }
});

/** Entries of writes: one for each unit, in its transaction; what is rolled back leaves none, but what was read for it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EntryText } from "../../src/audit/entry.ts";
import { auditedVault, inWords } from "../support/audited-vault.ts";
import { rejectsWith } from "../support/errors.ts";

const ADA = { collection: "people", id: "ada" };
const BOB = { collection: "people", id: "bob" };
const OF_ADA = { subject: "ada@example.com" };

const versionsOf = (entries: readonly EntryText[]) =>
  entries.map(({ records = [] }) => records.map(({ version, state }) => `${version} ${state}`).join(", "));

describe("in a transaction of the caller's", () => {
  test("a write that is rolled back is in no entry, and what was read within is", async (t) => {
    const { vault, memory, entries } = await auditedVault(t);
    await vault.put(BOB, { name: "Bob" });
    const clerk = vault.as({ principal: "clerk" });
    const prepared = await clerk.prepare(ADA, { name: "Ada" }, OF_ADA);
    const transaction = await memory.begin();
    await clerk.withTransaction(transaction, [prepared]);
    await clerk.get(BOB);
    transaction.rollback();
    assert.deepEqual(inWords((await entries()).filter(({ principal }) => principal === "clerk")), ["read done clerk"]);
    await rejectsWith("record-absent", () => vault.get(ADA));
  });

  test("writes that are committed have their entries in one stream of their own", async (t) => {
    const { vault, memory, entries } = await auditedVault(t);
    const prepared = [await vault.prepare(ADA, { n: 1 }, OF_ADA), await vault.prepare(BOB, { n: 2 })];
    const transaction = await memory.begin();
    await vault.withTransaction(transaction, prepared);
    transaction.commit();
    const written = await entries("write");
    assert.deepEqual(
      written.map(({ number, ends }) => [number, ends]),
      [
        [1, undefined],
        [2, true],
      ],
    );
    assert.equal(new Set(written.map(({ stream }) => stream)).size, 1);
    assert.deepEqual([(await vault.get(ADA)).document, (await vault.get(BOB)).document], [{ n: 1 }, { n: 2 }]);
  });

  test("one that is refused there is told with its record", async (t) => {
    const { vault, memory, entries } = await auditedVault(t);
    const prepared = await vault.prepare(ADA, { n: 1 }, { ...OF_ADA, expect: { kind: "absent" } });
    await vault.put(ADA, { n: 2 }, OF_ADA);
    const transaction = await memory.begin();
    await rejectsWith("version-conflict", () => vault.withTransaction(transaction, [prepared]));
    transaction.rollback();
    const [made, refused] = await entries("write");
    assert.deepEqual(inWords([made!, refused!]), ["write done local", "write version-conflict local"]);
    assert.equal(made!.records![0]!.tag, refused!.records![0]!.tag);
  });

  test("only whoever has prepared a write makes it", async (t) => {
    const { vault, memory } = await auditedVault(t);
    const prepared = await vault.as({ principal: "clerk" }).prepare(ADA, { n: 1 });
    const transaction = await memory.begin();
    await rejectsWith("vault-option-invalid", () => vault.withTransaction(transaction, [prepared]));
    transaction.rollback();
  });
});

describe("a batch", () => {
  test("of 1,000 records is 1,000 entries, all of which the log gets", async (t) => {
    const { vault, entries } = await auditedVault(t);
    const items = Array.from({ length: 1_000 }, (_, n) => ({ id: `p-${n}`, document: { n }, subject: `s-${n % 50}` }));
    const results = await vault.putMany("people", items, { onExisting: "replace" });
    assert.ok(results.every(({ outcome }) => outcome === "created"));
    await vault.audit!.sequence();
    const written = await entries("write");
    assert.equal(written.length, 1_000);
    assert.equal(new Set(written.flatMap(({ records = [] }) => records.map(({ tag }) => tag))).size, 1_000);
    const { items: listed } = await vault.list("people", { limit: 1_000 });
    assert.equal(listed.length, 1_000);
    const lists = await entries("list");
    assert.deepEqual(
      lists.map(({ records = [] }) => records.length),
      [500, 500],
    );
    await vault.audit!.sequence();
    assert.deepEqual((await vault.audit!.verify()).problems, []);
  });

  test("tells what it refused, what it kept, and each version of a record that comes twice", async (t) => {
    const { vault, entries } = await auditedVault(t);
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    const before = (await entries()).length;
    const again = { id: "ada", document: { name: "Ada" } };
    await vault.putMany("people", [again], { onExisting: "compare" });
    await vault.putMany("people", [again], { onExisting: "keep" });
    const items = [
      { id: "carl", document: { n: 1 } },
      { id: "carl", document: { n: 2 } },
      { id: "ada", document: { n: 3 }, subject: "somebody@example.com" },
      { id: "a/b", document: {} },
    ];
    await vault.putMany("people", items, { onExisting: "replace" });
    const told = (await entries()).slice(before);
    assert.deepEqual(inWords(told), [
      "read done local",
      "read done local",
      "write done local",
      "write id-invalid local",
      "write subject-differs local",
    ]);
    assert.deepEqual(versionsOf(told.slice(2, 3)), ["1 live, 2 live"]);
  });
});

test("a removal says whom the record was about, in all of its versions", async (t) => {
  const { vault } = await auditedVault(t);
  await vault.put(ADA, { n: 1 }, { ...OF_ADA, about: ["bob@example.com"] });
  await vault.put(ADA, { n: 2 }, { subject: "carl@example.com", about: [], repoint: true });
  await vault.remove(ADA);
  for (const name of ["ada@example.com", "bob@example.com", "carl@example.com"]) {
    const { events } = await vault.audit!.whoRead(name);
    assert.ok(
      events.some(({ action, records }) => action === "remove" && records[0]?.id === "ada"),
      `${name} is told of the removal`,
    );
  }
});

test("who read Ada: each of her readers, why, and nobody else's", async (t) => {
  const { vault } = await auditedVault(t, { collections: { people: { purposes: ["support"], ids: "sealed" } } });
  const clerk = vault.as({ principal: "token:7", purpose: "support", ticket: "T-1042" });
  await clerk.put(ADA, { name: "Ada" }, OF_ADA);
  await clerk.put(BOB, { name: "Bob" }, { subject: "bob@example.com" });
  await clerk.get(ADA);
  await clerk.get(BOB);
  await rejectsWith("version-absent", () => clerk.get(ADA, { version: 7 }));
  const { events } = await vault.audit!.whoRead("ada@example.com", { order: "oldest" });
  assert.deepEqual(
    events
      .filter(({ action }) => action !== "audit-read" && action !== "keys-made")
      .map(({ action, result, principal, purpose, ticket, records }) => ({
        ...{ action, result, principal, purpose, ticket },
        records: records.map(({ id, version }) => `${id} ${version}`),
      })),
    [
      {
        action: "write",
        result: "done",
        principal: "token:7",
        purpose: "support",
        ticket: "T-1042",
        records: ["ada 1"],
      },
      {
        action: "read",
        result: "done",
        principal: "token:7",
        purpose: "support",
        ticket: "T-1042",
        records: ["ada 1"],
      },
    ],
  );
});

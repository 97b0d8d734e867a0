/**
 * What is held, what is corrected, what a principal was given, and what is declared.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { processingMarkdown } from "@strongroom/vault";
import { rejectsWith } from "../support/errors.ts";
import { auditedVault } from "../support/audited-vault.ts";
import { ADA, BOB, exported, peopledVault } from "./support.ts";

const PERSON = { collection: "people", id: "1" };

describe("show", () => {
  test("lists what is held, without content and by pages, also of who is restricted", async (t) => {
    const { vault } = await peopledVault(t);
    const { records, next, state, keys } = await vault.rights!.show(ADA);
    assert.equal(next, null);
    assert.equal(state, "active");
    assert.equal(keys.subject, 1);
    assert.deepEqual(
      records
        .map(({ collection, id, versions, others, isAbout }) => [collection, id, versions, others, isAbout])
        .sort(),
      [
        ["letters", "1", 1, 1, true],
        ["orders", "7", 1, 1, true],
        ["people", "1", 2, 0, true],
      ],
    );
    const text = JSON.stringify(await vault.rights!.show(ADA));
    for (const content of ["Dear Ada", "Ada for Bob", BOB]) assert.ok(!text.includes(content));
    const ids: (string | null)[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await vault.rights!.show(ADA, { limit: 1, ...(cursor === undefined ? {} : { cursor }) });
      ids.push(...page.records.map(({ id }) => id));
      if (page.next === null) break;
      cursor = page.next;
      await rejectsWith("cursor-invalid", () => vault.rights!.show(BOB, { cursor: page.next! }));
    }
    assert.equal(ids.length, 3);
    await vault.subjects.restrict(ADA);
    assert.equal((await vault.rights!.show(ADA)).state, "restricted");
    await rejectsWith("subject-absent", () => vault.rights!.show("eve@example.com"));
  });

  test("gives the ids of sealed records, and when a record has stayed long enough", async (t) => {
    const { vault } = await auditedVault(t, {
      collections: { sealed: { ids: "sealed", retention: { after: "P1M" } } },
      clock: () => new Date("2026-01-31T10:00:00.000Z"),
    });
    await vault.put({ collection: "sealed", id: "secret-1" }, { a: 1 }, { subject: ADA });
    const { records, collections } = await vault.rights!.show(ADA);
    assert.equal(records[0]!.id, "secret-1");
    assert.equal(records[0]!.until, "2026-02-28T10:00:00.000Z");
    assert.deepEqual(collections[0]!.retention, "P1M");
    assert.equal((await exported(vault))[0]!.kind === "record" && "secret-1", "secret-1");
  });
});

describe("rectify", () => {
  test("merges the changes, tells why, and says who had it", async (t) => {
    const { vault, entries } = await peopledVault(t);
    await vault.put(PERSON, { name: "Ada", born: 1816, address: { city: "London", zip: "1" } });
    await exported(vault);
    const changes = JSON.parse('{"born":1815,"name":null,"address":{"zip":null},"__proto__":{"x":1}}') as object;
    const done = await vault.rights!.rectify(ADA, PERSON, changes as never, { reason: "data-subject-request" });
    const { document } = await vault.get(PERSON);
    assert.equal(JSON.stringify(document), '{"born":1815,"address":{"city":"London"},"__proto__":{"x":1}}');
    assert.equal(done.version, 4);
    await vault.audit!.sequence();
    const again = await vault.rights!.rectify(ADA, PERSON, { born: 1814 }, { reason: "data-subject-request" });
    assert.deepEqual(
      again.recipients.map(({ recipient }) => recipient),
      ["Ada herself"],
    );
    const [begun] = await entries("rectify");
    assert.deepEqual(begun!.details, { reason: "data-subject-request", members: 4 });
  });

  test("touches nobody else's record, and names a reason that is none", async (t) => {
    const { vault } = await peopledVault(t);
    const reason = "data-subject-request";
    await rejectsWith("record-absent", () => vault.rights!.rectify(ADA, { ...PERSON, id: "2" }, {}, { reason }));
    await rejectsWith("record-absent", () => vault.rights!.rectify(ADA, { ...PERSON, id: "x" }, {}, { reason }));
    await rejectsWith("vault-option-invalid", () => vault.rights!.rectify(ADA, PERSON, {}, { reason: "She asked" }));
    let deep: unknown = {};
    for (let level = 0; level < 5_000; level++) deep = { deep };
    await rejectsWith("document-invalid", () => vault.rights!.rectify(ADA, PERSON, deep as never, { reason }));
  });
});

test("what a principal was given since a moment, and whom it was about", async (t) => {
  const { vault } = await peopledVault(t);
  const thief = vault.as({ principal: "token:4f" });
  await thief.get(PERSON);
  await thief.get({ ...PERSON, id: "2" });
  await thief.get({ ...PERSON }, { version: 1 });
  await thief.list("orders");
  await rejectsWith("record-absent", () => thief.get({ ...PERSON, id: "none" }));
  await vault.get({ collection: "letters", id: "1" });
  await vault.audit!.sequence();
  const since = "2020-01-01T00:00:00.000Z";
  const found = await vault.rights!.exposure("token:4f", { since, names: true });
  assert.deepEqual(
    found.records.map(({ collection, id, versions }) => [collection, id, versions]),
    [
      ["people", "1", [1, 2]],
      ["people", "2", [1]],
      ["orders", "7", []],
    ],
  );
  assert.deepEqual(found.people.map(({ name }) => name).sort(), [ADA, BOB]);
  assert.ok(found.people.every(({ isContent }) => isContent));
  assert.ok((await vault.rights!.exposure("token:4f", { since })).people.every(({ name }) => name === null));
  assert.equal((await vault.rights!.exposure("token:4f", { since: "2099-01-01T00:00:00.000Z" })).entries, 0);
  await rejectsWith("vault-option-invalid", () => vault.rights!.exposure("token:4f", { since: "yesterday" }));
});

test("the report of processing has what is declared, and nothing that is declared runs in it", async (t) => {
  const { vault } = await auditedVault(t, {
    collections: {
      people: {
        purposes: ["support", { code: "marketing", consent: true, basis: "6(1)(a) | <script>alert(1)</script>" }],
        retention: { after: "P2Y", from: "left" },
        recipients: ["Postal [service](http://x)"],
        fields: { email: {} },
      },
      orders: { retention: { after: 30 } },
    },
  });
  const report = vault.rights!.processing({ regions: ["eu-central-1"] });
  assert.deepEqual(
    report.collections.map(({ collection, retention, fields }) => [collection, retention, fields]),
    [
      ["orders", { after: "P30D", from: null }, []],
      ["people", { after: "P2Y", from: "left" }, ["email"]],
    ],
  );
  const markdown = processingMarkdown(report);
  assert.match(markdown, /^- Kept: P2Y from the field left on$/m);
  assert.match(
    markdown,
    /^\| marketing \| {2}\| 6\(1\)\(a\) &#124; &#60;script&#62;alert\(1\)&#60;\/script&#62; \| needed \|$/m,
  );
  assert.ok(!markdown.includes("<script>") && !markdown.includes("[service]"));
});

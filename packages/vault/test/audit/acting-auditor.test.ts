/**
 * On whose behalf, for what, and what an act leaves behind.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { VaultError } from "@strongroom/vault";
import type { ChangeFacts } from "../../src/audit/auditor.ts";
import { parseEntry } from "../../src/audit/entry-text.ts";
import { openAuditor } from "../../src/audit/open-auditor.ts";
import { parseSubject } from "../../src/records/address.ts";
import { at } from "../../src/store-contract/changes.ts";
import { newPeople } from "../../src/store-contract/people.ts";
import type { UnitEntry } from "../../src/stores/outbox.ts";
import { actor, audited } from "../support/audited.ts";
import type { Audited } from "../support/audited.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";

const last = async ({ waiting }: Audited): Promise<Awaited<ReturnType<Audited["waiting"]>>[number]> =>
  (await waiting()).at(-1) ?? assert.fail("nothing waits");

describe("a caller", () => {
  const wrong: readonly unknown[] = [
    undefined,
    null,
    {},
    { principal: "" },
    { principal: "a b" },
    { principal: "ada\n" },
    { principal: "a".repeat(129) },
    { principal: "a", purpose: "Support" },
    { principal: "a", purpose: "" },
    { principal: "a", ticket: "a ticket" },
    { principal: "a", export: "1" },
    { principal: "a", porpoise: "support" },
    Object.create({ principal: "inherited" }),
  ];
  test("who is not said as it must be is refused, without what was said", async (t) => {
    const { auditor } = await audited(t);
    for (const given of wrong) {
      const error = throwsWith("audit-actor-invalid", () => auditor.as(given as never));
      assert.ok(!/ada|inherited|a ticket/.test(error.message), error.message);
    }
    for (const principal of ["anonymous", "strongroom:repair", "a".repeat(128), "token:A-z_9.@/+="])
      assert.equal(auditor.as({ principal }).actor.principal, principal);
  });

  test("is as they were when they were said, whatever becomes of the object", async (t) => {
    const { auditor } = await audited(t);
    const given = { principal: "ada", purpose: "support" };
    const caller = auditor.as(given);
    given.principal = "eve";
    assert.equal(caller.actor.principal, "ada");
  });

  test("says for what, where the collection declares it", async (t) => {
    const { auditor } = await audited(t, {
      auditor: { purposesOf: (collection) => (collection === "people" ? ["support", "billing"] : null) },
    });
    auditor.requirePurpose("pets");
    throwsWith("purpose-missing", () => {
      auditor.requirePurpose("people");
    });
    auditor.as(actor("a", { purpose: "support" })).requirePurpose("people");
    throwsWith("purpose-refused", () => {
      auditor.as(actor("a", { purpose: "marketing" })).requirePurpose("people");
    });
  });
});

describe("an act", () => {
  test("has an entry before it, and one of what it came to", async (t) => {
    const audit = await audited(t);
    const results = async (): Promise<readonly string[]> =>
      (await audit.waiting()).filter(({ action }) => action === "restrict").map(({ result }) => result);
    const facts = { people: newPeople(2), collection: "people", details: { reason: "asked" } };
    const result = await audit.auditor.act("restrict", facts, async () => {
      assert.deepEqual(await results(), ["begun"]);
      return 7;
    });
    assert.equal(result, 7);
    await rejectsWith("subject-erased", () =>
      audit.auditor.act("restrict", facts, () => Promise.reject(new VaultError("subject-erased", "gone"))),
    );
    await assert.rejects(audit.auditor.act("restrict", facts, () => Promise.reject(new TypeError("anything"))));
    assert.deepEqual(await results(), ["begun", "done", "begun", "subject-erased", "begun", "failed"]);
    const entry = await last(audit);
    assert.deepEqual([entry.collection, entry.details, entry.people?.length], ["people", { reason: "asked" }, 2]);
  });

  test("that was done is done, also where the end of it cannot be told", async (t) => {
    let isFull = false;
    const audit = await audited(t, {
      outbox: (outbox) => ({
        append: (...args) => (isFull ? Promise.reject(new VaultError("store-full", "full")) : outbox.append(...args)),
      }),
    });
    const work = async (): Promise<string> => {
      isFull = true;
      return Promise.resolve("done");
    };
    assert.equal(await audit.auditor.act("release", {}, work), "done");
  });
});

test("a label and a ticket are nobody's to read who has no key of the vault", async (t) => {
  const audit = await audited(t);
  await audit.auditor.as(actor("a", { ticket: "T-1" })).tell("principal", "done", { label: "Ada's laptop" });
  const entry = await last(audit);
  assert.doesNotMatch(JSON.stringify(entry), /laptop|T-1/);
  const parts = (entry.people ?? []).map((person) => ({ entry: entry.id, person }));
  assert.deepEqual(await audit.keys.openParts(parts), [
    { subject: null, records: [], ticket: "T-1", label: "Ada's laptop" },
  ]);
  await audit.auditor.tell("unauthenticated", "audit-actor-invalid");
  assert.equal((await last(audit)).people, undefined);
});

test("what is about a name of before, a collection or a name that looks like an id is the right one's to read", async (t) => {
  const audit = await audited(t);
  const looksLikeAnId = parseSubject(randomUUID());
  const [ada] = newPeople(1);
  const concerned = { row: at("r"), id: at("r").id, version: 2 as never, about: [] };
  await audit.auditor.tell("read", "record-tampered", {
    concerned: [
      { ...concerned, scheme: 1, subject: looksLikeAnId },
      { ...concerned, scheme: 1, subject: "collection:people" as never },
      { ...concerned, scheme: 2, subject: "collection:people" as never, about: [ada!] },
      { ...concerned, scheme: null, subject: null },
      { ...concerned, scheme: 2, subject: "Collection:of nothing" as never },
    ],
  });
  const entry = await last(audit);
  const parts = await audit.keys.openParts((entry.people ?? []).map((person) => ({ entry: entry.id, person })));
  assert.deepEqual(parts, [
    {
      subject: null,
      records: [
        ["r", 2],
        ["r", 2],
        ["r", 2],
        ["r", 2],
      ],
    },
    { subject: "collection:people", records: [["r", 2]] },
    { subject: ada, records: [["r", 2]] },
  ]);
  assert.deepEqual(await audit.keys.versionsOf(`person:${looksLikeAnId}`), []);
});

test("a refusal of more than an entry lists is several", async (t) => {
  const audit = await audited(t);
  const concerned = Array.from({ length: 1_200 }, (_, n) => ({
    ...{ row: at(`r-${n}`), id: at(`r-${n}`).id, version: null, scheme: null, subject: null, about: [] },
  }));
  await audit.auditor.tell("list", "subject-restricted", { concerned, details: { asked: 1_200 } });
  const entries = (await audit.waiting()).filter(({ action }) => action === "list");
  assert.equal(
    entries.reduce((sum, { records = [] }) => sum + records.length, 0),
    1_200,
  );
});

describe("the entries of units", () => {
  const facts = (id: string, versions = 1): ChangeFacts => ({
    writeId: randomUUID() as never,
    action: "write",
    row: at(id),
    id: at(id).id,
    previous: null,
    versions: Array.from({ length: versions }, (_, n) => ({
      ...{ version: (n + 1) as never, scheme: 2 as const, subject: "collection:people" as never, about: [] },
      message: Buffer.from(`message ${n}`),
    })),
    kms: [],
  });

  test("of one transaction stand in one stream, one after another, in the order of the units", async (t) => {
    const { auditor, keys } = await audited(t);
    const drafts = await Promise.all(["a", "b", "c"].map((id) => auditor.draft(facts(id))));
    const tries: (readonly UnitEntry[])[] = [];
    await auditor.numbered(drafts, (entries) => {
      tries.push(entries);
      return Promise.resolve(tries.length < 3 ? "moved" : "made");
    });
    await auditor.numbered(drafts.slice(0, 1), (entries) => {
      tries.push(entries);
      return Promise.resolve("not-made");
    });
    assert.equal(new Set(tries.slice(0, 3).map(([entry]) => entry!.stream)).size, 3);
    const expected = ["a", "b", "c"].map((id) => keys.tag(at(id)));
    for (const [index, entries] of tries.entries()) {
      assert.deepEqual(
        entries.map(({ number, ends }) => [number, ends]),
        index < 3
          ? [
              [1, false],
              [2, false],
              [3, false],
            ]
          : [[4, false]],
      );
      for (const [n, entry] of entries.entries()) {
        assert.ok(keys.verifies(entry.text, entry.mac));
        const text = parseEntry(entry.text);
        assert.deepEqual(
          [text?.id, text?.stream, text?.number, text?.records?.[0]?.tag, entry.tag],
          [drafts[n]!.id, entry.stream, entry.number, expected[n], expected[n]],
        );
      }
    }
    await rejectsWith("audit-unavailable", () => auditor.numbered(drafts, () => Promise.resolve("moved")));
  });

  test("of a caller's transaction have a stream of their own, which they end", async (t) => {
    const { auditor } = await audited(t);
    const drafts = await Promise.all(["a", "b"].map((id) => auditor.draft(facts(id))));
    const [one, other] = [auditor.alone(drafts), auditor.alone(drafts)];
    assert.notEqual(one[0]!.stream, other[0]!.stream);
    for (const entries of [one, other])
      assert.deepEqual(
        entries.map(({ number, ends, stream }) => [number, ends, stream === entries[0]!.stream]),
        [
          [1, false, true],
          [2, true, true],
        ],
      );
    assert.deepEqual(parseEntry(one[1]!.text)?.ends, true);
    assert.deepEqual(auditor.alone([]), []);
  });

  test("of a thousand versions about 32 people are no longer than an entry may be", async (t) => {
    const { auditor } = await audited(t);
    const [subject, ...about] = newPeople(32);
    const many = facts("long".repeat(60), 1_000);
    const versions = many.versions.map((version) => ({ ...version, subject: subject as never, about }));
    const [entry] = auditor.alone([await auditor.draft({ ...many, versions })]);
    const text = parseEntry(entry!.text);
    assert.deepEqual([text?.records?.length, text?.people?.length], [1_000, 32]);
  });

  test("no draft that is none is written", async (t) => {
    const { auditor } = await audited(t);
    assert.throws(() => auditor.alone([{ id: randomUUID() as never }]));
  });
});

test("a vault that was found set back gives nothing out and writes nothing, also what was under way", async (t) => {
  let isWhole = true;
  let isRead = false;
  const audit = await audited(t, {
    auditor: {
      requireWhole: () => {
        if (!isWhole) throw new VaultError("store-rolled-back", "an older state");
      },
    },
    outbox: (outbox) => ({
      append: async (...args) => {
        const result = await outbox.append(...args);
        isWhole = !isRead;
        return result;
      },
    }),
  });
  const [ada] = newPeople(1);
  await audit.write("a", [ada!]);
  const read = await audit.read("a");
  isRead = true;
  await rejectsWith("store-rolled-back", () => audit.auditor.released("read", [read]));
  await rejectsWith("store-rolled-back", () => audit.auditor.requireNewest([read]));
  await rejectsWith("store-rolled-back", () => audit.auditor.tell("verify", "done"));
  await rejectsWith("store-rolled-back", () => audit.auditor.numbered([], () => Promise.resolve("made")));
  throwsWith("store-rolled-back", () => audit.auditor.alone([]));
});

test("an audit that cannot say that it is opened is not opened", async (t) => {
  const { store, keyStore, keys, log } = await audited(t);
  const options = {
    ...{ keyStore, keys, log, principal: "local", purposesOf: () => null, clock: () => new Date() },
    requireWhole: () => undefined,
  };
  const outbox = { ...store.outbox, append: () => Promise.reject(new VaultError("store-full", "full")) };
  await rejectsWith("audit-unavailable", () => openAuditor({ ...options, store: { outbox, records: store.records } }));
  await rejectsWith("audit-actor-invalid", () => openAuditor({ ...options, store, principal: "not one" }));
});

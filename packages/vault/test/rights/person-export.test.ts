/**
 * What a person is given of what is held of them, and what the audit has of it, also where something comes in between.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PersonExportItem, RecordStore, SubjectRows } from "@strongroom/vault";
import { isSubjectId } from "@strongroom/vault";
import { rejectsWith } from "../support/errors.ts";
import { inWords } from "../support/audited-vault.ts";
import { overlaid } from "../support/store-with.ts";
import { ADA, BOB, exported, inShort, peopledVault } from "./support.ts";

const PERSON = { collection: "people", id: "1" };

describe("an export", () => {
  test("has everything that is about the person, and of what is about others too as much as is declared", async (t) => {
    const { vault, entries } = await peopledVault(t);
    assert.deepEqual(inShort(await exported(vault)), [
      "end 2 1",
      'letters/1@1 {"text":"Dear Ada"}',
      "orders/7@1 third-parties",
      'people/1@2 {"name":"Ada","n":2}',
    ]);
    const told = await entries("person-export", "read", "list");
    assert.deepEqual(inWords(told), [
      "person-export begun local",
      "read done local",
      "read done local",
      "list done local",
      "person-export done local",
    ]);
    assert.equal(new Set(told.map((entry) => entry.export)).size, 1);
    assert.ok(told.every((entry) => isSubjectId(entry.export)));
    assert.ok(!JSON.stringify(told).includes("herself"), "the recipient lies sealed");
  });

  test("of all versions has each that is about them, and of a record that went to somebody else those before", async (t) => {
    const { vault } = await peopledVault(t);
    await vault.put(PERSON, { name: "Bob" }, { subject: BOB, repoint: true });
    assert.deepEqual(inShort(await exported(vault, ADA, { versions: "all" })), [
      "end 3 1",
      'letters/1@1 {"text":"Dear Ada"}',
      "orders/7@1 third-parties",
      'people/1@1 {"name":"Ada","n":1}',
      'people/1@2 {"name":"Ada","n":2}',
    ]);
    assert.ok(inShort(await exported(vault)).includes("people/1@3 re-pointed"));
    assert.ok(!JSON.stringify(await exported(vault)).includes("Bob"), "nobody else's name");
  });

  test("names nobody in vain, and says to whom it goes", async (t) => {
    const { vault } = await peopledVault(t);
    await rejectsWith("subject-absent", () => exported(vault, "eve@example.com"));
    for (const recipient of ["", " ", "a\nb", "x".repeat(201), undefined])
      assert.throws(() => vault.rights!.export(ADA, { recipient: recipient! }));
  });

  test("touches this person's records only, however many others there are", async (t) => {
    const calls = { records: 0, subjects: 0, lists: 0 };
    const counted = <Part extends object>(part: Part, key: "records" | "subjects"): Part =>
      new Proxy(part, {
        get: (target, name) => {
          const found: unknown = Reflect.get(target, name);
          if (typeof found !== "function") return found;
          return (...args: unknown[]): unknown => {
            calls[key]++;
            if (name === "list") calls.lists++;
            return (found as (...given: unknown[]) => unknown).apply(target, args);
          };
        },
      });
    const { vault } = await peopledVault(t, {
      alter: (store) =>
        overlaid(store, {
          records: counted<RecordStore>(store.records, "records"),
          subjects: counted<SubjectRows>(store.subjects, "subjects"),
        }),
    });
    const cost = async (): Promise<typeof calls> => {
      Object.assign(calls, { records: 0, subjects: 0, lists: 0 });
      await exported(vault);
      return { ...calls };
    };
    const few = await cost();
    const others = Array.from({ length: 1_000 }, (_, index) => ({
      id: `o${index}`,
      document: { index },
      subject: `other-${index}`,
    }));
    await vault.putMany("people", others, { onExisting: "replace" });
    assert.deepEqual(await cost(), few);
    assert.equal(few.lists, 0);
    assert.ok(few.records < 20, `${few.records} calls`);
  });
});

describe("in the middle of an export", () => {
  /** Something is done when the first item was given. */
  const during = async (
    items: AsyncIterable<{ readonly kind: string }>,
    what: () => Promise<unknown>,
  ): Promise<readonly unknown[]> => {
    const all: unknown[] = [];
    for await (const item of items) {
      all.push(item);
      if (all.length === 1) await what();
    }
    return all;
  };
  const many = async (t: Parameters<typeof peopledVault>[0]) => {
    const opened = await peopledVault(t);
    const items = Array.from({ length: 250 }, (_, index) => ({ id: `m${index}`, document: { index }, subject: ADA }));
    await opened.vault.putMany("people", items, { onExisting: "replace" });
    return opened;
  };

  test("who is restricted, or erased, by another process is given no further", async (t) => {
    const { vault, another, store, entries } = await many(t);
    const other = await another();
    const given = () => vault.rights!.export(ADA, { recipient: "Ada" });
    await rejectsWith("subject-restricted", () => during(given(), () => other.rights!.restrict(ADA)));
    await other.rights!.release(ADA);
    const [row] = (await store.subjects.newest(10)).toReversed();
    await rejectsWith("subject-erased", () =>
      during(given(), () => store.subjects.setState({ id: row!.id, from: ["active"], to: "erasing" })),
    );
    assert.deepEqual(
      (await entries("person-export")).map(({ result }) => result),
      ["begun", "subject-restricted", "begun", "subject-erased"],
    );
  });

  test("a record that is re-pointed in between is not given as theirs", async (t) => {
    const { vault } = await many(t);
    const moved = { collection: "people", id: "m249" };
    const items = await during(vault.rights!.export(ADA, { recipient: "Ada" }), () =>
      vault.put(moved, { secret: "Bob's" }, { subject: BOB, repoint: true }),
    );
    assert.ok(!JSON.stringify(items).includes("Bob's"));
    assert.ok(JSON.stringify(items).includes("re-pointed"));
  });

  test("who goes away has it told as aborted, and who is killed leaves a beginning without an end", async (t) => {
    const { vault, entries } = await many(t);
    for await (const item of vault.rights!.export(ADA, { recipient: "Ada" })) if (item.kind === "record") break;
    const results = async () => (await entries("person-export")).map(({ result }) => result);
    assert.deepEqual(await results(), ["begun", "aborted"]);
    await vault.rights!.export(ADA, { recipient: "Eve" })[Symbol.asyncIterator]().next();
    assert.deepEqual(await results(), ["begun", "aborted", "begun"]);
    await vault.audit!.sequence();
    assert.deepEqual(
      (await vault.rights!.recipients(ADA)).map(({ recipient, outcome, records }) => [
        recipient,
        outcome,
        records.length > 0,
      ]),
      [
        ["Ada", "interrupted", true],
        ["Eve", "untold", true],
      ],
    );
  });

  test("one damaged record withholds none of the others, and what was put back by hand is not given", async (t) => {
    const { vault, rowOf, putBack } = await peopledVault(t);
    const before = rowOf(PERSON);
    await vault.put(PERSON, { name: "Ada", n: 3 });
    putBack(PERSON, before);
    const items = inShort(await exported(vault));
    assert.ok(items.includes("people/1@null record-rolled-back"), items.join("\n"));
    assert.ok(items.includes('letters/1@1 {"text":"Dear Ada"}'));
  });
});

test("by pages it is the same, also in the middle of a long history, and of another person no cursor is taken", async (t) => {
  const { vault, entries } = await peopledVault(t);
  for (let n = 3; n <= 230; n++) await vault.put(PERSON, { name: "Ada", n });
  for (const versions of ["newest", "all"] as const) {
    const whole = inShort(await exported(vault, ADA, { versions })).filter((one) => !one.startsWith("end"));
    const items: PersonExportItem[] = [];
    const ids = new Set<string>();
    for (let cursor: string | undefined; ;) {
      const page = await vault.rights!.exportPage(ADA, { recipient: "Ada", versions, cursor });
      items.push(...page.items);
      ids.add(page.export);
      if (page.next === null) break;
      cursor = page.next;
      await rejectsWith("cursor-invalid", () => vault.rights!.exportPage(BOB, { recipient: "Bob", versions, cursor }));
    }
    assert.deepEqual(inShort(items), whole);
    assert.equal(ids.size, 1);
    const told = await entries("person-export");
    assert.deepEqual(
      told
        .filter((entry) => entry.export === [...ids][0])
        .map(({ result }) => result)
        .slice(0, 1),
      ["begun"],
    );
    assert.equal(told.at(-1)!.result, "done");
  }
  for (const cursor of ["", "x", Buffer.from('["person-export-1"]').toString("base64url")])
    await rejectsWith("cursor-invalid", () => vault.rights!.exportPage(ADA, { recipient: "Ada", cursor }));
});

test("an export of a collection is among the recipients too, without a name", async (t) => {
  const { vault } = await peopledVault(t);
  const id = "0d6b2c1e-6f0a-4b7e-9c57-0f3a8a1b2c3d";
  await vault.as({ principal: "token:7", export: id }).get(PERSON);
  await exported(vault);
  await vault.audit!.sequence();
  const found = await vault.rights!.recipients(ADA);
  assert.deepEqual(
    found.map(({ recipient, kind, outcome }) => [recipient, kind, outcome]),
    [
      [null, "collection", "untold"],
      ["Ada herself", "person", "complete"],
    ],
  );
  assert.deepEqual(found[0]!.records, [{ collection: "people", id: "1", version: 2 }]);
  await rejectsWith("subject-unknown", () => vault.rights!.recipients("eve@example.com"));
});

/**
 * A verification of what a hand in the database has changed, one thing at a time: it is found, named by its place, and
 * nothing else is found.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { VerifyCode, VerifyOptions, VerifyPlace, VerifyReport } from "@strongroom/vault";
import { ADA, BOB, CARL, filledVault } from "./support.ts";
import type { FilledVault } from "./support.ts";

const counts = ({ looked: { records, versions, people } }: VerifyReport) => ({ records, versions, people });

test("nothing is found in a vault that nobody has touched, by one wrap or by each", async (t) => {
  const { verified, entries } = await filledVault(t);
  for (const options of [{}, { regions: "each" }] satisfies VerifyOptions[]) {
    const report = await verified(options);
    assert.deepEqual([report.findings, report.problems, report.notes], [[], {}, {}]);
    assert.equal(report.verdict, "whole");
    assert.deepEqual(counts(report), { records: 11, versions: 14, people: report.looked.people });
    assert.equal(report.looked.heads, 11);
  }
  const told = await entries("verify");
  assert.deepEqual(
    told.map(({ result, details }) => [result, details?.["records"] ?? null, details?.["problems"] ?? null]),
    [
      ["begun", null, null],
      ["done", 11, 0],
      ["begun", null, null],
      ["done", 11, 0],
    ],
  );
});

interface Damage {
  readonly name: string;
  readonly do: (vault: FilledVault) => Promise<void> | void;
  readonly finds: Readonly<Partial<Record<VerifyCode, number>>>;
  readonly notes?: Readonly<Partial<Record<VerifyCode, number>>>;
  /** Of the first that is found. */
  readonly place?: Partial<Extract<VerifyPlace, { kind: "record" }>>;
  readonly options?: VerifyOptions;
  /** Found by the process that was open before. */
  readonly isOpen?: boolean;
}

const personOf = ({ tables }: FilledVault, id: string): string =>
  tables.records.get(`people/${id}`)!.versions.at(-1)!.subject;

const DAMAGES: readonly Damage[] = [
  {
    name: "a record is set back with its head and its entry",
    do: ({ change }) => {
      change(ADA, ({ head, versions }) => ({ head: { ...head, version: 2 as never }, versions: versions.slice(0, 2) }));
    },
    finds: { "record-rolled-back": 1 },
    place: { collection: "people", id: "ada" },
  },
  {
    name: "a removal is undone from a copy of the rows",
    do: async ({ vault, rowOf, putBack }) => {
      const row = rowOf(BOB);
      await vault.remove(BOB);
      await vault.audit!.sequence();
      putBack(BOB, row);
    },
    finds: { "record-rolled-back": 1 },
    place: { id: "bob" },
  },
  {
    name: "an inner version is gone",
    do: ({ change }) => {
      change(ADA, ({ versions }) => ({ versions: versions.filter(({ version }) => version !== 2) }));
    },
    finds: { "version-missing": 1 },
    place: { id: "ada", version: 2 },
  },
  {
    name: "the oldest versions are gone",
    do: ({ change }) => {
      change(ADA, ({ versions }) => ({ versions: versions.slice(2) }));
    },
    finds: { "version-missing": 1 },
    place: { id: "ada", version: 2 },
  },
  {
    name: "the oldest version since a removal is gone",
    do: ({ change }) => {
      change(CARL, ({ versions }) => ({ versions: versions.slice(1) }));
    },
    finds: { "version-missing": 1 },
    place: { id: "carl", version: 2 },
  },
  {
    name: "a number is used twice: the message that had it first is put back under the head of the second",
    do: async ({ vault, another, rowOf, putBack, logTables: { heads, messages } }) => {
      const [before, known, told] = [rowOf(ADA), new Map(heads), new Map(messages)];
      await vault.put(ADA, { n: "first" });
      await vault.audit!.sequence();
      const [first, [tag]] = [rowOf(ADA)!, [...heads].find(([one, head]) => known.get(one) !== head)!];
      // Nobody knows of it any more, and the number is given again.
      putBack(ADA, before);
      heads.set(tag, known.get(tag)!);
      messages.set(tag, told.get(tag)!);
      await (await another()).put(ADA, { n: "second" });
      await vault.audit!.sequence();
      putBack(ADA, { ...rowOf(ADA)!, versions: first.versions });
    },
    finds: { "record-rolled-back": 1 },
    place: { id: "ada", version: 4 },
  },
  {
    name: "a head is forged ahead",
    do: ({ change }) => {
      change(BOB, ({ head, versions }) => ({
        head: { ...head, version: 2 as never },
        versions: [...versions, { ...versions[0]!, version: 2 as never }],
      }));
    },
    finds: { "record-tampered": 1, "record-rolled-back": 1 },
    place: { id: "bob" },
  },
  {
    name: "the entry of a head is another one",
    do: ({ change, tables }) => {
      const { entry } = tables.records.get("people/ada")!;
      change(BOB, () => ({ entry }));
    },
    finds: { "record-rolled-back": 1 },
    place: { id: "bob", version: null },
  },
  {
    name: "rows that the log does not know",
    do: ({ logTables, tables }) => {
      const { entry } = tables.records.get("people/bob")!;
      for (const [tag, head] of logTables.heads)
        if (head.entry === entry) {
          logTables.heads.delete(tag);
          logTables.messages.delete(tag);
        }
    },
    finds: { "record-tampered": 1 },
    place: { id: "bob" },
  },
  {
    name: "a record's rows are all gone",
    do: ({ change }) => {
      change(ADA, () => null);
    },
    finds: { "record-missing": 1, "link-left": 0 },
    place: { collection: "people", id: "ada", version: 3 },
  },
  {
    name: "a record's rows are all gone where ids are sealed",
    do: ({ tables }) => {
      const [key] = [...tables.records.keys()].filter((one) => one.startsWith("secrets/"));
      tables.records.delete(key!);
    },
    finds: { "record-missing": 1 },
    place: { collection: "secrets" },
  },
  {
    name: "a message is another record's",
    do: ({ change, tables }) => {
      const { message } = tables.records.get("people/carl")!.versions[0]!;
      change(BOB, ({ versions }) => ({ versions: [{ ...versions[0]!, message }] }));
    },
    finds: { "record-moved": 1, "record-rolled-back": 1 },
    place: { id: "bob", version: 1 },
  },
  {
    name: "a byte of an old message is another one",
    do: ({ change }) => {
      change(ADA, ({ versions: [first, ...more] }) => {
        const message = Buffer.from(first!.message);
        message[message.length - 1]! ^= 1;
        return { versions: [{ ...first!, message }, ...more] };
      });
    },
    finds: { "record-tampered": 1, "record-rolled-back": 1 },
    place: { id: "ada", version: 1 },
  },
  {
    name: "a sealed id is another record's",
    do: ({ tables }) => {
      const [one, other] = [...tables.records].filter(([key]) => key.startsWith("secrets/"));
      tables.records.set(one![0], { ...one![1], sealedId: other![1].sealedId });
    },
    finds: { "record-tampered": 1 },
    place: { collection: "secrets" },
  },
  {
    name: "a link of a record to a person is gone",
    do: ({ change }) => {
      change(BOB, () => ({ links: [] }));
    },
    finds: { "link-missing": 1 },
  },
  {
    name: "a record is linked to somebody whom it is not about",
    do: (vault) => {
      const carl = personOf(vault, "carl");
      vault.change(BOB, ({ links }) => ({ links: [...links, carl as never] }));
    },
    finds: { "link-left": 1 },
  },
  {
    name: "the row of a person is gone",
    do: (vault) => {
      vault.tables.subjects.delete(personOf(vault, "carl"));
    },
    finds: { "person-missing": 2 },
    notes: { "key-of-nobody": 1 },
  },
  {
    name: "somebody who is restricted is made active, in a vault that is open",
    // One that opens restricts them again, by the word of the log.
    isOpen: true,
    do: (vault) => {
      const id = personOf(vault, "eve");
      vault.tables.subjects.set(id, { ...vault.tables.subjects.get(id)!, state: "active" });
    },
    finds: { "state-differs": 1 },
  },
  {
    name: "a person's key is gone",
    do: (vault) => {
      const id = personOf(vault, "carl");
      vault.changeKeys(
        ({ owner, kind }) => owner === id && kind === "subject",
        () => null,
      );
    },
    finds: { "key-missing": 1, "subject-key-absent": 3 },
  },
  {
    name: "a person's name is gone",
    do: (vault) => {
      vault.keyTables.names.delete(personOf(vault, "carl") as never);
    },
    finds: { "subject-name-absent": 1 },
  },
  {
    name: "a person's name is another's",
    do: (vault) => {
      const [carl, bob] = [personOf(vault, "carl") as never, personOf(vault, "bob") as never];
      vault.keyTables.names.set(carl, { ...vault.keyTables.names.get(bob)!, id: carl });
    },
    finds: { "subject-key-tampered": 1 },
  },
  {
    name: "the check of a key is another one",
    do: (vault) => {
      const id = personOf(vault, "carl");
      vault.changeKeys(
        ({ owner, kind }) => owner === id && kind === "subject",
        (key) => ({ ...key, check: Buffer.alloc(32, 7) }),
      );
    },
    // The key, the name under it, and two versions.
    finds: { "subject-key-tampered": 4 },
  },
  {
    name: "the check of a key under a tenant's is another one",
    do: (vault) => {
      vault.changeKeys(
        ({ kind }) => kind === "tenant-subject",
        (key) => ({ ...key, check: Buffer.alloc(32, 7) }),
      );
    },
    // Of two people: the key, the name under it, the version.
    finds: { "subject-key-tampered": 6 },
  },
  {
    name: "an audit key is another one",
    do: (vault) => {
      vault.changeKeys(
        ({ kind, owner }) => kind === "audit" && owner === `person:${personOf(vault, "carl")}`,
        (key) => ({ ...key, check: Buffer.alloc(32, 7) }),
      );
    },
    finds: { "subject-key-tampered": 1 },
  },
  {
    name: "the audit key of a person is gone",
    do: (vault) => {
      vault.changeKeys(
        ({ kind, owner }) => kind === "audit" && owner === `person:${personOf(vault, "carl")}`,
        () => null,
      );
    },
    finds: { "key-missing": 1 },
  },
  {
    name: "a wrap of a key is another key's",
    do: (vault) => {
      const [carl, bob] = [personOf(vault, "carl"), personOf(vault, "bob")];
      const other = vault.keyTables.keys.get(bob)!.find(({ kind }) => kind === "subject")!.wraps[1]!;
      vault.changeKeys(
        ({ owner, kind }) => owner === carl && kind === "subject",
        (key) => ({ ...key, wraps: [key.wraps[0]!, other, key.wraps[2]!] }),
      );
    },
    options: { regions: "each" },
    finds: { "wrap-does-not-open": 1 },
  },
  {
    name: "a wrap of a key is gone",
    do: (vault) => {
      const carl = personOf(vault, "carl");
      vault.changeKeys(
        ({ owner, kind }) => owner === carl && kind === "subject",
        (key) => ({ ...key, wraps: key.wraps.slice(1) }),
      );
    },
    finds: { "wraps-miscounted": 1 },
  },
];

describe("is found, and nothing else:", () => {
  for (const { name, do: damage, finds, notes = {}, place, options = {}, isOpen = false } of DAMAGES)
    test(name, async (t) => {
      const vault = await filledVault(t);
      await damage(vault);
      const report = await (isOpen ? vault.vault.verify(options) : vault.verified(options));
      const wanted = Object.entries(finds).filter(([, count]) => count > 0);
      assert.deepEqual(report.problems, Object.fromEntries(wanted.sort()), JSON.stringify(report.findings, null, 1));
      assert.deepEqual(report.notes, notes);
      assert.equal(report.verdict, "problems");
      const found = report.findings[0]!.place as unknown as Record<string, unknown>;
      for (const [member, value] of Object.entries(place ?? {})) assert.equal(found[member], value, member);
      assert.doesNotMatch(JSON.stringify(report), /example\.com/, "nobody's name");
    });
});

/**
 * What a hand in the database can do with plain SQL, and how each reading notices. After each refusal the put, the
 * conditional write and the history must not build on the damage either.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import type { Vault, VaultErrorCode } from "@strongroom/vault";
import { defer } from "../../../tests/support/defer.ts";
import { rejectsWith } from "./support/errors.ts";
import { lastByteChanged, tamper, fileVault } from "./support/vault.ts";

const ada = { collection: "people", id: "ada" };
const bob = { collection: "people", id: "bob" };

/** Ada has three versions, Bob one; there is an Ada among the pets too. */
async function fill(vault: Vault): Promise<void> {
  for (const step of [1, 2, 3]) await vault.put(ada, { who: "ada", step });
  await vault.put(bob, { who: "bob" });
  await vault.put({ collection: "pets", id: "ada" }, { who: "a cat" });
}

const message = (where: string): string => `(select message from versions where ${where})`;
const named = (id: string): string => `collection = 'people' and id = '${id}'`;
const recordOf = (id: string): string => `(select record from records where ${named(id)})`;
const ADA = `record = ${recordOf("ada")}`;
const BOB = `record = ${recordOf("bob")}`;

interface Tampering {
  readonly name: string;
  readonly sql: readonly string[];
  readonly code: VaultErrorCode;
  /** What is read; Ada's newest version when left out. */
  readonly read?: (vault: Vault) => Promise<unknown>;
}

const TAMPERINGS: readonly Tampering[] = [
  {
    name: "another record's message copied onto the row",
    sql: [`update versions set message = ${message(BOB)} where ${ADA} and version = 3`],
    code: "record-moved",
  },
  {
    name: "another record's row moved onto this id, versions and head",
    sql: [
      `delete from versions where ${ADA}`,
      `delete from heads where ${ADA}`,
      `update versions set record = ${recordOf("ada")} where ${BOB}`,
      `update heads set record = ${recordOf("ada")} where ${BOB}`,
    ],
    code: "record-moved",
  },
  {
    name: "a row moved to an id that never was",
    sql: [`update records set id = 'eve' where ${named("bob")}`],
    code: "record-moved",
    read: (vault) => vault.get({ collection: "people", id: "eve" }),
  },
  {
    name: "two records' names swapped",
    sql: [
      `update records set id = 'between' where ${named("bob")}`,
      `update records set id = 'bob' where ${named("ada")}`,
      `update records set id = 'ada' where ${named("between")}`,
    ],
    code: "record-moved",
  },
  {
    name: "the wrap set made that of no version",
    sql: [`update versions set wrap_set = 99 where ${ADA} and version = 3`],
    code: "record-tampered",
  },
  {
    name: "the wrap set's form changed",
    sql: ["update wrap_sets set form = replace(form, 'target', 'Target')"],
    code: "record-tampered",
  },
  {
    name: "two records' rows swapped",
    sql: [
      `update versions set record = 0 where ${BOB}`,
      `update versions set record = ${recordOf("bob")}, version = 1 where ${ADA} and version = 3`,
      `update versions set record = ${recordOf("ada")}, version = 3 where record = 0`,
    ],
    code: "record-moved",
    read: (vault) => vault.get(bob),
  },
  {
    name: "a message copied from another collection",
    sql: [
      `update versions set message = ${message("record = (select record from records where collection = 'pets')")} where ${BOB}`,
    ],
    code: "record-moved-collection",
    read: (vault) => vault.get(bob),
  },
  {
    name: "a row moved to another collection",
    sql: [`update records set collection = 'pets' where ${named("bob")}`],
    code: "record-moved-collection",
    read: (vault) => vault.get({ collection: "pets", id: "bob" }),
  },
  {
    name: "the row's subject changed",
    sql: [`update versions set subject = 'eve' where ${ADA}`],
    code: "record-moved-subject",
  },
  {
    name: "an old version's message put over the newest one's",
    sql: [`update versions set message = ${message(`${ADA} and version = 1`)} where ${ADA} and version = 3`],
    code: "record-rolled-back",
  },
  {
    name: "the newest version's message put over an old one's",
    sql: [`update versions set message = ${message(`${ADA} and version = 3`)} where ${ADA} and version = 1`],
    code: "record-rolled-back",
    read: (vault) => vault.get(ada, { version: 1 }),
  },
  {
    name: "an old row renumbered as the newest",
    sql: [
      `delete from versions where ${ADA} and version = 3`,
      `update versions set version = 3 where ${ADA} and version = 2`,
    ],
    code: "record-rolled-back",
  },
  {
    name: "the head set back while the newest row is there",
    sql: [`update heads set version = 2 where ${ADA}`],
    code: "record-rolled-back",
  },
  {
    name: "the head set back, an old version asked for",
    sql: [`update heads set version = 2 where ${ADA}`],
    code: "record-rolled-back",
    read: (vault) => vault.get(ada, { version: 1 }),
  },
  { name: "the head set ahead", sql: [`update heads set version = 9 where ${ADA}`], code: "record-tampered" },
  {
    name: "the newest row deleted",
    sql: [`delete from versions where ${ADA} and version = 3`],
    code: "record-tampered",
  },
  { name: "the head deleted", sql: [`delete from heads where ${ADA}`], code: "record-tampered" },
  {
    name: "the head marked as removed",
    sql: [`update heads set state = 'removed' where ${ADA}`],
    code: "record-tampered",
  },
  {
    name: "the message cut",
    sql: [`update versions set message = substr(message, 1, length(message) - 1) where ${ADA} and version = 3`],
    code: "record-tampered",
  },
  {
    name: "the message extended",
    sql: [`update versions set message = cast(message || x'00' as blob) where ${ADA} and version = 3`],
    code: "record-tampered",
  },
  {
    name: "the message emptied",
    sql: [`update versions set message = x'' where ${ADA} and version = 3`],
    code: "record-tampered",
  },
  {
    name: "the message replaced by text",
    sql: [`update versions set message = cast('{"who":"eve"}' as blob) where ${ADA} and version = 3`],
    code: "record-tampered",
  },
  {
    name: "the last byte changed",
    sql: [lastByteChanged(`${ADA} and version = 3`)],
    code: "record-tampered",
  },
];

const readNewest = (vault: Vault): Promise<unknown> => vault.get(ada);

for (const { name, sql, code, read = readNewest } of TAMPERINGS) {
  test(`${name}: ${code}`, async (t) => {
    const { vault, path } = await fileVault(t);
    await fill(vault);
    tamper(path, ...sql);
    const error = await rejectsWith(code, () => read(vault));
    assert.doesNotMatch(
      `${error.message} ${JSON.stringify(error)}`,
      /\b(ada|bob|cat|eve)\b/i,
      "nothing of the records is in the error",
    );
  });
}

const BROKEN_HEADS = TAMPERINGS.filter(
  ({ name }) =>
    name.includes("head set back while") || name.includes("the head deleted") || name.includes("newest row deleted"),
);
for (const { name, sql, code } of BROKEN_HEADS) {
  test(`${name}: nothing is written on top of it, and removing the record is the way out`, async (t) => {
    const { vault, path } = await fileVault(t);
    await fill(vault);
    tamper(path, ...sql);
    await rejectsWith(code, () => vault.put(ada, { step: 4 }));
    await rejectsWith(code, () => vault.history(ada));
    await rejectsWith(code, () => vault.remove(ada, { expect: { kind: "present" } }));
    assert.deepEqual(
      (
        await vault.putMany(
          "people",
          [
            { id: "ada", document: {} },
            { id: "carl", document: {} },
          ],
          { onExisting: "replace" },
        )
      ).map(({ outcome }) => outcome),
      ["refused", "created"],
    );
    await vault.remove(ada);
    const { version } = await vault.put(ada, { step: 4 });
    assert.ok(version > 2, "no number is used twice as far as the rows still tell");
    assert.deepEqual((await vault.get(ada)).document, { step: 4 });
  });
}

test("a record that was removed and put back by hand is refused", async (t) => {
  const { vault, path } = await fileVault(t);
  await fill(vault);
  const copy = new DatabaseSync(path);
  const row = copy.prepare(`select * from versions where ${BOB}`).get()!;
  await vault.remove(bob);
  const columns = Object.keys(row);
  copy
    .prepare(`insert into versions (${columns.join()}) values (${columns.map(() => "?").join()})`)
    .run(...Object.values(row));
  await rejectsWith("record-tampered", () => vault.get(bob));
  copy.exec(`update heads set state = 'live' where ${BOB}`);
  copy.close();
  // Head and row now both are what they were before the removal: a consistent older state, which the rows alone cannot
  // tell.
  assert.deepEqual((await vault.get(bob)).document, { who: "bob" });
  await vault.put(bob, { who: "bob", step: 2 });
});

test("every changed byte of a message is refused by one of the four codes, and none is ever released", async (t) => {
  const { vault, path } = await fileVault(t);
  await vault.put(bob, { who: "bob" });
  const database = new DatabaseSync(path);
  defer(t, () => {
    database.close();
  });
  const original = Buffer.from(database.prepare("select message from versions").get()!["message"] as Uint8Array);
  const put = database.prepare("update versions set message = ?");
  const integrity: readonly string[] = [
    "record-tampered",
    "record-moved",
    "record-moved-collection",
    "record-moved-subject",
    "record-rolled-back",
    "key-not-configured",
  ];
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const changed = Buffer.from(original);
      changed[at] = changed[at]! ^ mask;
      put.run(changed);
      const code = await vault.get(bob).then(
        () => "released",
        (error: unknown) => (error as { code: string }).code,
      );
      assert.ok(integrity.includes(code), `byte ${at}: ${code}`);
      seen.add(code);
    }),
    { numRuns: 400 },
  );
  assert.ok(seen.has("record-tampered"));
  put.run(original);
  assert.deepEqual((await vault.get(bob)).document, { who: "bob" });
});

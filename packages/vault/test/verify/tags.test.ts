/**
 * Tags that a hand in the database has taken away or moved: nothing but a verification notices, and it names the record
 * and the index.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openVault } from "@strongroom/vault";
import type { CollectionOptions, Vault, VerifyReport } from "@strongroom/vault";
import { email, exact, foldedName } from "@strongroom/vault/normalisers";
import { defer } from "../../../../tests/support/defer.ts";
import { fileStorage } from "../support/storage.ts";
import { aesKeyring } from "../support/vault.ts";

const COLLECTIONS: Readonly<Record<string, CollectionOptions>> = {
  people: {
    subject: "id",
    fields: {
      email: { find: email(), unique: true },
      name: { find: foldedName(), values: 50_000, prefix: 3 },
      tags: { find: exact(), values: 5_000 },
    },
  },
};

interface Given {
  readonly vault: Vault;
  readonly path: string;
  readonly another: (collections?: typeof COLLECTIONS) => Promise<Vault>;
}

async function given(t: TestContext): Promise<Given> {
  const storage = await fileStorage(t);
  const keyring = aesKeyring(randomBytes(32));
  const another: Given["another"] = async (collections = COLLECTIONS) => {
    const keys = { store: await storage.openKeys() };
    const vault = await openVault({ store: await storage.open(), keyring, keys, collections });
    defer(t, () => vault.close());
    return vault;
  };
  const vault = await another();
  for (const id of ["ada", "bob"])
    await vault.put(
      { collection: "people", id },
      { email: `${id}@example.com`, name: `${id} Example`, tags: [id, "both"] },
    );
  return { vault, path: storage.path, another };
}

const RECORD = (id: string): string => `(select record from records where collection = 'people' and id = '${id}')`;
const INDEX = (name: string): string => `(select number from indexes where name = '${name}')`;

/** What is found, in words: code, record, index. */
const words = ({ findings }: VerifyReport): readonly string[] =>
  findings
    .map(({ code, message, place }) => {
      const index = /\(index (.*)\)$/.exec(message)?.[1] ?? "";
      return `${code} ${place.kind === "record" ? place.id : place.kind} ${index}`;
    })
    .sort();

const DAMAGES: readonly (readonly [what: string, sql: string, finds: readonly string[]])[] = [
  [
    "a tag is deleted",
    `delete from tags where record = ${RECORD("ada")} and index_number = ${INDEX("name")}`,
    ["tag-missing ada name"],
  ],
  [
    "a tag is another record's",
    `update tags set record = ${RECORD("bob")} where record = ${RECORD("ada")} and index_number = ${INDEX("name:prefix")}`,
    ["tag-left bob name:prefix", "tag-missing ada name:prefix"],
  ],
  ["a unique tag is deleted", `delete from unique_tags where record = ${RECORD("bob")}`, ["tag-missing bob email"]],
  [
    "two records have exchanged their unique tags",
    `update unique_tags set record = ${RECORD("ada")} + ${RECORD("bob")} - record`,
    ["tag-left ada email", "tag-left bob email", "tag-missing ada email", "tag-missing bob email"],
  ],
  [
    "a tag is another one",
    `update tags set tag = zeroblob(32) where record = ${RECORD("ada")} and index_number = ${INDEX("name")}`,
    ["tag-left ada name", "tag-missing ada name"],
  ],
  [
    "one tag of several is deleted",
    `delete from tags where index_number = ${INDEX("tags")} and record = ${RECORD("ada")} and tag not in
      (select tag from tags where record = ${RECORD("bob")})`,
    ["tag-missing ada tags"],
  ],
  [
    "a unique tag lies among the others",
    `insert into tags select index_number, tag, record from unique_tags where record = ${RECORD("ada")};
     delete from unique_tags where record = ${RECORD("ada")}`,
    ["tag-missing ada email"],
  ],
  [
    "all tags of an index are gone",
    `delete from tags where index_number = ${INDEX("name")}`,
    ["tag-missing ada name", "tag-missing bob name"],
  ],
];

describe("tags that are not those of the documents", () => {
  test("nothing is found where nobody has touched them, whatever was written before", async (t) => {
    const { vault, another } = await given(t);
    await vault.put({ collection: "people", id: "ada" }, { email: "countess@example.com", tags: [] });
    await vault.remove({ collection: "people", id: "bob" });
    await vault.put({ collection: "people", id: "bob" }, { email: "ada@example.com" });
    await vault.subjects.restrict("ada");
    const { verdict, findings } = await (await another()).verify();
    assert.deepEqual([verdict, findings], ["whole", []]);
  });

  for (const [what, sql, finds] of DAMAGES)
    test(`are found when ${what}`, async (t) => {
      const { path, another } = await given(t);
      using database = new DatabaseSync(path, { timeout: 5000 });
      database.exec(sql);
      const report = await (await another()).verify();
      assert.deepEqual(words(report), finds);
      assert.equal(report.verdict, "problems");
      assert.doesNotMatch(JSON.stringify(report), /example/i);
    });

  test("are whole again once the index was dropped and built", async (t) => {
    const { path, another } = await given(t);
    using database = new DatabaseSync(path, { timeout: 5000 });
    database.exec("delete from unique_tags");
    const vault = await another();
    assert.deepEqual((await vault.verify()).problems, { "tag-missing": 2 });
    await vault.indexes.drop("people", "email");
    await vault.indexes.apply();
    assert.equal((await vault.verify()).verdict, "whole");
  });

  test("of an index that is built, or that is not declared here, nothing is said to be wrong", async (t) => {
    const { path, another } = await given(t);
    using database = new DatabaseSync(path, { timeout: 5000 });
    const less = await another({ people: { subject: "id", fields: { email: { find: email(), unique: true } } } });
    const { verdict, problems, unopened } = await less.verify();
    assert.deepEqual([verdict, problems, unopened], ["incomplete", {}, { "index-unknown": 2 }]);
    database.exec(`delete from tags where index_number = ${INDEX("name")}`);
    database.exec("update indexes set state = 'building' where name = 'name'");
    assert.equal((await (await another()).verify()).verdict, "whole");
  });

  test("nothing is found beside writers and a change of the key", async (t) => {
    const { vault, another } = await given(t);
    for (let n = 0; n < 60; n++)
      await vault.put({ collection: "people", id: `p${n}` }, { email: `p${n}@example.com`, name: `P ${n}` });
    const over = new AbortController();
    const writing = (async () => {
      for (let n = 0; !over.signal.aborted; n++) {
        const address = { collection: "people", id: `p${n % 60}` };
        if (n % 9 === 0) await vault.remove(address);
        await vault.put(address, { email: `p${n % 60}x${n}@example.com`, name: `P ${n}` });
        await delay(1);
      }
    })();
    const rotating = (async () => {
      const other = await another();
      for (let n = 0; n < 2; n++) await other.indexes.rotateKey();
    })();
    const verifying = await another();
    for (let round = 0; round < 4; round++) {
      const { findings, unsettled } = await verifying.verify();
      assert.deepEqual([findings, unsettled], [[], 0]);
    }
    await rotating;
    over.abort();
    await writing;
    assert.equal((await verifying.verify()).verdict, "whole");
  });
});

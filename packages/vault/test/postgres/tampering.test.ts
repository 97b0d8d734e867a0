/**
 * What a hand in the database can do with plain SQL, and how each reading notices: messages and rows moved, swapped and
 * set back, and columns that hold what no vault writes. What is damaged is one record's; everybody else's is as it was.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isVaultError } from "@strongroom/vault";
import type { Vault, VaultErrorCode } from "@strongroom/vault";
import { rejectsWith } from "../support/errors.ts";
import { fileServer } from "./support/storage.ts";
import { listedRowByRow } from "../support/vault.ts";
import { key, postgresVault, WITHOUT_RULES } from "./support/vault.ts";

const { pool } = await fileServer();

const ada = { collection: "people", id: "ada" };
const bob = { collection: "people", id: "bob" };
const ADA = `record = ${key("ada")}`;
const BOB = `record = ${key("bob")}`;

/** Ada has three versions, Bob one; there is an Ada among the pets too. */
async function fill(vault: Vault): Promise<void> {
  for (const step of [1, 2, 3]) await vault.put(ada, { who: "ada", step });
  await vault.put(bob, { who: "bob" });
  await vault.put({ collection: "pets", id: "ada" }, { who: "a cat" });
}

const message = (where: string): string => `(select message from s.versions where ${where})`;

interface Tampering {
  readonly sql: readonly string[];
  readonly code: VaultErrorCode;
  /** What is read; Ada's newest version when left out. */
  readonly read?: (vault: Vault) => Promise<unknown>;
}

const TAMPERINGS: Readonly<Record<string, Tampering>> = {
  "another record's message copied onto the row": {
    sql: [`update s.versions set message = ${message(BOB)} where ${ADA} and version = 3`],
    code: "record-moved",
  },
  "two records' names swapped": {
    sql: [
      "update s.records set id = 'between' where collection = 'people' and id = 'bob'",
      "update s.records set id = 'bob' where collection = 'people' and id = 'ada'",
      "update s.records set id = 'ada' where id = 'between'",
    ],
    code: "record-moved",
  },
  "a record renamed to an id that never was": {
    sql: ["update s.records set id = 'eve' where collection = 'people' and id = 'bob'"],
    code: "record-moved",
    read: (vault) => vault.get({ collection: "people", id: "eve" }),
  },
  "a record moved to another collection": {
    sql: ["update s.records set collection = 'pets' where id = 'bob'"],
    code: "record-moved-collection",
    read: (vault) => vault.get({ collection: "pets", id: "bob" }),
  },
  "the row's subject changed": {
    sql: [`update s.versions set subject = 'eve' where ${ADA}`],
    code: "record-moved-subject",
  },
  "an old version's message put over the newest one's": {
    sql: [`update s.versions set message = ${message(`${ADA} and version = 1`)} where ${ADA} and version = 3`],
    code: "record-rolled-back",
  },
  "an old row renumbered as the newest": {
    sql: [
      `delete from s.versions where ${ADA} and version = 3`,
      `update s.versions set version = 3 where ${ADA} and version = 2`,
    ],
    code: "record-rolled-back",
  },
  "the head set back while the newest row is there": {
    sql: [`update s.heads set version = 2 where ${ADA}`],
    code: "record-rolled-back",
  },
  "the head set ahead": { sql: [`update s.heads set version = 9 where ${ADA}`], code: "record-tampered" },
  "the newest row deleted": {
    sql: [`delete from s.versions where ${ADA} and version = 3`],
    code: "record-tampered",
  },
  "the head deleted": { sql: [`delete from s.heads where ${ADA}`], code: "record-tampered" },
  "the head marked as removed": { sql: [`update s.heads set state = 'removed' where ${ADA}`], code: "record-tampered" },
  "the message cut": {
    sql: [`update s.versions set message = substr(message, 1, length(message) - 1) where ${ADA} and version = 3`],
    code: "record-tampered",
  },
  "the message extended": {
    sql: [`update s.versions set message = message || '\\x00'::bytea where ${ADA} and version = 3`],
    code: "record-tampered",
  },
  "the message emptied": {
    sql: [`update s.versions set message = '' where ${ADA} and version = 3`],
    code: "record-tampered",
  },
  "the last byte changed": {
    sql: [
      `update s.versions set message = set_byte(message, length(message) - 1, 255 - get_byte(message, length(message) - 1))
       where ${ADA} and version = 3`,
    ],
    code: "record-tampered",
  },
};

for (const [name, { sql, code, read = (vault: Vault) => vault.get(ada) }] of Object.entries(TAMPERINGS)) {
  test(`${name}: ${code}`, async (t) => {
    const { vault, forge } = await postgresVault(t, pool);
    await fill(vault);
    await forge(...sql);
    const error = await rejectsWith(code, () => read(vault));
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error)}`, /\b(ada|bob|cat|eve)\b/i);
  });
}

for (const name of ["the head set back while the newest row is there", "the head deleted", "the newest row deleted"]) {
  test(`${name}: nothing is written on top of it, and removing the record is the way out`, async (t) => {
    const { vault, forge } = await postgresVault(t, pool);
    await fill(vault);
    const { sql, code } = TAMPERINGS[name]!;
    await forge(...sql);
    await rejectsWith(code, () => vault.put(ada, { step: 4 }));
    await rejectsWith(code, () => vault.history(ada));
    await vault.remove(ada);
    const { version } = await vault.put(ada, { step: 4 });
    assert.ok(version > 2, "no number is used twice as far as the rows still tell");
    assert.deepEqual((await vault.get(ada)).document, { step: 4 });
  });
}

const BEYOND = "9007199254740992";
const GREATEST = "9223372036854775807";

/** What an operation on Ada's record comes to; those that may write come last. */
const OPERATIONS: Readonly<Record<string, (vault: Vault) => Promise<unknown>>> = {
  list: async (vault) => (await vault.list("people")).damaged?.map(({ id, code }) => `${id}: ${code}`).join(),
  get: (vault) => vault.get(ada),
  history: (vault) => vault.history(ada),
  put: (vault) => vault.put(ada, { step: 9 }),
  batch: async (vault) => {
    const [result] = await vault.putMany("people", [{ id: "ada", document: { step: 9 } }], { onExisting: "replace" });
    return result?.outcome === "refused" ? result.code : undefined;
  },
};

async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    const told = await work;
    return typeof told === "string" && told !== "" ? told : "ok";
  } catch (error) {
    return isVaultError(error) ? error.code : `not an error of the vault: ${String(error)}`;
  }
}

const all = (code: string): Readonly<Record<string, string>> => ({ get: code, history: code, put: code, batch: code });
const TAMPERED = { ...all("record-tampered"), list: "ada: record-tampered" };
const UNSEEN = { ...all("record-tampered"), list: "ok" };

/** Statement -> what each operation comes to. */
const FORGERIES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...Object.fromEntries(
    [BEYOND, GREATEST, "-1", "0", `-${GREATEST}`].map((value) => [
      `update s.heads set version = ${value} where ${ADA}`,
      TAMPERED,
    ]),
  ),
  ...Object.fromEntries(
    [BEYOND, GREATEST, "-1", "0"].map((value) => [
      `update s.versions set version = ${value} where ${ADA} and version = 2`,
      TAMPERED,
    ]),
  ),
  [`update s.heads set state = 'gone' where ${ADA}`]: TAMPERED,
  [`delete from s.heads where ${ADA}`]: TAMPERED,
  ...Object.fromEntries(
    [GREATEST, `-${GREATEST}`, "253402300800000", "-62167219200001"].map((value) => [
      `update s.heads set updated_at = ${value} where ${ADA}`,
      { ...all("ok"), list: "ada: record-tampered" },
    ]),
  ),
  ...Object.fromEntries(
    [`created_at = ${GREATEST}`, "wrap_set = 77", "wrap_set = -1"].map((set) => [
      `update s.versions set ${set} where ${ADA} and version = 2`,
      UNSEEN,
    ]),
  ),
  "update s.wrap_sets set stored = -1, target = -2": UNSEEN,
};

for (const [sql, comes] of Object.entries(FORGERIES)) {
  test(`${sql.replace(/\s+/g, " ").slice(0, 60)}… ${sql.slice(-24)}: what it comes to`, async (t) => {
    const { vault, forge } = await postgresVault(t, pool);
    await vault.put(ada, { step: 1 });
    await vault.put(ada, { step: 2 });
    const isOfAll = sql.includes("wrap_sets");
    if (!isOfAll) await vault.put(bob, { who: "bob" });
    await forge(...WITHOUT_RULES, sql);
    for (const [operation, run] of Object.entries(OPERATIONS))
      assert.equal(await outcome(run(vault)), comes[operation], operation);
    if (isOfAll) return;
    assert.deepEqual((await vault.get(bob)).document, { who: "bob" });
    assert.ok((await vault.list("people")).items.some(({ id }) => id === "bob"));
    const { lastVersion } = await vault.remove(ada);
    assert.ok(Number.isSafeInteger(lastVersion) && lastVersion >= 1);
    assert.deepEqual((await vault.list("people")).damaged, undefined, "removed, it is named no more");
    await vault.put(ada, { step: "new" });
    assert.deepEqual((await vault.get(ada)).document, { step: "new" });
  });
}

const ODD_IDS: Readonly<Record<string, string>> = {
  empty: "''",
  "a control character": "E'a\\nb'",
  "too long": "repeat('a', 300)",
  "too long, of characters of three bytes": "'a' || repeat('日', 200)",
  "very long": "'a' || repeat('c', 100000)",
  "not in normal form": "U&'e\\0301'",
  "a path": "'../a'",
};

for (const [name, id] of Object.entries(ODD_IDS)) {
  test(`an id that is none (${name}) is named, and paging goes on behind it, row by row`, async (t) => {
    const { vault, forge } = await postgresVault(t, pool);
    for (const one of ["A", "aaaa", "bob", "\u{10000}"]) await vault.put({ collection: "people", id: one }, { one });
    await forge(
      `insert into s.records (collection, id) values ('people', ${id})`,
      "insert into s.heads select max(key), 1, 'live', 0, 'w' from s.records",
    );
    const { seen, damaged } = await listedRowByRow(vault, "people");
    assert.deepEqual(seen, ["A", "aaaa", "bob", "\u{10000}"]);
    assert.equal(damaged.length, 1);
    assert.match(damaged[0]!, /^[\x20-\x7e]{0,1300}$/, "cut and escaped");
  });
}

test("a collection whose name is none is not listed, and the others are", async (t) => {
  const { vault, forge } = await postgresVault(t, pool);
  await vault.put(bob, { who: "bob" });
  for (const name of ["''", "E'\\x1b[31m'", "repeat('a', 100000)", "'Üben'"])
    await forge(
      `insert into s.records (collection, id) values (${name}, 'x')`,
      "insert into s.heads select max(key), 1, 'live', 0, 'w' from s.records",
    );
  assert.deepEqual(await vault.collections(), [{ collection: "people", records: 1 }]);
});

test("versions whose wrap set has no row are in the inventory, as what is not known", async (t) => {
  const { vault, store, forge } = await postgresVault(t, pool);
  await vault.put(ada, { step: 1 });
  await vault.put(bob, { who: "bob" });
  await forge(`update s.versions set wrap_set = -7 where ${ADA}`);
  const unknown = (await store.inventory.sets()).filter(({ set }) => set === null).map(({ id }) => id);
  assert.deepEqual(unknown, [-7]);
  assert.equal(await store.inventory.any(unknown), true);
  assert.equal((await store.inventory.list({ sets: unknown, after: null, limit: 10 })).length, 1);
});

test("what the inventory finds and is none is named, and the others are found", async (t) => {
  const { vault, store, forge } = await postgresVault(t, pool);
  await vault.put(ada, { step: 1 });
  await vault.put(ada, { step: 2 });
  await vault.put(bob, { who: "bob" });
  await forge(
    ...WITHOUT_RULES,
    `update s.versions set version = ${GREATEST}, since = ${GREATEST} where ${ADA} and version = 2`,
    `update s.versions set record = 999 where ${ADA} and version = 1`,
    "insert into s.wrap_sets (digest, form, stored, target) values ('x', repeat('[', 2000000), 0, 0), ('y', '{', 0, 0)",
  );
  const sets = await store.inventory.sets();
  assert.deepEqual(
    sets.map(({ set }) => set === null),
    [false, true, true],
  );
  const found: (string | null)[] = [];
  for (let after: string | null | undefined = null; after !== undefined;) {
    const page = await store.inventory.list({ sets: sets.map(({ id }) => id), after, limit: 1 });
    found.push(...page.map(({ place, since }) => `${place?.id ?? "none"} ${since === null ? "never" : "then"}`));
    after = page.at(-1)?.position;
  }
  assert.deepEqual(found.toSorted(), ["bob then", "none never", "none then"]);
  const [first] = await store.inventory.counts([sets[0]!.id], 10);
  assert.equal(first?.items, 3);
});

test("a gate that is gone or is another vault's is noticed by every call", async (t) => {
  const { vault, store, forge } = await postgresVault(t, pool);
  await vault.put(bob, { who: "bob" });
  await forge("update s.vault set id = 'another'");
  for (const call of [() => vault.get(bob), () => vault.put(bob, {}), () => store.ping(), () => vault.list("people")])
    await rejectsWith("store-replaced", call);
  await forge("delete from s.vault");
  for (const call of [() => vault.get(bob), () => vault.put(bob, {}), () => store.ping(), () => vault.list("people")])
    await rejectsWith("store-altered", call);
});

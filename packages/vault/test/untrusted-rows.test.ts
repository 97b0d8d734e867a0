/**
 * Every column that an operation reads and acts upon, with what a hand in the database can put there: numbers beyond
 * 2^53, negative ones, dates that are none, names that are none, a subject that is somebody else's. One record is
 * damaged; what is refused for it, and that everybody else's records are as they were.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { isVaultError } from "@strongroom/vault";
import type { Vault } from "@strongroom/vault";
import { testVault } from "./support/vault.ts";

const ada = { collection: "people", id: "ada" };
const bob = { collection: "people", id: "bob" };
const BEYOND = "9007199254740992";
const GREATEST = "9223372036854775807";

/** SQL of someone who minds no rule of the tables. */
function forge(path: string, ...statements: readonly string[]): void {
  using database = new DatabaseSync(path);
  database.exec("pragma ignore_check_constraints = on; pragma foreign_keys = off");
  for (const statement of statements) assert.ok(database.prepare(statement).run().changes > 0, statement);
}

/** What an operation on Ada's record comes to. */
const OPERATIONS: Readonly<Record<string, (vault: Vault) => Promise<unknown>>> = {
  get: (vault) => vault.get(ada),
  history: (vault) => vault.history(ada),
  "put that inherits": (vault) => vault.put(ada, { step: 9 }),
  "put that names the subject": (vault) => vault.put(ada, { step: 9 }, { subject: "person-1" }),
  "batch that inherits": (vault) => batch(vault, "replace"),
  "batch that compares": (vault) => batch(vault, "compare"),
  list: async (vault) => {
    const damaged = (await vault.list("people")).damaged ?? [];
    if (damaged.length > 0) return damaged.map(({ id, code }) => `${id}: ${code}`).join();
    return undefined;
  },
};

async function batch(vault: Vault, onExisting: "replace" | "compare"): Promise<string | undefined> {
  const [result] = await vault.putMany("people", [{ id: "ada", document: { step: 9 } }], { onExisting });
  return result?.outcome === "refused" ? result.code : undefined;
}

async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    const told = await work;
    return typeof told === "string" ? told : "ok";
  } catch (error) {
    return isVaultError(error) ? error.code : `not an error of the vault: ${String(error)}`;
  }
}

const TAMPERED = { list: "ada: record-tampered", ...all("record-tampered") };

function all(code: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.keys(OPERATIONS)
      .filter((name) => name !== "list")
      .map((name) => [name, code]),
  );
}

/** A list does not open messages: what only a message can tell it does not know. */
const UNSEEN_BY_LIST = { list: "ok", history: "ok" };

interface Forgery {
  readonly sql: readonly string[];
  /** Operation -> what it comes to. */
  readonly comes: Readonly<Record<string, string>>;
}

const ADA = "where collection = 'people' and id = 'ada'";

const FORGERIES: Readonly<Record<string, Forgery>> = {
  ...Object.fromEntries(
    [BEYOND, GREATEST, "-1", "0", `-${GREATEST}`].map((value): [string, Forgery] => [
      `heads.version is ${value}`,
      { sql: [`update heads set version = ${value} ${ADA}`], comes: TAMPERED },
    ]),
  ),
  ...Object.fromEntries(
    [BEYOND, GREATEST, "-1", "0"].map((value): [string, Forgery] => [
      `versions.version is ${value}`,
      { sql: [`update versions set version = ${value} ${ADA} and version = 2`], comes: TAMPERED },
    ]),
  ),
  ...Object.fromEntries(
    [BEYOND, "-1"].map((value): [string, Forgery] => [
      `both versions are ${value}`,
      {
        sql: [
          `update heads set version = ${value} ${ADA}`,
          `update versions set version = ${value} ${ADA} and version = 2`,
        ],
        comes: TAMPERED,
      },
    ]),
  ),
  "both versions are set forward": {
    sql: [`update heads set version = 5000 ${ADA}`, `update versions set version = 5000 ${ADA} and version = 2`],
    comes: { ...all("record-rolled-back"), ...UNSEEN_BY_LIST },
  },
  "both versions are the last that there can be": {
    sql: [
      `update heads set version = 9007199254740991 ${ADA}`,
      `update versions set version = 9007199254740991 ${ADA} and version = 2`,
    ],
    comes: {
      ...all("record-tampered"),
      ...UNSEEN_BY_LIST,
      get: "record-rolled-back",
      "batch that compares": "record-rolled-back",
    },
  },
  "heads.state is none": { sql: [`update heads set state = 'gone' ${ADA}`], comes: TAMPERED },
  "heads.state says removed": { sql: [`update heads set state = 'removed' ${ADA}`], comes: TAMPERED },
  "the head is gone": { sql: [`delete from heads ${ADA}`], comes: TAMPERED },
  ...Object.fromEntries(
    ["yesterday", "", "2026-13-01T00:00:00.000Z", "2026-02-30T00:00:00.000Z", "+275760-09-13T00:00:00.001Z"].map(
      (date): [string, Forgery] => [
        `heads.updated_at is '${date}'`,
        {
          sql: [`update heads set updated_at = '${date}' ${ADA}`],
          comes: { ...all("ok"), list: "ada: record-tampered" },
        },
      ],
    ),
  ),
  ...Object.fromEntries(
    ["created_at = 'never'", `wraps_stored = ${BEYOND}`, "wraps_stored = -1", `wraps_target = ${GREATEST}`].map(
      (set): [string, Forgery] => [
        `versions.${set}`,
        {
          sql: [`update versions set ${set} ${ADA} and version = 2`],
          comes: { ...all("record-tampered"), list: "ok" },
        },
      ],
    ),
  ),
  "the subject is somebody else's": {
    sql: [`update versions set subject = 'eve' ${ADA} and version = 2`],
    comes: { ...all("record-moved-subject"), ...UNSEEN_BY_LIST },
  },
  "the subject is the record's id": {
    sql: [`update versions set subject = 'ada' ${ADA} and version = 2`],
    comes: { ...all("record-moved-subject"), ...UNSEEN_BY_LIST },
  },
  "the subject is somebody else's, and so says the message": {
    sql: [
      `update versions set subject = 'person-2', message = cast(unhex(replace(hex(message), hex('person-1'), hex('person-2'))) as blob) ${ADA} and version = 2`,
    ],
    comes: {
      ...all("record-tampered"),
      ...UNSEEN_BY_LIST,
      // It is not asked whether what it replaces opens: it takes nothing from it.
      "put that names the subject": "ok",
    },
  },
};

for (const [name, { sql, comes }] of Object.entries(FORGERIES)) {
  test(name, async (t) => {
    for (const [operation, run] of Object.entries(OPERATIONS)) {
      const { vault, path } = await testVault(t);
      await vault.put(ada, { step: 1 }, { subject: "person-1" });
      await vault.put(ada, { step: 2 });
      await vault.put(bob, { who: "bob" });
      forge(path, ...sql);
      assert.equal(await outcome(run(vault)), comes[operation], operation);
      assert.deepEqual((await vault.get(bob)).document, { who: "bob" });
      assert.ok((await vault.list("people")).items.some(({ id }) => id === "bob"));
      assert.deepEqual(
        (await vault.collections()).map(({ collection }) => collection),
        ["people"],
      );
      const { lastVersion } = await vault.remove(ada);
      assert.ok(Number.isSafeInteger(lastVersion) && lastVersion >= 1);
      assert.deepEqual((await vault.list("people")).damaged, undefined, "removed, it is named no more");
      if (lastVersion === Number.MAX_SAFE_INTEGER) continue;
      await vault.put(ada, { step: "new" });
      assert.deepEqual((await vault.get(ada)).document, { step: "new" });
    }
  });
}

const ODD_IDS: Readonly<Record<string, string>> = {
  empty: "''",
  "a control character": "'a' || char(10) || 'b'",
  "a NUL": "'aaa' || char(0) || 'b'",
  "too long": "printf('%.300c', 'a')",
  "very long, with a NUL": "'a' || char(0) || printf('%.100000c', 'b')",
  "not in normal form": "'e' || char(769)",
  "bytes that are no UTF-8": "cast(x'61ff' as text)",

  "a path": "'../a'",
};

for (const [name, id] of Object.entries(ODD_IDS)) {
  test(`an id that is none (${name}) is named, and paging goes on behind it, row by row`, async (t) => {
    const { vault, path } = await testVault(t);
    for (const one of ["A", "aaaa", "bob", "\u{10000}"]) await vault.put({ collection: "people", id: one }, { one });
    forge(path, `insert into heads values ('people', ${id}, 1, 'live', '2026-01-01T00:00:00.000Z')`);
    const seen: string[] = [];
    const damaged: string[] = [];
    let pages = 0;
    for (let cursor: string | null | undefined; cursor !== null; pages++) {
      assert.ok(pages < 10, "it ends");
      const page = await vault.list("people", { limit: 1, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.items.map((item) => item.id));
      damaged.push(...(page.damaged ?? []).map((row) => row.id));
      cursor = page.next;
    }
    assert.deepEqual(seen, ["A", "aaaa", "bob", "\u{10000}"]);
    assert.equal(damaged.length, 1);
    assert.match(damaged[0]!, /^[\x20-\x7e]{0,1300}$/, "cut and escaped");
  });
}

test("a collection whose name is none is not listed, and the others are", async (t) => {
  const { vault, path } = await testVault(t);
  await vault.put(bob, { who: "bob" });
  for (const name of ["''", "char(27) || '[31m'", "printf('%.100000c', 'a')", "'Üben'"])
    forge(path, `insert into heads values (${name}, 'x', 1, 'live', '2026-01-01T00:00:00.000Z')`);
  assert.deepEqual(await vault.collections(), [{ collection: "people", records: 1 }]);
});

const DEBT = "insert into wrap_debt (collection, id, version, region, key_arn, reason, since, due_at, attempts)";
const ODD_DEBTS: Readonly<Record<string, string>> = {
  "a version beyond 2^53": `${DEBT} values ('people', 'bob', ${GREATEST}, 'r1', 'k', 'x', '2026-01-01T00:00:00.000Z', 0, 0)`,
  "a negative version": `${DEBT} values ('people', 'bob', -7, 'r1', 'k', 'x', '2026-01-01T00:00:00.000Z', 0, 0)`,
  "a date that is none": `${DEBT} values ('people', 'bob', 1, 'r1', 'k', 'x', 'long ago', 0, 0)`,
  "an id that is none": `${DEBT} values ('people', cast(x'ff' as text), 1, 'r1', 'k', 'x', '2026-01-01T00:00:00.000Z', 0, 0)`,
  "a collection that is none": `${DEBT} values (char(7), 'bob', 1, 'r1', 'k', 'x', '2026-01-01T00:00:00.000Z', 0, 0)`,
};

for (const [name, sql] of Object.entries(ODD_DEBTS)) {
  test(`a debt with ${name} is named, and the others are listed and claimed`, async (t) => {
    const { vault, store, path } = await testVault(t);
    await vault.put(bob, { who: "bob" });
    await vault.put({ collection: "pets", id: "cat" }, { who: "cat" });
    forge(
      path,
      sql,
      `${DEBT} values ('pets', 'cat', 1, 'r1', 'k', 'x', '2026-01-01T00:00:00.000Z', ${GREATEST}, ${GREATEST})`,
    );
    const items: string[] = [];
    let damaged = 0;
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await vault.debts({ limit: 1, ...(cursor === undefined ? {} : { cursor }) });
      items.push(...page.items.map(({ id }) => id));
      damaged += page.damaged?.length ?? 0;
      cursor = page.next;
    }
    assert.deepEqual([items, damaged], [["cat"], 1]);
    assert.equal((await vault.wrapDebt()).regions[0]?.oldest, "2026-01-01T00:00:00.000Z");
    assert.deepEqual(await store.dueRegions(0), ["r1"], "put off for ever is put off by nobody");
    const claimed = await store.claimDebts({ holder: "h", region: "r1", limit: 9, now: 0, until: 5 });
    const cat = claimed.find(({ id }) => id === "cat");
    assert.ok(cat !== undefined && cat.attempts <= 1_000_000);
    const problem = { code: "record-tampered", at: "2026-01-01T00:00:00.000Z" };
    assert.equal(await store.releaseDebt({ holder: "h", place: cat, dueAt: 9, problem }), "released");
  });
}

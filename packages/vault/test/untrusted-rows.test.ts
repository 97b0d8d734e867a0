/**
 * Every column that an operation reads and acts upon, with what a hand in the database can put there: numbers beyond
 * 2^53, negative ones, dates that are none, names that are none, a subject that is somebody else's. One record is
 * damaged; what is refused for it, and that everybody else's records are as they were.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { BUCKETS, isVaultError } from "@strongroom/vault";
import type { InventoryItem, Vault } from "@strongroom/vault";
import { wrapSetDigest, wrapSetForm } from "../src/stores/wrap-set.ts";
import { auditedFileVault } from "./support/audited-file-vault.ts";
import { fileVault, listedRowByRow } from "./support/vault.ts";

const ada = { collection: "people", id: "ada" };
const bob = { collection: "people", id: "bob" };
const BEYOND = "9007199254740992";
const GREATEST = "9223372036854775807";

/** SQL of someone who minds no rule of the tables. */
function forge(path: string, ...statements: readonly string[]): void {
  using database = new DatabaseSync(path, { timeout: 5000 });
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

const ADA = "where record = (select record from records where collection = 'people' and id = 'ada')";

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
    [
      "created_at = 'never'",
      `wrap_set = ${BEYOND}`,
      "wrap_set = -1",
      "wrap_set = 77",
      `revision = ${GREATEST}`,
      "revision = -1",
    ].map((set): [string, Forgery] => [
      `versions.${set}`,
      {
        sql: [`update versions set ${set} ${ADA} and version = 2`],
        comes: { ...all("record-tampered"), list: "ok" },
      },
    ]),
  ),
  ...Object.fromEntries(
    [
      "bucket = -1",
      `bucket = ${GREATEST}`,
      `since = ${GREATEST}`,
      `since = -${GREATEST}`,
      "write_id = ''",
      "write_id = printf('%.100000c', 'a')",
    ].map((set): [string, Forgery] => [
      `versions.${set}, which is of no reading`,
      { sql: [`update versions set ${set} ${ADA} and version = 2`], comes: { ...all("ok"), list: "ok" } },
    ]),
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
      const { vault, path } = await fileVault(t);
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

/** A head without versions, of a name that is SQL. */
const headOf = (collection: string, id: string): readonly string[] => [
  `insert into records (collection, id) values (${collection}, ${id})`,
  "insert into heads select max(record), 1, 'live', '2026-01-01T00:00:00.000Z', null, null from records",
];

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

/** A vault with an audit compares what it lists with the log, which knows nothing of such a row. */
const AUDITED: Readonly<Record<string, (t: TestContext) => Promise<{ readonly vault: Vault; readonly path: string }>>> =
  { "": fileVault, ", with an audit": auditedFileVault };

for (const [name, id] of Object.entries(ODD_IDS))
  for (const [audited, open] of Object.entries(AUDITED)) {
    test(`an id that is none (${name}) is named, and paging goes on behind it, row by row${audited}`, async (t) => {
      const { vault, path } = await open(t);
      for (const one of ["A", "aaaa", "bob", "\u{10000}"]) await vault.put({ collection: "people", id: one }, { one });
      forge(path, ...headOf("'people'", id));
      const { seen, damaged } = await listedRowByRow(vault, "people");
      assert.deepEqual(seen, ["A", "aaaa", "bob", "\u{10000}"]);
      assert.equal(damaged.length, 1);
      assert.match(damaged[0]!, /^[\x20-\x7e]{0,1300}$/, "cut and escaped");
    });
  }

test("a collection whose name is none is not listed, and the others are", async (t) => {
  const { vault, path } = await fileVault(t);
  await vault.put(bob, { who: "bob" });
  for (const name of ["''", "char(27) || '[31m'", "printf('%.100000c', 'a')", "'Üben'"])
    forge(path, ...headOf(name, "'x'"));
  assert.deepEqual(await vault.collections(), [{ collection: "people", records: 1 }]);
});

/** Every version owes a wrap, by the word of its row. */
const OWED = wrapSetForm({
  wraps: [{ provider: "strongroom-test", key: "k", material: null }],
  target: 2,
  missing: [{ region: "r1", keyArn: "arn:1", reason: "refused" }],
});
const OWE = [
  `insert into wrap_sets (digest, form) values ('${wrapSetDigest(OWED)}', '${OWED}')`,
  "update versions set wrap_set = (select max(id) from wrap_sets)",
];
const BOB = "record = (select record from records where id = 'bob')";

/** What a hand does to the row of a version that owes a wrap -> whether it still is one, and since when. */
const ODD_DEBTS: Readonly<Record<string, { readonly sql: string; readonly comes: "a debt" | "damaged" | "no date" }>> =
  {
    "a version beyond 2^53": { sql: `update versions set version = ${GREATEST} where ${BOB}`, comes: "damaged" },
    "a negative version": { sql: `update versions set version = -7 where ${BOB}`, comes: "damaged" },
    "an id that is none": { sql: "update records set id = cast(x'ff' as text) where id = 'bob'", comes: "damaged" },
    "a collection that is none": { sql: "update records set collection = char(7) where id = 'bob'", comes: "damaged" },
    "no record": { sql: "delete from records where id = 'bob'", comes: "damaged" },
    "a since that is no date": { sql: `update versions set since = ${GREATEST} where ${BOB}`, comes: "no date" },
    "a since before all dates": { sql: `update versions set since = -${GREATEST} where ${BOB}`, comes: "no date" },
    "a bucket of -1": { sql: `update versions set bucket = -1 where ${BOB}`, comes: "a debt" },
    "a bucket beyond 2^53": { sql: `update versions set bucket = ${GREATEST} where ${BOB}`, comes: "a debt" },
    "more failures than there can be": {
      sql: `insert into failures select key, ${GREATEST}, 'x', '2026-01-01T00:00:00.000Z', ${GREATEST} from versions where ${BOB}`,
      comes: "a debt",
    },
    "a failure at no date": {
      sql: `insert into failures select key, -1, 'x', 'late', -${GREATEST} from versions where ${BOB}`,
      comes: "a debt",
    },
  };

for (const [name, { sql, comes }] of Object.entries(ODD_DEBTS)) {
  test(`a debt with ${name} is found by whoever looks for it, page by page, and so are the others`, async (t) => {
    const { vault, store, path } = await fileVault(t);
    await vault.put({ collection: "pets", id: "cat" }, { who: "cat" });
    await vault.put(bob, { who: "bob" });
    forge(path, ...OWE, sql);
    const sets = (await store.inventory.sets()).filter(({ set }) => set?.missing.length === 1).map(({ id }) => id);
    const halves = [
      { from: 0, to: BUCKETS / 2 },
      { from: BUCKETS / 2, to: BUCKETS },
    ];
    const found: InventoryItem[] = [];
    for (const buckets of halves) {
      for (let after: string | null = null; ;) {
        const page: readonly InventoryItem[] = await store.inventory.list({
          sets,
          buckets,
          after,
          limit: 1,
          due: true,
        });
        const [item] = page;
        if (item === undefined) break;
        found.push(item);
        assert.ok(item.position.length <= 2048 && found.length < 5);
        after = item.position;
      }
    }
    assert.equal(found.length, 2);
    assert.deepEqual(
      found.filter(({ place }) => place?.id === "cat").map(({ since }) => since !== null),
      [true],
    );
    const other = found.find(({ place }) => place?.id !== "cat")!;
    assert.equal(other.place === null, comes === "damaged");
    assert.equal(other.since === null, comes === "no date");
    assert.ok(other.failure === null || other.failure.attempts <= 1_000_000);
    assert.ok(await store.inventory.any(sets));
    const [count] = await store.inventory.counts(sets, 100);
    assert.equal(count?.items, 2);
    assert.match(count.oldest ?? "", /^20/, "what has no date hides nobody else's");
  });
}

/** What a hand makes of the row of the gate -> what every use of the store comes to. */
const ODD_GATES: Readonly<Record<string, string>> = {
  [`epoch = ${GREATEST}`]: "store-altered",
  "epoch = -1": "store-altered",
  [`min_reader = ${GREATEST}`]: "store-altered",
  "min_reader = 4": "store-newer",
  "min_reader = -1": "store-altered",
  [`commits = ${GREATEST}`]: "store-set-back",
  "commits = -1": "store-set-back",
  "vault = printf('%.100000c', 'a')": "store-set-back",
};

for (const [set, code] of Object.entries(ODD_GATES)) {
  test(`the gate's ${set}: ${code}, for reading and writing`, async (t) => {
    const { vault, store, path } = await fileVault(t);
    await vault.put(bob, { who: "bob" });
    forge(path, `update gate set ${set}`);
    for (const use of [vault.get(bob), vault.put(bob, {}), vault.list("people"), store.gate.current(), store.ping()])
      assert.equal(await outcome(use), code);
  });
}

test("a program that may read and not write any more reads", async (t) => {
  const { vault, path } = await fileVault(t);
  await vault.put(bob, { who: "bob" });
  forge(path, "update gate set min_writer = 6");
  assert.deepEqual((await vault.get(bob)).document, { who: "bob" });
  assert.equal(await outcome(vault.put(bob, {})), "store-newer");
});

const ODD_FORMS: Readonly<Record<string, string>> = {
  "no JSON": "'{'",
  "another set than its digest says": "replace(form, 'strongroom-test', 'another')",
  "a number of no wraps": '\'{"wraps":[],"target":-1,"missing":[]}\'',
  "very long": "printf('%.1000000c', 'a')",
};

for (const [name, form] of Object.entries(ODD_FORMS)) {
  test(`a wrap set that is ${name} is shown as none, and is one again with the next write that has it`, async (t) => {
    const { vault, store, path } = await fileVault(t);
    await vault.put(bob, { who: "bob" });
    forge(path, `update wrap_sets set form = ${form}`);
    assert.deepEqual(
      (await store.inventory.sets()).map(({ set }) => set),
      [null],
    );
    assert.equal(await outcome(vault.get(bob)), "record-tampered");
    await vault.put(ada, { who: "ada" });
    assert.deepEqual((await vault.get(ada)).document, { who: "ada" });
    assert.deepEqual((await vault.get(bob)).document, { who: "bob" });
  });
}

/** What a hand makes of a partition's row. */
const ODD_JOBS: Readonly<Record<string, { readonly set: string; readonly isTaken: boolean }>> = {
  "a fence that cannot be raised": { set: `fence = ${GREATEST}`, isTaken: false },
  "a negative fence": { set: "fence = -4", isTaken: false },
  "a lease without end": { set: `state = 'held', due_at = ${GREATEST}`, isTaken: true },
  "a state that is none": { set: "state = 'gone'", isTaken: true },
  "counters beyond 2^53": { set: `done = ${GREATEST}, failed = -${GREATEST}`, isTaken: true },
  "dates that are none": {
    set: `taken_at = ${GREATEST}, saved_at = -1, problem_code = 'x', problem_at = 'y'`,
    isTaken: true,
  },
};

for (const [name, { set, isTaken }] of Object.entries(ODD_JOBS)) {
  test(`a partition with ${name} is listed, and stops no other one`, async (t) => {
    const { store, path } = await fileVault(t);
    await store.jobs.add("job", ["a", "b"]);
    forge(path, `update jobs set ${set} where partition = 'a'`);
    const listed = await store.jobs.list();
    assert.equal(listed.length, 2);
    for (const one of listed)
      for (const number of [one.fence, one.done, one.failed]) assert.ok(Number.isSafeInteger(number) && number >= 0);
    const taken = [];
    for (let lease; (lease = await store.jobs.lease({ job: "job", holder: "h", ms: 60_000 })) !== null;) {
      taken.push(lease.partition);
      const progress = { cursor: null, done: 1, failed: 1, problem: null };
      assert.equal(await store.jobs.save(lease, progress, 60_000), "saved");
    }
    assert.deepEqual(taken.sort(), isTaken ? ["a", "b"] : ["b"]);
  });
}

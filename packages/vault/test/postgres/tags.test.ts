/**
 * Tags in PostgreSQL: what meets in two transactions at whatever level, what a statement gives back that it did not
 * make, and a hand in the rows.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Store } from "@strongroom/vault";
import { applyEach, at, EPOCH, headsOf, live, make, PEOPLE, remove } from "../../src/store-contract/changes.ts";
import { declare, filling, fillOne, first, foundIn } from "../../src/store-contract/tagging.ts";
import { asTexts, newIndex, second, tagOf, tagsIn, writeTagged } from "../../src/store-contract/tagging.ts";
import type { Epoch } from "../../src/stores/gate.ts";
import type { IndexRow, Tag } from "../../src/stores/indexes.ts";
import type { Unit } from "../../src/stores/units.ts";
import { beginIn, fileServer, newSchema } from "./support/storage.ts";
import type { TestSchema } from "./support/storage.ts";
import { entry } from "./support/units.ts";

const { pool } = await fileServer();

type Given = TestSchema & {
  readonly store: Store;
  readonly mail: IndexRow;
  readonly name: IndexRow;
  readonly epoch: Epoch;
};

/** A store with an index that is unique, and one that is not. */
async function given(t: TestContext): Promise<Given> {
  const made = await newSchema(t, pool);
  const store = await made.open();
  await store.gate.flip({ from: EPOCH.none, digest: "the first key set" });
  const [mail, name] = [newIndex({ isUnique: true }), newIndex({ name: "name" })];
  return { ...made, store, mail, name, epoch: await declare(store, mail, name) };
}

const sqlState = (error: unknown): string => String((error as { code?: unknown }).code);

/** Makes units in a transaction of a caller's, and what became of it: what the server said, where it failed. */
async function inTransaction(
  t: TestContext,
  store: Store,
  level: string,
  units: readonly (readonly Unit[])[],
): Promise<string> {
  const { client, commit, rollback } = await beginIn(t, pool, level);
  try {
    const own = await store.transaction!(client);
    const kinds: string[] = [];
    for (const some of units) kinds.push(...(await own.apply(some)).map(({ kind }) => kind));
    await commit();
    return kinds.join();
  } catch (error) {
    await rollback();
    return sqlState(error);
  }
}

const LEVELS = ["read committed", "repeatable read", "serializable"];

test("of transactions at all levels that want one unique tag at once, one is made in each of many rounds", async (t) => {
  const { store, open, mail, name, epoch } = await given(t);
  const stores = [store, await open(), await open()];
  for (let round = 0; round < 40; round++) {
    const wanted = tagOf(mail, `round ${round}`);
    const results = await Promise.all([
      ...LEVELS.map((level, n) =>
        inTransaction(t, stores[n]!, level, [[first(`${round}-${n}`, epoch, wanted, tagOf(name, "x"))]]),
      ),
      ...stores.map(async (own, n) => {
        const units = [first(`${round}-0${n}`, epoch, wanted), first(`${round}-1${n}`, epoch)];
        return (await own.records.apply(units, { atomic: true })).map(({ kind }) => kind).join();
      }),
    ]);
    assert.equal(results.filter((result) => result.startsWith("made")).length, 1, `${round}: ${results.join(" ")}`);
    for (const result of results) assert.match(result, /^(?:made(?:,made)?|taken(?:,not-made)?|40001)$/);
    assert.equal((await foundIn(store, [wanted])).length, 1);
  }
});

for (const level of LEVELS.slice(1))
  test(`at ${level}, who does not see what was taken or filled since changes nothing`, async (t) => {
    const { store, schema, mail, name, epoch } = await given(t);
    await make(store, first("a", epoch), writeTagged(at("b"), null, 1, { at: epoch }));
    const early = async (unit: Unit, meanwhile: () => Promise<unknown>): Promise<string> => {
      const { client, commit, rollback } = await beginIn(t, pool, level);
      await client.query(`select count(*) from ${schema}.heads`);
      await meanwhile();
      try {
        await (await store.transaction!(client)).apply([unit]);
        await commit();
        return "made";
      } catch (error) {
        await rollback();
        return sqlState(error);
      }
    };
    const x = tagOf(mail, "x");
    assert.equal(await early(second("a", epoch, x), () => make(store, first("c", epoch, x))), "40001");
    const old = [tagOf(mail, "old"), tagOf(name, "old")] as const;
    for (const unit of [second("b", epoch, tagOf(mail, "now")), remove(at("b"), live(1), 1)])
      assert.equal(
        await early(unit, () => Promise.all(old.map((tag) => fillOne(store, filling("b", epoch, [tag]))))),
        "40001",
      );
    assert.deepEqual([await tagsIn(store, "a"), await tagsIn(store, "b")], [[], asTexts(...old)]);
    assert.equal(await early(second("b", epoch), () => store.indexes.forget([at("b")])), "40001");
    await make(store, second("b", epoch, tagOf(mail, "now")));
    assert.deepEqual(await foundIn(store, [old[0], old[1]]), []);
  });

test("once a change is answered, no unit and no filling of before comes after it, whoever was in flight", async (t) => {
  const { store, schema, open, name, epoch: begun } = await given(t);
  const stores = [store, await open()];
  let [epoch, isOver]: [Epoch, boolean] = [begun, false];
  const told: Record<string, number> = {};
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    const level = LEVELS[writer % LEVELS.length]!;
    for (let n = 0; !isOver; n++) {
      const own = epoch;
      const tags = [tagOf(name, `epoch ${own}`)];
      const unit = writeTagged(at(`w${writer}-${n}`), null, 1, { at: own, message: Buffer.of(own), tags });
      const { client, commit, rollback } = await beginIn(t, pool, level);
      let result = "";
      try {
        const [made] = await (await stores[writer % 2]!.transaction!(client)).apply([unit]);
        result = made?.kind ?? "";
        // It stands still between its write and its commit, for a change to come in between.
        await client.query("select pg_sleep(0.005)");
        await commit();
      } catch (error) {
        result = sqlState(error);
        await rollback();
      }
      told[result] = (told[result] ?? 0) + 1;
      assert.match(result, /^(?:made|gate-moved|40001)$/);
    }
  });
  const rowsOf = async (round: number): Promise<number> => {
    const query = `select count(*)::int as n from ${schema}.versions where get_byte(message, 0) = $1`;
    return ((await pool.query(query, [round])).rows[0] as { n: number }).n;
  };
  const atTheAnswer = new Map<number, number>();
  for (let round = 0; round < 40; round++) {
    const now: Epoch = await declare(stores[round % 2]!, newIndex({ name: `index ${round}` }));
    atTheAnswer.set(epoch, await rowsOf(epoch));
    epoch = now;
  }
  isOver = true;
  await Promise.all(writers);
  assert.ok((told["made"] ?? 0) > 40, JSON.stringify(told));
  for (const [round, rows] of atTheAnswer) assert.equal(await rowsOf(round), rows, `epoch ${round}`);
});

test("two callers who wait for each other's tags: the server ends one, who is told so, and the other is made", async (t) => {
  const { store, mail, epoch } = await given(t);
  // Its wrap set is there from now on: it is not what they wait for.
  await make(store, first("before", epoch));
  const [x, y] = [tagOf(mail, "x"), tagOf(mail, "y")];
  const results = await Promise.all(
    [
      [first("a", epoch, x), first("b", epoch, y)],
      [first("c", epoch, y), first("d", epoch, x)],
    ].map((units) => slowly(t, store, units)),
  );
  assert.deepEqual(results.toSorted(), ["40P01", "made,made"]);
  assert.equal((await foundIn(store, [x, y])).length, 2);
});

/** Each unit a statement of its own, with a pause in between. */
async function slowly(t: TestContext, store: Store, units: readonly Unit[]): Promise<string> {
  const { client, commit, rollback } = await beginIn(t, pool);
  try {
    const own = await store.transaction!(client);
    const kinds: string[] = [];
    for (const unit of units) {
      kinds.push(...(await own.apply([unit])).map(({ kind }) => kind));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await commit();
    return kinds.join();
  } catch (error) {
    await rollback();
    return sqlState(error);
  }
}

test("large transactions that want each other's tags are done again, and one of each pair is made", async (t) => {
  const { store, open, mail, epoch } = await given(t);
  const other = await open();
  const big = (id: string, value: string): Unit =>
    writeTagged(at(id), null, 1, { at: epoch, message: Buffer.alloc(20 << 20), tags: [tagOf(mail, value)] });
  for (let round = 0; round < 3; round++) {
    const [x, y] = [`x ${round}`, `y ${round}`];
    const results = await Promise.all([
      store.records.apply([big(`${round}a`, x), big(`${round}b`, y)], { atomic: true }),
      other.records.apply([big(`${round}c`, y), big(`${round}d`, x)], { atomic: true }),
    ]);
    const made = results.filter((told) => told.every(({ kind }) => kind === "made"));
    assert.equal(made.length, 1, JSON.stringify(results));
    assert.ok(results.some((told) => told.some(({ kind }) => kind === "taken")));
  }
});

test("what was not made gives back what it had claimed, to others of the same call as well", async (t) => {
  const { store, mail, name, epoch } = await given(t);
  const [x, y, z] = ["x", "y", "z"].map((value) => tagOf(mail, value)) as [Tag, Tag, Tag];
  await make(store, first("held", epoch, y));
  // c wants what a has, which is refused; e what d has, which is not.
  const told = await applyEach(
    store,
    first("a", epoch, x, y),
    first("b", epoch, tagOf(name, "b")),
    first("c", epoch, x),
    first("d", epoch, z),
    first("e", epoch, z, tagOf(mail, "e")),
    first("f", epoch, tagOf(mail, "e")),
  );
  assert.deepEqual(told, ["taken", "made", "made", "made", "taken", "made"]);
  assert.deepEqual(await foundIn(store, [x, y, z], [x, y, z]), ["c", "d", "held"]);
  assert.deepEqual(await headsOf(store, "a", "e"), [null, null]);

  // Another number of its stream than the next: nothing is made, and its tag is free.
  const late = first("late", epoch, tagOf(mail, "late"));
  const moved = { ...late, entry: { ...entry({ number: 7 }, late.writeId), previous: null } } as Unit;
  for (const units of [[moved], [moved, first("g", epoch, tagOf(mail, "g"))]])
    assert.equal((await store.records.apply(units, { atomic: true }))[0]?.kind, "stream-moved");
  await make(store, first("h", epoch, tagOf(mail, "late"), tagOf(mail, "g")));
});

test("a hand in the rows of tags makes nothing found, holds no value, and stops nobody", async (t) => {
  const { store, forge, mail, name, epoch } = await given(t);
  const [x, y] = [tagOf(mail, "x"), tagOf(name, "y")];
  await make(store, first("a", epoch, x, y), first("b", epoch, y), remove(at("b"), live(1), 1));
  const key = (row: IndexRow): string => `(select key from s.indexes where id = '${row.id}')`;
  const hex = ({ tag }: Tag): string => `'\\x${Buffer.from(tag).toString("hex")}'`;
  const free = tagOf(mail, "free");
  await forge(
    // Records that are not there, or were removed; of no index, and of no length that there is.
    `insert into s.tags select n, ${key(name)}, ${hex(y)} from generate_series(1000, 3000) n`,
    `insert into s.tags select key, ${key(name)}, ${hex(y)} from s.records where id = 'b'`,
    `insert into s.unique_tags values (1000, ${key(mail)}, ${hex(free)})`,
    `insert into s.unique_tags select key, ${key(mail)}, ${hex(tagOf(mail, "gone"))} from s.records where id = 'b'`,
    `insert into s.tags select key, ${key(name)}, '' from s.records where id = 'a'`,
    `insert into s.tags select key, ${key(name)}, convert_to(repeat('x', 2000), 'UTF8') from s.records where id = 'a'`,
    `insert into s.tags select key, 987654, ${hex(y)} from s.records where id = 'a'`,
  );
  const indexes = store.indexes;
  const query = { collection: PEOPLE, terms: [[y]], after: null, limit: 2 };
  assert.deepEqual(
    (await indexes.find(query)).map(({ id }) => id),
    ["a"],
  );
  assert.equal(await indexes.count(query, 10_000), 1);
  assert.deepEqual(await foundIn(store, [y], [x]), ["a"]);
  assert.deepEqual(await foundIn(store, [free, tagOf(mail, "gone")]), []);
  const lengths = (await indexes.tagsOf(at("a")))?.map(({ tag }) => tag.length).toSorted((a, b) => a - b);
  assert.deepEqual(lengths, [0, 32, 32, 33]);
  await make(store, first("c", epoch, free), first("d", epoch, tagOf(mail, "gone"), y));
  assert.deepEqual(await foundIn(store, [free, tagOf(mail, "gone")]), ["c", "d"]);
  await make(store, second("a", epoch, x, y));
  assert.deepEqual(await tagsIn(store, "a"), asTexts(x, y));
  await forge(
    "alter table s.indexes drop constraint indexes_state_check",
    "insert into s.indexes (id, collection, name, is_unique, state) values ('x', 'People', '', false, 'done')",
    `update s.indexes set state = repeat('x', 100000) where id = '${name.id}'`,
  );
  const { indexes: listed } = await indexes.list();
  assert.deepEqual(
    listed.map(({ id, state }) => [id, state]).toSorted(),
    [
      [mail.id, "ready"],
      [name.id, "building"],
    ].toSorted(),
  );
});

test("a purge leaves alone what somebody else takes, waits for nothing else, and ends", async (t) => {
  const { store, name, epoch } = await given(t);
  for (const id of ["a", "b", "c"]) await make(store, first(id, epoch, tagOf(name, id)));
  const now = await declare(store, { ...name, state: "dropped" });
  const { client, commit } = await beginIn(t, pool);
  const units = await store.transaction!(client);
  assert.deepEqual(await units.apply([writeTagged(at("a"), live(1), 2, { at: now, tags: [] })]), [{ kind: "made" }]);
  assert.equal(await store.indexes.purge(name.id, 9), 2);
  const purging = store.indexes.purge(name.id, 9);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await commit();
  assert.equal(await purging, 0);
  assert.ok(!(await store.indexes.list()).indexes.some(({ id }) => id === name.id));
});

/**
 * People whom many processes write about, in statements and in callers' transactions at every level, while their states
 * change: what was revoked is revoked, and nobody waits in a circle.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Store } from "@strongroom/vault";
import type { SubjectId } from "../../src/stores/subjects.ts";
import { STATEMENT_BYTES } from "../../src/stores/postgres/sent-bytes.ts";
import { rounds } from "../../../../tests/support/rounds.ts";
import { begin, beginIn, fileServer, newSchema } from "./support/storage.ts";
import type { CallersTransaction } from "./support/storage.ts";
import { person, put, writeUnit } from "./support/units.ts";

const ROUNDS: number = rounds(60, 200);
const LEVELS = ["read committed", "repeatable read", "serializable"] as const;

const { server, pool } = await fileServer({ connections: 30, settings: { deadlock_timeout: "50ms" } });

const deadlocks = async (): Promise<number> => (await server.log()).split("deadlock detected").length;

const close = (store: Store, id: SubjectId): Promise<unknown> =>
  store.subjects.setState({ id, from: ["active"], to: "restricted" });

const caller = (t: TestContext, level: string): Promise<CallersTransaction> => beginIn(t, pool, level);

test(`in each of ${ROUNDS} rounds nothing about a person is committed after their new state is answered`, async (t) => {
  const { schema, open } = await newSchema(t, pool);
  const store = await open();
  const before = await deadlocks();
  let late = 0;
  let atTheAnswer = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const [ada, ben] = [person(), person()];
    if (round % 3 > 0) await put(store, `${round}`, null, 1, { subjects: [ada, ben] });
    const ends = Array.from({ length: 8 }, async (_, writer) => {
      for (let number = 0; ; number++) {
        const subjects = writer % 2 === 0 ? [ada] : [ben, ada];
        const unit = writeUnit(`${round}-${writer}-${number}`, null, 1, { subjects });
        if (writer < 4) {
          const [made] = await store.records.apply([unit], { atomic: true });
          if (made?.kind === "made") continue;
          return made?.kind;
        }
        const { client, commit, rollback } = await begin(pool, LEVELS[writer % 3]);
        try {
          const [made] = (await (await store.transaction?.(client))?.apply([unit])) ?? [];
          // It stands still between its write and its commit, for the change to come in between.
          await client.query("select pg_sleep(0.002)");
          await commit();
          if (made?.kind !== "made") return made?.kind;
        } catch (error) {
          assert.equal((error as { code: string }).code, "40001", String(error));
          await rollback();
        }
      }
    });
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
    await close(store, ada.id);
    const there = await count(schema, `${round}-`);
    assert.deepEqual(new Set(await Promise.all(ends)), new Set(["subject-closed"]));
    atTheAnswer += there;
    late += (await count(schema, `${round}-`)) - there;
  }
  assert.equal(late, 0);
  assert.ok(atTheAnswer > ROUNDS, `${atTheAnswer} writes were there`);
  assert.equal(await deadlocks(), before);
});

async function count(schema: string, prefix: string): Promise<number> {
  const { rows } = await pool.query(
    `select count(*)::int as n from ${schema}.records r join ${schema}.versions v on v.record = r.key where r.id like $1`,
    [`${prefix}%`],
  );
  return (rows[0] as { n: number }).n;
}

for (const level of LEVELS)
  test(`at ${level} a change of state after the caller's transaction began is seen`, async (t) => {
    const { schema, open } = await newSchema(t, pool);
    const store = await open();
    const [known, fresh] = [person(), person()];
    await put(store, "old", null, 1, { subjects: [known] });
    // Somebody without a row is closed as well.
    for (const [about, units] of [
      [known, [writeUnit("a", null, 1, { subjects: [known] })]],
      [fresh, [writeUnit("b", null, 1, { subjects: [fresh] })]],
      [person(), "many"],
    ] as const) {
      const own =
        units === "many"
          ? [writeUnit("c", null, 1, { subjects: [about] }), writeUnit("d", null, 1, { subjects: [person()] })]
          : units;
      const early = await caller(t, level);
      await early.client.query(`select count(*) from ${schema}.subjects`);
      await close(store, about.id);
      const transaction = await store.transaction?.(early.client);
      if (level === "read committed") {
        const [closed, ...others] = (await transaction?.apply(own)) ?? [];
        assert.deepEqual(closed, { kind: "subject-closed", id: about.id, state: "restricted" });
        assert.deepEqual(new Set(others.map(({ kind }) => kind)), new Set(others.length > 0 ? ["not-made"] : []));
        await early.commit();
      } else {
        await assert.rejects(async () => transaction?.apply(own), { code: "40001" });
        await early.rollback();
      }
    }
    assert.equal(await count(schema, ""), 1);
    const { rows } = await pool.query(`select count(*)::int as n from ${schema}.subjects where state = 'active'`);
    assert.deepEqual(rows, [{ n: 0 }], "nobody else has a row");
  });

for (const level of LEVELS)
  test(`at ${level} a change of state waits for a caller's transaction, and refuses others meanwhile`, async (t) => {
    const { open } = await newSchema(t, pool);
    const store = await open({ lockTimeoutMs: 60_000 });
    const ada = person();
    await put(store, "first", null, 1, { subjects: [ada] });
    const long = await caller(t, level);
    const held = await store.transaction?.(long.client);
    assert.deepEqual(await held?.apply([writeUnit("held", null, 1, { subjects: [ada] })]), [{ kind: "made" }]);
    let isAnswered = false;
    const closing = close(store, ada.id).then((state) => {
      isAnswered = true;
      return state;
    });
    await waiting();
    if (level === "read committed") {
      const [other] = await store.records.apply([writeUnit("other", null, 1, { subjects: [ada] })], { atomic: true });
      assert.equal(other?.kind, "subject-closed", "what begins later is refused at once");
      const [again] = (await held?.apply([writeUnit("again", null, 1, { subjects: [ada] })])) ?? [];
      assert.equal(again?.kind, "subject-closed", "also for whoever is waited for");
    }
    assert.equal(isAnswered, false);
    await long.commit();
    assert.equal(await closing, "restricted");
    assert.equal((await store.subjects.records(ada.id, { after: null, limit: 9 })).length, 2);
  });

test("a caller who has not ended holds back nobody who writes about the same new people", async (t) => {
  const { open } = await newSchema(t, pool);
  const [store, other] = [await open(), await open({ lockTimeoutMs: 1000 })];
  const [ada, ben] = [person(), person(2)];
  await put(store, "ben", null, 1, { subjects: [{ ...ben, ordinal: 1 }] });
  const units = [writeUnit("a", null, 1, { subjects: [ada, ben] })];
  await store.readyFor?.(units);
  const long = await caller(t, "read committed");
  const transaction = await store.transaction?.(long.client);
  assert.deepEqual(await transaction?.apply(units), [{ kind: "made" }]);
  await put(other, "b", null, 1, { subjects: [ada] });
  await put(other, "c", null, 1, { subjects: [ben] });
  await long.rollback();
  // It is not only written once: another store knows of it, and this one needs no statement more.
  await store.readyFor?.(units);
  assert.deepEqual((await other.subjects.get([ben.id]))[0]?.ordinals, { subject: 2, tenant: 0 });
});

test("writers in opposite orders, of many people, parts and rising keys never wait in a circle", async (t) => {
  const { open } = await newSchema(t, pool);
  const stores = await Promise.all([open(), open(), open()]);
  const before = await deadlocks();
  const large = Buffer.alloc(STATEMENT_BYTES / 2 + 1);
  const people = Array.from({ length: 6 }, () => person());
  const kinds = await Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      const store = stores[writer % 3];
      const found: (string | undefined)[] = [];
      for (let round = 1; round <= 6; round++) {
        const order = writer % 2 === 0 ? people : people.toReversed();
        const units = order.map((one, index) => {
          const subjects = [{ ...one, ordinal: round }, person()];
          // Two parts, at times: a transaction of several statements.
          const more = round === 3 && writer < 2 && index % 3 === 0 ? { message: large } : {};
          return writeUnit(`${writer % 4}-${index}`, null, 1, { subjects, ...more });
        });
        const made = await store?.records.apply(units, { atomic: writer < 4 });
        found.push(...(made ?? []).map(({ kind }) => kind));
        if (writer === 7) await store?.subjects.setState({ id: people[0]!.id, from: ["restricted"], to: "active" });
      }
      return found;
    }),
  );
  const found = new Set(kinds.flat());
  assert.ok(found.has("made"));
  for (const kind of found) assert.ok(["made", "conflict", "not-made", "key-set-back"].includes(kind ?? ""), kind);
  assert.equal(await deadlocks(), before);
});

test("a change of state is soon made however many write about the person", async (t) => {
  const { open } = await newSchema(t, pool);
  const store = await open();
  const ada = person();
  await put(store, "first", null, 1, { subjects: [ada] });
  let isOver = false;
  let made = 0;
  const writers = Array.from({ length: 12 }, async (_, writer) => {
    for (let number = 0; !isOver; number++) {
      const { client, commit } = await begin(pool);
      const transaction = await store.transaction?.(client);
      const unit = writeUnit(`${writer}-${number}`, null, 1, { subjects: [ada] });
      const [result] = (await transaction?.apply([unit])) ?? [];
      await client.query("select pg_sleep(0.01)");
      await commit();
      if (result?.kind === "made") made += 1;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await close(store, ada.id);
  const atTheAnswer = made;
  await new Promise((resolve) => setTimeout(resolve, 100));
  isOver = true;
  await Promise.all(writers);
  assert.ok(atTheAnswer > 0);
  assert.equal((await store.subjects.records(ada.id, { after: null, limit: 10_000 })).length, made + 1);
  assert.ok(made - atTheAnswer <= 12, "those whose commit was answered a moment later");
});

/** Until somebody waits for a lock. */
async function waiting(): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end;) {
    const { rows } = await pool.query("select count(*)::int as n from pg_locks where not granted");
    if ((rows[0] as { n: number }).n > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("nobody waits");
}

/**
 * Outboxes that many write to at once: whoever is restricted is not read about any more, streams have no holes and no
 * number twice whatever connections are ended, and what a caller's transaction takes back is in none of them.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Store } from "@strongroom/vault";
import { postgresStore } from "@strongroom/vault/postgres";
import { defer } from "../../../../tests/support/defer.ts";
import type { AppendResult, OutboxEntry, StreamId } from "../../src/stores/outbox.ts";
import { STATEMENT_BYTES } from "../../src/stores/postgres/sent-bytes.ts";
import type { SubjectId } from "../../src/stores/subjects.ts";
import { rejectsWith } from "../support/errors.ts";
import { begin, beginIn, fileServer, newSchema, poolOf } from "./support/storage.ts";
import { entry, person, put, withEntry, writeUnit } from "./support/units.ts";

const LEVELS = ["read committed", "repeatable read", "serializable"] as const;

const { server, pool, url } = await fileServer({ connections: 30, settings: { deadlock_timeout: "50ms" } });

const close = (store: Store, id: SubjectId): Promise<unknown> =>
  store.subjects.setState({ id, from: ["active"], to: "restricted" });

const count = async (schema: string, where = "true"): Promise<number> => {
  const { rows } = await pool.query(`select count(*)::int as n from ${schema}.outbox o where ${where}`);
  return (rows[0] as { n: number }).n;
};

test("in each of 60 rounds nothing is read about a person after their new state is answered", async (t) => {
  const { schema, open } = await newSchema(t, pool);
  const stores = [await open(), await open()];
  let [late, atTheAnswer] = [0, 0];
  for (let round = 0; round < 60; round++) {
    const [ada, ben] = [person(), person()];
    await put(stores[0]!, `${round}`, null, 1, { subjects: [ada, ben] });
    const tag = String(round).padStart(22, "0");
    const readers = Array.from({ length: 8 }, async (_, reader) => {
      const stream = randomUUID();
      for (let number = 1; ; number++) {
        const active = reader % 2 === 0 ? [ada.id] : [ada.id, ben.id];
        const result = await stores[reader % 2]!.outbox.append([entry({ stream, number, tag })], active);
        if (result.kind !== "made") return result;
      }
    });
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
    await close(stores[0]!, ada.id);
    const there = await count(schema, `o.tag = '${tag}'`);
    const closed: AppendResult = { kind: "subjects-closed", closed: [{ id: ada.id, state: "restricted" }] };
    for (const ended of await Promise.all(readers)) assert.deepEqual(ended, closed);
    atTheAnswer += there;
    late += (await count(schema, `o.tag = '${tag}'`)) - there;
  }
  assert.equal(late, 0);
  assert.ok(atTheAnswer > 60, `${atTheAnswer} entries were there`);
});

test("a change of state waits for an append under way, which the next ones do not", async (t) => {
  const { schema, open } = await newSchema(t, pool);
  const store = await open({ lockTimeoutMs: 60_000 });
  const ada = person();
  await put(store, "first", null, 1, { subjects: [ada] });
  const stream = randomUUID();
  assert.deepEqual(await store.outbox.append([entry({ stream, number: 1 })], [ada.id]), { kind: "made" });
  const holder = await beginIn(t, pool);
  await holder.client.query(`select from ${schema}.streams where stream = $1 for update`, [stream]);
  // It has the person by now, and waits for its stream.
  const held = store.outbox.append([entry({ stream, number: 2 })], [ada.id]);
  await waiting(1);
  let isAnswered = false;
  const closing = close(store, ada.id).then(() => (isAnswered = true));
  await waiting(2);
  const next = await store.outbox.append([entry({ number: 1 })], [ada.id]);
  assert.equal(next.kind, "subjects-closed", "what begins later is refused at once");
  assert.equal(isAnswered, false);
  await holder.rollback();
  assert.deepEqual(await held, { kind: "made" });
  await closing;
});

test("a change of state is soon made however many read about the person, and a reader waits for no caller", async (t) => {
  const { open } = await newSchema(t, pool);
  const store = await open();
  const ada = person();
  await put(store, "first", null, 1, { subjects: [ada] });
  const caller = await beginIn(t, pool, "serializable");
  const transaction = await store.transaction?.(caller.client);
  await transaction?.apply([writeUnit("held", null, 1, { subjects: [{ ...ada, ordinal: 2 }] })]);
  let [isOver, made] = [false, 0];
  const readers = Array.from({ length: 12 }, async () => {
    const stream = randomUUID();
    for (let number = 1; !isOver; number++) {
      const { kind } = await store.outbox.append([entry({ stream, number })], [ada.id]);
      if (kind !== "made") return;
      made += 1;
    }
  });
  for (const end = performance.now() + 10_000; made < 100 && performance.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(made >= 100, "they did not wait");
  await caller.rollback();
  await close(store, ada.id);
  const atTheAnswer = made;
  isOver = true;
  await Promise.all(readers);
  assert.ok(made - atTheAnswer <= 12, "those whose append was answered a moment later");
});

for (const level of LEVELS)
  test(`at ${level} a caller's entries are made when he commits, and their numbers are free when he does not`, async (t) => {
    const { open } = await newSchema(t, pool);
    const store = await open();
    const stream = randomUUID();
    for (const end of ["rollback", "commit"] as const) {
      const own = await begin(pool, level);
      const transaction = await store.transaction?.(own.client);
      const unit = withEntry(writeUnit("a", null, 1), { stream, number: 1, previous: null });
      const more = withEntry(writeUnit("b", null, 1), { stream, number: 2, previous: null, ends: true });
      assert.deepEqual(await transaction?.apply([unit]), [{ kind: "made" }]);
      const wrong = withEntry(writeUnit("b", null, 1), { stream, number: 3, previous: null });
      assert.deepEqual(await transaction?.apply([wrong]), [{ kind: "stream-moved" }]);
      assert.deepEqual(await transaction?.apply([more]), [{ kind: "made" }]);
      assert.equal((await store.outbox.take(9)).length, 0);
      await own[end]();
      const [row] = await store.outbox.streams([stream as StreamId]);
      assert.equal(row?.last ?? 0, end === "commit" ? 2 : 0);
    }
    assert.deepEqual(
      (await store.outbox.take(9)).map(({ number, ends }) => [number, ends]),
      [
        [1, false],
        [2, true],
      ],
    );
  });

for (const level of ["repeatable read", "serializable"] as const)
  test(`at ${level} a stream that went on after the snapshot is an error of the isolation`, async (t) => {
    const { schema, open } = await newSchema(t, pool);
    const store = await open();
    const stream = randomUUID();
    await store.outbox.append([entry({ stream, number: 1 })], []);
    for (const [fresh, number] of [
      [stream, 2],
      [randomUUID(), 1],
    ] as const) {
      const early = await beginIn(t, pool, level);
      await early.client.query(`select count(*) from ${schema}.streams`);
      assert.deepEqual(await store.outbox.append([entry({ stream: fresh, number })], []), { kind: "made" });
      const transaction = await store.transaction?.(early.client);
      const unit = withEntry(writeUnit(`a${number}`, null, 1), { stream: fresh, number, previous: null });
      await assert.rejects(async () => transaction?.apply([unit]), { code: "40001" });
      await early.rollback();
    }
    assert.equal(await count(schema), 3);
  });

test("entries of several statements are one transaction, in the order in which their units were given", async (t) => {
  const { schema, open } = await newSchema(t, pool);
  const store = await open();
  const stream = randomUUID();
  const large = Buffer.alloc(STATEMENT_BYTES / 2 + 1);
  const unitsFrom = (first: number) =>
    ["z", "m", "a"].map((id, index) =>
      withEntry(writeUnit(`${id}${first}`, null, 1, { message: large }), {
        stream,
        number: first + index,
        previous: null,
      }),
    );
  const kinds = (results: readonly { kind: string }[] | undefined): unknown => results?.map(({ kind }) => kind);
  assert.deepEqual(kinds(await store.records.apply(unitsFrom(2), { atomic: true })), Array(3).fill("stream-moved"));
  assert.deepEqual(kinds(await store.records.apply(unitsFrom(1), { atomic: true })), Array(3).fill("made"));
  const own = await beginIn(t, pool);
  const transaction = await store.transaction?.(own.client);
  assert.deepEqual(kinds(await transaction?.apply(unitsFrom(9))), Array(3).fill("stream-moved"));
  assert.deepEqual(kinds(await transaction?.apply(unitsFrom(4))), Array(3).fill("made"));
  await own.commit();
  const taken = await store.outbox.take(99);
  assert.deepEqual(
    taken.map(({ number }) => number),
    [1, 2, 3, 4, 5, 6],
  );
  const { rows } = await pool.query(`select id from ${schema}.records order by id`);
  assert.deepEqual(
    rows.map(({ id }: { id: string }) => id),
    ["a1", "a4", "m1", "m4", "z1", "z4"],
  );
});

/** A lane of a process: the next number is that of what is known to be made. */
class Lane {
  readonly made: string[] = [];
  #stream = randomUUID();
  #number = 1;

  /** Writes until it is known what became of it. */
  async write(store: Store, unit: ReturnType<typeof writeUnit> | null): Promise<void> {
    const own = unit === null ? entry({ stream: this.#stream, number: this.#number }) : null;
    const audited =
      unit === null ? null : withEntry(unit, { stream: this.#stream, number: this.#number, previous: null });
    try {
      const kind =
        own !== null
          ? (await store.outbox.append([own], [])).kind
          : (await store.records.apply([audited!], { atomic: true }))[0]?.kind;
      if (kind === "stream-moved") {
        this.#abandon();
        return;
      }
      assert.equal(kind, "made");
    } catch (error) {
      if ((error as { code: string }).code !== "outcome-unknown") return;
      const isMade = own === null ? await outcomeOf(store, audited!) : await isAt(store, own);
      if (isMade === null) this.#abandon();
      if (isMade !== true) return;
    }
    this.made.push((own ?? audited!.entry!).id);
    this.#number += 1;
  }

  #abandon(): void {
    this.#stream = randomUUID();
    this.#number = 1;
  }
}

/** Null: it cannot be told. */
async function outcomeOf(store: Store, unit: ReturnType<typeof writeUnit>): Promise<boolean | null> {
  const outcome = await store.records.outcome([unit]).catch(() => null);
  return outcome === null ? null : outcome[0] === "made";
}

async function isAt(store: Store, { stream, number }: OutboxEntry): Promise<boolean | null> {
  const rows = await store.outbox.streams([stream]).catch(() => null);
  // One that is behind may still be on its way: the lane is not used again.
  return rows !== null && (rows[0]?.last ?? 0) >= number ? true : null;
}

test("lanes of two processes have no hole and no number twice, whatever connections are ended", async (t) => {
  const { schema } = await newSchema(t, pool);
  const pools = [poolOf(url, 6), poolOf(url, 6)];
  const stores = await Promise.all(pools.map((own) => postgresStore(own, { schema })));
  defer(t, async () => {
    await Promise.all(stores.map((store) => store.close()));
    await Promise.all(pools.map((own) => own.end()));
  });
  const lanes = Array.from({ length: 8 }, () => new Lane());
  let isOver = false;
  const writers = lanes.map(async (lane, index) => {
    for (let number = 0; !isOver; number++)
      await lane.write(stores[index % 2]!, index < 4 ? null : writeUnit(`${index}-${number}`, null, 1));
  });
  for (let round = 0; round < 15; round++) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    await server.terminateBackends(url);
  }
  isOver = true;
  await Promise.all(writers);
  const made = lanes.flatMap((lane) => lane.made);
  assert.ok(made.length > 100, `${made.length} were made`);
  const { rows } = await pool.query(`
    select count(*)::int as entries, count(distinct (o.stream, o.number))::int as numbers,
      count(distinct o.id)::int as ids, (select sum(last)::int from ${schema}.streams) as lasts,
      (select count(*)::int from ${schema}.heads h where not exists (
        select from ${schema}.outbox o where o.id = h.entry and h.entry::text = h.write_id)) as untold
    from ${schema}.outbox o`);
  const [{ entries, numbers, ids, lasts, untold }] = rows as [Record<string, number>];
  assert.deepEqual([numbers, ids, lasts, untold], [entries, entries, entries, 0]);
  const { rows: there } = await pool.query(`select id from ${schema}.outbox where id = any($1)`, [made]);
  assert.equal(there.length, made.length, "what was told as made is there");
});

test("two that begin the same stream at once: one is told that it has moved", async (t) => {
  const { open } = await newSchema(t, pool);
  const stores = [await open(), await open()];
  for (let round = 0; round < 50; round++) {
    const stream = randomUUID();
    const all = [entry({ stream, number: 1 }), entry({ number: 1 })];
    const results = await Promise.all([
      ...stores.map((store) => store.outbox.append(all.slice(0, 1), [])),
      stores[0]!.records.apply([withEntry(writeUnit(`${round}`, null, 1), { stream, number: 1, previous: null })], {
        atomic: round % 2 === 0,
      }),
    ]);
    const kinds = results.flat().map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === "made").length, 1, kinds.join());
    assert.equal(kinds.filter((kind) => kind === "stream-moved").length, 2, kinds.join());
  }
});

test("a store whose database is another's appends nothing, and one that is newer neither", async (t) => {
  const { schema, open, forge } = await newSchema(t, pool);
  const store = await open();
  await store.outbox.append([entry({ number: 1 })], []);
  const [position = 0n] = (await store.outbox.take(1)).map((one) => one.position);
  await forge("update s.vault set min_writer = 9");
  await rejectsWith("store-newer", () => store.outbox.drop([position]));
  await rejectsWith("store-newer", () => store.outbox.append([entry({ number: 1 })], []));
  await forge("update s.vault set min_writer = 3, id = 'another'");
  await rejectsWith("store-replaced", () => store.outbox.append([entry({ number: 1 })], []));
  await rejectsWith("store-replaced", () => store.outbox.take(1));
  await rejectsWith("store-replaced", () => store.outbox.drop([position]));
  assert.equal(await count(schema), 1);
});

/** Until so many wait for a lock. */
async function waiting(most: number): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end;) {
    const { rows } = await pool.query("select count(*)::int as n from pg_locks where not granted");
    if ((rows[0] as { n: number }).n >= most) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("nobody waits");
}

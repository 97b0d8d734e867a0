/**
 * Databases and sessions that are set up in odd ways, or by somebody who means ill: what a vault promises holds in each.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { openVault } from "@strongroom/vault";
import { postgresStore } from "@strongroom/vault/postgres";
import pg from "pg";
import { defer } from "../../../../tests/support/defer.ts";
import { aesKeyring } from "../support/vault.ts";
import { STATEMENT_BYTES } from "../../src/stores/postgres/sent-bytes.ts";
import { beginIn, fileServer, newAuditSchema, newSchema, poolOf } from "./support/storage.ts";
import type { CallersTransaction } from "./support/storage.ts";
import { entry, get, put, writeUnit } from "./support/units.ts";

const { pool, url } = await fileServer({ connections: 8 });

const begin = (t: TestContext, level?: string): Promise<CallersTransaction> => beginIn(t, pool, level);

const isContention = (error: unknown): boolean => (error as { code: string }).code === "40001";

for (const level of ["repeatable read", "serializable"])
  test(`at ${level} a write that was given up after the snapshot is never made`, async (t) => {
    const { schema, open } = await newSchema(t, pool);
    const store = await open();
    await put(store, "old", null, 1);
    for (const given of [writeUnit("new", null, 1), writeUnit("old", 1, 2)]) {
      const early = await begin(t, level);
      await early.client.query(`select count(*) from ${schema}.heads`);
      assert.deepEqual(await store.records.outcome([given]), ["void"]);
      const units = await store.transaction?.(early.client);
      await assert.rejects(async () => units?.apply([given]), isContention);
      await early.rollback();
    }
    // In a batch as well.
    const batch = [writeUnit("other", null, 1), writeUnit("old", 1, 2)];
    const early = await begin(t, level);
    await early.client.query(`select count(*) from ${schema}.heads`);
    assert.deepEqual(await store.records.outcome(batch), ["void", "void"]);
    const units = await store.transaction?.(early.client);
    await assert.rejects(async () => units?.apply(batch), isContention);
    await early.rollback();
    assert.equal(await get(store, "new"), null);
    assert.equal(await get(store, "old"), "message 1");
  });

test("where snapshots are the default, what they settle is taken away in time", async (t) => {
  const { schema, forge } = await newSchema(t, pool);
  const odd = new pg.Pool({ connectionString: url, options: "-c default_transaction_isolation=repeatable\\ read" });
  defer(t, () => odd.end());
  const store = await postgresStore(odd, { schema });
  await put(store, "ada", null, 1);
  await forge("update s.settled set at = at - 3 * 86400000");
  await put(store, "bob", null, 1);
  const { rows } = await pool.query(`select count(*)::int as n from ${schema}.settled`);
  assert.deepEqual(rows, [{ n: 1 }]);
});

test("functions and operators that somebody planted in the public schema are not run", async (t) => {
  const { open } = await newSchema(t, pool);
  const planted = [
    "function public.hashtextextended(text, integer) returns bigint language plpgsql as $$ begin raise 'planted'; end $$",
    "function public.planted(text, bigint) returns text language plpgsql as $$ begin raise 'planted'; end $$",
    "operator public.|| (leftarg = text, rightarg = bigint, function = public.planted)",
    "function public.planted(numeric, integer) returns numeric language plpgsql as $$ begin raise 'planted'; end $$",
    "operator public.* (leftarg = numeric, rightarg = integer, function = public.planted)",
    "function public.planted(name, name) returns name language plpgsql as $$ begin raise 'planted'; end $$",
    "operator public.|| (leftarg = name, rightarg = name, function = public.planted)",
    "function public.convert_to(text, text) returns bytea language plpgsql as $$ begin raise 'planted'; end $$",
  ];
  defer(t, async () => {
    await pool.query("drop function public.hashtextextended(text, integer), public.convert_to(text, text)");
    for (const takes of ["text, bigint", "numeric, integer", "name, name"])
      await pool.query(`drop function public.planted(${takes}) cascade`);
  });
  for (const sql of planted) await pool.query(`create ${sql}`);
  const store = await open();
  await put(store, "ada", null, 1);
  assert.equal(await store.gate.flip({ from: 0 as never, digest: "first" }), "flipped");
  await store.gate.drained();
  await store.jobs.add("repair", ["00"]);
  const lease = await store.jobs.lease({ job: "repair", holder: "h", ms: 1000 });
  assert.ok(lease);
  await store.inventory.fail(
    lease,
    { ...writeUnit("ada", null, 1).address, version: 1 as never },
    {
      code: "c",
      at: new Date().toISOString(),
      waitMs: 1,
    },
  );
  await store.jobs.save(lease, { cursor: null, done: 0, failed: 0, problem: null }, 1000);
  await store.jobs.wake("repair");
  assert.equal((await store.jobs.list()).length, 1);
  const [set] = await store.inventory.sets();
  assert.ok(set);
  assert.equal((await store.inventory.list({ sets: [set.id], after: null, limit: 5, due: true })).length, 1);
  await store.inventory.counts([set.id], 10);
  await store.inventory.any([set.id]);
  await store.records.list("people" as never, { after: Buffer.from("a"), limit: 5 });
  await store.records.collections();
  const lane = entry({ number: 1, tag: "x".repeat(22) });
  assert.deepEqual(await store.outbox.append([lane], []), { kind: "made" });
  assert.equal((await store.outbox.pending([lane.tag!])).length, 1);
  await store.outbox.waiting(9);
  await store.outbox.listStreams({ after: lane.stream, limit: 9 });
  await store.outbox.drop((await store.outbox.take(9)).map(({ position }) => position));
  await store.outbox.closeStreams([{ stream: lane.stream, last: 1 }]);
  assert.deepEqual(await store.outbox.streams([lane.stream]), [null]);
  const own = poolOf(url, 2);
  defer(t, () => own.end());
  const log = await (await newAuditSchema(t, own)).open();
  await log.published(1);
  await log.find({ people: ["vault"], since: "2026-01-01T00:00:00.000Z" }, { order: "newest", after: null, limit: 9 });
  await log.entries({ from: 0, limit: 9 });
  await log.latest([{ tag: lane.tag!, message: { version: 1 as never, sha256: Buffer.alloc(32) } }]);
  assert.equal((await log.counts()).entries, 0);
});

test("a flip waits for as long as it was told, whatever an answer may take and a session's statements may", async (t) => {
  const { schema, open } = await newSchema(t, pool);
  const writers = await open();
  const slow = await begin(t);
  const units = await writers.transaction?.(slow.client);
  await units?.apply([writeUnit("ada", null, 1)]);
  const odd = new pg.Pool({ connectionString: url, options: "-c statement_timeout=150" });
  defer(t, () => odd.end());
  const store = await postgresStore(odd, { schema, answerTimeoutMs: 300, drainTimeoutMs: 20_000 });
  let isDone = false;
  const flipping = store.gate.flip({ from: 0 as never, digest: "first" }).finally(() => (isDone = true));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(isDone, false);
  await slow.commit();
  assert.equal(await flipping, "flipped");
});

test("a session whose setting quotes every name has the same schema", async (t) => {
  const { schema } = await newSchema(t, pool);
  const odd = new pg.Pool({ connectionString: url, options: "-c quote_all_identifiers=on" });
  defer(t, () => odd.end());
  await postgresStore(odd, { schema });
});

test("a partition that waits is due at once when the database's clock was set back", async (t) => {
  const { forge, open } = await newSchema(t, pool);
  const { jobs } = await open();
  await jobs.add("repair", ["00"]);
  const lease = await jobs.lease({ job: "repair", holder: "one", ms: 60_000 });
  assert.ok(lease);
  await jobs.finish(lease, { cursor: null, done: 0, failed: 0, problem: null }, 60_000);
  assert.equal(await jobs.lease({ job: "repair", holder: "two", ms: 60_000 }), null);
  await forge("update s.job_partitions set due_at = due_at + 3600000, renewed_at = renewed_at + 3600000");
  assert.notEqual(await jobs.lease({ job: "repair", holder: "two", ms: 60_000 }), null);
});

test("a caller who has not ended holds back nobody else who writes the first of a wrap set", async (t) => {
  const { schema } = await newSchema(t, pool);
  const [ours, theirs] = await Promise.all(
    [0, 1].map(async () => {
      const store = await postgresStore(pool, { schema, answerTimeoutMs: 3000 });
      const vault = await openVault({ store, keyring: aesKeyring() });
      defer(t, () => vault.close());
      return vault;
    }),
  );
  assert.ok(ours && theirs);
  const prepared = await ours.prepare({ collection: "people", id: "ada" }, { name: "Ada" });
  const caller = await begin(t);
  await ours.withTransaction(caller.client, [prepared]);
  await theirs.put({ collection: "people", id: "bob" }, { name: "Bob" });
  await caller.commit();
  assert.equal((await theirs.list("people")).items.length, 2);
});

test("a table whose vacuum somebody tuned is the same table", async (t) => {
  const { forge, open } = await newSchema(t, pool);
  await forge(
    "alter table s.heads set (autovacuum_vacuum_scale_factor = 0.01, vacuum_truncate = off, toast_tuple_target = 4000)",
    "alter table s.versions set (log_autovacuum_min_duration = 0, parallel_workers = 0)",
  );
  await open();
  await forge("alter table s.heads set (fillfactor = 10)");
  await assert.rejects(open, { code: "store-altered" });
});

test("a batch of several statements that the server ends because of another is made after it", async (t) => {
  const { open } = await newSchema(t, pool);
  const [one, two] = await Promise.all([open(), open()]);
  const large = Buffer.alloc(STATEMENT_BYTES / 2 + 1);
  await put(one, "a", null, 1);
  const first = await begin(t);
  const held = await one.transaction?.(first.client);
  await held?.apply([writeUnit("b", null, 1)]);
  // One statement for each of its records: it has the head of "a", and waits for "b".
  const parts = two.records.apply(
    [writeUnit("a", 1, 2, { message: large }), writeUnit("b", null, 1, { message: large })],
    {
      atomic: true,
    },
  );
  await waiting(1);
  // Has "b", and waits for the head of "a": the server ends the one that has waited longer.
  await held?.apply([writeUnit("a", 1, 2)]);
  await first.rollback();
  assert.deepEqual(await parts, [{ kind: "made" }, { kind: "made" }]);
});

/** Until so many wait for a lock. */
async function waiting(count: number): Promise<void> {
  for (;;) {
    const { rows } = await pool.query("select count(*)::int as n from pg_locks where not granted");
    if ((rows[0] as { n: number }).n >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

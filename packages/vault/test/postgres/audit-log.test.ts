/**
 * The audit's log under two sequencers at once, connections that are ended, and sessions that keep the plans of when its
 * tables were small.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { postgresAuditLog, postgresStore } from "@strongroom/vault/postgres";
import { defer } from "../../../../tests/support/defer.ts";
import type { Addition, AuditLog, LogState, NewLogEntry } from "../../src/stores/audit-log.ts";
import type { Lease } from "../../src/stores/jobs.ts";
import type { AddressTag, StreamId, WaitingEntry } from "../../src/stores/outbox.ts";
import type { Version } from "../../src/records/address.ts";
import { rejectsWith } from "../support/errors.ts";
import { fileServer, newAuditSchema, newSchema, poolOf } from "./support/storage.ts";
import { entry } from "./support/units.ts";

const { server, pool, url } = await fileServer({ connections: 20 });

const JOB = "audit-sequence";
const NOTHING = { subtrees: [], heads: [], messages: [], removed: [], closed: [], begins: false };

const newEntry = ({ id, text }: Pick<WaitingEntry, "id" | "text">): NewLogEntry => ({
  id,
  text,
  leaf: createHash("sha256").update(text).digest(),
  at: new Date().toISOString(),
  principal: "local",
  action: "read",
  collection: null,
  people: ["vault"],
});

const additionTo = (state: LogState, entries: readonly NewLogEntry[], streams: Addition["streams"] = []): Addition => ({
  ...NOTHING,
  entries,
  streams,
  state: { ...state, history: state.history ?? randomUUID(), size: state.size + entries.length },
});

/** How far the streams of entries are with them. */
const streamsOf = (entries: readonly WaitingEntry[]): Addition["streams"] =>
  [...new Map(entries.map(({ stream, number }) => [stream, number]))].map(([stream, number]) => ({
    outbox: "records",
    stream,
    number,
    ended: false,
  }));

test("of two sequencers, whose leases run out at work, each entry is in the log once and in order", async (t) => {
  const [records, audit] = [await newSchema(t, pool), await newAuditSchema(t, pool)];
  const pools = Array.from({ length: 4 }, () => poolOf(url, 4));
  const places = await Promise.all(
    [0, 1].map(async (index) => ({
      store: await postgresStore(pools[index * 2]!, { schema: records.schema }),
      log: await postgresAuditLog(pools[index * 2 + 1]!, { schema: audit.schema }),
    })),
  );
  defer(t, async () => {
    await Promise.all(places.flatMap(({ store, log }) => [store.close(), log.close()]));
    await Promise.all(pools.map((own) => own.end()));
  });
  await places[0]!.log.jobs.add(JOB, ["all"]);
  let [isWritten, overtaken] = [false, 0];
  const written = new Map<string, number>();

  const writer = async (index: number): Promise<void> => {
    let [stream, number] = [randomUUID(), 1];
    for (const end = performance.now() + 2500; performance.now() < end;) {
      try {
        const { kind } = await places[index % 2]!.store.outbox.append([entry({ stream, number })], []);
        if (kind === "made") written.set(stream, number++);
        else [stream, number] = [randomUUID(), 1];
      } catch {
        [stream, number] = [randomUUID(), 1];
      }
    }
  };

  const sequence = async ({ store, log }: (typeof places)[number], lease: Lease): Promise<boolean> => {
    const state = await log.state();
    const waiting = await store.outbox.take(50);
    if (waiting.length === 0) return false;
    const known = await log.positions(waiting.map(({ id }) => id));
    const fresh = waiting.filter((_, index) => known[index] === null);
    if (fresh.length > 0) {
      // The other one may have taken it over by now.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
      const result = await log.integrate(state, additionTo(state, fresh.map(newEntry), streamsOf(fresh)), lease);
      if (result === "overtaken") overtaken += 1;
      if (result === "overtaken") return true;
    }
    await store.outbox.drop(waiting.map(({ position }) => position));
    return true;
  };

  const sequencer = async (place: (typeof places)[number], holder: string): Promise<void> => {
    for (;;) {
      try {
        const lease = await place.log.jobs.lease({ job: JOB, holder, ms: 25 });
        let isBusy = true;
        for (let batch = 0; batch < 3 && lease !== null && isBusy; batch++) isBusy = await sequence(place, lease);
        if (isWritten && lease !== null && !isBusy) return;
      } catch {
        // A connection was ended: what became of it is asked next.
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  const sequencers = places.map((place, index) => sequencer(place, `h${index}`));
  const writers = Array.from({ length: 6 }, (_, index) => writer(index));
  for (let round = 0; round < 8; round++) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    await server.terminateBackends(url);
  }
  await Promise.all(writers);
  isWritten = true;
  await Promise.all(sequencers);
  assert.ok(overtaken > 0, "leases ran out");

  const { rows } = await pool.query(`
    select count(*)::int as entries, max(position)::int + 1 as end, count(distinct id)::int as ids,
      (select size::int from ${audit.schema}.log) as size, (select count(*)::int from ${audit.schema}.texts) as texts,
      (select sum(number)::int from ${audit.schema}.streams) as numbers,
      (select count(*)::int from ${records.schema}.outbox) as left
    from ${audit.schema}.entries`);
  const [{ entries = 0, left, ...same }] = rows as [Record<string, number>];
  assert.ok(entries > 100);
  assert.deepEqual([new Set(Object.values(same)), left], [new Set([entries]), 0]);
  // Of each stream, one after the other; what was answered as written is there.
  const { rows: wrong } = await pool.query(
    `
    select s.stream from ${audit.schema}.streams s
    where s.number < coalesce((select w.number from unnest($1::uuid[], $2::bigint[]) w(stream, number)
      where w.stream = s.stream), 0)`,
    [[...written.keys()], [...written.values()]],
  );
  assert.deepEqual(wrong, []);
  const { rows: known } = await pool.query(
    `select count(*)::int as n from ${audit.schema}.streams where stream = any($1)`,
    [[...written.keys()]],
  );
  assert.deepEqual(known, [{ n: written.size }]);
});

test("an addition whose entry is in the log already adds nothing, and says so", async (t) => {
  const { open, schema } = await newAuditSchema(t, pool);
  const log = await open();
  await log.jobs.add(JOB, ["all"]);
  const lease = await log.jobs.lease({ job: JOB, holder: "h", ms: 60_000 });
  assert.ok(lease);
  const [one, two] = [newEntry(entry({ number: 1 })), newEntry(entry({ number: 1 }))];
  const empty = await log.state();
  assert.equal(await log.integrate(empty, additionTo(empty, [one]), lease), "integrated");
  const state = await log.state();
  const { message } = await rejectsWith("store-failed", () =>
    log.integrate(state, additionTo(state, [two, one]), lease),
  );
  assert.match(message, /already/);
  assert.deepEqual(await log.positions([one.id, two.id]), [0, null]);
  const { rows } = await pool.query(`select count(*)::int as n from ${schema}.people`);
  assert.deepEqual(rows, [{ n: 1 }]);
});

/** How often tables were read from end to end. */
async function scans(schemas: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const { rows } = await pool.query(
    `select relname as name, seq_scan::int as n from pg_stat_user_tables where schemaname = any($1)
      and relname not in ('vault', 'log', 'job_partitions', 'wrap_sets', 'migrations')`,
    [schemas],
  );
  return Object.fromEntries((rows as { name: string; n: number }[]).map(({ name, n }) => [name, n]));
}

test("no plan that a session made when the tables were small reads a table when it has grown", async (t) => {
  const [records, audit] = [await newSchema(t, pool), await newAuditSchema(t, pool)];
  const own = [poolOf(url, 1), poolOf(url, 1)];
  const store = await postgresStore(own[0]!, { schema: records.schema });
  const log = await postgresAuditLog(own[1]!, { schema: audit.schema });
  defer(t, async () => {
    await Promise.all([store.close(), log.close()]);
    await Promise.all(own.map((one) => one.end()));
  });
  await log.jobs.add(JOB, ["all"]);
  const lease = await log.jobs.lease({ job: JOB, holder: "h", ms: 600_000 });
  assert.ok(lease);
  const tags = Array.from({ length: 64 }, () => randomBytes(16).toString("base64url") as AddressTag);
  const stream = randomUUID();
  let number = 0;

  const all = async (): Promise<void> => {
    const next = (): ReturnType<typeof entry> => entry({ stream, number: ++number, tag: tags[number % 64]! });
    assert.deepEqual(await store.outbox.append([next(), next()], []), { kind: "made" });
    await store.outbox.pending(tags);
    const waiting = await store.outbox.take(2);
    const state = await log.state();
    const head = { tag: tags[0]!, version: 1 as Version, state: "live", entry: null } as const;
    const more = { heads: [head], messages: [{ tag: tags[0]!, version: 1 as Version, sha256: randomBytes(32) }] };
    const addition = { ...additionTo(state, waiting.map(newEntry), streamsOf(waiting)), ...more, removed: [tags[1]!] };
    assert.equal(await log.integrate(state, addition, lease), "integrated");
    await store.outbox.drop(waiting.map(({ position }) => position));
    await store.outbox.streams([stream as StreamId]);
    await store.outbox.closeStreams([{ stream: randomUUID() as string as StreamId, last: 1 }]);
    await store.outbox.waiting(10);
    await askLog(log, tags, waiting);
  };

  for (let round = 0; round < 8; round++) await all();
  const grow = [
    `insert into ${audit.schema}.heads (tag, version, state) select 'tag-' || g, 1, 'live' from generate_series(1, 20000) g`,
    `insert into ${audit.schema}.messages (tag, version, sha256) select 'tag-' || g, 1, '' from generate_series(1, 20000) g`,
    `insert into ${audit.schema}.people (key, position) select 'key-' || g, g + 100000 from generate_series(1, 20000) g`,
    `insert into ${records.schema}.streams (stream, last, at) select gen_random_uuid(), 1, 0 from generate_series(1, 20000) g`,
    `insert into ${records.schema}.outbox (number, at, id, stream, ends, mac, text)
      select 1, 0, gen_random_uuid(), gen_random_uuid(), false, '', 'x' from generate_series(1, 20000) g`,
  ];
  for (const sql of grow) await pool.query(sql);
  await flushed(own);
  const before = await scans([records.schema, audit.schema]);
  for (let round = 0; round < 4; round++) await all();
  await flushed(own);
  assert.deepEqual(await scans([records.schema, audit.schema]), before);
});

async function askLog(log: AuditLog, tags: readonly AddressTag[], waiting: readonly WaitingEntry[]): Promise<void> {
  await log.latest(tags.map((tag) => ({ tag, message: { version: 1 as Version, sha256: randomBytes(32) } })));
  await log.heads({ only: "live", after: null, limit: 5 });
  await log.positions(waiting.map(({ id }) => id));
  await log.entries({ from: 0, limit: 5 });
  await log.hashes({ height: 0, start: 0, end: 5 });
  await log.hashes({ height: 8, start: 0, end: 5 });
  await log.streams("records", { after: null, limit: 5 });
  await log.heads({ only: "all", after: null, limit: 5 });
  await log.forgettable({ before: "2000-01-01T00:00:00.000Z", keep: [], from: 0, limit: 5 });
  await log.namedKeys({ after: null, limit: 5 });
  await log.forget([{ from: 0, to: 1 }]);
  const since = new Date().toISOString();
  for (const order of ["oldest", "newest"] as const)
    for (const query of [{}, { people: ["vault", "key-7"] }, { principal: "local" }, { action: "write" }, { since }])
      await log.find(query, { order, after: null, limit: 5 });
}

/** Sessions tell what they have done. */
async function flushed(pools: readonly { query(sql: string): Promise<unknown> }[]): Promise<void> {
  for (const one of [...pools, pool]) await one.query("select pg_stat_force_next_flush()");
}

// A real PgBouncer in transaction mode, of the version that breaks named statements: the store finds it and does
// without; writers, flips and migrations go on as without it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { openVault } from "@strongroom/vault";
import { migratePostgres, postgresAuditLog, postgresStore } from "@strongroom/vault/postgres";
import { entry } from "../../packages/vault/test/postgres/support/units.ts";
import { defer } from "../support/defer.ts";
import { flipsUnderWriters } from "../support/faults/flips.ts";
import { keyringOf, newTestKey } from "../support/faults/keys.ts";
import { manyWriters } from "../support/faults/many-writers.ts";
import { poolOf } from "../support/faults/place.ts";
import { startPgBouncer } from "../support/postgres/pgbouncer.ts";
import { startPostgres } from "../support/postgres/server.ts";

test("a store behind PgBouncer in transaction mode", async (t) => {
  const server = await startPostgres(t);
  const pooler = await startPgBouncer(t, server, { poolSize: 3 });
  if (pooler === null) return;
  const url = pooler.through(server.url);
  const pool = poolOf({ kind: "postgres", url, connections: 10 });
  defer(t, () => pool.end());

  // Several at once through three sessions: a lock of a session's would be stranded on one of them.
  await Promise.all(Array.from({ length: 6 }, () => migratePostgres(pool)));
  const stranded = await server.query("select from pg_locks where locktype = 'advisory'");
  assert.equal(stranded.length, 0);

  const vault = await openVault({ store: await postgresStore(pool), keyring: keyringOf(newTestKey("alone")) });
  defer(t, () => vault.close());
  await Promise.all(
    Array.from({ length: 200 }, async (_, n) => vault.put({ collection: "pooled", id: `p${n % 50}` }, { n })),
  );
  const prepared = await vault.prepare({ collection: "pooled", id: "own" }, { n: 0 });
  const client = await pool.connect();
  await client.query("begin");
  await vault.withTransaction(client, [prepared]);
  await client.query("commit");
  client.release();
  assert.equal((await vault.get({ collection: "pooled", id: "own" })).version, 1);
});

test("an outbox and an audit log behind PgBouncer leave nothing on a session", async (t) => {
  const server = await startPostgres(t);
  const pooler = await startPgBouncer(t, server, { poolSize: 3 });
  if (pooler === null) return;
  const place = { kind: "postgres", url: pooler.through(server.url), connections: 10 } as const;
  const [pool, other] = [poolOf(place), poolOf(place)];
  const [store, log] = await Promise.all([
    postgresStore(pool, { migrate: true }),
    postgresAuditLog(other, { migrate: true }),
  ]);
  defer(t, async () => {
    await Promise.all([store.close(), log.close()]);
    await Promise.all([pool.end(), other.end()]);
  });
  const settings = (): Promise<readonly unknown[]> =>
    server.query("select name, setting from pg_settings where source = 'session' and name like 'enable%'");
  const before = await settings();
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      const stream = randomUUID();
      for (let number = 1; number <= 20; number++)
        assert.equal((await store.outbox.append([entry({ stream, number })], [])).kind, "made");
    }),
  );
  const waiting = await store.outbox.take(1000);
  assert.equal(waiting.length, 240);
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      await log.latest([{ tag: "x".repeat(22) as never, message: null }]);
      await log.find({ people: ["vault"] }, { order: "newest", after: null, limit: 9 });
    }),
  );
  await store.outbox.drop(waiting.map(({ position }) => position));
  assert.equal((await store.outbox.waiting(9)).entries, 0);
  assert.deepEqual(await settings(), before);
  assert.equal((await server.query("select from pg_locks where locktype = 'advisory'")).length, 0);
});

test("writers and flips behind PgBouncer", async (t) => {
  const server = await startPostgres(t);
  const pooler = await startPgBouncer(t, server, { poolSize: 5 });
  if (pooler === null) return;
  const place = { kind: "postgres", url: pooler.through(server.url), connections: 8 } as const;
  const pool = poolOf(place);
  await migratePostgres(pool);
  await pool.end();
  const terminate = { name: "rounds of terminated backends", everyMs: 500, make: () => server.terminateBackends() };
  const brief = { records: 50, processes: 2, writersEach: 8, seconds: 10, killEveryMs: 2000 };
  await manyWriters(t, { ...brief, place, troubles: [terminate] });
  const another = await server.createDatabase();
  const other = { ...place, url: pooler.through(another) };
  const ready = poolOf(other);
  await migratePostgres(ready);
  await ready.end();
  await flipsUnderWriters(t, { place: other, flips: 40, processes: 2, writersEach: 4, way: "put" });
});

// What befalls a store's machine: its disk is full, its database takes no writes, a standby that lags is promoted, a
// clock is set back, a newer version shuts this one out. Each is told clearly, nothing acknowledged is lost, and when it
// is over all goes on as before.
import assert from "node:assert/strict";
import { cp, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isVaultError, openVault, type Store, type Vault } from "@strongroom/vault";
import { postgresStore } from "@strongroom/vault/postgres";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../support/defer.ts";
import { temporaryFolder } from "../support/faults/folder.ts";
import { keyringOf, newTestKey } from "../support/faults/keys.ts";
import { Ledger } from "../support/faults/ledger.ts";
import { poolOf } from "../support/faults/place.ts";
import { smallVolume } from "../support/faults/volume.ts";
import { hasPostgres15 } from "../support/postgres/programs.ts";
import type { PostgresServer } from "../support/postgres/server.ts";
import { startPostgres } from "../support/postgres/server.ts";

const KEY = newTestKey("one");
const MANY = 3000;

async function vaultOn(t: TestContext, store: Store): Promise<Vault> {
  const vault = await openVault({ store, keyring: keyringOf(KEY) });
  defer(t, () => vault.close());
  return vault;
}

async function vaultAt(t: TestContext, server: PostgresServer, migrate = true): Promise<Vault> {
  const pool = poolOf({ kind: "postgres", url: server.url, connections: 4 });
  return vaultOn(t, await postgresStore(pool, { migrate, endPool: true }));
}

test("SQLite on a full disk", async (t) => {
  const volume = await smallVolume(t, 12);
  if (volume === null) return;
  const path = join(volume.folder, "records.sqlite");
  const vault = await vaultOn(t, await sqliteStore(path, { reserve: true }));
  const ledger = new Ledger(vault);
  for (let n = 0; n < 20; n++) assert.equal(await ledger.write(), "made");
  volume.fill(300_000);
  assert.deepEqual(await ledger.until(/^(?!made)/, MANY), ["made", "store-full"]);
  for (let n = 0; n < 20; n++) assert.equal(await ledger.write(), "store-full");
  await ledger.check();
  await vault.remove({ collection: "people", id: "p0" }).then(
    () => undefined,
    (error: unknown) => {
      assert.fail(`a removal on a full disk: ${String(error)}`);
    },
  );
  await vault.put({ collection: "people", id: "p0" }, { number: 0 }).catch(() => undefined);
  volume.empty();
  await sleep(300);
  assert.equal(await ledger.write(), "made");
  t.diagnostic(`${ledger.acknowledged} records acknowledged`);
});

for (const place of ["data", "log"] as const)
  test(`PostgreSQL on a full disk: its ${place}`, async (t) => {
    const volume = await smallVolume(t, place === "data" ? 140 : 60);
    if (volume === null) return;
    const server = place === "data" ? await startPostgres(t, { within: volume.folder }) : await startPostgres(t);
    if (place === "data") await moveLog(t, server);
    else await moveLog(t, server, volume.folder);
    const vault = await vaultAt(t, server);
    const ledger = new Ledger(vault);
    for (let n = 0; n < 20; n++) assert.equal(await ledger.write(), "made");
    await server.query("checkpoint");
    volume.fill(place === "data" ? 1_000_000 : 0);
    const told = await ledger.until(place === "data" ? /^store-full/ : /^(?!made)/, MANY);
    assert.ok(told.includes(place === "data" ? "store-full" : told.at(-1)!), told.join());
    if (place === "data") await ledger.check();
    volume.empty();
    if (place === "log") {
      // A server that cannot write its log ends itself; it is somebody's affair to start it again.
      await server.stop("immediate");
      await server.start();
    }
    await until(async () => (await ledger.write()) === "made");
    await ledger.check();
    t.diagnostic(`told: ${told.join(", ")}; ${ledger.acknowledged} records acknowledged, all there`);
  });

/** Puts the server's log into another folder than its data. */
async function moveLog(t: TestContext, server: PostgresServer, within?: string): Promise<void> {
  const folder = join(within ?? (await temporaryFolder(t)), "pg_wal");
  const own = join(server.folder, "data", "pg_wal");
  await server.stop();
  await cp(own, folder, { recursive: true });
  await rm(own, { recursive: true });
  await symlink(folder, own);
  await server.start();
}

test("SQLite on a volume that was mounted read-only", async (t) => {
  const volume = await smallVolume(t, 12);
  if (volume === null) return;
  const path = join(volume.folder, "records.sqlite");
  const open = async (): Promise<Vault> => openVault({ store: await sqliteStore(path), keyring: keyringOf(KEY) });
  const vault = await open();
  const ledger = new Ledger(vault);
  for (let n = 0; n < 20; n++) assert.equal(await ledger.write(), "made");
  await vault.close();
  volume.allow("ro");
  await assert.rejects(open(), { code: "store-failed" });
  volume.allow("rw");
  await using later = await open();
  await ledger.check(later);
  assert.equal((await later.put({ collection: "people", id: "p0" }, { number: 0 })).version, 2);
});

test("a newer version shuts this one out of writing, then of reading, and lets it in again", async (t) => {
  const server = await startPostgres(t);
  const path = join(await temporaryFolder(t), "records.sqlite");
  const pool = poolOf({ kind: "postgres", url: server.url, connections: 4 });
  const places = [
    {
      store: await sqliteStore(path),
      set: async (what: string) => {
        alter(path, `update gate set ${what}`);
      },
    },
    {
      store: await postgresStore(pool, { migrate: true, endPool: true }),
      set: async (what: string) => {
        await pool.query(`update strongroom.vault set ${what}`);
      },
    },
  ];
  for (const { store, set } of places) {
    const vault = await vaultOn(t, store);
    const ledger = new Ledger(vault);
    const writers = Array.from({ length: 8 }, async () => {
      const told: string[] = [];
      while (told.at(-1) !== "store-newer" && !t.signal.aborted && told.length < MANY)
        told.push(await ledger.write(100));
      return told;
    });
    while (ledger.acknowledged < 50) await sleep(5);
    await set("min_writer = 1000");
    const shutOut = ledger.acknowledged;
    for (const told of await Promise.all(writers))
      assert.deepEqual([...new Set(told.slice(0, -1))], ["made"], "nothing but writes before it");
    // Those that were under way, and no more.
    assert.ok(ledger.acknowledged <= shutOut + 8);
    assert.equal(await ledger.write(), "store-newer");
    await ledger.check();
    await set("min_reader = 1000");
    await until(async () =>
      vault.get({ collection: "people", id: "p0" }).then(
        () => false,
        (error: unknown) => isVaultError(error) && error.code === "store-newer",
      ),
    );
    await set("min_reader = 1, min_writer = 1");
    await until(async () => (await ledger.write()) === "made");
    await ledger.check();
  }
});

test("PostgreSQL whose transactions became read-only by default", async (t) => {
  const server = await startPostgres(t);
  const vault = await vaultAt(t, server);
  const ledger = new Ledger(vault);
  for (let n = 0; n < 20; n++) assert.equal(await ledger.write(), "made");
  await server.query("alter role strongroom set default_transaction_read_only = on");
  await server.terminateBackends();
  await until(async () => (await ledger.write()) !== "made");
  await assert.rejects(vault.put({ collection: "people", id: "one" }, {}), {
    code: "store-failed",
    message: /takes no writes|read-only/,
  });
  await ledger.check();
  await server.query("alter role strongroom reset default_transaction_read_only");
  await server.terminateBackends();
  await until(async () => (await ledger.write()) === "made");
  await ledger.check();
});

test("a standby that is promoted", { skip: !hasPostgres15 && "PostgreSQL 15 is not installed here" }, async (t) => {
  const server = await startPostgres(t, { version: 15 });
  const vault = await vaultAt(t, server);
  const ledger = new Ledger(vault);
  for (let n = 0; n < 10; n++) assert.equal(await ledger.write(), "made");
  const standby = await server.standby();
  defer(t, () => standby[Symbol.asyncDispose]());
  await caughtUp(server, standby);

  const reader = await vaultAt(t, standby, false).catch((error: unknown) => error as Error);
  if (reader instanceof Error) t.diagnostic(`a vault on a standby: ${reader.message}`);
  else {
    await ledger.check(reader);
    await assert.rejects(reader.put({ collection: "people", id: "one" }, {}), { code: "store-failed" });
  }

  // The standby hears nothing more; these are acknowledged by the server that is lost.
  await standby.query("alter system set primary_conninfo = ''");
  await standby.query("select pg_reload_conf()");
  await until(async () => (await standby.query("select from pg_stat_wal_receiver")).length === 0);
  const tail = new Ledger(vault);
  const before = await vault.put({ collection: "people", id: "counter" }, { n: 1 });
  for (let n = 0; n < 5; n++) assert.equal(await tail.write(100), "made");
  await server.kill();
  await standby.promote();

  const after = await vaultAt(t, standby, false);
  await assert.rejects(after.get({ collection: "people", id: "counter" }), { code: "record-absent" });
  const again = await after.put({ collection: "people", id: "counter" }, { n: 2 });
  assert.equal(again.version, before.version, "the number is given a second time: the tail is gone");
  t.diagnostic("asynchronous: what the standby had not heard of is gone without a word, and numbers come twice");
});

test(
  "a standby that must confirm loses nothing",
  { skip: !hasPostgres15 && "PostgreSQL 15 is not installed here" },
  async (t) => {
    const server = await startPostgres(t, { version: 15 });
    const vault = await vaultAt(t, server);
    const standby = await server.standby();
    defer(t, () => standby[Symbol.asyncDispose]());
    await caughtUp(server, standby);
    await server.query("alter system set synchronous_standby_names = '*'");
    await server.query("select pg_reload_conf()");
    const ledger = new Ledger(vault);
    for (let n = 0; n < 30; n++) assert.equal(await ledger.write(), "made");
    await server.kill();
    await standby.promote();
    await ledger.check(await vaultAt(t, standby, false));
  },
);

test("a vault's clock that is set back an hour", async (t) => {
  const server = await startPostgres(t);
  const path = join(await temporaryFolder(t), "records.sqlite");
  const pool = poolOf({ kind: "postgres", url: server.url, connections: 4 });
  const stores = [await sqliteStore(path), await postgresStore(pool, { migrate: true, endPool: true })];
  for (const store of stores) {
    let shift = 0;
    const vault = await openVault({ store, keyring: keyringOf(KEY), clock: () => new Date(Date.now() + shift) });
    defer(t, () => vault.close());
    const ledger = new Ledger(vault);
    const address = { collection: "people", id: "counter" };
    for (let n = 1; n <= 6; n++) {
      shift = n > 3 ? -3_600_000 : 0;
      assert.equal((await vault.put(address, { n })).version, n);
      assert.equal(await ledger.write(), "made");
    }
    const history = await vault.history(address);
    assert.deepEqual(
      history.map(({ version }) => version),
      [6, 5, 4, 3, 2, 1],
    );
    assert.ok(history[0]!.createdAt < history[5]!.createdAt);
    assert.deepEqual((await vault.get(address)).document, { n: 6 });
    await ledger.check();
  }
});

test("leases of a clock that was an hour ahead are over", async (t) => {
  const server = await startPostgres(t);
  const path = join(await temporaryFolder(t), "records.sqlite");
  const pool = poolOf({ kind: "postgres", url: server.url, connections: 4 });
  const stores = {
    sqlite: await sqliteStore(path),
    postgres: await postgresStore(pool, { migrate: true, endPool: true }),
  };
  for (const [kind, store] of Object.entries(stores)) {
    defer(t, () => store.close());
    await store.jobs.add("work", ["one"]);
    const held = await store.jobs.lease({ job: "work", holder: "first", ms: 30_000 });
    assert.equal(await store.jobs.lease({ job: "work", holder: "second", ms: 1000 }), null);
    // What a clock that was set back finds.
    const ahead = `set ${MOMENTS.map((name) => `${name} = ${name} + 3600000`).join(", ")}`;
    if (kind === "sqlite") alter(path, `update jobs ${ahead}`);
    else await pool.query(`update strongroom.job_partitions ${ahead}`);
    const taken = await store.jobs.lease({ job: "work", holder: "second", ms: 30_000 });
    assert.equal(taken?.fence, held!.fence + 1, kind);
    const nothing = { cursor: null, done: 0, failed: 0, problem: null };
    assert.equal(await store.jobs.save(held!, nothing, 1000), "overtaken");
    assert.equal(await store.jobs.save(taken, nothing, 1000), "saved");
  }
});

const MOMENTS = ["due_at", "taken_at", "saved_at", "renewed_at"];

function alter(path: string, statement: string): void {
  using database = new DatabaseSync(path, { timeout: 10_000 });
  assert.notEqual(database.prepare(statement).run().changes, 0, statement);
}

async function caughtUp(server: PostgresServer, standby: PostgresServer): Promise<void> {
  const [row] = await server.query<{ readonly lsn: string }>("select pg_current_wal_lsn()::text as lsn");
  await until(async () => {
    const [there] = await standby.query<{ readonly done: boolean }>(
      "select coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) as done",
      [row!.lsn],
    );
    return there!.done;
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

// A caller's own transaction on PostgreSQL with a vault's writes in it: more callers than connections, callers that roll
// back, and a KMS that does not answer.
import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isVaultError, openVault, type Vault } from "@strongroom/vault";
import { postgresStore } from "@strongroom/vault/postgres";
import type pg from "pg";
import { defer } from "../support/defer.ts";
import { keyringOf, newTestKey } from "../support/faults/keys.ts";
import { poolOf } from "../support/faults/place.ts";
import { PostgresServer } from "../support/postgres/server.ts";

const KEY = newTestKey("one");

let server: PostgresServer;
before(async () => {
  server = await PostgresServer.start();
});
after(() => server[Symbol.asyncDispose]());

interface Shared {
  readonly url: string;
  /** The one pool of the store and of the callers. */
  readonly pool: pg.Pool;
  readonly vault: Vault;
}

async function shared(t: TestContext, connections: number, keyring = keyringOf(KEY)): Promise<Shared> {
  const url = await server.createDatabase();
  const pool = poolOf({ kind: "postgres", url, connections });
  defer(t, () => pool.end());
  const vault = await openVault({ store: await postgresStore(pool, { migrate: true }), keyring });
  defer(t, () => vault.close());
  await pool.query("create table public.orders (id text primary key)");
  return { url, pool, vault };
}

/** An order and its buyer, both or neither. */
async function placeOrder(
  { pool, vault }: Shared,
  id: string,
  end: "commit" | "rollback",
  isolation = "read committed",
): Promise<void> {
  const prepared = await vault.prepare({ collection: "buyers", id }, { name: `Buyer ${id}` });
  const client = await pool.connect();
  try {
    await client.query(`begin isolation level ${isolation}`);
    await client.query("insert into public.orders (id) values ($1)", [id]);
    await vault.withTransaction(client, [prepared]);
    await client.query(end);
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

/** How many rows every table of the vault's has. */
async function rowsOf(pool: pg.Pool): Promise<Readonly<Record<string, number>>> {
  const { rows: tables } = await pool.query<{ readonly name: string }>(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'strongroom' order by 1",
  );
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const { rows } = await pool.query<{ readonly n: number }>(`select count(*)::int as n from ${name}`);
    counts[name] = rows[0]!.n;
  }
  return counts;
}

test("ten callers finish with two connections for themselves and the vault", async (t) => {
  const all = await shared(t, 2);
  const ids = Array.from({ length: 10 }, (_, caller) => Array.from({ length: 10 }, (_, n) => `c${caller}-${n}`));
  await Promise.all(
    ids.map(async (own) => {
      for (const id of own) await placeOrder(all, id, "commit");
    }),
  );
  const { rows } = await all.pool.query<{ readonly n: number }>("select count(*)::int as n from public.orders");
  assert.equal(rows[0]!.n, 100);
  for (const id of ids.flat())
    assert.deepEqual((await all.vault.get({ collection: "buyers", id })).document, { name: `Buyer ${id}` });
});

test("a caller that rolls back leaves nothing", async (t) => {
  const all = await shared(t, 2);
  await placeOrder(all, "first", "commit");
  const before = await rowsOf(all.pool);
  assert.ok(Object.values(before).some((count) => count > 0));
  for (const id of ["first", "second"]) {
    if (id === "second") await placeOrder(all, id, "rollback");
    else await assert.rejects(placeOrder(all, id, "rollback"), { code: "23505" });
  }
  const prepared = await all.vault.prepare({ collection: "buyers", id: "first" }, { name: "Another" });
  const client = await all.pool.connect();
  await client.query("begin");
  await all.vault.withTransaction(client, [prepared]);
  await client.query("rollback");
  client.release();
  assert.deepEqual(await rowsOf(all.pool), before);
  await assert.rejects(all.vault.get({ collection: "buyers", id: "second" }), { code: "record-absent" });
  assert.deepEqual((await all.vault.get({ collection: "buyers", id: "first" })).document, { name: "Buyer first" });
});

test("a conflict leaves the caller's transaction as it was, and it can be committed", async (t) => {
  const all = await shared(t, 2);
  const address = { collection: "buyers", id: "one" };
  const prepared = await all.vault.prepare(address, { name: "Late" });
  await all.vault.put(address, { name: "Early" });
  const client = await all.pool.connect();
  await client.query("begin");
  await client.query("insert into public.orders (id) values ('kept')");
  await assert.rejects(all.vault.withTransaction(client, [prepared]), { code: "record-contended" });
  await client.query("commit");
  client.release();
  assert.equal((await all.pool.query("select from public.orders where id = 'kept'")).rowCount, 1);
  assert.deepEqual((await all.vault.get(address)).document, { name: "Early" });
});

test("while a KMS does not answer, no connection is held and other callers go on", async (t) => {
  const keyring = keyringOf(KEY);
  let hanging = 0;
  const all = await shared(t, 2, {
    onEncrypt: async (...given) => {
      if (hanging > 0) {
        hanging--;
        await new Promise(() => undefined);
      }
      return keyring.onEncrypt(...given);
    },
    onDecrypt: (...given) => keyring.onDecrypt(...given),
  });
  await placeOrder(all, "before", "commit");
  hanging = 5;
  const stuck = Array.from({ length: 5 }, (_, n) => void placeOrder(all, `stuck-${n}`, "commit"));
  while (hanging > 0) await sleep(5);
  const open = await server.query<{ readonly n: number }>(
    "select count(*)::int as n from pg_stat_activity where datname = $1 and xact_start is not null",
    [new URL(all.url).pathname.slice(1)],
  );
  assert.equal(open[0]!.n, 0, "transactions that wait for the KMS");
  assert.equal(all.pool.idleCount, all.pool.totalCount, "connections that are held");
  for (let n = 0; n < 10; n++) await placeOrder(all, `after-${n}`, "commit");
  assert.equal(stuck.length, 5);
});

for (const isolation of ["read committed", "repeatable read", "serializable"])
  test(`a write prepared before a flip is not made after it: ${isolation}`, async (t) => {
    const all = await shared(t, 3);
    const other = newTestKey("other");
    const keyed = await openVault({
      store: await postgresStore(all.pool),
      keyring: keyringOf(KEY),
      keySet: ["one"],
      next: { keyring: keyringOf(other), keySet: ["other"] },
    });
    defer(t, () => keyed.close());
    const address = { collection: "buyers", id: "one" };
    await keyed.put(address, { name: "Before" });
    const prepared = [await keyed.prepare(address, { name: "Late" })];
    const client = await all.pool.connect();
    await client.query(`begin isolation level ${isolation}`);
    // Its snapshot, where it has one, is older than the flip.
    await client.query("select count(*) from strongroom.versions");
    await keyed.flipKeySet();
    await assert.rejects(keyed.withTransaction(client, prepared), (error) =>
      isVaultError(error)
        ? ["key-set-moved", "transaction-refused"].includes(error.code)
        : (error as { readonly code?: unknown }).code === "40001",
    );
    await client.query("rollback");
    client.release();
    assert.equal((await keyed.get(address)).version, 1);
  });

/**
 * Connections that are lost, stand still, or are not what they seem; and that none is left otherwise than it came.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { postgresStore } from "@strongroom/vault/postgres";
import type { PostgresPool, PostgresQuery } from "@strongroom/vault/postgres";
import pg from "pg";
import { defer } from "../../../../tests/support/defer.ts";
import { sqlState, storeFailure } from "../../src/stores/postgres/errors.ts";
import { rejectsWith } from "../support/errors.ts";
import { proxyBefore } from "./support/proxy.ts";
import { begin, fileServer, newSchema, poolOf } from "./support/storage.ts";
import { get, put, remove, writeUnit } from "./support/units.ts";

const { server, pool, url } = await fileServer();

test("connections that the server ends while they are idle end no process, and the next call has another", async (t) => {
  const quiet = new pg.Pool({ connectionString: url, max: 4 });
  defer(t, () => quiet.end());
  const { schema } = await newSchema(t, pool);
  const store = await postgresStore(quiet, { schema });
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 4 }, () => store.ping()));
    await server.terminateBackends(url);
    await put(store, `a${round}`, null, 1).catch((error: unknown) => {
      // It had been sent, for all that the driver knows.
      assert.equal((error as { code: string }).code, "outcome-unknown");
    });
    await store.ping();
  }
});

for (const [lost, becomes] of [
  ["request", "void"],
  ["answer", "made"],
] as const)
  test(`a write whose ${lost} is lost is unknown, and is ${becomes} for good when it is asked for`, async (t) => {
    const { schema } = await newSchema(t, pool);
    const proxy = await proxyBefore(t, url);
    const behind = poolOf(proxy.url);
    defer(t, () => behind.end());
    const store = await postgresStore(behind, { schema, namedStatements: false });
    await put(store, "first", null, 1);
    const small = writeUnit("a", null, 1);
    const large = [writeUnit("b", null, 1), writeUnit("c", null, 1, { message: Buffer.alloc(1 << 20, "c") })];
    for (const [made, units] of [
      ["put_v3(", [small]],
      ["apply_v5(", large],
    ] as const) {
      proxy.lose(lost, made);
      await rejectsWith("outcome-unknown", () => store.records.apply(units, { atomic: true }));
      assert.deepEqual(
        await store.records.outcome(units),
        units.map(() => becomes),
      );
      assert.deepEqual(
        (await store.records.apply(units, { atomic: false })).map(({ kind }) => kind),
        units.map(() => "conflict"),
        "it is not made again under its name",
      );
      assert.deepEqual(
        await store.records.outcome(units),
        units.map(() => becomes),
      );
      for (const { address } of units) assert.equal((await get(store, address.id)) === null, becomes === "void");
    }
    proxy.lose(lost, "encode(own.message");
    assert.equal(await get(store, "first"), "message 1", "a read is asked again");
    await store.close();
  });

test("a transaction of several statements is unknown only when its commit was sent", async (t) => {
  const { schema } = await newSchema(t, pool);
  const proxy = await proxyBefore(t, url);
  const behind = poolOf(proxy.url);
  defer(t, () => behind.end());
  const store = await postgresStore(behind, { schema, namedStatements: false });
  const units = ["a", "b", "c"].map((id) => writeUnit(id, null, 1, { message: Buffer.alloc(20 << 20, id) }));
  proxy.lose("answer", "put_v3(");
  await rejectsWith("store-failed", () => store.records.apply(units, { atomic: true }));
  proxy.lose("answer", "commit\0");
  await rejectsWith("outcome-unknown", () => store.records.apply(units, { atomic: true }));
  assert.deepEqual(await store.records.outcome(units), ["made", "made", "made"]);
  const more = ["d", "e", "c"].map((id) => writeUnit(id, null, 1, { message: Buffer.alloc(20 << 20, id) }));
  const kinds = (await store.records.apply(more, { atomic: true })).map(({ kind }) => kind).toSorted();
  assert.deepEqual(kinds, ["conflict", "not-made", "not-made"]);
  assert.deepEqual([await get(store, "d"), await get(store, "e")], [null, null]);
  await store.close();
});

test("a write that waits for another is given up in time, and says what became of it", async (t) => {
  const { schema, open } = await newSchema(t, pool);
  const store = await open({ lockTimeoutMs: 50 });
  await put(store, "ada", null, 1);
  const other = await begin(pool);
  await other.client.query(`select from ${schema}.heads for update`);
  const refused = await rejectsWith("store-failed", () =>
    store.records.apply([writeUnit("ada", 1, 2)], { atomic: true }),
  );
  assert.match(refused.message, /held/);
  const impatient = await open({ answerTimeoutMs: 100, lockTimeoutMs: 60_000 });
  const unit = writeUnit("ada", 1, 2);
  await rejectsWith("outcome-unknown", () => impatient.records.apply([unit], { atomic: true }));
  await other.rollback();
  const [outcome] = await store.records.outcome([unit]);
  assert.equal(await get(store, "ada"), outcome === "made" ? "message 2" : "message 1");
});

test("a pool that gives no connection is not waited for, and what it gives later goes back to it", async (t) => {
  const small = poolOf(url, 1);
  defer(t, () => small.end());
  const { schema } = await newSchema(t, pool);
  // Connected beforehand: a connection that is made takes longer than what is waited for one here.
  await small.query("select 1");
  const store = await postgresStore(small, { schema, connectTimeoutMs: 50 });
  const taken = await small.connect();
  await rejectsWith("store-failed", () => store.ping());
  await rejectsWith("store-failed", () => store.records.apply([writeUnit("a", null, 1)], { atomic: true }));
  taken.release();
  await store.ping();
  assert.equal(small.totalCount, 1);
  assert.equal(small.idleCount, 1);
});

test("whether the store is well is answered while the database stands still, by one connection for all", async (t) => {
  const small = poolOf(url, 4);
  defer(t, () => small.end());
  const { schema } = await newSchema(t, pool);
  const store = await postgresStore(small, { schema, answerTimeoutMs: 600_000 });
  await store.ping();
  const other = await begin(pool);
  await other.client.query(`lock table ${schema}.vault in access exclusive mode`);
  const asked = Promise.all(Array.from({ length: 20 }, () => rejectsWith("store-failed", () => store.ping())));
  await setImmediate();
  const held = [small.totalCount, small.waitingCount];
  await asked.finally(() => other.rollback());
  assert.deepEqual(held, [1, 0]);
  await store.ping();
});

test("a session goes back as it came, whatever was done on it", async (t) => {
  const one = poolOf(url, 1);
  defer(t, () => one.end());
  const { schema } = await newSchema(t, pool);
  const settings = async (): Promise<unknown> =>
    (await one.query("select name, setting from pg_settings where name not like '%.%' order by name")).rows;
  const before = await settings();
  const store = await postgresStore(one, { schema, lockTimeoutMs: 777 });
  await put(store, "ada", null, 1);
  await store.records.apply([writeUnit("ada", null, 1), writeUnit("bob", null, 1)], { atomic: true });
  await store.gate.flip({ from: 0 as never, digest: "first" });
  await remove(store, "ada", 1);
  await store.records.outcome([writeUnit("x", null, 1)]);
  assert.deepEqual(await settings(), before);
  const { rows } = await one.query("select count(*)::int as held from pg_locks where locktype = 'advisory'");
  assert.deepEqual(rows, [{ held: 0 }]);
});

test("parsers and settings that others chose change nothing", async (t) => {
  const odd = new pg.Pool({
    connectionString: url,
    types: { getTypeParser: () => () => ({ odd: true }) },
    options:
      "-c bytea_output=escape -c DateStyle=German -c search_path=nowhere -c synchronous_commit=off -c TimeZone=Asia/Tokyo -c default_transaction_isolation=serializable -c standard_conforming_strings=off",
  });
  defer(t, () => odd.end());
  const { schema } = await newSchema(t, pool);
  const store = await postgresStore(odd, { schema });
  await Promise.all(["a", "b", "c", "d"].map((id) => put(store, id, null, 1, { message: Buffer.from("\\x00'\0") })));
  assert.equal(await get(store, "a"), "\\x00'\0");
  assert.deepEqual(await store.records.collections(), [{ name: "people", records: 4 }]);
  assert.equal(await store.gate.flip({ from: 0 as never, digest: "first" }), "flipped");
  const client = await odd.connect();
  await client.query("begin isolation level read committed");
  const transaction = await store.transaction?.(client);
  await transaction?.apply([writeUnit("e", null, 1, { epoch: 1 })]);
  const { rows } = await client.query({ text: "show synchronous_commit", types: pg.types });
  assert.deepEqual(rows, [{ synchronous_commit: "on" }], "what is answered as made is on the disk");
  await client.query("rollback");
  client.release();
});

/** A pool whose sessions forget, before each statement, what was prepared on them: as a pooler's do. */
function forgetful(within: pg.Pool, told: { names: number }): PostgresPool {
  return {
    end: () => within.end(),
    async connect() {
      const client = await within.connect();
      return {
        processID: (client as unknown as { processID: number }).processID,
        async query(query: PostgresQuery) {
          if (query.name !== undefined) told.names += 1;
          await client.query("deallocate all");
          return client.query(query);
        },
        release: (destroy?: Error | boolean) => {
          client.release(destroy);
        },
      };
    },
  };
}

test("statements that a session has lost are not prepared any more, and nothing fails for it", async (t) => {
  const within = poolOf(url, 1);
  defer(t, () => within.end());
  const { schema } = await newSchema(t, pool);
  const told = { names: 0 };
  const store = await postgresStore(forgetful(within, told), { schema, namedStatements: true });
  for (let version = 1; version <= 5; version++) await put(store, "ada", version === 1 ? null : version - 1, version);
  assert.equal(await get(store, "ada"), "message 5");
  const before = told.names;
  await get(store, "ada");
  assert.ok(before > 0);
  assert.equal(told.names, before);
});

test("behind a pooler, and with a driver that does not tell, statements are not prepared", async (t) => {
  const { schema } = await newSchema(t, pool);
  for (const [processID, names] of [
    [1, 0],
    [undefined, 0],
    ["own", 1],
  ] as const) {
    const within = poolOf(url, 1);
    defer(t, () => within.end());
    let named = 0;
    const pooler: PostgresPool = {
      end: () => within.end(),
      async connect() {
        const client = await within.connect();
        const own = (client as unknown as { processID: number }).processID;
        return {
          ...(processID === undefined ? {} : { processID: processID === "own" ? own : processID }),
          query(query: PostgresQuery) {
            if (query.name !== undefined) named += 1;
            return client.query(query);
          },
          release: () => {
            client.release();
          },
        };
      },
    };
    const store = await postgresStore(pooler, { schema });
    await store.ping();
    assert.equal(named, names, String(processID));
  }
});

test("a password that is wrong, a database that is none and a server that is none are told apart", async () => {
  const at = (change: (target: URL) => void): string => {
    const target = new URL(url);
    change(target);
    return target.href;
  };
  for (const [target, message] of [
    [at((to) => (to.password = "wrong")), /password/],
    [at((to) => (to.pathname = "/nowhere")), /no such database/],
    [at((to) => (to.port = "1")), /connection/],
  ] as const) {
    const wrong = poolOf(target);
    const error = await rejectsWith("store-failed", () => postgresStore(wrong));
    assert.match(error.message, message);
    assert.ok(!JSON.stringify([error, String(error.cause)]).includes(server.password));
    await wrong.end();
  }
});

test("a server's text is cut and escaped, and its detail is left out", () => {
  const answer = Object.assign(new Error(`duplicate key \u001b[31m${"x".repeat(500)}`), {
    code: "23505",
    severity: "ERROR",
    detail: "Key (collection, id)=(people, Ada Lovelace) already exists.",
  });
  const error = storeFailure(answer);
  const all = `${error.message} ${String(error.cause)} ${JSON.stringify(error)}`;
  assert.ok(!all.includes("Ada") && !all.includes("\u001b") && all.length < 600, all);
  assert.equal(sqlState(answer), "23505");
  for (const [code, becomes] of [
    ["53100", "store-full"],
    ["25P02", "transaction-refused"],
    ["25006", "store-failed"],
    ["99999", "store-failed"],
  ] as const)
    assert.equal(storeFailure(Object.assign(new Error("x"), { code, severity: "ERROR" })).code, becomes);
});

test("what was settled days ago is taken away by those who settle, and what is younger stays", async (t) => {
  const { schema, open, forge } = await newSchema(t, pool);
  const store = await open();
  await forge(
    `insert into s.settled select 'old-' || n, 'void', (extract(epoch from now()) * 1000)::bigint - 3 * 86400000 from generate_series(1, 3000) n`,
    `insert into s.settled select 'young-' || n, 'void', (extract(epoch from now()) * 1000)::bigint - 86400000 from generate_series(1, 10) n`,
  );
  await put(store, "ada", null, 1);
  await remove(store, "ada", 1);
  await store.records.outcome([writeUnit("x", null, 1)]);
  const { rows } = await pool.query(`select count(*)::int as n from ${schema}.settled`);
  assert.deepEqual(rows, [{ n: 12 }]);
});

test("options that are none are named, each", async () => {
  const error = await rejectsWith("vault-option-invalid", () =>
    postgresStore({} as PostgresPool, { lockTimeoutMs: 0, namedStatements: "yes", shema: "x" } as object),
  );
  for (const name of ["pool", "lockTimeoutMs", "namedStatements", "shema"])
    assert.match(error.message, new RegExp(name));
});

// The example application on SQLite and on PostgreSQL, where its own table and the vault's record are one transaction.
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it, type TestContext } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import { verifyCertificate } from "@strongroom/vault";
import { postgresAuditLog, postgresKeyStore, postgresStore } from "@strongroom/vault/postgres";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import pg from "pg";
import { type Accounts, postgresAccounts, sqliteAccounts, USERS_TABLE } from "../../examples/app/accounts.ts";
import { createApp } from "../../examples/app/app.ts";
import { type CustomerVault, openCustomers } from "../../examples/app/vault.ts";
import { defer } from "../support/defer.ts";
import { PostgresServer } from "../support/postgres/server.ts";

let server: PostgresServer;
before(async () => {
  server = await PostgresServer.start();
});
after(() => server[Symbol.asyncDispose]());

/** The application, and how it is called. */
interface App {
  readonly vault: CustomerVault;
  readonly accounts: Accounts;
  readonly users: () => Promise<number>;
  readonly call: (
    method: "GET" | "POST" | "PUT" | "DELETE",
    url: string,
    given?: { readonly token?: string; readonly body?: object },
  ) => Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
}

const newKeyring = (): ReturnType<typeof rawAesKeyring> =>
  rawAesKeyring({ keyNamespace: "test", keyName: "test", wrappingKey: randomBytes(32) });

function appOf(t: TestContext, vault: CustomerVault, accounts: Accounts, users: App["users"]): App {
  const app = createApp({ vault, accounts, supportToken: "of-the-support" });
  defer(t, () => app.close());
  return {
    ...{ vault, accounts, users },
    call: async (method, url, { token, body } = {}) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const answer = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
      return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
    },
  };
}

async function onSqlite(t: TestContext): Promise<App> {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-app-"));
  defer(t, () => rm(folder, { recursive: true }));
  const vault = await openCustomers({
    store: await sqliteStore(join(folder, "records.sqlite")),
    keyStore: await sqliteKeyStore(join(folder, "keys.sqlite")),
    log: await sqliteAuditLog(join(folder, "audit.sqlite")),
    keyring: newKeyring(),
  });
  defer(t, () => vault.close());
  const database = new DatabaseSync(join(folder, "app.sqlite"));
  defer(t, () => {
    database.close();
  });
  const users = async (): Promise<number> => Number(database.prepare("select count(*) as n from users").get()?.["n"]);
  defer(t, async () => {
    // Whatever the application did, nothing of a person is in any of its files.
    for (const name of await readdir(folder))
      assert.doesNotMatch(await readFile(join(folder, name), "latin1"), /ada@example\.com|Lovelace/, name);
  });
  return appOf(t, vault, sqliteAccounts(database, vault), users);
}

/** One pool of two connections for the application and the vault's records; keys and audit have their own. */
async function onPostgres(t: TestContext): Promise<App & { readonly pool: pg.Pool }> {
  const url = await server.createDatabase();
  const newPool = (max: number): pg.Pool => {
    const pool = new pg.Pool({ connectionString: url, max });
    pool.on("error", () => undefined);
    defer(t, () => pool.end());
    return pool;
  };
  const pool = newPool(2);
  await pool.query(USERS_TABLE.replace("users", "public.users"));
  const vault = await openCustomers({
    store: await postgresStore(pool, { schema: "vault", migrate: true }),
    keyStore: await postgresKeyStore(newPool(2), { schema: "vault_keys", migrate: true }),
    log: await postgresAuditLog(newPool(2), { schema: "vault_audit", migrate: true }),
    keyring: newKeyring(),
  });
  defer(t, () => vault.close());
  const users = async (): Promise<number> =>
    Number((await pool.query<{ n: string }>("select count(*) as n from public.users")).rows[0]?.n);
  return { ...appOf(t, vault, postgresAccounts(pool, vault), users), pool };
}

const ADA = { name: "Ada Lovelace", email: "Ada@Example.com", phone: "+49 30 901820" };

for (const [place, open] of [
  ["SQLite", onSqlite],
  ["PostgreSQL", onPostgres],
] as const)
  describe(`the example application on ${place}`, () => {
    it("signs up, shows a profile, masks it for the support, and erases it", async (t) => {
      const { call, users, vault } = await open(t);
      const signedUp = await call("POST", "/sign-up", { body: ADA });
      assert.equal(signedUp.status, 201);
      const token = String(signedUp.body["session"]);
      assert.deepEqual((await call("GET", "/me", { token })).body, ADA);
      assert.equal((await call("POST", "/sign-up", { body: { ...ADA, email: "ada@example.COM" } })).status, 409);
      assert.equal((await call("POST", "/sign-up", { body: { ...ADA, email: "no address" } })).status, 400);
      const body = { email: "ada@example.com" };
      for (const other of [token, "für-den-Support"])
        assert.equal((await call("POST", "/support/find", { token: other, body })).status, 401);
      const found = await call("POST", "/support/find", { token: "of-the-support", body });
      assert.deepEqual(found.body, {
        customers: [{ id: signedUp.body["id"], name: "A. L.", email: "A•••@Example.com", phone: "•••20" }],
      });
      assert.equal((await call("PUT", "/me", { token, body: { ...ADA, name: "Ada King" } })).status, 200);
      const erased = await call("DELETE", "/me", { token });
      assert.equal(erased.status, 200);
      const { facts } = verifyCertificate(String(erased.body["certificate"]), String(erased.body["key"]));
      assert.equal(facts.records, 1);
      assert.equal((await call("GET", "/me", { token })).status, 401);
      assert.deepEqual((await vault.records.customers.find({ email: "ada@example.com" })).items, []);
      assert.equal(await users(), 0);
      assert.equal((await call("POST", "/sign-up", { body: ADA })).status, 201, "the address is free again");
    });

    it("gives one address to one of ten who want it at once", async (t) => {
      const { call, users, vault } = await open(t);
      const answers = await Promise.all(Array.from({ length: 10 }, () => call("POST", "/sign-up", { body: ADA })));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array<number>(9).fill(409)]);
      assert.equal(await users(), 1);
      assert.equal((await vault.records.customers.list()).items.length, 1);
    });

    it("keeps no record where its own row is refused", async (t) => {
      const { accounts, users, vault } = await open(t);
      const user = { id: randomUUID(), session: "s", plan: "no plan that there is" };
      await assert.rejects(accounts.add(user, ADA));
      assert.equal(await users(), 0);
      assert.deepEqual((await vault.records.customers.find({ email: ADA.email })).items, []);
      await accounts.add({ ...user, id: randomUUID(), plan: "free" }, ADA);
      assert.equal(await users(), 1);
    });
  });

describe("the example application's transaction", () => {
  it("keeps no row of its own where the record is refused, and commits both together", async (t) => {
    const { accounts, users, vault, pool } = await onPostgres(t);
    await accounts.add({ id: "1", session: "a", plan: "free" }, ADA);
    await assert.rejects(accounts.add({ id: "2", session: "b", plan: "free" }, ADA), { code: "value-taken" });
    assert.equal(await users(), 1);
    let seen: number | null = null;
    await vault.transaction(
      pool,
      () => [vault.records.customers.prepare("3", { name: "Ben", email: "ben@example.com" }, { subject: "3" })],
      async (client) => {
        await client.query("insert into public.users values ('3', 'c', 'free')");
        seen = await users();
      },
    );
    assert.deepEqual([seen, await users()], [1, 2], "not before the commit");
    assert.equal((await vault.records.customers.get("3")).document.name, "Ben");
  });

  it("lets ten callers finish who share two connections with the vault", async (t) => {
    const { call, users } = await onPostgres(t);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        call("POST", "/sign-up", { body: { name: "N", email: `person-${index}@example.com` } }),
      ),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array<number>(10).fill(201),
    );
    assert.equal(await users(), 10);
  });
});

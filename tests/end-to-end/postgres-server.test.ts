// The PostgreSQL that other tests use is a real one: durable, apart from every other, and gone when its test is.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startPostgres } from "../support/postgres/server.ts";

const SERVER = new URL("../support/postgres/server.ts", import.meta.url).href;

/** What the statement answers, on a connection of its own. */
async function ask(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

test("a server is durable, empty and closed to who has no password", async (t) => {
  const server = await startPostgres(t, { settings: { max_connections: "33" } });
  assert.equal(await ask(server.url, "show fsync"), "on");
  assert.equal(await ask(server.url, "show full_page_writes"), "on");
  assert.equal(await ask(server.url, "show synchronous_commit"), "on");
  assert.equal(await ask(server.url, "show max_connections"), "33");
  assert.equal(await ask(server.url, "select count(*)::int from pg_tables where schemaname = 'public'"), 0);
  assert.equal(await ask(server.url, "select rolsuper from pg_roles where rolname = current_user"), false);
  assert.equal(await ask(server.adminUrl, "select rolsuper from pg_roles where rolname = current_user"), true);
  assert.equal(await ask(server.url, "select 'a' < 'B'"), true, "the database sorts by bytes of its own accord");
  await assert.rejects(ask(server.url.replace(server.password, "guess"), "select 1"), { code: "28P01" });
  await assert.rejects(ask(server.url.replace(`:${server.password}`, ""), "select 1"), /password/i);
});

test("databases of one server are apart, and a server that was killed keeps what it had acknowledged", async (t) => {
  const server = await startPostgres(t);
  const [one, other] = [await server.createDatabase(), await server.createDatabase()];
  await ask(one, "create table kept as select 42 as answer");
  await assert.rejects(ask(other, "select answer from kept"), { code: "42P01" });
  const { port } = server;
  for (const end of [() => server.kill(), () => server.stop("immediate"), () => server.stop()]) {
    await end();
    assert.equal(server.pid, null);
    await assert.rejects(ask(one, "select answer from kept"), { code: "ECONNREFUSED" });
    await server.start();
    assert.equal(server.port, port);
    assert.equal(await ask(one, "select answer from kept"), 42);
  }
});

test("backends are ended on demand, and the server goes on", async (t) => {
  const server = await startPostgres(t);
  const client = new pg.Client({ connectionString: server.url });
  const broken = once(client, "error");
  client.on("error", () => undefined);
  await client.connect();
  assert.equal(await server.terminateBackends(), 1);
  await broken;
  assert.equal(await ask(server.url, "select 1"), 1);
});

test("a server and its folder are gone when the test's process was killed", async () => {
  const script = `
    const { PostgresServer } = await import(${JSON.stringify(SERVER)});
    const server = await PostgresServer.start();
    console.log(JSON.stringify({ pid: server.pid, folder: server.folder }));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await Promise.race([once(child.stdout, "data"), once(child, "exit")])) as [Buffer | number];
  assert.ok(Buffer.isBuffer(line), "the process with the server has ended");
  const { pid, folder } = JSON.parse(line.toString()) as { readonly pid: number; readonly folder: string };
  assert.ok(existsSync(folder));
  process.kill(pid, 0);
  child.kill("SIGKILL");
  while (existsSync(folder)) await sleep(20);
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});

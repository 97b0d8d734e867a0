import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import pg from "pg";
import { namedDatabase } from "../support/postgres.ts";
import { commandService } from "../support/service.ts";

const DEFINED = "--table people --key id --column name --column email --collection people";

describe("strongroom move", () => {
  it("takes a table of SQLite through every stage and back, and shows no value", async (t) => {
    const { run, folder, client } = await commandService(t);
    using app = new DatabaseSync(join(folder, "app.db"));
    app.exec("create table people (id integer primary key, name text, email text)");
    for (let id = 1; id <= 40; id++)
      app.prepare("insert into people values (?, ?, ?)").run(id, `Secret ${id}`, `secret${id}@example.com`);
    const all: string[] = [];
    const step = async (line: string, code = 0): Promise<string> => {
      const ended = await run(`move ${line}`);
      all.push(ended.stdout, ended.stderr);
      assert.equal(ended.code, code, ended.stderr);
      return ended.stdout;
    };
    const from = "--from sqlite:app.db";
    assert.match(await step(`plan people ${from} ${DEFINED}`), /^40 rows, 0 of them/);
    assert.match(await step(`start people ${from} ${DEFINED}`), /^people: dual-writing/);
    assert.match(await step(`backfill people ${from}`), /40 created/);
    app.exec("update people set email = 'secret-other@example.com' where id = 7");
    assert.match(await step(`verify people ${from}`, 1), /7: differs, email/);
    await step(`cut-over people ${from}`, 5);
    assert.match(await step(`backfill people ${from}`), /1 replaced, 39 the same/);
    await step(`cut-over people ${from}`);
    await step(`drop people ${from}`, 2);
    assert.match(await step(`drop people ${from} --yes`), /^people: dropped/);
    assert.equal(app.prepare("select count(*) as n from people where name is not null").get()?.["n"], 0);
    assert.equal((await client.records.get("people", "7")).document["email"], "secret-other@example.com");
    assert.match(await step(`back people ${from}`), /^people: cut-over/);
    assert.equal(app.prepare("select name from people where id = 40").get()?.["name"], "Secret 40");
    assert.match(await step(`status ${from}`), /people: cut-over\. It reads from the vault, writes both/);
    assert.doesNotMatch(all.join(), /secret/i);
  });

  it("takes one of PostgreSQL, whose password is in no argument and in no output", async (t) => {
    const { run, folder } = await commandService(t);
    const { server, url, passwordFile } = await namedDatabase(t, folder);
    const secret = new URL(url);
    secret.password = server.password;
    const app = new pg.Client({ connectionString: secret.href });
    app.on("error", () => undefined);
    await app.connect();
    t.after(() => app.end());
    await app.query('create table people (id uuid primary key, name text, email text); create schema "Other one"');
    await app.query("insert into people select gen_random_uuid(), 'Name', 'x@example.com' from generate_series(1, 30)");
    const from = `--from ${url} --password-file ${passwordFile}`;
    for (const line of [
      `plan people ${from} ${DEFINED}`,
      `start people ${from} ${DEFINED}`,
      `backfill people ${from}`,
      `cut-over people ${from}`,
      `drop people ${from} --yes`,
      `back people ${from}`,
      `status people ${from}`,
    ]) {
      const { code, stdout, stderr } = await run(`move ${line}`);
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stdout + stderr, new RegExp(`${server.password}|example\\.com`));
    }
    const withPassword = new URL(url);
    withPassword.password = "hunter2";
    const refused = await run(`move status --from ${withPassword.href}`);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /holds a password/);
    assert.doesNotMatch(refused.stderr, /hunter2/);
    await writeFile(join(folder, "wrong"), "wrong\n", { mode: 0o600 });
    const wrong = await run(`move status --from ${url} --password-file ${join(folder, "wrong")}`);
    assert.match(wrong.stderr, /store-login-refused|not the right one/);
  });

  it("says what is missing, and makes no file of a misspelt name", async (t) => {
    const { run } = await commandService(t);
    assert.match((await run("move status")).stderr, /--from/);
    assert.equal((await run("move status --from sqlite:nothing.db")).code, 2);
    assert.match((await run("move status --from postgres://a@db.example/x?sslmode=disable")).stderr, /without TLS/);
  });
});

/**
 * What a move makes of a vault that refuses, of a database that goes away, and of names that look like parameters.
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import pg from "pg";
import {
  cutOver,
  drop,
  dualWrite,
  fill,
  MoveStates,
  postgresDatabase,
  start,
  vaultTarget,
} from "@strongroom/vault/moving";
import type { MoveOptions, MoveTarget } from "@strongroom/vault/moving";
import { defer } from "../../../../tests/support/defer.ts";
import { VaultError } from "../../src/errors.ts";
import type { VaultErrorCode } from "../../src/errors.ts";
import type { ActingVault } from "../../src/vault.ts";
import { fileServer } from "../postgres/support/storage.ts";
import { movedSqlite, PEOPLE, stored } from "./support/moved.ts";
import type { Moved } from "./support/moved.ts";

const { url } = await fileServer();
const TABLE = "create table people (id integer primary key, name text, email text, born text)";

/** A table of three people that is in the given stage. */
async function movedTo(t: TestContext, stage: "dual-writing" | "dropped"): Promise<Moved> {
  const given = await movedSqlite(t, TABLE);
  for (const id of ["1", "2", "3"]) await given.sql("insert into people (id, name) values ($1, 'old')", [id]);
  await start(given.options, PEOPLE);
  if (stage === "dual-writing") return given;
  await fill(given.options, "people");
  await cutOver(given.options, "people");
  await drop(given.options, "people");
  return given;
}

/** The vault, but that it refuses what changes something; and how often it was asked to. */
function refusing(
  vault: ActingVault,
  code: VaultErrorCode,
): { readonly vault: ActingVault; readonly asked: () => number } {
  let asked = 0;
  const refuse = async (): Promise<never> => {
    asked++;
    throw new VaultError(code, "Not now");
  };
  const refuses: Partial<ActingVault> = { put: refuse, remove: refuse };
  const proxy = new Proxy(vault, {
    get: (target, name) => {
      const value: unknown = Reflect.get(refuses, name) ?? Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { vault: proxy, asked: () => asked };
}

const ADA = { name: "Ada", email: null, born: null };

describe("a vault that refuses", () => {
  for (const [code, told] of [
    ["record-contended", "record-contended"],
    ["subject-held", "move-table-unfit"],
  ] as const)
    it(`fails a write and a removal of what it alone has: ${code}`, async (t) => {
      const given = await movedTo(t, "dropped");
      const { vault } = refusing(given.vault, code);
      const people = await dualWrite({ vault, database: given.database, move: "people" });
      await assert.rejects(people.put("1", ADA), { code: told });
      await given.sql("delete from people where id = 2");
      await assert.rejects(
        people.remove("2", async () => undefined),
        { code: told },
      );
      assert.notEqual(await stored(given.vault, "2"), null);
    });

  it("lets a removal be made again of what it has no more", async (t) => {
    const given = await movedTo(t, "dropped");
    const people = await dualWrite({ vault: given.vault, database: given.database, move: "people" });
    await given.sql("delete from people where id = 2");
    await people.remove("2", async () => undefined);
    await people.remove("2", async () => undefined);
    assert.equal(await stored(given.vault, "2"), null);
  });

  it("is asked once to remove a record that it keeps, and the record is named", async (t) => {
    const given = await movedTo(t, "dual-writing");
    await fill(given.options, "people");
    await given.sql("delete from people where id = 3");
    const { vault, asked } = refusing(given.vault, "subject-held");
    const options = { ...given.options, target: (collection: string) => vaultTarget(vault, collection) };
    const { state, refused, counts } = await fill(options, "people", { removeGone: true });
    assert.equal(asked(), 1);
    assert.deepEqual(refused, [{ key: "3", reasons: ["subject-held"] }]);
    assert.deepEqual([state.stage, counts?.refused, counts?.same], ["dual-writing", 1, 2]);
    const people = await dualWrite({ vault, database: given.database, move: "people" });
    await assert.rejects(
      people.remove("3", async () => undefined),
      { code: "move-table-unfit", message: /subject-held/ },
    );
  });
});

describe("a run that was interrupted", () => {
  it("counts each row once", async (t) => {
    const given = await movedTo(t, "dual-writing");
    for (let id = 4; id <= 150; id++) await given.sql("insert into people (id, name) values ($1, 'old')", [`${id}`]);
    let pages = 0;
    const dying: MoveOptions = {
      ...given.options,
      target: (collection) => {
        const real = given.options.target(collection);
        const create: MoveTarget["create"] = (items) => {
          if (++pages === 2) throw new Error("killed here");
          return real.create(items);
        };
        return { ...real, create };
      },
    };
    await assert.rejects(fill(dying, "people"), /killed here/);
    const { counts } = await fill(given.options, "people");
    assert.equal((counts?.created ?? 0) + (counts?.same ?? 0), 150);
  });
});

describe("a database", () => {
  it("of PostgreSQL that ends connections fails what it is asked then, and no process", async (t) => {
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    defer(t, () => pool.end());
    const database = postgresDatabase(pool);
    const own = (run: Parameters<Parameters<typeof database.transaction>[0]>[0]): Promise<string> =>
      run("select pg_backend_pid() as pid").then(([row]) => String(row?.["pid"]));
    const idle = await database.transaction(own);
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    defer(t, () => other.end());
    await other.query("select pg_terminate_backend($1)", [idle]);
    await delay(200);
    await assert.rejects(
      database.transaction(async (run) => {
        await other.query("select pg_terminate_backend($1)", [await own(run)]);
        await delay(200);
        await run("select 1");
      }),
    );
    assert.deepEqual(await new MoveStates(database).list(), []);
  });

  it("of SQLite takes names that look like parameters", async (t) => {
    const given = await movedSqlite(t, 'create table "cost $1" (id integer primary key, "in $2" text, "a""$3" text)');
    await given.sql('insert into "cost $1" values ($2, $1, $1)', ["old", 1n]);
    const columns = ["in $2", 'a"$3'].map((name) => ({ name, holds: "values" }) as const);
    await start(given.options, { ...PEOPLE, table: "cost $1", columns });
    assert.equal((await fill(given.options, "people")).counts?.created, 1);
    assert.deepEqual(await stored(given.vault, "1"), { "in $2": "old", 'a"$3': "old" });
    const people = await dualWrite({ vault: given.vault, database: given.database, move: "people" });
    await people.put("1", { "in $2": "new", 'a"$3': null });
    assert.deepEqual(await stored(given.vault, "1"), { "in $2": "new", 'a"$3': null });
  });
});

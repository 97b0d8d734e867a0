import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { back, cutOver, drop, dualWrite, fill, MoveStates, plan, start, verify } from "@strongroom/vault/moving";
import { fileServer } from "../postgres/support/storage.ts";
import { movedPostgres, movedSqlite, PEOPLE, stored } from "./support/moved.ts";
import type { Moved } from "./support/moved.ts";

const { pool } = await fileServer();

const TABLE = "create table people (id integer primary key, name text, email text, born text, note text)";
const databases: readonly (readonly [string, (t: TestContext) => Promise<Moved>])[] = [
  ["SQLite", (t) => movedSqlite(t, TABLE)],
  ["PostgreSQL", (t) => movedPostgres(t, pool, TABLE)],
];

async function insertPeople({ sql }: Moved, from: number, to: number): Promise<void> {
  for (let id = from; id <= to; id++)
    await sql("insert into people (id, name, email, born, note) values ($1, $2, $3, $4, 'stays')", [
      `${id}`,
      `Name ${id}`,
      `p${id}@example.com`,
      id % 7 === 0 ? null : "1815-12-10",
    ]);
}

const documentOf = (id: number): object => ({
  name: `Name ${id}`,
  email: `p${id}@example.com`,
  born: id % 7 === 0 ? null : "1815-12-10",
});

for (const [name, open] of databases)
  describe(`a table of ${name} moves`, () => {
    it("through every stage, and each row is what it was", async (t) => {
      const given = await open(t);
      const { vault, options, sql } = given;
      await insertPeople(given, 1, 250);
      await sql("insert into people (id, note) values (251, 'nobody')");
      const planned = await plan(given.database, PEOPLE);
      assert.deepEqual([planned.rows, planned.empty, planned.problems], [251, 1, []]);
      assert.equal(planned.columns[2]?.nulls, 36);
      assert.equal((await start(options, PEOPLE)).state.stage, "dual-writing");
      const filled = await fill(options, "people");
      assert.deepEqual(filled.counts, { created: 250, replaced: 0, same: 0, refused: 0, emptied: 0 });
      assert.equal(filled.state.stage, "filled");
      assert.deepEqual(await stored(vault, "7"), documentOf(7));
      const again = await fill(options, "people");
      assert.deepEqual(again.counts, { created: 0, replaced: 0, same: 250, refused: 0, emptied: 0 });
      assert.equal((await vault.history({ collection: "people", id: "7" })).length, 1, "no second version");
      assert.deepEqual((await verify(options, "people")).verdict, { rows: 250, records: 250, found: 0, findings: [] });
      assert.equal((await cutOver(options, "people")).state.stage, "cut-over");
      const dropped = await drop(options, "people");
      assert.equal(dropped.state.stage, "dropped");
      const left = await sql("select count(*) as n from people where name is not null or email is not null");
      assert.equal(String(left[0]?.["n"]), "0");
      assert.equal(String((await sql("select count(*) as n from people where note = 'stays'"))[0]?.["n"]), "250");
      assert.deepEqual(await stored(vault, "250"), documentOf(250));
      assert.deepEqual(
        dropped.state.progress.history.map(({ stage }) => stage),
        ["planned", "dual-writing", "filled", "dual-writing", "filled", "cut-over", "dropping", "dropped"],
      );
    });

    it("and each stage back again, the columns as they were", async (t) => {
      const given = await open(t);
      const { options, sql } = given;
      await insertPeople(given, 1, 120);
      const before = await sql("select * from people order by id");
      await start(options, PEOPLE);
      await fill(options, "people");
      await cutOver(options, "people");
      await drop(options, "people");
      assert.equal((await back(options, "people")).state.stage, "cut-over");
      assert.deepEqual(await sql("select * from people order by id"), before);
      for (const stage of ["filled", "dual-writing", "planned"])
        assert.equal((await back(options, "people")).state.stage, stage);
      await assert.rejects(back(options, "people"), { code: "move-stage" });
    });

    it("no step goes from a stage that is not its own", async (t) => {
      const given = await open(t);
      const { options } = given;
      await insertPeople(given, 1, 3);
      await assert.rejects(fill(options, "people"), { code: "move-absent" });
      await start(options, PEOPLE);
      await assert.rejects(start(options, PEOPLE), { code: "move-stage" });
      await assert.rejects(cutOver(options, "people"), { code: "move-stage" });
      await assert.rejects(drop(options, "people"), { code: "move-stage" });
      await fill(options, "people");
      await assert.rejects(drop(options, "people"), { code: "move-stage" });
    });

    it("a cut-over and a drop are refused while one row is not in the vault as it is", async (t) => {
      const given = await open(t);
      const { options, sql, vault } = given;
      await insertPeople(given, 1, 5);
      await start(options, PEOPLE);
      await fill(options, "people");
      await sql("update people set email = 'changed@example.com' where id = 3");
      const refused = await cutOver(options, "people").catch((error: unknown) => error as Error & { code: string });
      assert.ok(refused instanceof Error && refused.code === "move-not-whole");
      assert.match(refused.message, /3 \(differs in email\)/);
      assert.doesNotMatch(refused.message, /example\.com/);
      await fill(options, "people");
      await cutOver(options, "people");
      await vault.remove({ collection: "people", id: "4" });
      await assert.rejects(drop(options, "people"), { code: "move-not-whole" });
      assert.equal(String((await sql("select count(*) as n from people where name is null"))[0]?.["n"]), "0");
    });

    it("a row that was deleted, by hand, is found, and its record goes only when that is asked for", async (t) => {
      const given = await open(t);
      const { options, sql, vault } = given;
      await insertPeople(given, 1, 5);
      await start(options, PEOPLE);
      await fill(options, "people");
      await sql("delete from people where id = 2");
      await sql("update people set name = null, email = null, born = null where id = 4");
      const { verdict } = await verify(options, "people");
      assert.deepEqual(
        verdict?.findings.map(({ key, kind }) => [key, kind]),
        [
          ["2", "without-row"],
          ["4", "emptied"],
        ],
      );
      await fill(options, "people");
      assert.notEqual(await stored(vault, "2"), null);
      assert.equal((await fill(options, "people", { removeGone: true })).counts?.emptied, 2);
      assert.deepEqual([await stored(vault, "2"), await stored(vault, "4")], [null, null]);
      await cutOver(options, "people");
    });

    it("the same step is one process's at a time; the one that lost the move stores nothing more", async (t) => {
      const given = await open(t);
      const { options, database } = given;
      await insertPeople(given, 1, 300);
      await start(options, PEOPLE);
      const both = await Promise.allSettled([fill(options, "people"), fill(options, "people")]);
      assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
      const [lost] = both.filter((one) => one.status === "rejected");
      assert.equal(lost!.reason.code, "move-held");
      const states = new MoveStates(database, 1);
      const held = await states.take("people", ["filled"]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const other = await states.take("people", ["filled"]);
      await assert.rejects(states.save(held, held.state.progress), { code: "move-held" });
      await assert.rejects(states.flip(held, "cut-over"), { code: "move-held" });
      await states.save(other, other.state.progress);
    });

    it("an application writes what each stage wants, by one call", async (t) => {
      const given = await open(t);
      const { options, sql, vault, database } = given;
      await insertPeople(given, 1, 3);
      await start(options, PEOPLE);
      const people = await dualWrite({ vault, database, move: "people" });
      const ada = { name: "Ada", email: "ada@example.com", born: null };
      await people.put("1", ada);
      assert.deepEqual(await stored(vault, "1"), ada);
      await people.put("9", ada, (client) => own(given, client, "insert into people (id) values (9)"));
      assert.deepEqual([await people.read("9"), await stored(vault, "9")], [ada, ada]);
      await fill(options, "people");
      await cutOver(options, "people");
      const ben = { ...ada, name: "Ben" };
      await people.put("9", ben);
      await drop(options, "people");
      const cleo = { ...ada, name: "Cleo" };
      await people.put("9", cleo);
      assert.deepEqual(await people.read("9"), cleo);
      assert.equal((await sql("select name from people where id = 9"))[0]?.["name"], null);
      await back(options, "people");
      assert.equal((await sql("select name from people where id = 9"))[0]?.["name"], "Cleo");
      await assert.rejects(
        people.remove("9", async () => undefined),
        { code: "move-table-unfit" },
      );
      await people.remove("9", (client) => own(given, client, "delete from people where id = 9"));
      assert.equal(await stored(vault, "9"), null);
      assert.equal((await verify(options, "people")).verdict?.found, 0);
    });
  });

/** A statement of the application in the transaction whose client it is given. */
async function own({ database }: Moved, client: unknown, text: string): Promise<void> {
  if (client instanceof DatabaseSync) client.exec(text);
  else
    await (client as { query(text: string): Promise<unknown> }).query(
      text.replace("people", `"${database.schema?.replaceAll('"', '""') ?? ""}".people`),
    );
}

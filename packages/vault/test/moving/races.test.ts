import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { back, cutOver, drop, dualWrite, fill, MoveStates, start, verify } from "@strongroom/vault/moving";
import type { MoveOptions, MoveTarget } from "@strongroom/vault/moving";
import { fileServer } from "../postgres/support/storage.ts";
import { movedPostgres, movedSqlite, PEOPLE, stored } from "./support/moved.ts";
import type { Moved } from "./support/moved.ts";

const { pool } = await fileServer();
const TABLE = "create table people (id integer primary key, name text, email text, born text)";
const databases: readonly (readonly [string, (t: TestContext) => Promise<Moved>])[] = [
  ["SQLite", (t) => movedSqlite(t, TABLE)],
  ["PostgreSQL", (t) => movedPostgres(t, pool, TABLE)],
];
const named = (name: string): { name: string; email: null; born: null } => ({ name, email: null, born: null });

/** The same target, with something of the application's in between. */
function between({ options }: Moved, change: (target: MoveTarget) => Partial<MoveTarget>): MoveOptions {
  return {
    ...options,
    target: (collection) => {
      const real = options.target(collection);
      return { ...real, ...change(real) };
    },
  };
}

async function begun(given: Moved, count = 3): Promise<void> {
  for (let id = 1; id <= count; id++) await given.sql("insert into people (id, name) values ($1, 'old')", [`${id}`]);
  await start(given.options, PEOPLE);
}

for (const [name, open] of databases)
  describe(`beside an application that writes, in ${name}`, () => {
    it("a row that changes between its reading and its writing is not overwritten", async (t) => {
      const given = await open(t);
      await begun(given);
      const people = await dualWrite({ vault: given.vault, database: given.database, move: "people" });
      let versions = 0;
      const options = between(given, (real) => ({
        create: async (items) => {
          await people.put("2", named("new"));
          const outcomes = await real.create(items);
          versions = (await given.vault.history({ collection: "people", id: "2" })).length;
          return outcomes;
        },
      }));
      await fill(options, "people");
      assert.deepEqual(await stored(given.vault, "2"), named("new"));
      assert.equal(versions, 1, "the older text was never stored over it");
    });

    it("a row that is written without the vault meanwhile is taken again", async (t) => {
      const given = await open(t);
      await begun(given);
      const options = between(given, (real) => ({
        create: async (items) => {
          const outcomes = await real.create(items);
          await given.sql("update people set name = 'newer' where id = 1");
          return outcomes;
        },
      }));
      await fill(options, "people");
      assert.deepEqual(await stored(given.vault, "1"), named("newer"));
    });

    it("a row that is deleted between its reading and its writing does not come back", async (t) => {
      const given = await open(t);
      await begun(given);
      const options = between(given, (real) => ({
        create: async (items) => {
          await given.sql("delete from people where id = 3");
          return real.create(items);
        },
      }));
      await fill(options, "people");
      assert.equal(await stored(given.vault, "3"), null);
      assert.equal((await verify(given.options, "people")).verdict?.found, 0);
    });

    it("one who read a row of before while it went there and back again does not leave the older one", async (t) => {
      const given = await open(t);
      await begun(given, 1);
      await fill(given.options, "people");
      const people = await dualWrite({ vault: given.vault, database: given.database, move: "people" });
      // A carries "middle", and stops before it writes; meanwhile the row goes back to "old", as the vault has it.
      await given.sql("update people set name = 'middle' where id = 1");
      let isFirst = true;
      const slow = between(given, (real) => ({
        put: async (item, version) => {
          if (isFirst) {
            isFirst = false;
            await people.put("1", named("old"));
          }
          return real.put(item, version);
        },
      }));
      await fill(slow, "people");
      assert.deepEqual(await stored(given.vault, "1"), named("old"));
    });

    it("what the application wrote while a row was being compared is not overwritten, not even for a moment", async (t) => {
      const given = await open(t);
      await begun(given, 1);
      await fill(given.options, "people");
      const people = await dualWrite({ vault: given.vault, database: given.database, move: "people" });
      await given.sql("update people set name = 'middle' where id = 1");
      let isFirst = true;
      const slow = between(given, (real) => ({
        put: async (item, version) => {
          if (isFirst) {
            isFirst = false;
            await people.put("1", named("new"));
          }
          return real.put(item, version);
        },
      }));
      await fill(slow, "people");
      assert.equal((await given.vault.history({ collection: "people", id: "1" })).length, 2, "old, new, and no other");
      assert.deepEqual(await stored(given.vault, "1"), named("new"));
    });

    it("a run that dies after it wrote a row that was deleted leaves no record of it", async (t) => {
      const given = await open(t);
      await begun(given);
      const dying = between(given, (real) => ({
        create: async (items) => {
          await real.create(items);
          await given.sql("delete from people where id = 2");
          throw new Error("killed here");
        },
      }));
      await assert.rejects(fill(dying, "people"), /killed here/);
      assert.notEqual(await stored(given.vault, "2"), null);
      await fill(given.options, "people");
      assert.equal(await stored(given.vault, "2"), null);
    });

    it("a value that is written late, by one who knew the stage of before, is neither lost nor emptied", async (t) => {
      const given = await open(t);
      await begun(given);
      await fill(given.options, "people");
      await cutOver(given.options, "people");
      let isLate = true;
      const options = between(given, (real) => ({
        read: async (id) => {
          const found = await real.read(id);
          const { stage } = await new MoveStates(given.database).read("people");
          if (stage === "dropping" && id === "2" && isLate) {
            isLate = false;
            await given.sql("update people set name = 'late' where id = 2");
          }
          return found;
        },
      }));
      const dropped = await drop(options, "people");
      assert.deepEqual([dropped.state.stage, dropped.left], ["dropping", ["2"]]);
      assert.equal((await given.sql("select name from people where id = 2"))[0]?.["name"], "late");
      await assert.rejects(back(given.options, "people"), { code: "move-not-whole" });
    });

    it("hundreds of writes and removals beside a move through all stages and back end in agreement", async (t) => {
      const given = await open(t);
      await begun(given, 150);
      const { vault, database, options } = given;
      const people = await dualWrite({ vault, database, move: "people" });
      const last = new Map<string, string>();
      let isOver = false;
      let writes = 0;
      const writer = async (part: number): Promise<void> => {
        for (let round = 0; !isOver; round++) {
          const id = String(1 + part + 4 * Math.floor(Math.random() * 37));
          const text = `written ${part}.${round}`;
          await people.put(id, named(text));
          last.set(id, text);
          writes++;
          assert.equal((await people.read(id))?.["name"], text, "one reads what one wrote");
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      };
      const writers = [0, 1, 2, 3].map(writer);
      const steps = async (): Promise<void> => {
        await fill(options, "people");
        await cutOver(options, "people");
        while ((await drop(options, "people")).state.stage !== "dropped");
        await back(options, "people");
      };
      await steps().finally(() => {
        isOver = true;
      });
      await Promise.all(writers);
      assert.ok(writes > 20, `${writes} writes`);
      assert.equal((await verify(options, "people")).verdict?.found, 0);
      for (const [id, text] of last) assert.deepEqual(await stored(vault, id), named(text));
      for (const row of await given.sql("select id, name from people"))
        assert.equal(row["name"], last.get(String(row["id"])) ?? "old");
    });
  });

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { encrypt, rawAesKeyring } from "@strongroom/envelope";
import { back, cutOver, drop, fill, plan, start, verify } from "@strongroom/vault/moving";
import type { MoveDefinition } from "@strongroom/vault/moving";
import { fileServer } from "../postgres/support/storage.ts";
import { movedPostgres, movedSqlite, PEOPLE, stored } from "./support/moved.ts";

const { pool } = await fileServer();

/** Type of PostgreSQL -> literals, and what a document has of each. */
const EXACT: Readonly<Record<string, readonly (readonly [literal: string, value: unknown])[]>> = {
  bigint: [
    ["9223372036854775807", "9223372036854775807"],
    ["-1", "-1"],
  ],
  numeric: [
    ["12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"],
    ["1.10", "1.10"],
    ["'NaN'", "NaN"],
  ],
  timestamptz: [
    ["'2026-03-29 02:30:00.123456+02'", "2026-03-29 00:30:00.123456+00"],
    ["'infinity'", "infinity"],
    ["'0044-03-15 12:00:00+00 BC'", "0044-03-15 12:00:00+00 BC"],
  ],
  date: [["'1815-12-10'", "1815-12-10"]],
  interval: [["'1 mon 2 days 03:04:05.000006'", "1 mon 2 days 03:04:05.000006"]],
  bytea: [["'\\x00ff10'", "AP8Q"]],
  "double precision": [
    ["0.1::float8 + 0.2::float8", 0.300_000_000_000_000_04],
    ["1e308", 1e308],
  ],
  real: [["0.1", 0.1]],
  smallint: [["7", 7]],
  boolean: [
    ["true", true],
    ["false", false],
  ],
  jsonb: [['\'{"a": [1, null, "ü"]}\'', { a: [1, null, "ü"] }]],
  uuid: [["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]],
  "character varying(20)": [
    ["'quote '' \" \\'", "quote ' \" \\"],
    ["''", ""],
  ],
  inet: [["'192.168.0.1/24'", "192.168.0.1/24"]],
};

describe("values of PostgreSQL", () => {
  it("are exact in the vault, and again in the column after the way back", async (t) => {
    const columns = Object.keys(EXACT).map((type, index) => `"c ""${index}" ${type}`);
    const given = await movedPostgres(
      t,
      pool,
      `create table "t ""x" ("the key" uuid primary key, ${columns.join(", ")})`,
    );
    const { sql, options, vault } = given;
    const definition: MoveDefinition = {
      name: "all",
      table: 't "x',
      key: "the key",
      columns: columns.map((_, index) => ({ name: `c "${index}`, holds: "values" })),
      collection: "people",
    };
    const rounds = Math.max(...Object.values(EXACT).map(({ length }) => length));
    const key = (round: number): string => `00000000-0000-4000-8000-00000000000${round}`;
    for (let round = 0; round < rounds; round++)
      await sql(
        `insert into "t ""x" values ('${key(round)}', ${Object.values(EXACT)
          .map((cases) => cases[round]?.[0] ?? "null")
          .join(", ")})`,
      );
    const before = await sql('select t::text from "t ""x" t order by 1');
    await start(options, definition);
    assert.deepEqual((await fill(options, "all")).refused, []);
    for (let round = 0; round < rounds; round++) {
      const wanted = Object.values(EXACT).map((cases, index) => [`c "${index}`, cases[round]?.[1] ?? null]);
      assert.deepEqual(await stored(vault, key(round)), Object.fromEntries(wanted));
    }
    await cutOver(options, "all");
    await drop(options, "all");
    await back(options, "all");
    assert.deepEqual(await sql('select t::text from "t ""x" t order by 1'), before);
  });

  it("that JSON cannot hold are refused, row by row, with the column and the reason", async (t) => {
    const given = await movedPostgres(
      t,
      pool,
      "create table people (id bigint primary key, name float8, email json, born text)",
    );
    await given.sql(`insert into people values (1, 'NaN', null, null), (2, null, '{"n": 12345678901234567890}', 'x'),
      (3, null, '{"a": 1, "a": 2}', null), (4, '-0', null, null), (5, 1.5, '{}', 'fine')`);
    await start(given.options, PEOPLE);
    const { refused, state, counts } = await fill(given.options, "people");
    assert.deepEqual(
      refused?.map(({ key, reasons }) => [key, ...reasons]),
      [
        ["1", "name: a number that JSON has not: NaN, infinity, -0"],
        ["2", "email: JSON with a number that a double does not hold"],
        ["3", "email: JSON with a key twice"],
        ["4", "name: a number that JSON has not: NaN, infinity, -0"],
      ],
    );
    assert.deepEqual([state.stage, counts?.created], ["dual-writing", 1]);
  });

  it("of types without an exact text, and tables without a key, are refused before anything is done", async (t) => {
    const given = await movedPostgres(
      t,
      pool,
      "create table people (id text, name money, email text[], born text); create unique index on people (id)",
    );
    await assert.rejects(plan(given.database, PEOPLE), (error: Error & { code: string }) => {
      assert.equal(error.code, "move-table-unfit");
      for (const part of [/id is no key/, /name is of the type money/, /email is of the type text\[\]/])
        assert.match(error.message, part);
      return true;
    });
    await assert.rejects(plan(given.database, { ...PEOPLE, table: "people; drop table people" }), {
      code: "move-table-unfit",
    });
  });
});

describe("values of SQLite", () => {
  it("are exact, or refused by the row", async (t) => {
    const given = await movedSqlite(t, "create table people (id text primary key not null, name, email, born)");
    await given.sql(`insert into people values ('a', 1, 1.5, 'x'), ('b', 9007199254740993, null, null),
      ('c', x'00ff', 9e999, null), ('d', cast(x'c328' as text), null, null), ('e', -3, cast(x'610062' as text), '')`);
    await start(given.options, PEOPLE);
    const { refused } = await fill(given.options, "people");
    assert.deepEqual(
      refused?.map(({ key, reasons }) => [key, ...reasons]),
      [
        ["b", "name: a whole number that no double holds: move the column as text"],
        ["c", "email: a number that JSON has not: NaN, infinity, -0"],
        ["d", "name: text that is not UTF-8"],
      ],
    );
    assert.deepEqual(await stored(given.vault, "a"), { name: 1, email: 1.5, born: "x" });
    assert.deepEqual(await stored(given.vault, "e"), { name: -3, email: "a\0b", born: "" });
  });

  it("a whole number that no double holds moves as text, and comes back as it was", async (t) => {
    const given = await movedSqlite(
      t,
      "create table people (id integer primary key, name integer, email text, born text)",
    );
    await given.sql("insert into people values (1, 9007199254740993, 'x', null)");
    const columns = PEOPLE.columns.map((one) => (one.name === "name" ? { ...one, as: "text" as const } : one));
    await start(given.options, { ...PEOPLE, columns });
    await fill(given.options, "people");
    assert.equal(((await stored(given.vault, "1")) as { name: string }).name, "9007199254740993");
    await cutOver(given.options, "people");
    await drop(given.options, "people");
    await back(given.options, "people");
    assert.equal((await given.sql("select name from people"))[0]?.["name"], 9007199254740993n);
  });

  it("a column that may not be null is named by the plan, and refused before anything is emptied", async (t) => {
    const given = await movedSqlite(t, "create table people (id integer primary key, name text not null, email, born)");
    await given.sql("insert into people values (1, 'x', null, null)");
    assert.match((await plan(given.database, PEOPLE)).problems.join(), /name may not be null/);
    await start(given.options, PEOPLE);
    await fill(given.options, "people");
    await cutOver(given.options, "people");
    await assert.rejects(drop(given.options, "people"), { code: "move-table-unfit" });
    assert.equal((await given.sql("select name from people"))[0]?.["name"], "x");
  });
});

describe("messages in a column", () => {
  const keyring = rawAesKeyring({ keyNamespace: "app", keyName: "2024", wrappingKey: randomBytes(32) });
  const seal = async (text: string, context: Readonly<Record<string, string>>): Promise<Buffer> =>
    Buffer.from((await encrypt(Buffer.from(text), { keyring, encryptionContext: context })).message);
  const definition = (holds: "values" | "messages" | "mixed"): MoveDefinition => ({
    ...PEOPLE,
    columns: [{ name: "name", holds }],
    context: { table: "people", id: "{id}" },
  });

  it("are never encrypted a second time, whole, cut off, in base64, hexadecimal or bytes", async (t) => {
    const given = await movedPostgres(t, pool, "create table people (id integer primary key, name text, raw bytea)");
    const message = await seal("Ada", { table: "people", id: "1" });
    for (const text of [
      message.toString("base64"),
      message.toString("base64url"),
      message.toString("base64").replace(/.{76}/g, "$&\n"),
      message.toString("hex"),
      message.subarray(0, 100).toString("base64"),
    ])
      await given.sql("insert into people select coalesce(max(id), 0) + 1, $1 from people", [text]);
    await given.sql("insert into people values (10, 'AgR4 is how a message begins', decode($1, 'hex'))", [
      message.toString("hex"),
    ]);
    const columns = ["name", "raw"].map((name) => ({ name, holds: "values" as const }));
    const found = await plan(given.database, { ...PEOPLE, columns });
    assert.deepEqual(
      found.columns.map(({ messages, values }) => [messages, values]),
      [
        [5, 6],
        [1, 1],
      ],
    );
    await start(given.options, { ...PEOPLE, columns });
    const { refused, counts } = await fill(given.options, "people");
    assert.deepEqual([refused?.length, counts?.created], [6, 0]);
    assert.match(refused?.[0]?.reasons[0] ?? "", /^name: a message already/);
  });

  it("are opened by their own keyring, for the context of their own row, and made again on the way back", async (t) => {
    const given = await movedSqlite(t, "create table people (id integer primary key, name)", { opener: { keyring } });
    const { sql, options, vault } = given;
    const one = await seal("Ada", { table: "people", id: "1" });
    const two = await seal("Ben", { table: "people", id: "2" });
    const insert = (id: number, value: unknown): Promise<unknown> =>
      sql(`insert into people values (${id}, $1)`, [value]);
    await insert(1, one.toString("base64"));
    await insert(2, two);
    await insert(3, two); // Moved here from another row.
    await insert(4, "plain");
    await insert(5, (await seal(two.toString("base64"), { table: "people", id: "5" })).toString("base64"));
    await start(options, definition("messages"));
    const { refused } = await fill(options, "people");
    assert.deepEqual(
      refused?.map(({ key, reasons }) => [key, ...reasons]),
      [
        ["3", "name: a message that does not open (context-mismatch)"],
        ["4", "name: no message, in a column of messages"],
        ["5", "name: a message within a message"],
      ],
    );
    assert.deepEqual([await stored(vault, "1"), await stored(vault, "2")], [{ name: "Ada" }, { name: "Ben" }]);
    await sql("delete from people where id > 2");
    await fill(options, "people");
    await cutOver(options, "people");
    await drop(options, "people");
    assert.equal((await sql("select count(*) as n from people where name is not null"))[0]?.["n"], 0n);
    await back(options, "people");
    assert.equal((await verify(options, "people")).verdict?.found, 0);
    const row = (await sql("select name from people where id = 1"))[0]?.["name"];
    assert.match(String(row), /^Ag/);
  });

  it("beside plaintext are told apart where the column is said to be mixed", async (t) => {
    const given = await movedSqlite(t, "create table people (id integer primary key, name text)", {
      opener: { keyring },
    });
    await given.sql("insert into people values (1, $1), (2, 'plain'), (3, null)", [
      (await seal("Ada", { table: "people", id: "1" })).toString("base64"),
    ]);
    await start(given.options, definition("mixed"));
    assert.deepEqual((await fill(given.options, "people")).counts?.created, 2);
    assert.deepEqual(
      [await stored(given.vault, "1"), await stored(given.vault, "2")],
      [{ name: "Ada" }, { name: "plain" }],
    );
  });

  it("without a keyring, or without the context that they must have, are refused at once", async (t) => {
    const given = await movedSqlite(t, "create table people (id integer primary key, name text)");
    const { name, table, key, columns, collection } = definition("messages");
    const without = { name, table, key, columns, collection };
    await assert.rejects(start(given.options, without), { code: "move-table-unfit" });
    await assert.rejects(start(given.options, definition("messages")), { code: "move-table-unfit" });
  });
});

describe("keys", () => {
  it("of SQLite are whole numbers of 64 bits, and no other text is one", async (t) => {
    const given = await movedSqlite(t, "create table people (id integer primary key, name, email, born)");
    for (const id of ["1", "3000000000", "-9223372036854775808", "9223372036854775807"])
      await given.sql(`insert into people values (${id}, 'n', null, null)`);
    await start(given.options, PEOPLE);
    assert.equal((await fill(given.options, "people")).counts?.created, 4);
    for (const id of ["01", "1.0", "9999999999999999999", "x"])
      await given.vault.put({ collection: "people", id }, { name: "n" });
    const { verdict } = await verify(given.options, "people");
    assert.deepEqual(
      verdict?.findings.map(({ key, kind }) => [key, kind]),
      ["01", "1.0", "9999999999999999999", "x"].map((key) => [key, "without-row"]),
    );
  });
});

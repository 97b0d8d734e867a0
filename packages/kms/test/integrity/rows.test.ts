import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { verifyAudit } from "@strongroom/kms";
import { temporaryDirectory } from "../running-kms.ts";
import { TABLES, alter, inhabited, refused, rootKeyOf, start, using } from "./inhabited.ts";
import type { Inhabited } from "./inhabited.ts";

let home: Inhabited;
before(async () => {
  home = await inhabited();
});
after(() => home.remove());

/** Every column of the tables, as the database says it. */
function columns(): { table: string; column: string; type: string; required: boolean }[] {
  const database = new DatabaseSync(join(home.dataDir, "kms.sqlite"), { readOnly: true });
  const rows = TABLES.flatMap((table) =>
    database
      .prepare(`SELECT name, lower(type) AS type, "notnull" AS required FROM pragma_table_info('${table}')`)
      .all()
      .map((row) => ({
        table,
        column: String(row["name"]),
        type: String(row["type"]),
        required: row["required"] === 1,
      })),
  );
  database.close();
  return rows;
}

/** Other values for a column of a type. */
const EDITS: Readonly<Record<string, readonly string[]>> = {
  text: ["? || 'x'", "substr(?, 2)", "upper(?) || lower(?)", "cast(? as blob)", "? || char(0)", "''"],
  integer: ["? + 1", "? - 1", "? + 0.5", "9223372036854775807", "cast(? as text) || 'x'", "x'00'"],
  blob: ["zeroblob(length(?))", "? || x'00'", "substr(?, 2)", "hex(?)", "9223372036854775807"],
};

test("every column of every row is covered: an edit is refused by the row's name", async (t) => {
  for (const { table, column, type, required } of columns()) {
    const edits = [...EDITS[type]!.map((edit) => edit.replaceAll("?", column)), ...(required ? [] : ["null"])];
    for (const edit of edits) {
      const name = `${table}.${column} = ${edit}`;
      const dataDir = await home.copy(t);
      const row = `rowid = (SELECT min(rowid) FROM ${table} WHERE ${column} IS NOT NULL)`;
      const database = new DatabaseSync(join(dataDir, "kms.sqlite"));
      const whole = database
        .prepare(`SELECT count(*) AS n FROM ${table} WHERE ${row} AND ${column} IS NOT (${edit})`)
        .get()!;
      database.exec(`UPDATE ${table} SET ${column} = ${edit} WHERE ${row}`);
      database.close();
      assert.equal(whole["n"], 1, name);
      await refused(dataDir, name, { message: new RegExp(`${table} .*(?:MAC|missing|put back)`) });
    }
  }
});

test("a record edited to what would be of use is refused by the key's name", async (t) => {
  const edits = [
    "record = json_set(record, '$.enabled', json('true'))",
    "record = json_set(record, '$.policy', '{}')",
    "record = json_set(record, '$.deletion', json('null'), '$.description', 'x')",
    "record = json_set(record, '$.spec', 'HMAC_256')",
    "record = record || ' '",
  ];
  for (const edit of edits) {
    const dataDir = await home.copy(t);
    alter(dataDir, `UPDATE keys SET ${edit} WHERE key_id = '${home.keyId}'`);
    await refused(dataDir, edit, { message: new RegExp(`keys eu-west-1/${home.keyId} does not fit its MAC`) });
  }
});

test("a row moved, copied or exchanged between keys, regions and tables is refused by name", async (t) => {
  const attacks: Readonly<Record<string, [sql: string, message: RegExp]>> = {
    "an alias points elsewhere": [
      "UPDATE aliases SET key_id = (SELECT key_id FROM keys WHERE key_id <> aliases.key_id LIMIT 1) WHERE name = 'alias/one'",
      /aliases eu-west-1\/alias\/one does not fit/,
    ],
    "an alias under another name": [
      "INSERT INTO aliases SELECT region, 'alias/mine', key_id, created_at, updated_at, mac FROM aliases WHERE name = 'alias/one'",
      /aliases eu-west-1\/alias\/mine does not fit/,
    ],
    "an alias in another region": [
      "INSERT INTO aliases SELECT 'eu-west-2', name, key_id, created_at, updated_at, mac FROM aliases WHERE name = 'alias/one'",
      /aliases eu-west-2\/alias\/one does not fit/,
    ],
    "a key in another region": [
      "INSERT OR REPLACE INTO keys SELECT 'eu-west-2', key_id, record, mac FROM keys WHERE region = 'eu-west-1'",
      /keys eu-west-2\/.* does not fit/,
    ],
    "a region that the server does not have": [
      "INSERT INTO keys SELECT 'eu-north-1', key_id, record, mac FROM keys WHERE region = 'eu-west-1'",
      /keys eu-north-1\/.* does not fit/,
    ],
    "a grant of another key": [
      "UPDATE grants SET key_id = (SELECT key_id FROM keys WHERE key_id <> grants.key_id LIMIT 1)",
      /grants eu-west-1\/.* does not fit/,
    ],
    "a new grant": [
      "INSERT INTO grants SELECT region, 'f' || substr(grant_id, 2) || 'x', key_id, record, randomblob(32) FROM grants",
      /grants eu-west-1\/f.*x does not fit/,
    ],
    "a grant without a MAC": [
      "INSERT INTO grants SELECT region, grant_id || 'x', key_id, record, null FROM grants",
      /grants eu-west-1\/.*x has no MAC/,
    ],
    "public keys exchanged": [
      `UPDATE backing_keys SET public_key = (SELECT b.public_key FROM backing_keys b
        WHERE b.public_key IS NOT NULL AND b.key_id <> backing_keys.key_id) WHERE public_key IS NOT NULL`,
      /backing_keys eu-west-1\/.* does not fit/,
    ],
    "a secret of another key": [
      `UPDATE backing_keys SET sealed = (SELECT b.sealed FROM backing_keys b WHERE b.key_id <> backing_keys.key_id)
        WHERE rowid = (SELECT min(rowid) FROM backing_keys)`,
      /backing_keys .* does not fit/,
    ],
    "backing keys in another order": [
      "UPDATE backing_keys SET position = 1 - position WHERE key_id IN (SELECT key_id FROM backing_keys WHERE position = 1)",
      /backing_keys .* does not fit/,
    ],
    "the MACs of two rows exchanged": [
      "UPDATE aliases SET mac = (SELECT b.mac FROM aliases b WHERE b.name <> aliases.name)",
      /aliases .* does not fit/,
    ],
    "an import that is valid for ever": [
      "UPDATE import_keys SET valid_to = 4102444800000",
      /import_keys .* does not fit/,
    ],
    "an import with another algorithm": [
      "UPDATE import_keys SET algorithm = 'RSAES_OAEP_SHA_1'",
      /import_keys .* does not fit/,
    ],
    "names that steer a terminal": [
      "INSERT INTO aliases SELECT region, 'alias/' || char(27, 10, 8238) || 'x', key_id, created_at, updated_at, mac FROM aliases LIMIT 1",
      /aliases [a-z0-9-]+\/alias\/\\u\{1b\}\\u\{a\}\\u\{202e\}x does not fit/,
    ],
    "a name of a megabyte": [
      "INSERT INTO aliases SELECT region, 'alias/' || hex(zeroblob(500000)), key_id, created_at, updated_at, mac FROM aliases LIMIT 1",
      /^.{0,600}$/s,
    ],
  };
  for (const [name, [sql, message]] of Object.entries(attacks)) {
    const dataDir = await home.copy(t);
    alter(dataDir, sql);
    await refused(dataDir, name, { message });
  }
});

test("every bad row is named, up to a number", async (t) => {
  const dataDir = await home.copy(t);
  alter(
    dataDir,
    "UPDATE keys SET record = record || ' '; UPDATE grants SET mac = null; UPDATE aliases SET updated_at = 1",
  );
  const error = await verifyAudit({ dataDir, rootKey: rootKeyOf(dataDir) }).catch((cause: unknown) => cause as Error);
  const lines = (error as Error).message.split("\n").slice(1);
  const count = (table: string): number => lines.filter((line) => line.startsWith(`  ${table} `)).length;
  assert.deepEqual([count("keys"), count("grants"), count("aliases")], [9, 1, 3]);
  alter(
    dataDir,
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO aliases SELECT 'eu-west-1', 'alias/' || i, 'k', 0, 0, null FROM n",
  );
  await refused(dataDir, "many", { message: /(?:\n.*){50}\n {2}and 296\d more$/ });
});

test("a removed row is refused, and its table and region are named", async (t) => {
  for (const table of TABLES) {
    const dataDir = await home.copy(t);
    alter(dataDir, `DELETE FROM ${table} WHERE rowid = (SELECT max(rowid) FROM ${table} WHERE region = 'eu-west-1')`);
    await refused(dataDir, table, { message: new RegExp(`${table} (?:of )?eu-west-1.* is missing`) });
    alter(dataDir, `DELETE FROM ${table}`);
    await refused(dataDir, `${table}, all`, { message: new RegExp(`${table} (?:of )?eu-west-1.* missing`) });
  }
  const dataDir = await home.copy(t);
  alter(dataDir, `DELETE FROM keys WHERE key_id = '${home.keyId}'`);
  await refused(dataDir, "a key", { message: new RegExp(`keys eu-west-1/${home.keyId} is missing`) });
});

test("an older row that is put back with its own MAC is refused by name", async (t) => {
  const key = `key_id = '${home.keyId}'`;
  const attacks: Readonly<Record<string, [sql: string, message: RegExp]>> = {
    "the key before it was disabled, with the weaker policy": [
      `REPLACE INTO keys SELECT * FROM old.keys WHERE ${key}`,
      new RegExp(`keys eu-west-1/${home.keyId} is an older one, put back`),
    ],
    "a revoked grant": [
      "INSERT OR IGNORE INTO grants SELECT * FROM old.grants",
      /grants eu-west-1\/[0-9a-f]+ is an older one, put back after it was removed/,
    ],
    "a deleted alias": [
      "INSERT OR IGNORE INTO aliases SELECT * FROM old.aliases",
      /aliases eu-west-1\/alias\/two is an older one, put back after it was removed/,
    ],
    "the backing keys before a rotation": [
      `DELETE FROM backing_keys WHERE ${key}; INSERT INTO backing_keys SELECT * FROM old.backing_keys WHERE ${key}`,
      /backing_keys of eu-west-1: one row of \d+ is missing/,
    ],
    "one of them": [
      `REPLACE INTO backing_keys SELECT * FROM old.backing_keys WHERE ${key}`,
      new RegExp(`backing_keys eu-west-1/${home.keyId}/[0-9a-f]{64} is an older one`),
    ],
    "an alias for another": [
      "DELETE FROM aliases WHERE name = 'alias/late'; INSERT OR IGNORE INTO aliases SELECT * FROM old.aliases",
      /aliases of eu-west-1: rows are older ones/,
    ],
    "everything, and the digest": [
      `${TABLES.map((name) => `DELETE FROM ${name}; INSERT INTO ${name} SELECT * FROM old.${name};`).join("")}
       REPLACE INTO meta SELECT * FROM old.meta WHERE name <> 'audit-checkpoint'`,
      /rows were last written with entry \d+, and the audit ends at entry \d+: all of them were set back/,
    ],
    "everything but the digest": [
      TABLES.map((name) => `DELETE FROM ${name}; INSERT INTO ${name} SELECT * FROM old.${name};`).join(""),
      /grants eu-west-1\/[0-9a-f]+ is an older one, put back after/,
    ],
    "the digest alone": [
      "REPLACE INTO meta SELECT * FROM old.meta WHERE name = 'row-digest'",
      /aliases of eu-west-1: rows are older ones/,
    ],
  };
  for (const [name, [sql, message]] of Object.entries(attacks)) {
    const dataDir = await home.copy(t);
    alter(dataDir, sql, home.before);
    await refused(dataDir, name, { message });
  }
});

test("an audit that is whole and not the one of the rows does not go with them", async (t) => {
  const old = await home.copy(t);
  alter(
    old,
    "DELETE FROM audit; INSERT INTO audit SELECT * FROM old.audit; REPLACE INTO meta SELECT * FROM old.meta WHERE name = 'audit-checkpoint'",
    home.before,
  );
  await refused(old, "the audit set back", { code: "audit-broken", message: /the end was cut off/ });
});

test("rows of another database with the same root key are refused", async (t) => {
  const twin = await temporaryDirectory(t);
  copyFileSync(join(home.dataDir, "root.key"), join(twin, "root.key"));
  await using(twin, async (client) => {
    const { KeyMetadata } = await client.createKey({});
    await client.createAlias({ AliasName: "alias/one", TargetKeyId: KeyMetadata!.KeyId! });
  });
  const theirs = join(twin, "kms.sqlite");
  const copied = (names: readonly string[]): string =>
    names.map((name) => `DELETE FROM ${name}; INSERT INTO ${name} SELECT * FROM old.${name};`).join("");
  const attacks: Readonly<Record<string, [sql: string, message: RegExp]>> = {
    "all rows": [copied(TABLES), /keys eu-west-1\/.* does not fit its MAC/],
    "an alias and its key": [
      "REPLACE INTO keys SELECT * FROM old.keys; REPLACE INTO aliases SELECT * FROM old.aliases;",
      /aliases eu-west-1\/alias\/one does not fit/,
    ],
    "all rows, and the digest": [
      `${copied(TABLES)} REPLACE INTO meta SELECT * FROM old.meta WHERE name = 'row-digest'`,
      /meta row-digest does not open/,
    ],
    "all rows, the digest and the key of the MACs": [
      `${copied(TABLES)} REPLACE INTO meta SELECT * FROM old.meta WHERE name LIKE 'row-%'`,
      /meta audit-signing-key was changed/,
    ],
  };
  for (const [name, [sql, message]] of Object.entries(attacks)) {
    const dataDir = await home.copy(t);
    alter(dataDir, sql, theirs);
    await refused(dataDir, name, { message });
  }
  const dataDir = await home.copy(t);
  alter(dataDir, copied([...TABLES, "meta"]), theirs);
  await refused(dataDir, "all but the audit", { code: "audit-broken", message: /of which 2 were signed/ });
});

test("the table meta is covered: every row of it edited, removed or added is refused by name", async (t) => {
  const names = ["root-salt", "root-check", "audit-signing-key", "audit-checkpoint", "row-key", "row-digest"];
  const database = new DatabaseSync(join(home.dataDir, "kms.sqlite"), { readOnly: true });
  const found = database.prepare("SELECT name FROM meta ORDER BY name").all();
  database.close();
  assert.deepEqual(
    found.map((row) => row["name"]),
    names.toSorted(),
    "whoever adds a row to meta adds it here",
  );
  const edits = [
    "DELETE FROM meta",
    "UPDATE meta SET value = zeroblob(length(value))",
    "UPDATE meta SET value = substr(value, 2)",
  ];
  for (const name of names) {
    for (const edit of edits) {
      const dataDir = await home.copy(t);
      alter(dataDir, `${edit} WHERE name = '${name}'`);
      const others = name === "audit-checkpoint" ? "audit-broken" : "store-corrupt";
      const code = name === "root-check" && !edit.startsWith("DELETE") ? "root-key-wrong" : others;
      await assert.rejects(start(dataDir), { code }, `${edit} ${name}`);
      await assert.rejects(
        verifyAudit({ dataDir, rootKey: rootKeyOf(dataDir) }),
        { name: "KmsError" },
        `${edit} ${name}`,
      );
    }
  }
  const attacks: Readonly<Record<string, [sql: string, message: RegExp]>> = {
    "a row more": ["INSERT INTO meta VALUES ('root-policy', x'00')", /meta root-policy is not known/],
    "a row without a name": ["INSERT INTO meta VALUES (null, x'00')", /meta null does not hold bytes/],
    "a text": ["UPDATE meta SET value = 'text' WHERE name = 'root-salt'", /meta "root-salt" does not hold bytes/],
    "a number": ["UPDATE meta SET value = 9223372036854775807 WHERE name = 'row-digest'", /meta "row-digest" does not/],
    "another salt": ["UPDATE meta SET value = zeroblob(16) WHERE name = 'root-salt'", /meta root-salt was changed/],
  };
  for (const [name, [sql, message]] of Object.entries(attacks)) {
    const dataDir = await home.copy(t);
    alter(dataDir, sql);
    await refused(dataDir, name, { message });
  }
});

test("a schema that the migrations did not make is refused by the name of what was added or changed", async (t) => {
  const attacks: Readonly<Record<string, [sql: string, message: RegExp]>> = {
    "a trigger on the audit": [
      "CREATE TRIGGER quiet AFTER INSERT ON audit BEGIN DELETE FROM audit WHERE seq = new.seq; END",
      /the trigger quiet is not of this KMS/,
    ],
    "a trigger on the rows": [
      "CREATE TRIGGER more AFTER INSERT ON grants BEGIN UPDATE keys SET record = record; END",
      /the trigger more/,
    ],
    "a view in the place of a table": [
      "ALTER TABLE aliases RENAME TO real; CREATE VIEW aliases AS SELECT * FROM real",
      /the table aliases is missing.*the view aliases is not of this KMS/,
    ],
    "a column more": ["ALTER TABLE grants ADD COLUMN note text", /the table grants was defined anew/],
    "a column with a default": [
      "ALTER TABLE last_uses ADD COLUMN x text not null default 'y'",
      /the table last_uses was defined anew/,
    ],
    "another table": ["CREATE TABLE spare (x)", /the table spare is not of this KMS/],
    "a virtual table": ["CREATE VIRTUAL TABLE found USING fts5(x)", /the table found is not of this KMS/],
    "an index": ["CREATE UNIQUE INDEX one ON audit (event)", /the index one is not of this KMS/],
    "a table without its primary key": [
      "CREATE TABLE loose AS SELECT * FROM aliases; DROP TABLE aliases; ALTER TABLE loose RENAME TO aliases",
      /the table aliases was defined anew/,
    ],
    "a table without its column of MACs": ["ALTER TABLE keys DROP COLUMN mac", /the table keys was defined anew/],
    "a table that is gone": ["DROP TABLE last_uses", /the table last_uses is missing/],
  };
  for (const [name, [sql, message]] of Object.entries(attacks)) {
    const dataDir = await home.copy(t);
    alter(dataDir, sql);
    await refused(dataDir, name, { message });
  }
});

test("rows altered while the server works are refused when it starts again", async (t) => {
  const dataDir = await home.copy(t);
  await using(dataDir, async (client) => {
    alter(dataDir, "INSERT OR IGNORE INTO grants SELECT * FROM old.grants", home.before);
    await client.createAlias({ AliasName: "alias/meanwhile", TargetKeyId: home.keyId });
  });
  await refused(dataDir, "a grant put back meanwhile", {
    message: /grants eu-west-1\/.* put back after it was removed/,
  });
});

test("rows that are read anew after a failed commit are checked as at the start", async (t) => {
  const dataDir = await home.copy(t);
  const full = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END";
  const enabled = "UPDATE aliases SET key_id = 'f' || key_id WHERE name = 'alias/one'";
  await using(dataDir, async (client) => {
    alter(dataDir, `${full}; ${enabled}`);
    for (const undo of ["", "DROP TRIGGER full", "UPDATE aliases SET updated_at = updated_at"]) {
      alter(dataDir, undo);
      await assert.rejects(client.listAliases({}), { name: "KMSInternalException" }, undo);
    }
    alter(dataDir, "UPDATE aliases SET key_id = substr(key_id, 2) WHERE name = 'alias/one'");
    await assert.rejects(client.listAliases({}), { name: "KMSInternalException" }, "it began before memory was right");
    assert.equal(
      (await client.listAliases({})).Aliases!.filter(({ AliasName }) => AliasName === "alias/one").length,
      1,
    );
  });
  await verifyAudit({ dataDir, rootKey: rootKeyOf(dataDir) });
});

test("untouched, it starts and verifies", async (t) => {
  const dataDir = await home.copy(t);
  await using(dataDir, async (client) => {
    assert.equal((await client.listKeys({})).Keys!.length, 7);
  });
  const { keys } = await verifyAudit({ dataDir, rootKey: rootKeyOf(dataDir) });
  assert.equal(keys, 9);
});

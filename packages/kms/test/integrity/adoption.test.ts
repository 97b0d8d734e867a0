// Databases that an earlier version made, and those that are made to look like one.

import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { acceptRows, backup, rekey, restore, verifyAudit } from "@strongroom/kms";
import { toOldFormat } from "../audit/old-format.ts";
import { temporaryDirectory } from "../running-kms.ts";
import { TABLES, alter, inhabited, refused, rootKeyOf, start, using } from "./inhabited.ts";
import type { Inhabited } from "./inhabited.ts";

let home: Inhabited;
before(async () => {
  home = await inhabited();
});
after(() => home.remove());

function last(dataDir: string): { seq: number; name: string; parameters: unknown } {
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  const row = database.prepare("SELECT seq, event FROM audit ORDER BY seq DESC LIMIT 1").get()!;
  database.close();
  const event = JSON.parse(String(row["event"])) as { eventName: string; requestParameters: unknown };
  return { seq: Number(row["seq"]), name: event.eventName, parameters: event.requestParameters };
}

test("the rows of an earlier version get their MACs at the first start, and it is on record", async (t) => {
  const dataDir = await home.copy(t);
  toOldFormat(dataDir);
  const rootKey = rootKeyOf(dataDir);
  const { auditEntries } = await verifyAudit({ dataDir, rootKey });
  await using(dataDir, async (client) => {
    assert.equal((await client.listKeys({})).Keys!.length, 7);
  });
  assert.equal(
    (await verifyAudit({ dataDir, rootKey })).auditEntries,
    auditEntries + 3,
    "AdoptAudit, AuthenticateRows, ListKeys",
  );
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  const events = database.prepare("SELECT event FROM audit WHERE seq = ?").get(auditEntries + 2)!;
  database.close();
  assert.equal((JSON.parse(String(events["event"])) as { eventName: string }).eventName, "AuthenticateRows");
  alter(dataDir, "UPDATE aliases SET updated_at = updated_at + 1 WHERE name = 'alias/one'");
  await refused(dataDir, "an edit after", { message: /aliases eu-west-1\/alias\/one does not fit/ });
});

test("a backup of an earlier version restores, re-keys, and starts", async (t) => {
  const dataDir = await home.copy(t);
  toOldFormat(dataDir);
  const to = join(dataDir, "old.backup");
  await backup({ dataDir, to });
  const other = await temporaryDirectory(t);
  copyFileSync(join(dataDir, "root.key"), join(other, "root.key"));
  await restore({ from: to, dataDir: other, rootKey: rootKeyOf(other) });
  await rekey({ dataDir: other, from: rootKeyOf(other), to: rootKeyOf(other) });
  await (await start(other)).close();
  await verifyAudit({ dataDir: other, rootKey: rootKeyOf(other) });
});

test("an earlier version's audit that is not whole keeps its rows from being taken over", async (t) => {
  const dataDir = await home.copy(t);
  toOldFormat(dataDir);
  alter(dataDir, "UPDATE audit SET event = replace(event, 'CreateKey', 'ListKeys') WHERE seq = 1");
  await refused(dataDir, "an edited audit", { code: "audit-broken", message: /entry 1/ });
});

test("whoever deletes the MACs cannot have the rows taken over a second time", async (t) => {
  const noMacs = TABLES.map((table) => `UPDATE ${table} SET mac = null;`).join("");
  const noColumns = `${TABLES.map((table) => `ALTER TABLE ${table} DROP COLUMN mac;`).join("")}
    DELETE FROM kysely_migration WHERE name > '0001-first'; DROP TABLE audit_nodes;
    CREATE TABLE other AS SELECT seq, event, leaf AS mac FROM audit; DROP TABLE audit;
    CREATE TABLE "audit" ("seq" integer primary key, "event" text not null, "mac" blob not null);
    INSERT INTO audit SELECT * FROM other; DROP TABLE other;`;
  const noKeys = "DELETE FROM meta WHERE name LIKE 'row-%';";
  const attacks: Readonly<Record<string, [sql: string, message: RegExp]>> = {
    "the MACs": [noMacs, /keys eu-west-1\/.* has no MAC/],
    "the digest": ["DELETE FROM meta WHERE name = 'row-digest'", /meta row-digest is missing/],
    "the MACs and the digest": [`${noMacs} DELETE FROM meta WHERE name = 'row-digest'`, /meta row-digest is missing/],
    "the MACs and their keys": [noMacs + noKeys, /meta row-key is missing/],
    "all of meta": [`${noMacs} DELETE FROM meta`, /meta root-check is missing, and audit is not empty|it has no salt/],
    "all of meta and the audit": [
      `${noMacs} DELETE FROM meta; DELETE FROM audit`,
      /meta root-check is missing, and keys is not empty|it has no salt/,
    ],
  };
  for (const [name, [sql, message]] of Object.entries(attacks)) {
    const dataDir = await home.copy(t);
    alter(dataDir, sql);
    await refused(dataDir, name, { message });
  }
  const dataDir = await home.copy(t);
  alter(dataDir, noColumns + noKeys);
  await refused(dataDir, "everything that the first version did not have", { code: "audit-broken", message: /./ });
});

test("nor with an old copy of the root check, from before they had any", async (t) => {
  const dataDir = await home.copy(t);
  toOldFormat(dataDir);
  const old = join(dataDir, "old.sqlite");
  copyFileSync(join(dataDir, "kms.sqlite"), old);
  await using(dataDir, async (client) => {
    await client.enableKey({ KeyId: home.keyId });
  });
  const setBack =
    "UPDATE meta SET value = (SELECT value FROM old.meta WHERE name = 'root-check') WHERE name = 'root-check';";
  alter(dataDir, setBack, old);
  await refused(dataDir, "the check alone", { message: /had MACs before .*meta root-check was set back/ });
  alter(
    dataDir,
    `${TABLES.map((table) => `UPDATE ${table} SET mac = null;`).join("")} DELETE FROM meta WHERE name LIKE 'row-%'`,
  );
  await refused(dataDir, "and the MACs", { message: /audit entry \d+ says so/ });
  alter(dataDir, "DELETE FROM audit WHERE json_extract(event, '$.eventName') = 'AuthenticateRows'");
  await refused(dataDir, "and the entry", { code: "audit-broken", message: /entry \d+/ });
});

test("a person with the root key takes rows over as they are; it is on record", async (t) => {
  const dataDir = await home.copy(t);
  const rootKey = rootKeyOf(dataDir);
  assert.deepEqual(await acceptRows({ dataDir, rootKey, mode: "accept" }), { findings: [], rows: 0 });
  const { seq } = last(dataDir);
  alter(
    dataDir,
    "DELETE FROM aliases WHERE name = 'alias/late'; UPDATE aliases SET updated_at = 1 WHERE name = 'alias/one'",
  );
  const findings = ["aliases eu-west-1/alias/one does not fit its MAC: it was edited, or copied from elsewhere"];
  const looked = await acceptRows({ dataDir, rootKey, mode: "look" });
  assert.equal(looked.rows, 0);
  assert.deepEqual(looked.findings.slice(0, 1), findings);
  await refused(dataDir, "looking changes nothing", { message: /alias\/one/ });
  assert.ok((await acceptRows({ dataDir, rootKey, mode: "accept" })).rows > 20);
  assert.deepEqual([last(dataDir).seq, last(dataDir).name], [seq + 1, "AcceptRows"]);
  const { findings: recorded, more } = last(dataDir).parameters as { findings: unknown; more: unknown };
  assert.deepEqual([recorded, more], [looked.findings, 0]);
  await using(dataDir, async (client) => {
    assert.equal((await client.listAliases({ KeyId: home.keyId })).Aliases!.length, 1);
  });
  await verifyAudit({ dataDir, rootKey });
});

test("what cannot be checked at all can be accepted too, but not a changed schema or another's root key", async (t) => {
  const damages = [
    "DELETE FROM meta WHERE name = 'row-key'",
    "DELETE FROM meta WHERE name = 'row-digest'",
    `${TABLES.map((table) => `UPDATE ${table} SET mac = null;`).join("")} DELETE FROM meta WHERE name LIKE 'row-%'`,
  ];
  for (const damage of damages) {
    const dataDir = await home.copy(t);
    alter(dataDir, damage);
    const { findings, rows } = await acceptRows({ dataDir, rootKey: rootKeyOf(dataDir), mode: "accept" });
    assert.ok(findings.length > 0 && rows > 20, damage);
    await (await start(dataDir)).close();
    await verifyAudit({ dataDir, rootKey: rootKeyOf(dataDir) });
  }
  const dataDir = await home.copy(t);
  const refusal = (code: string): Promise<void> =>
    assert.rejects(acceptRows({ dataDir, rootKey: rootKeyOf(dataDir), mode: "accept" }), { code });
  alter(dataDir, "UPDATE grants SET record = '{' WHERE rowid = (SELECT min(rowid) FROM grants)");
  await refusal("store-corrupt");
  alter(dataDir, "CREATE VIEW v AS SELECT 1");
  await refusal("store-corrupt");
  const other = await temporaryDirectory(t);
  await (await start(other)).close();
  copyFileSync(join(other, "root.key"), join(dataDir, "root.key"));
  alter(dataDir, "DROP VIEW v");
  await refusal("root-key-wrong");
});

test("a database whose founding was interrupted is founded at the next start", async (t) => {
  const dataDir = await temporaryDirectory(t);
  await (await start(dataDir)).close();
  alter(dataDir, "DELETE FROM meta");
  await (await start(dataDir)).close();
  await verifyAudit({ dataDir, rootKey: rootKeyOf(dataDir) });
});

test("after a re-keying, rows and digest from before do not open", async (t) => {
  const dataDir = await home.copy(t);
  const old = join(dataDir, "old.sqlite");
  copyFileSync(join(dataDir, "kms.sqlite"), old);
  await rekey({ dataDir, from: rootKeyOf(dataDir), to: rootKeyOf(dataDir) });
  await (await start(dataDir)).close();
  const names = [...TABLES, "meta"].filter((name) => name !== "meta");
  const all = names.map((name) => `DELETE FROM ${name}; INSERT INTO ${name} SELECT * FROM old.${name};`).join("");
  const attempt = async (sql: string, message: RegExp): Promise<void> => {
    const copy = await temporaryDirectory(t);
    for (const name of ["kms.sqlite", "root.key"]) copyFileSync(join(dataDir, name), join(copy, name));
    alter(copy, sql, old);
    await refused(copy, sql.slice(0, 60), { message });
  };
  await attempt("REPLACE INTO keys SELECT * FROM old.keys", /keys eu-west-1\/.* does not fit/);
  await attempt(all, /keys eu-west-1\/.* does not fit/);
  await attempt(
    `${all} REPLACE INTO meta SELECT * FROM old.meta WHERE name LIKE 'row-%'`,
    /meta row-key is missing or/,
  );
});

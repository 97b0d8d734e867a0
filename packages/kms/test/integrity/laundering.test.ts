// What an operator does to the audit must not make rows good that the KMS did not write, or not last.

import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { acceptRows, createKms, pruneAudit, verifyAudit } from "@strongroom/kms";
import { toOldFormat } from "../audit/old-format.ts";
import { REGIONS, TABLES, alter, inhabited, refused, rootKeyOf, start, using } from "./inhabited.ts";
import type { Inhabited } from "./inhabited.ts";

let home: Inhabited;
before(async () => {
  home = await inhabited();
});
after(() => home.remove());

/** Starts once with a reason for going on with the audit. */
const accept = async (dataDir: string): Promise<void> =>
  (await createKms({ dataDir, regions: REGIONS, acceptRestore: "found it so" })).close();

/** Back to rows that nothing authenticates, with the root check of an old copy. */
const WITHOUT_MACS = `${TABLES.map((table) => `UPDATE ${table} SET mac = null;`).join("")}
  DELETE FROM meta WHERE name LIKE 'row-%';
  UPDATE meta SET value = (SELECT value FROM old.meta WHERE name = 'root-check') WHERE name = 'root-check';
  UPDATE aliases SET key_id = '00000000-0000-0000-0000-000000000000' WHERE name = 'alias/one';`;
const ADOPTION = "json_extract(event, '$.eventName') = 'AuthenticateRows'";

test("rows are not adopted anew once the entry that says that they were is a hash, or missing", async (t) => {
  const dataDir = await home.copy(t);
  toOldFormat(dataDir);
  const old = join(dataDir, "old.sqlite");
  copyFileSync(join(dataDir, "kms.sqlite"), old);
  await using(dataDir, async (client) => {
    await client.enableKey({ KeyId: home.keyId });
  });
  const pruned = await home.copy(t);
  for (const name of ["kms.sqlite", "root.key"]) copyFileSync(join(dataDir, name), join(pruned, name));
  await pruneAudit({ dataDir: pruned, rootKey: rootKeyOf(pruned), before: new Date(Date.now() + 60_000) });
  alter(pruned, `${WITHOUT_MACS} UPDATE audit SET event = null WHERE ${ADOPTION}`, old);
  await assert.rejects(start(pruned), { code: /audit-broken|store-corrupt/ }, "its text removed after a cut");

  alter(dataDir, `${WITHOUT_MACS} DELETE FROM audit WHERE ${ADOPTION}`, old);
  await assert.rejects(start(dataDir), { code: "audit-broken" });
  await assert.rejects(accept(dataDir), { code: "store-corrupt", message: /meta root-check was set back/ });
  await refused(dataDir, "after the audit was accepted", { message: /meta root-check was set back/ });
  await acceptRows({ dataDir, rootKey: rootKeyOf(dataDir), mode: "accept" });
  await (await start(dataDir)).close();
});

test("old rows with their digest are not taken along when a broken audit is accepted", async (t) => {
  const setBack = `${TABLES.map((name) => `DELETE FROM ${name}; INSERT INTO ${name} SELECT * FROM old.${name};`).join("")}
    UPDATE meta SET value = (SELECT value FROM old.meta WHERE name = 'row-digest') WHERE name = 'row-digest';`;
  const damages = {
    "an entry changed": "UPDATE audit SET event = event || ' ' WHERE seq = 1",
    "an entry removed": "DELETE FROM audit WHERE seq = 2",
    "its checkpoint removed": "DELETE FROM meta WHERE name = 'audit-checkpoint'",
  };
  for (const [what, damage] of Object.entries(damages)) {
    const dataDir = await home.copy(t);
    alter(dataDir, `${setBack} ${damage}`, home.before);
    await assert.rejects(start(dataDir), { code: "audit-broken" }, what);
    await assert.rejects(accept(dataDir), { code: "store-corrupt", message: /all of them were set back/ }, what);
    await refused(dataDir, what, { message: /all of them were set back/ });
    const { findings } = await acceptRows({ dataDir, rootKey: rootKeyOf(dataDir), mode: "accept" });
    assert.match(findings.join("\n"), /all of them were set back/, what);
    await (await start(dataDir)).close();
  }
});

test("new rows stay good when an audit that was cut off is accepted, and a whole restore when it is", async (t) => {
  const dataDir = await home.copy(t);
  alter(dataDir, "DELETE FROM audit WHERE seq > 3");
  await accept(dataDir);
  await (await start(dataDir)).close();
  const { restoresAccepted } = await verifyAudit({ dataDir, rootKey: rootKeyOf(dataDir) });
  assert.equal(restoresAccepted, 1);
});

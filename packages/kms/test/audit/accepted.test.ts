// A log that was accepted as it was found holds what somebody may have put there. It is kept, and believed in nothing.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import { backup, pruneAudit, verifyAudit } from "@strongroom/kms";
import { alter, startOnce, workedKms } from "./damaged-log.ts";

const later = (): Date => new Date(Date.now() + 60_000);
const quoted = (event: unknown): string =>
  `'${(typeof event === "string" ? event : JSON.stringify(event)).replaceAll("'", "''")}'`;
const planted = (eventName: string, requestParameters: unknown): object => ({
  eventTime: "2020-01-01T00:00:00Z",
  eventSource: "strongroom-kms",
  eventName,
  requestParameters,
});

/** What an entry can be made to say before the log is accepted. */
const PLANTED: Readonly<Record<string, unknown>> = {
  "a cut of everything to come": planted("PruneAudit", { through: 1e9, kept: [], before: "", removed: 1, by: "" }),
  "a cut of no number": planted("PruneAudit", {}),
  "a cut of nothing": planted("PruneAudit", null),
  "a cut of another type": planted("PruneAudit", { through: "9999", kept: "none" }),
  "an acceptance of everything to come": planted("AcceptAudit", {
    found: 1e9,
    kept: [],
    reason: "",
    stored: null,
    witnessed: null,
  }),
  "an acceptance of nothing": planted("AcceptAudit", null),
  "an acceptance of nonsense": planted("AcceptAudit", { found: 1, kept: [], reason: "", stored: "x", witnessed: "y" }),
  "an event of no name": planted("constructor", {}),
  "half an event": '{"eventSource":"strongroom-kms"',
  "no event": "nothing",
  "an event of null": "null",
};

test("what was planted in a log that is accepted allows nothing, and stands in the way of nothing", async (t) => {
  const { dataDir, rootKey, witness, work, picture } = await workedKms(t, 3);
  await work(1, { witness });
  const putBack = picture();
  for (const [what, event] of Object.entries(PLANTED)) {
    alter(dataDir, `UPDATE audit SET event = ${quoted(event)} WHERE seq = 4`);
    await assert.rejects(verifyAudit({ dataDir, rootKey }), { code: "audit-broken" }, what);
    await startOnce({ dataDir, witness, acceptRestore: what });
    await work(3, { witness });
    assert.equal((await verifyAudit({ dataDir, rootKey, witness })).auditEntries, 8, what);
    const prunes = picture();
    alter(dataDir, "UPDATE audit SET event = NULL WHERE seq = 7");
    await assert.rejects(verifyAudit({ dataDir, rootKey }), { code: "audit-broken" }, `${what}: a text removed`);
    prunes();
    await pruneAudit({ dataDir, rootKey, before: later(), witness });
    await work(1, { witness });
    await verifyAudit({ dataDir, rootKey, witness });
    putBack();
  }
});

test("what happened to the log itself cannot be removed after a cut, or after the log was accepted", async (t) => {
  const { dataDir, rootKey, work, picture } = await workedKms(t, 3);
  alter(dataDir, "UPDATE audit SET event = event || ' ' WHERE seq = 2");
  await startOnce({ dataDir, acceptRestore: "first" });
  await work(2);
  await pruneAudit({ dataDir, rootKey, before: later() });
  await work(2);
  await pruneAudit({ dataDir, rootKey, before: later() });
  await work(1);
  const events = (): number[] => {
    const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
    const found = database.prepare("SELECT seq FROM audit WHERE event LIKE '%\"strongroom-kms\"%' ORDER BY seq").all();
    database.close();
    return found.map((row) => Number(row["seq"]));
  };
  const removeEach = async (): Promise<void> => {
    const putBack = picture();
    for (const seq of events()) {
      alter(dataDir, `UPDATE audit SET event = NULL WHERE seq = ${seq}`);
      await assert.rejects(verifyAudit({ dataDir, rootKey }), { code: "audit-broken" }, `entry ${seq}`);
      putBack();
    }
  };
  assert.equal(events().length, 3);
  await removeEach();
  alter(dataDir, "UPDATE audit SET event = event || ' ' WHERE seq = (SELECT max(seq) FROM audit)");
  await startOnce({ dataDir, acceptRestore: "second" });
  assert.equal(events().length, 4);
  await removeEach();
  alter(dataDir, "DELETE FROM audit WHERE seq = 1");
  await startOnce({ dataDir, acceptRestore: "third: everything has another number" });
  await work(1);
  assert.equal((await verifyAudit({ dataDir, rootKey })).restoresAccepted, 3);
  await removeEach();
});

test("a chain of the version before that is put beside a log is counted nowhere, and never becomes part of it", async (t) => {
  const { dataDir, rootKey } = await workedKms(t, 3);
  const before = await verifyAudit({ dataDir, rootKey });
  alter(
    dataDir,
    'CREATE TABLE "audit_0001" ("seq" integer primary key, "event" text not null, "mac" blob not null);' +
      `INSERT INTO audit_0001 VALUES (99, ${quoted(planted("PruneAudit", { through: 98 }))}, zeroblob(32))`,
  );
  assert.deepEqual(await verifyAudit({ dataDir, rootKey }), before);
  const { auditEntries, lastEventAt } = await backup({ dataDir, to: join(dataDir, "copy") });
  assert.deepEqual([auditEntries, lastEventAt], [3, before.lastEventAt]);
  alter(dataDir, "UPDATE audit SET event = event || ' ' WHERE seq = 2");
  await startOnce({ dataDir, acceptRestore: "found it so" });
  assert.equal((await verifyAudit({ dataDir, rootKey })).auditEntries, 4, "and the entry that says so");
});

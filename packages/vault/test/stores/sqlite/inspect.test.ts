/** A look at a file from outside: of records and of keys, and of the version before. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openSqliteFile } from "@strongroom/base/sqlite";
import { inspectDatabase, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { APPLICATION_ID, MIGRATIONS } from "../../../src/stores/sqlite/schema.ts";
import { temporaryFolder } from "../../support/storage.ts";

test("a file of the version before is sound, and says what the next start makes of it", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const [first = "", ...later] = Object.keys(MIGRATIONS);
  const { database } = await openSqliteFile(path, {
    applicationId: APPLICATION_ID,
    migrations: Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => name === first)),
    synchronous: "full",
    busyTimeoutMs: 0,
    patienceMs: 5000,
    maxBytes: Number.MAX_SAFE_INTEGER,
  });
  database.close();
  const before = await inspectDatabase(path);
  assert.deepEqual([before.state, before.problem, before.pending], ["sound", null, later]);
  assert.equal(before.gate?.peer, null);
  assert.ok((before.version ?? 0) < before.latest);
  await (await sqliteStore(path)).close();
  const after = await inspectDatabase(path);
  assert.deepEqual([after.state, after.pending, after.version], ["sound", [], after.latest]);
});

test("a key store is looked at as one, and is no store of records", async (t) => {
  const folder = await temporaryFolder(t);
  const [keys, records] = [join(folder, "keys.sqlite"), join(folder, "records.sqlite")];
  assert.equal((await inspectDatabase(keys, { kind: "keys" })).state, "absent");
  await (await sqliteKeyStore(keys, { mark: true })).close();
  await (await sqliteStore(records)).close();
  const { state, isMarked, gate, pending } = await inspectDatabase(keys, { kind: "keys" });
  assert.deepEqual([state, isMarked, pending, gate?.peer], ["sound", true, [], null]);
  assert.equal((await inspectDatabase(keys)).state, "refused");
  assert.equal((await inspectDatabase(records, { kind: "keys" })).state, "refused");
});

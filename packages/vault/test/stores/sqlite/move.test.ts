import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { NodeSqliteDialect } from "@strongroom/base/sqlite";
import { Kysely, Migrator } from "kysely";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { APPLICATION_ID, MIGRATIONS } from "../../src/sqlite/schema.ts";
import { defer } from "../../../../tests/support/defer.ts";
import { debtsOf } from "../support/store-changes.ts";
import { temporaryFolder } from "../support/vault.ts";

test("a store from before the repair is brought up to date, and what it owed is due", async (t) => {
  const path = join(await temporaryFolder(t), "vault.sqlite");
  const database = new DatabaseSync(path);
  database.exec(`pragma application_id = ${APPLICATION_ID}`);
  const db = new Kysely<unknown>({ dialect: new NodeSqliteDialect(database) });
  const old = { "0001-records": MIGRATIONS["0001-records"]! };
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(old) },
  }).migrateToLatest();
  assert.equal(error, undefined);
  database.exec(`
    insert into heads values ('people', 'ada', 1, 'live', '2026-01-01T00:00:00.000Z');
    insert into versions values ('people', 'ada', 1, 'ada', '2026-01-01T00:00:00.000Z', 2, 3, x'01');
    insert into wrap_debt values ('people', 'ada', 1, 'eu-west-2', 'arn:2', 'refused', '2026-01-01T00:00:00.000Z');`);
  await db.destroy();

  const store = await sqliteStore(path);
  defer(t, () => store.close());
  const place = { collection: "people", id: "ada", version: 1 };
  assert.deepEqual(await debtsOf(store), [
    {
      ...place,
      regions: [{ region: "eu-west-2", reason: "refused" }],
      since: "2026-01-01T00:00:00.000Z",
      attempts: 0,
      lastProblem: null,
    },
  ]);
  assert.deepEqual(await store.dueRegions(0), ["eu-west-2"]);
  assert.deepEqual(await store.claimDebts({ holder: "h", region: "eu-west-2", limit: 5, now: 0, until: 1 }), [
    { ...place, attempts: 0 },
  ]);
});

/**
 * A store whose address leads to a standby, as in the middle of a failover.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { migratePostgres, postgresStore } from "@strongroom/vault/postgres";
import type pg from "pg";
import { defer } from "../../../tests/support/defer.ts";
import { hasPostgres15 } from "../../../tests/support/postgres/programs.ts";
import { startPostgres } from "../../../tests/support/postgres/server.ts";
import { poolOf } from "../test/postgres/support/storage.ts";
import { get, put, writeUnit } from "../test/postgres/support/units.ts";
import { rejectsWith } from "../test/support/errors.ts";

test("a standby is not read, and not written; promoted, it is", { skip: !hasPostgres15 }, async (t) => {
  const primary = await startPostgres(t, { version: 15 });
  const first = poolOf(primary.url);
  defer(t, () => first.end());
  await migratePostgres(first);
  const store = await postgresStore(first);
  await put(store, "ada", null, 1);
  const standby = await primary.standby();
  const second = poolOf(standby.url);
  defer(t, async () => {
    await second.end();
    await standby[Symbol.asyncDispose]();
  });
  assert.match((await rejectsWith("store-failed", () => postgresStore(second))).message, /standby/);
  await assert.rejects(migratePostgres(second), /standby|read-only/);
  // A store whose address leads to the standby after it was opened.
  let active: pg.Pool = first;
  const moving = await postgresStore({ connect: () => active.connect(), end: () => Promise.resolve() });
  active = second;
  assert.match((await rejectsWith("store-failed", () => get(moving, "ada"))).message, /standby/);
  assert.match((await rejectsWith("store-failed", () => moving.ping())).message, /standby/);
  await rejectsWith("store-failed", () => moving.records.apply([writeUnit("b", null, 1)], { atomic: true }));
  await standby.promote();
  await put(moving, "b", null, 1);
});

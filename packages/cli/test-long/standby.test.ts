// A standby of a PostgreSQL server (version 15, which brings what makes one): nothing is written there, and each command
// says so and what to do, until it is promoted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defer } from "../../../tests/support/defer.ts";
import { startPostgres } from "../../../tests/support/postgres/server.ts";
import { runCommand } from "../test/support/command.ts";
import { type Ended, temporaryFolder } from "../test/support/installation.ts";
import { withoutPassword } from "../test/support/postgres.ts";

test("a standby is told from its primary, refused, and taken once it is promoted", async (t) => {
  const folder = await temporaryFolder();
  defer(t, () => folder[Symbol.asyncDispose]());
  const primary = await startPostgres(t, { version: 15 });
  const run = (line: string, url: string): Promise<Ended> =>
    runCommand([...line.split(" "), "--store", withoutPassword(url)], {
      cwd: folder.path,
      env: { STRONGROOM_STORE_PASSWORD: primary.password },
    });
  assert.equal((await run("store migrate", primary.url)).code, 0);
  const standby = await primary.standby();
  defer(t, () => standby[Symbol.asyncDispose]());
  assert.match((await run("store status", primary.url)).stdout, /Replication +asynchronous; 1 standby follows/);
  const status = await run("store status", standby.url);
  assert.match(status.stdout, /standby, in recovery, and takes no writes\. \[store-unfit\]/);
  const migrate = await run("store migrate", standby.url);
  assert.equal(migrate.code, 1);
  assert.match(migrate.stderr, /store-unfit[^]*Name the primary in store\.url[^]*pg_promote/);
  assert.match((await run("doctor", standby.url)).stdout, /FAIL {2}Database .*\[store-unfit\]/s);
  await standby.promote();
  assert.doesNotMatch((await run("store status", standby.url)).stdout, /Problem/);
});

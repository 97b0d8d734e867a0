// `strongroom up` on PostgreSQL by configuration alone: it makes the schema of an empty database, finds everything again
// at the next start, and does not take over a database whose keys are another installation's.
import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Client } from "pg";
import { defer } from "../../../../tests/support/defer.ts";
import { runCommand } from "../support/command.ts";
import { type Ended, startInstallation, temporaryFolder } from "../support/installation.ts";
import { namedDatabase } from "../support/postgres.ts";

const PATIENT = {
  STRONGROOM_ATTEMPT_TIMEOUT_MS: "8000",
  STRONGROOM_DEADLINE_MS: "20000",
  STRONGROOM_STRAGGLER_MIN_MS: "8000",
};

test("an installation keeps its records in PostgreSQL, and shares them with no other keys", async (t) => {
  const folder = await temporaryFolder();
  defer(t, () => folder[Symbol.asyncDispose]());
  const database = await namedDatabase(t, folder.path);
  const admin = async (statement: string): Promise<void> => {
    const client = new Client({ connectionString: database.server.urlOf(new URL(database.url).pathname.slice(1)) });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  const homes = ["one", "other"].map((name) => join(folder.path, name));
  for (const home of homes) await mkdir(home);
  const [home = "", otherHome = ""] = homes;
  const run = (cwd: string, line: string, stdin = ""): Promise<Ended> =>
    runCommand(line.split(" "), { cwd, stdin, env: database.env });
  const start = (cwd: string): ReturnType<typeof startInstallation> =>
    startInstallation(cwd, [], { env: { ...PATIENT, ...database.env } });

  const first = await start(home);
  t.after(() => first.stop());
  assert.equal((await run(home, "put people ada", '{"name":"Ada"}')).code, 0);
  assert.deepEqual(
    (await readdir(first.ready.dataDir)).filter((name) => name.includes("sqlite")),
    [],
    "no file of SQLite is made beside it",
  );
  const doctor = await run(home, "doctor");
  assert.equal(doctor.code, 0, doctor.stdout);
  assert.match(doctor.stdout, /ok {4}Database +PostgreSQL [\d.]+ takes the login; schema strongroom is at version \d/);
  assert.match(doctor.stdout, /ok {4}Database privileges +all that is needed/);
  assert.match(doctor.stdout, /ok {4}Database statements +named: no pooler is between/);
  assert.match(doctor.stdout, /warn {2}Database durability +asynchronous; no standby follows/);
  assert.match(doctor.stdout, /ok {4}Key set +epoch 1: the configured keys/);
  assert.match(
    doctor.stdout,
    /ok {4}Key store +PostgreSQL [\d.]+ takes the login; schema strongroom_keys is at version \d/,
  );
  assert.match(doctor.stdout, /ok {4}Key store's key set +epoch 1: the configured keys/);
  assert.match(doctor.stdout, /ok {4}Records and keys +they belong together/);
  assert.match(doctor.stdout, /ok {4}Records and audit +the log belongs to the records/);
  assert.match(doctor.stdout, /warn {2}Backups +records, keys and the audit lie in one PostgreSQL cluster/);
  assert.match(doctor.stdout, /ok {4}People +1 compared: everybody has a key/);
  assert.equal(await first.stop(), 0);

  const again = await start(home);
  t.after(() => again.stop());
  assert.equal((await run(home, "get people ada")).stdout, '{"name":"Ada"}\n');

  // The key of the audit is under the first one's keys: without it nothing is read or written, so nothing is served.
  await assert.rejects(start(otherHome), /"code":"key-not-configured".*written under other keys.*schemas of its own/);
  const other = await run(otherHome, "store status");
  assert.match(other.stdout, /Key set +epoch 1: other keys than this configuration has/);
  assert.equal((await run(home, "put people bob", "{}")).code, 0, "and the first one writes on");
  assert.equal(await again.stop(), 0);

  await admin("update strongroom.vault set min_writer = 99");
  const newer = await run(home, "store status");
  assert.match(newer.stdout, /store-newer/);
  const started = await run(home, "up --port 0 --json");
  assert.equal(started.code, 2);
  assert.match(started.stderr, /"code":"store-newer".*for programs that read as 3 and write as 99/);
  await admin("update strongroom.vault set min_writer = 4");
  await admin("create table strongroom.planted (x int)");
  assert.match((await run(home, "doctor")).stdout, /FAIL {2}Database .*planted.*\[store-altered\]/s);
});

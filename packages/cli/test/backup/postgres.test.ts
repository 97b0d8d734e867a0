// A backup of a vault in PostgreSQL: the command says what to run, makes one backup of the dumps, and accepts them where
// they were restored. Dumps in another order are refused.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import pg from "pg";
import { promisify } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { defer } from "../../../../tests/support/defer.ts";
import { hasPostgres15 } from "../../../../tests/support/postgres/programs.ts";
import { readDumpHeader } from "../../src/backup/dump-header.ts";
import { runCommand } from "../support/command.ts";
import { type Ended, startInstallation, temporaryFolder } from "../support/installation.ts";
import { namedDatabase, withoutPassword } from "../support/postgres.ts";

const urlWith = (url: string, password: string): string => Object.assign(new URL(url), { password }).href;

const ADA = '{"email":"ada@example.com","born":"1815-12-10"}';

/** Debian's pg_dump is of the version of its server: it dumps no newer one. */
const skip = hasPostgres15 ? false : "PostgreSQL 15 with its pg_dump is not installed";
const shell = promisify(execFile);

test("a vault in PostgreSQL is backed up and restored as the command says", { skip }, async (t) => {
  const folder = await temporaryFolder();
  defer(t, () => folder[Symbol.asyncDispose]());
  const database = await namedDatabase(t, folder.path, { version: 15 });
  const at = (name: string): string => join(folder.path, name);
  const patient = {
    XDG_STATE_HOME: at("state"),
    STRONGROOM_ATTEMPT_TIMEOUT_MS: "8000",
    STRONGROOM_DEADLINE_MS: "20000",
    STRONGROOM_FOUR_EYES: "true",
  };
  const fields = { email: { find: "email", unique: true }, born: { find: "date" } };
  writeFileSync(at("declared.json"), JSON.stringify({ collections: { people: { fields } } }));
  const env = { ...database.env, ...patient, STRONGROOM_CONFIG: at("declared.json") };
  const target = withoutPassword(await database.server.createDatabase());
  const restoredEnv = { ...env, STRONGROOM_STORE: target };
  const query = { ...restoredEnv };
  const run = (line: string, given: typeof env = env): Promise<Ended> =>
    runCommand(line.split(" "), {
      cwd: folder.path,
      stdin: given === query ? '{"email":"ADA@example.com"}' : ADA,
      env: given,
    });
  const inShell = (line: string) =>
    shell("sh", ["-c", line], { env: { ...process.env, PGPASSWORD: database.server.password } });
  const installation = await startInstallation(folder.path, [], { env });
  defer(t, () => installation.stop());
  assert.equal((await run("put people ada")).code, 0);
  for (const name of ["ada", "bob"])
    assert.equal((await run(`token create ${name} --scope admin --output ${name}.token`)).code, 0);
  const two = "--token-file ada.token --second-token-file bob.token";
  const begun = await run("backup --json monday");
  assert.equal(begun.code, 0, begun.stderr);
  const { commands } = JSON.parse(begun.stdout) as { readonly commands: readonly string[] };
  assert.equal(commands.length, 3);
  assert.equal((await run("backup --check monday")).code, 1, "no dump is there");
  assert.equal(
    (await run(`restore monday --data-dir new --accept --reason a.test ${two}`, restoredEnv)).code,
    5,
    "nor a backup",
  );
  for (const command of commands.toReversed()) {
    await inShell(command);
    await sleep(1100);
  }
  const reversed = await run("backup --check monday");
  assert.equal(reversed.code, 1);
  assert.match(reversed.stderr, /was begun before records\.dump/);
  for (const command of commands) await inShell(command.replaceAll(/ --exclude-table-data=\S+/g, ""));
  const tagged = await run("backup --check monday");
  assert.equal(tagged.code, 1);
  assert.match(tagged.stderr, /has the tags by which records are found/);
  for (const command of commands) await inShell(command);
  const owner = new pg.Client({ connectionString: urlWith(database.url, database.server.password) });
  await owner.connect();
  const { rows: kept } = await owner.query<{ tag: Buffer }>(
    "select tag from strongroom.tags union all select tag from strongroom.unique_tags",
  );
  await owner.end();
  const tags = kept.map(({ tag }) => tag);
  assert.equal(tags.length, 2);
  const rows = await inShell(`pg_restore --data-only --file=- ${at("monday/records.dump")}`);
  for (const tag of tags) {
    assert.ok(!readFileSync(at("monday/records.dump")).includes(tag));
    assert.ok(!rows.stdout.includes(tag.toString("hex")), "the dump has a tag");
  }
  const checked = await run("backup --check monday");
  assert.equal(checked.code, 0, checked.stderr);
  assert.equal((await run("backup --check monday")).code, 0, "and again, of a backup that is whole");
  assert.deepEqual(readdirSync(at("monday")).sort(), [
    ...[
      "approvers.json",
      "audit.dump",
      "erasures.ndjson",
      "keys.dump",
      "keys.json",
      "kms.sqlite",
      "manifest.json",
      "manifest.proof",
      "records.dump",
    ],
  ]);
  const header = await readDumpHeader(at("monday/records.dump"));
  assert.match(header.server, /^\d+/);
  assert.ok((await inShell(`pg_restore --list ${at("monday/records.dump")}`)).stdout.includes(header.database));
  assert.equal(await installation.stop(), 0);
  const key = "--root-key-file strongroom-data/kms/root.key";
  const restore = `restore monday --data-dir new --reason a.test ${key} ${two}`;
  const alone = restore.replace("bob.token", "ada.token");
  for (const line of [alone, `${alone} --accept`]) {
    const { code, stderr } = await run(line, restoredEnv);
    assert.equal(code, 6, "two are needed before it says what to run, and before it is accepted");
    assert.match(stderr, /approval-own/);
  }
  const said = await run(`${restore} --json`, restoredEnv);
  assert.equal(said.code, 0, said.stderr);
  for (const command of (JSON.parse(said.stdout) as { readonly commands: readonly string[] }).commands)
    await inShell(command);
  assert.ok(!existsSync(at("new")));
  const accepted = await run(`${restore} --accept`, restoredEnv);
  assert.equal(accepted.code, 0, accepted.stderr);
  assert.match(accepted.stdout, /were built: people\/born, people\/email, of 1 records/);
  assert.match(accepted.stdout, /who restored it: token:[0-9a-f]{12} and token:[0-9a-f]{12}/);
  assert.ok(!existsSync(at("new/approvers.json")));
  const restored = await startInstallation(
    folder.path,
    ["--data-dir", "new", "--root-key-file", "strongroom-data/kms/root.key"],
    { env: restoredEnv },
  );
  defer(t, () => restored.stop());
  assert.equal((await run("get people ada --data-dir new", restoredEnv)).stdout, `${ADA}\n`);
  const found = await run("find people --data-dir new", query);
  assert.equal((JSON.parse(found.stdout) as { readonly id: string }).id, "ada");
  const taken = await run("put people bob --data-dir new", restoredEnv);
  assert.match(taken.stderr, /value-taken/);
  assert.equal(await restored.stop(), 0);
  assert.doesNotMatch(restored.said(), /AUDIT/);
});

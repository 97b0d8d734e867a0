// A data folder of an older version: its vault.sqlite moves into records.sqlite, beforehand by `store migrate` or at the
// next start, and every command says that it is to do until it is done.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { defer } from "../../../../tests/support/defer.ts";
import { earlierFile } from "../../../vault/test/support/earlier-vault.ts";
import { lockDataFolder } from "../../src/data-folder.ts";
import { runCommand } from "../support/command.ts";
import { type Ended, startInstallation, temporaryFolder } from "../support/installation.ts";

/** A folder whose record lies in the file of an older version, with the message that its keys open. */
async function olderFolder(t: TestContext): Promise<{ readonly cwd: string; readonly dataDir: string }> {
  const folder = await temporaryFolder();
  defer(t, () => folder[Symbol.asyncDispose]());
  const installation = await startInstallation(folder.path);
  const { dataDir } = installation.ready;
  const put = await runCommand(["put", "people", "ada"], { cwd: folder.path, stdin: '{"name":"Ada"}' });
  assert.equal(put.code, 0, put.stderr);
  assert.equal(await installation.stop(), 0);
  const records = join(dataDir, "records.sqlite");
  const database = new DatabaseSync(records, { readOnly: true });
  const row = database.prepare("select subject, created_at, hex(message) as message from versions").get();
  database.close();
  for (const end of ["", "-wal", "-shm", ".mark", ".reserve"]) await rm(`${records}${end}`, { force: true });
  const { subject, created_at: at, message } = row as Readonly<Record<string, string>>;
  earlierFile(
    join(dataDir, "vault.sqlite"),
    3,
    `insert into heads values ('people', 'ada', 1, 'live', '${at}')`,
    `insert into versions values ('people', 'ada', 1, '${subject}', '${at}', 3, 3, x'${message}')`,
  );
  return { cwd: folder.path, dataDir };
}

test("the records of an older version move beforehand, when store migrate is asked to", async (t) => {
  const { cwd, dataDir } = await olderFolder(t);
  const run = (line: string): Promise<Ended> => runCommand(line.split(" "), { cwd });
  const owed = /move 1 version of vault\.sqlite into records\.sqlite/;
  assert.match((await run("doctor")).stdout, /warn {2}Older database +to do: move 1 version of vault\.sqlite/);
  assert.match((await run("store status")).stdout, owed);
  assert.match((await run("store migrate --dry-run")).stdout, owed);
  assert.ok(existsSync(join(dataDir, "vault.sqlite")) && !existsSync(join(dataDir, "records.sqlite")), "only said");
  const lock = lockDataFolder(join(dataDir, "up.lock"), dataDir);
  const beside = await run("store migrate");
  lock.release();
  assert.match(beside.stderr, /data-dir-in-use/, "not under a service of the older version");
  assert.ok(existsSync(join(dataDir, "vault.sqlite")));
  const moved = await run("store migrate");
  assert.equal(moved.code, 0, moved.stderr);
  assert.match(moved.stderr, /move from vault\.sqlite into records\.sqlite: 1 version\.[^]*1 version of 1 moved/);
  assert.ok(!existsSync(join(dataDir, "vault.sqlite")), "the old file is gone");
  assert.match((await run("store migrate")).stdout, /nothing to do/);
  assert.match((await run("doctor")).stdout, /ok {4}Database +as this version makes it/);
});

test("they move at the next start, which tells the terminal and the log, and open as before", async (t) => {
  const { cwd, dataDir } = await olderFolder(t);
  const installation = await startInstallation(cwd);
  t.after(() => installation.stop());
  const got = await runCommand(["get", "people", "ada"], { cwd });
  assert.equal(got.stdout, '{"name":"Ada"}\n', got.stderr);
  assert.equal((await runCommand(["put", "people", "ada"], { cwd, stdin: '{"name":"Ada King"}' })).code, 0);
  assert.equal((await runCommand(["get", "people", "ada", "--version", "1"], { cwd })).stdout, '{"name":"Ada"}\n');
  const log = await readFile(join(dataDir, "strongroom.log"), "utf8");
  assert.match(log, /"done":1,"total":1,"msg":"the move of the older version's records has ended"/);
  assert.equal(await installation.stop(), 0);
});

test("a running installation's keys are known by every command beside it, whatever regions it was started with", async (t) => {
  const folder = await temporaryFolder();
  defer(t, () => folder[Symbol.asyncDispose]());
  const installation = await startInstallation(folder.path, ["--region", "us-east-1=0"]);
  t.after(() => installation.stop());
  const run = (line: string): Promise<Ended> => runCommand(line.split(" "), { cwd: folder.path });
  assert.equal((await runCommand(["put", "people", "ada"], { cwd: folder.path, stdin: "{}" })).code, 0);
  assert.match((await run("store status")).stdout, /epoch 1: the configured keys/);
  assert.match((await run("doctor")).stdout, /ok {4}Key set +epoch 1: the configured keys/);
  assert.match((await run("store flip --yes")).stdout, /in force already/);
  assert.equal((await runCommand(["put", "people", "ada"], { cwd: folder.path, stdin: "{}" })).code, 0);
});

// A data folder of an older version: its vault.sqlite moves into records.sqlite, beforehand by `store migrate` or at the
// next start, and every command says that it is to do until it is done.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { openVault } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../tests/support/defer.ts";
import { earlierFile } from "../../../vault/test/support/earlier-vault.ts";
import { lockDataFolder } from "../../src/data-folder.ts";
import { kmsClient } from "../../src/installation/keyring.ts";
import { runCommand } from "../support/command.ts";
import { type Ended, type Ready, startInstallation, temporaryFolder } from "../support/installation.ts";

/** Writes as a version without a key store did, under the keys of a running installation. */
async function writtenBefore(path: string, { keys, regionSockets, dataDir }: Ready): Promise<void> {
  const regions = await Promise.all(
    Object.entries(keys).map(async ([region, keyArn]) => ({
      region,
      keyArn,
      client: await kmsClient({
        region,
        socket: regionSockets[region],
        credentialsFile: join(dataDir, "kms", "service-credentials.json"),
      }),
    })),
  );
  await using vault = await openVault({
    store: await sqliteStore(path),
    keyring: multiRegionKeyring({ regions, minimum: 2, attemptTimeoutMs: 8000, deadlineMs: 20_000 }),
  });
  await vault.put({ collection: "people", id: "ada" }, { name: "Ada" });
}

/** A folder whose record lies in the file of an older version, with the message that its keys open. */
async function olderFolder(t: TestContext): Promise<{ readonly cwd: string; readonly dataDir: string }> {
  const folder = await temporaryFolder();
  defer(t, () => folder[Symbol.asyncDispose]());
  const installation = await startInstallation(folder.path);
  const { dataDir } = installation.ready;
  const records = join(dataDir, "written.sqlite");
  await writtenBefore(records, installation.ready);
  assert.equal(await installation.stop(), 0);
  const database = new DatabaseSync(records, { readOnly: true });
  const row = database.prepare("select subject, created_at, hex(message) as message from versions").get();
  database.close();
  for (const name of ["written", "records", "keys", "audit"])
    for (const end of ["", "-wal", "-shm", ".mark", ".reserve"])
      await rm(join(dataDir, `${name}.sqlite${end}`), { force: true });
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
  assert.equal(
    (JSON.parse((await runCommand(["get", "people", "ada", "--json"], { cwd })).stdout) as { readonly subject: string })
      .subject,
    "ada",
  );
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

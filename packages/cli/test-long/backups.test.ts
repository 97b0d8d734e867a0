// Backups and restores of a running installation that are killed in the middle, and many rounds beside a load.
import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { once } from "node:events";
import { backupRounds } from "../test/support/backup-rounds.ts";
import { runProcess, spawnCommand, startInstallation, temporaryFolder } from "../test/support/installation.ts";

const KILLS = 8;

test("twenty backups beside readers and writers bring everything back", () => backupRounds(20));

test(`a backup or a restore that is killed leaves none, and the next one is made, ${KILLS} times each`, async () => {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  const env = { XDG_STATE_HOME: at("state") };
  const installation = await startInstallation(folder.path, [], { env: { ...env, STRONGROOM_DEADLINE_MS: "20000" } });
  const run = (...args: string[]) => runProcess(args, folder.path, { env, stdin: '{"name":"Ada"}' });
  /** Kills a command some time after its draft is there. */
  const kill = async (args: readonly string[], draft: string, afterMs: number): Promise<void> => {
    const child = spawnCommand(args, folder.path, env);
    child.stdin?.end();
    const ended = once(child, "exit");
    while (!existsSync(draft) && child.exitCode === null) await sleep(5);
    await sleep(afterMs);
    child.kill("SIGKILL");
    await ended;
  };
  try {
    assert.equal((await run("put", "people", "ada")).code, 0);
    for (let round = 0; round < KILLS; round++) {
      await kill(["backup", "killed"], at(".killed.draft"), Math.random() * 3000);
      if (!existsSync(at("killed"))) continue;
      assert.equal((await run("backup", "--check", "killed")).code, 0, "what has the name is whole");
      rmSync(at("killed"), { recursive: true });
    }
    assert.equal((await run("backup", "killed")).code, 0);
    assert.ok(!existsSync(at(".killed.draft")));
    assert.equal((await run("doctor")).code, 0, "the vault goes on");
  } finally {
    assert.equal(await installation.stop(), 0);
  }
  assert.doesNotMatch(installation.said(), /AUDIT/);
  const key = ["--root-key-file", "strongroom-data/kms/root.key"];
  const restore = ["restore", "killed", "--data-dir", "new", "--reason", "a test", ...key];
  for (let round = 0; round < KILLS; round++) {
    await kill(restore, at(".new.draft"), Math.random() * 5000);
    if (existsSync(at("new"))) rmSync(at("new"), { recursive: true });
  }
  assert.equal((await run(...restore)).code, 0);
  assert.deepEqual(readdirSync(folder.path).sort(), ["killed", "new", "state", "strongroom-data"]);
  const restored = await startInstallation(folder.path, ["--data-dir", "new", ...key], { env });
  try {
    assert.equal((await run("get", "people", "ada", "--data-dir", "new")).stdout, '{"name":"Ada"}\n');
  } finally {
    assert.equal(await restored.stop(), 0);
  }
  assert.doesNotMatch(restored.said(), /AUDIT/);
});

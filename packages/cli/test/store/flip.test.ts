// Key sets that are put in force, by `strongroom store flip` or by a start with other regions: who did it is in the audit.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEvent } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { runCommand } from "../support/command.ts";
import { type Ended, startInstallation, temporaryFolder, until } from "../support/installation.ts";

test("a key set that is put in force is in the audit, by the start or by the command, and one that is so already is not", async (t) => {
  const folder = await temporaryFolder();
  defer(t, () => folder[Symbol.asyncDispose]());
  const run = (line: string): Promise<Ended> => runCommand(line.split(" "), { cwd: folder.path });
  const first = await startInstallation(folder.path);
  t.after(() => first.stop());
  assert.equal((await runCommand(["put", "people", "ada"], { cwd: folder.path, stdin: "{}" })).code, 0);
  assert.equal(await first.stop(), 0);
  // The start takes a region more in; the command leaves it again.
  const second = await startInstallation(folder.path, ["--region", "us-east-1=0"]);
  t.after(() => second.stop());
  assert.equal(await second.stop(), 0);
  const flipped = await run("store flip --yes");
  assert.equal(flipped.code, 0, flipped.stderr);
  assert.match(flipped.stdout, /In force: store at epoch 3, key store at epoch 3/);
  assert.match((await run("store flip --yes")).stdout, /in force already/);

  const third = await startInstallation(folder.path);
  t.after(() => third.stop());
  const told = async (): Promise<readonly string[]> => {
    const { stdout } = await run("audit what-did local --since 1h --json");
    const { events } = JSON.parse(stdout) as { readonly events: readonly AuditEvent[] };
    return events
      .filter(({ action }) => action === "flip-key-set")
      .map(({ result, details }) => `${String(details["store"])} ${result} ${String(details["epoch"])}`)
      .toSorted();
  };
  await until(async () => (await told()).length >= 8);
  assert.deepEqual(await told(), [
    ...["keys begun 1", "keys begun 2", "keys done 2", "keys done 3"],
    ...["records begun 1", "records begun 2", "records done 2", "records done 3"],
  ]);
  assert.equal(await third.stop(), 0);
});

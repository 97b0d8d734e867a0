import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { STRONGROOM_KMS } from "../../../../tests/support/commands.ts";

test("strongroom-kms under a process manager that opens a channel announces itself and ends by a signal", async (t) => {
  const child = spawn(process.execPath, [STRONGROOM_KMS, "serve", "--json", "--temporary", "--region", "eu-west-1"], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  t.after(() => child.kill("SIGKILL"));
  const exited = once(child, "exit") as Promise<[number | null]>;
  assert.ok(child.stdout !== null);
  const [line] = (await once(createInterface({ input: child.stdout }), "line", {
    signal: AbortSignal.timeout(30_000),
  })) as [string];
  assert.deepEqual(Object.keys((JSON.parse(line) as { endpoints: object }).endpoints), ["eu-west-1"]);
  child.kill("SIGTERM");
  assert.deepEqual(await exited, [0, null]);
});

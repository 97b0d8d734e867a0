/**
 * A writer that stands still between wrap and commit while the key set is changed, again and again.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { keySetDigest } from "@strongroom/vault";
import { defer } from "../defer.ts";
import { rowsUnder } from "./flips.ts";
import { newTestKey } from "./keys.ts";
import { openPlace, type Place } from "./place.ts";

const PROGRAM = fileURLToPath(new URL("stopping-writer.ts", import.meta.url));

/** Stops a writer so many times over a flip; fails the test for every row that came under the set of before. */
export async function stoppedOverFlips(t: TestContext, place: Place, times: number): Promise<void> {
  const keys = [newTestKey("one"), newTestKey("other")] as const;
  const store = await openPlace(place);
  defer(t, () => store.close());
  await store.gate.flip({ from: (await store.gate.current()).epoch, digest: keySetDigest([keys[0].name]) });
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", PROGRAM], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  defer(t, () => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.write(`${JSON.stringify({ place, keys })}\n`);
  assert.equal((await lines.next()).value, "ready");
  const results = new Map<string, number>();
  let late = 0;
  for (let time = 1; time <= times; time++) {
    const [from, to] = [keys[(time + 1) % 2]!, keys[time % 2]!];
    child.stdin.write(`s${time}\n`);
    await isStopped(child);
    const { epoch } = await store.gate.current();
    assert.equal(await store.gate.flip({ from: epoch, digest: keySetDigest([to.name]) }), "flipped");
    const before = await rowsUnder(store, from.name);
    child.kill("SIGCONT");
    const result = String((await lines.next()).value);
    results.set(result, (results.get(result) ?? 0) + 1);
    late += (await rowsUnder(store, from.name)) - before;
  }
  const exit = once(child, "exit");
  child.stdin.end();
  await exit;
  t.diagnostic(
    `stopped ${times} times over a flip: ${[...results].map(([result, count]) => `${result}: ${count}`).join(", ")}; ${late} rows under the set of before`,
  );
  assert.equal(late, 0);
  assert.deepEqual([...results], [["made 1", times]], "each write is sealed anew and made");
}

/** Waits until the process stands still. */
async function isStopped({ pid }: ChildProcess): Promise<void> {
  while (
    !execFileSync("ps", ["-o", "state=", "-p", String(pid)])
      .toString()
      .includes("T")
  )
    await sleep(5);
}

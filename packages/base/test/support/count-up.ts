/**
 * A counter in a file, which loses counts unless one process at a time is at it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { waitForLock } from "@strongroom/base/locks";

/** Counts ten times, each under the lock `path`; the count is in the file beside it. */
export async function countUp(path: string): Promise<void> {
  for (let round = 0; round < 10; round++) {
    const lock = await waitForLock(path, { patienceMs: 60_000 });
    const seen = Number(readFileSync(`${path}.count`, "utf8"));
    await delay(1);
    writeFileSync(`${path}.count`, String(seen + 1));
    lock.release();
  }
}

/**
 * The run of many writers on few records while processes are killed, connections broken off and servers lost; then the
 * check of all that they saw against all that is stored.
 */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Fleet } from "./fleet.ts";
import { type Call, problemsOf } from "./history.ts";
import { temporaryFolder } from "./folder.ts";
import { newTestKey } from "./keys.ts";
import type { Place } from "./place.ts";

/** What is done to the store while the writers write. */
export interface Trouble {
  readonly name: string;
  readonly everyMs: number;
  readonly make: () => Promise<unknown>;
}

/** How many, and for how long. */
export interface Run {
  readonly place: Place;
  readonly records: number;
  readonly processes: number;
  readonly writersEach: number;
  readonly seconds: number;
  /** How often a process is killed. */
  readonly killEveryMs: number;
  readonly troubles: readonly Trouble[];
}

/** Runs it, and fails the test for whatever is wrong. */
export async function manyWriters(t: TestContext, run: Run): Promise<void> {
  const folder = join(await temporaryFolder(t), "logs");
  await mkdir(folder);
  const { place, records, processes, writersEach, seconds } = run;
  const fleet = new Fleet({ place, records, writers: writersEach, keys: [newTestKey("one")] }, folder);
  await fleet.start(processes);
  const stop = AbortSignal.timeout(seconds * 1000);
  const kills: Trouble = { name: "processes killed", everyMs: run.killEveryMs, make: () => fleet.replaceOne() };
  const made = await Promise.all([kills, ...run.troubles].map((trouble) => keepMaking(trouble, stop)));
  const failures = await fleet.end();
  const calls = await fleet.calls();
  const stored = await fleet.stored();
  const problems = problemsOf(calls, stored);
  t.diagnostic(`${summary(calls)}; ${made.join(", ")}; ${stored.size} records`);
  assert.deepEqual(failures, []);
  assert.deepEqual(problems.slice(0, 20), [], `${problems.length} problems`);
  assert.ok(calls.some(({ answer }) => answer.kind === "made"));
}

async function keepMaking({ name, everyMs, make }: Trouble, stop: AbortSignal): Promise<string> {
  let count = 0;
  const waits = (): Promise<boolean> =>
    sleep(everyMs * (0.5 + Math.random()), true, { signal: stop }).catch(() => false);
  for (; await waits(); count++) await make();
  return `${count} ${name}`;
}

function summary(calls: readonly Call[]): string {
  const counts = new Map<string, number>();
  for (const { token, answer } of calls) {
    const what = token === null ? "read" : "write";
    const kind = answer.kind === "refused" ? `refused with ${answer.code}` : answer.kind;
    counts.set(`${what} ${kind}`, (counts.get(`${what} ${kind}`) ?? 0) + 1);
  }
  return [...counts]
    .sort()
    .map(([what, count]) => `${what}: ${count}`)
    .join(", ");
}

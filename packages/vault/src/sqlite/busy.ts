/**
 * Waiting for another writer without stopping the process: SQLite's own busy timeout sleeps on the thread that answers
 * everyone else.
 */
import { setTimeout as delay } from "node:timers/promises";
import { isBusy } from "./failures.ts";

/** Longest pause between two tries, in milliseconds. Random, so that two waiting processes do not keep meeting. */
const PAUSE_MS = 5;

/**
 * Runs `work` again while the database is busy, for at most `patienceMs`. Whatever `work` did before it met the other
 * writer must have been rolled back.
 */
export async function whileBusy<Result>(patienceMs: number, work: () => Promise<Result>): Promise<Result> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= until) throw error;
      await delay(Math.random() * PAUSE_MS);
    }
  }
}

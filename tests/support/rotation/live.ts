/**
 * Reads and writes beside a large rotation, in a process of their own, until its input ends: it says that it has begun,
 * and at the end what came of them.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Vault } from "@strongroom/vault";
import type { RotationFigures } from "./large-rotation.ts";
import { idOf, openLarge } from "./large-vault.ts";
import type { LargeTask } from "./large-vault.ts";

/** Of reads and writes together, a second. */
const LIVE_RATE = 200;
/** The process is warm, in milliseconds, when what has piled up by then is done: as it runs from then on. */
const WARM_MS = 5_000;
const FEW = 20;
const LONGEST_MS = 60_000;

/** Reads and writes of people who are there, in turn, evenly spread; none may fail. */
async function live(vault: Vault, people: number, ends: AbortSignal): Promise<RotationFigures["live"]> {
  const durations: number[] = [];
  const under = new Set<Promise<void>>();
  let failed = 0;
  let warmAt: number | null = null;
  const began = performance.now();
  for (let n = 0; !ends.aborted; n++) {
    const wait = began + (n * 1000) / LIVE_RATE - performance.now();
    if (wait > 0) await delay(wait);
    const address = { collection: "people", id: idOf(Math.floor(Math.random() * people)) };
    const from = performance.now();
    const call: Promise<void> = (n % 2 === 0 ? vault.get(address) : vault.put(address, { nonce: randomUUID() }))
      .then(() => undefined)
      .catch(() => {
        failed += 1;
      })
      .finally(() => {
        if (warmAt !== null && from > warmAt) durations.push(performance.now() - from);
        under.delete(call);
      });
    under.add(call);
    // Beyond what a second has, the machine cannot keep up: what waits is not piled up.
    if (under.size > LIVE_RATE) await Promise.race(under);
    const age = performance.now() - began;
    if (warmAt !== null || age < WARM_MS || (under.size > FEW && age < LONGEST_MS)) continue;
    warmAt = performance.now();
    process.stdout.write("begun\n");
  }
  await Promise.all(under);
  durations.sort((a, b) => a - b);
  const at = (share: number): number => durations[Math.floor(durations.length * share)] ?? 0;
  const perSecond = (1000 * durations.length) / (performance.now() - (warmAt ?? began));
  return { done: durations.length, failed, perSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
}

const { task, people } = JSON.parse(process.argv[2] ?? "") as { readonly task: LargeTask; readonly people: number };
const vault = await openLarge(task, null);
const ends = new AbortController();
const traffic = live(vault, people, ends.signal);
process.stdin.resume();
await once(process.stdin, "end");
ends.abort();
process.stdout.write(`${JSON.stringify(await traffic)}\n`);
await vault.close();

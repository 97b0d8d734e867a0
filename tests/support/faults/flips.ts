/**
 * Flips of the key set under writers: once a flip has resolved, nothing that was wrapped under the set of before may be
 * stored any more.
 */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { keySetDigest, type Store } from "@strongroom/vault";
import { defer } from "../defer.ts";
import { Fleet } from "./fleet.ts";
import { temporaryFolder } from "./folder.ts";
import { newTestKey } from "./keys.ts";
import { openPlace, type Place } from "./place.ts";
import type { Way } from "./task.ts";

/** How many flips, and how the writers write meanwhile. */
export interface Flips {
  readonly place: Place;
  readonly flips: number;
  readonly processes: number;
  readonly writersEach: number;
  readonly way: Way;
}

/** How long the writers have between two flips, from when one of them has written. */
const BETWEEN_MS = 20;
/** Beyond what a run writes. */
const MANY = 10_000_000;

/** Flips back and forth, and fails the test for every row that came late. */
export async function flipsUnderWriters(t: TestContext, run: Flips): Promise<void> {
  const { place, flips, processes, writersEach, way } = run;
  const folder = join(await temporaryFolder(t), "logs");
  await mkdir(folder);
  const keys = [newTestKey("one"), newTestKey("other")] as const;
  const store = await openPlace(place);
  defer(t, () => store.close());
  await store.gate.flip({ from: (await store.gate.current()).epoch, digest: keySetDigest([keys[0].name]) });
  const fleet = new Fleet({ place, records: 400, writers: writersEach, keys, way }, folder);
  defer(t, () => fleet.end());
  await fleet.start(processes);
  const latencies: number[] = [];
  let late = 0;
  let left = await rowsUnder(store, keys[1].name);
  for (let flip = 1; flip <= flips; flip++) {
    // The set that was left with the flip before has the rows that it had then.
    const from = keys[(flip + 1) % 2]!;
    const to = keys[flip % 2]!;
    const before = await rowsUnder(store, from.name);
    while ((await rowsUnder(store, from.name)) === before) await sleep(2);
    await sleep(Math.random() * BETWEEN_MS);
    late += (await rowsUnder(store, to.name)) - left;
    const { epoch, digest } = await store.gate.current();
    assert.equal(digest, keySetDigest([from.name]), "nobody else flips");
    const began = performance.now();
    assert.equal(await store.gate.flip({ from: epoch, digest: keySetDigest([to.name]) }), "flipped");
    latencies.push(performance.now() - began);
    left = await rowsUnder(store, from.name);
  }
  const failures = await fleet.end();
  late += (await rowsUnder(store, keys[(flips + 1) % 2]!.name)) - left;
  const calls = await fleet.calls();
  const made = calls.filter(({ answer }) => answer.kind === "made").length;
  const codes = Map.groupBy(calls, ({ answer }) => (answer.kind === "refused" ? answer.code : answer.kind));
  latencies.sort((a, b) => a - b);
  t.diagnostic(
    `${flips} flips, ${made} writes (${[...codes].map(([code, those]) => `${code}: ${those.length}`).join(", ")}), ` +
      `${late} late rows; a flip takes ${latencies[Math.floor(flips / 2)]!.toFixed(1)} ms (median), ` +
      `${latencies.at(-1)!.toFixed(1)} ms (longest)`,
  );
  assert.deepEqual(failures, []);
  assert.equal(late, 0, "rows that were stored after the flip had resolved, under the set of before");
  assert.ok(made >= flips, "the writers wrote between the flips");
}

/** How many versions have a wrap of the key. */
export async function rowsUnder(store: Store, key: string): Promise<number> {
  const sets = (await store.inventory.sets()).filter(({ set }) => set?.wraps.some((wrap) => wrap.key === key) ?? false);
  if (sets.length === 0) return 0;
  const counts = await store.inventory.counts(
    sets.map(({ id }) => id),
    MANY,
  );
  return counts.reduce((sum, { items }) => sum + items, 0);
}

/**
 * Load with outages: 200 requests a second for 60 s over real HTTP, a region lost and back every 10 s by a fault drawn
 * from a seed. STRONGROOM_LOAD_SEED repeats a run.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { decrypt, encrypt, EnvelopeError } from "@strongroom/envelope";
import { MULTI_REGION_DEFAULTS, multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { Regions } from "./support/regions.ts";
import type { Outage, Region } from "./support/regions.ts";

const PER_SECOND = 200;
const HEALTHY_SECONDS = 20;
const OUTAGE_SECONDS = 60;
const CYCLE_SECONDS = 10;
const WRITE_SHARE = 0.2;
const MINIMUM = 2;
const RTTS = [5, 40, 70];
/** Written records that reads choose from: all of them are kept and read at the end. */
const plaintext = Buffer.alloc(1_024, "a");

const OUTAGES: readonly Outage[] = [
  { kind: "stopped" },
  { kind: "refuse" },
  { kind: "black-hole" },
  { kind: "half-closed" },
  { kind: "slow-body" },
  { kind: "server-error" },
  { kind: "throttle" },
  { kind: "expired-credentials" },
  { kind: "access-denied" },
  { kind: "disabled-key" },
  { kind: "corrupt-json" },
  { kind: "wrong-key-id" },
  { kind: "wrong-plaintext" },
  { kind: "delay", delayMs: 1_500, jitterMs: 500 },
];

interface Stored {
  readonly id: string;
  readonly message: Uint8Array;
}

interface Counts {
  readonly reads: number[];
  readonly writes: number[];
  readonly failed: string[];
  refusedWrites: number;
  belowTarget: number;
}

const newCounts = (): Counts => ({ reads: [], writes: [], failed: [], refusedWrites: 0, belowTarget: 0 });
const percentile = (values: readonly number[], fraction: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * fraction)] ?? 0;
const callsOf = (keyring: MultiRegionKeyring): number => keyring.health().reduce((sum, { calls }) => sum + calls, 0);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

async function heapMb(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    collect();
    await sleep(20);
  }
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}

/** Repeatable numbers in [0, 1), by the Lehmer generator modulo 2^31 - 1. */
function seededRandom(seed: number): () => number {
  let state = (Math.floor(seed) % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

class Load {
  readonly stored: Stored[] = [];
  readonly keyring: MultiRegionKeyring;
  readonly #random: () => number;
  #made = 0;

  constructor(regions: readonly Region[], random: () => number) {
    this.keyring = multiRegionKeyring({ regions: regions.map(({ asKeyRegion }) => asKeyRegion), minimum: MINIMUM });
    this.#random = random;
  }

  /** Requests at a steady rate, whatever becomes of those before. */
  async run(seconds: number): Promise<Counts> {
    const counts = newCounts();
    const running = new Set<Promise<void>>();
    const startedAt = performance.now();
    for (let request = 0; request < seconds * PER_SECOND; request++) {
      const dueAt = startedAt + (request * 1_000) / PER_SECOND;
      if (dueAt - performance.now() > 1) await sleep(dueAt - performance.now());
      const work: Promise<void> = (this.#random() < WRITE_SHARE ? this.write(counts) : this.#readOne(counts)).finally(
        () => running.delete(work),
      );
      running.add(work);
    }
    await Promise.all(running);
    return counts;
  }

  async write(counts: Counts): Promise<void> {
    const id = `record-${this.#made++}`;
    const startedAt = performance.now();
    try {
      const { message, wraps } = await encrypt(plaintext, { keyring: this.keyring, encryptionContext: { id } });
      counts.writes.push(performance.now() - startedAt);
      if ((wraps?.stored.length ?? 0) < MINIMUM) counts.failed.push("a write was acknowledged below the minimum");
      if ((wraps?.missing.length ?? 0) > 0) counts.belowTarget += 1;
      // A copy: a small Buffer keeps the whole pool alive that it was cut from.
      this.stored.push({ id, message: Uint8Array.from(message) });
    } catch (error) {
      if (error instanceof EnvelopeError && ["wraps-below-minimum", "deadline-exceeded"].includes(error.code))
        counts.refusedWrites += 1;
      else counts.failed.push(`write: ${String(error)}`);
    }
  }

  #readOne(counts: Counts): Promise<void> {
    const record = this.stored[Math.floor(this.#random() * this.stored.length)];
    assert.ok(record !== undefined);
    return this.read(record, counts);
  }

  async read({ id, message }: Stored, counts: Counts): Promise<void> {
    const startedAt = performance.now();
    try {
      const opened = await decrypt(message, { keyring: this.keyring, encryptionContext: { id } });
      if (!plaintext.equals(opened.plaintext)) counts.failed.push(`read ${id}: other bytes`);
      counts.reads.push(performance.now() - startedAt);
    } catch (error) {
      counts.failed.push(`read ${id}: ${String(error)}`);
    }
  }
}

test("200 requests a second for 60 s with a region lost and back every 10 s", { timeout: 300_000 }, async (t) => {
  const seed = Number(process.env["STRONGROOM_LOAD_SEED"] ?? Date.now() % 1e9);
  const random = seededRandom(seed);
  // Its own numbers: how many the requests draw before an outage depends on how busy the machine is.
  const draw = seededRandom(seed + 1);
  t.diagnostic(`seed ${seed}`);
  await using regions = await Regions.start();
  await regions.set(regions.all, RTTS);
  const load = new Load(regions.all, random);
  // Connections and compiled code first, so that neither counts as load.
  for (let first = 0; first < 20; first++) await load.write(newCounts());
  await load.run(3);

  const callsBefore = callsOf(load.keyring);
  const hedgesBefore = load.keyring.counters().hedges;
  const healthy = await load.run(HEALTHY_SECONDS);
  const needed = healthy.reads.length + healthy.writes.length * RTTS.length;
  const extra = (callsOf(load.keyring) - callsBefore) / needed - 1;
  t.diagnostic(
    `healthy ${HEALTHY_SECONDS} s: ${healthy.reads.length} reads, ${healthy.writes.length} writes, extra calls ${(extra * 100).toFixed(2)} %, hedges ${load.keyring.counters().hedges - hedgesBefore}`,
  );
  t.diagnostic(
    `healthy read p50 ${percentile(healthy.reads, 0.5).toFixed(0)} p99 ${percentile(healthy.reads, 0.99).toFixed(0)} ms, write p50 ${percentile(healthy.writes, 0.5).toFixed(0)} p99 ${percentile(healthy.writes, 0.99).toFixed(0)} ms, writes below target ${healthy.belowTarget}`,
  );

  const heapBefore = await heapMb();
  const storedBefore = load.stored.length;
  const outages = (async () => {
    for (let cycle = 0; cycle < OUTAGE_SECONDS / CYCLE_SECONDS; cycle++) {
      const region = regions.all[Math.floor(draw() * regions.all.length)]!;
      const outage = OUTAGES[Math.floor(draw() * OUTAGES.length)]!;
      t.diagnostic(`${cycle * CYCLE_SECONDS + 2} s: ${region.name} ${outage.kind}`);
      await sleep(2_000);
      await regions.set(regions.all, RTTS, new Map([[region, outage]]));
      await sleep((CYCLE_SECONDS - 5) * 1_000);
      await regions.set(regions.all, RTTS);
      await sleep(3_000);
    }
  })();
  const lossy = await load.run(OUTAGE_SECONDS);
  await outages;
  const heapAfter = await heapMb();
  const perRecord = 4_000;
  const growth = heapAfter - heapBefore - ((load.stored.length - storedBefore) * perRecord) / 1e6;
  t.diagnostic(
    `outages ${OUTAGE_SECONDS} s: ${lossy.reads.length} reads, ${lossy.writes.length} writes, refused writes ${lossy.refusedWrites}, writes below target ${lossy.belowTarget}`,
  );
  t.diagnostic(
    `read p50 ${percentile(lossy.reads, 0.5).toFixed(0)} p99 ${percentile(lossy.reads, 0.99).toFixed(0)} max ${percentile(lossy.reads, 1 - 1e-9).toFixed(0)} ms, write p50 ${percentile(lossy.writes, 0.5).toFixed(0)} p99 ${percentile(lossy.writes, 0.99).toFixed(0)} max ${percentile(lossy.writes, 1 - 1e-9).toFixed(0)} ms`,
  );
  t.diagnostic(
    `heap ${heapBefore.toFixed(1)} -> ${heapAfter.toFixed(1)} MB for ${load.stored.length - storedBefore} records more`,
  );
  t.diagnostic(JSON.stringify(load.keyring.counters()));

  const end = newCounts();
  for (let first = 0; first < load.stored.length; first += 20) {
    await Promise.all(load.stored.slice(first, first + 20).map((record) => load.read(record, end)));
  }
  t.diagnostic(`read at the end: ${end.reads.length} of ${load.stored.length}`);
  assert.deepEqual([...healthy.failed, ...lossy.failed, ...end.failed].slice(0, 5), []);
  assert.equal(end.reads.length, load.stored.length, "an acknowledged write was lost");
  assert.ok(extra <= 0.05, `${extra * 100} % extra calls`);
  assert.equal(healthy.refusedWrites, 0);
  assert.ok(growth < 10, `${growth} MB more than the records that are kept`);
  const worst = Math.max(...[...lossy.reads, ...lossy.writes].map((value) => value));
  assert.ok(worst <= MULTI_REGION_DEFAULTS.deadlineMs + 250, `${worst} ms`);
});

// Load with outages through the whole service, with a debt that is made and paid: 200 requests a second for 60 s, a
// region lost and back every 10 s by a fault drawn from a seed. STRONGROOM_LOAD_SEED repeats a run.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MULTI_REGION_DEFAULTS } from "@strongroom/envelope/aws-kms";
import { type Client, createClient } from "@strongroom/client";
import { controlPort, DRILL_FAULTS, FAULT_NAMES } from "../src/drill/control-port.ts";
import { sampleDebt } from "../src/drill/debt.ts";
import { type PhaseFigures, phaseFigures } from "../src/drill/figures.ts";
import { seededRandom, startLoad } from "../src/drill/load.ts";
import { readFromEachAlone } from "../src/drill/outage.ts";
import { DrillRecords } from "../src/drill/records.ts";
import { PROMISED, WRITE_SHARE } from "../src/drill/settings.ts";
import { startInstallation, temporaryFolder } from "../test/support/installation.ts";
import { INSPECTED, memoryOf } from "./support/heap.ts";

const RATE = 200;
const WARM_UP_MS = 3000;
const HEALTHY_MS = 20_000;
const CYCLES = 6;
/** Of a cycle of 10 s. */
const CYCLE = { healthyMs: 2000, lostMs: 5000, backMs: 3000 };
const ROUND_TRIPS_MS = [5, 40, 70];
const MOST_GROWTH_MB = 10;

test(
  "200 requests a second for 60 s, a region lost and back every 10 s: no read fails, no write is lost, the debt " +
    "is paid",
  { timeout: 300_000 },
  async (t) => {
    const seed = Number(process.env["STRONGROOM_LOAD_SEED"] ?? Math.floor(Math.random() * 1e6));
    t.diagnostic(`STRONGROOM_LOAD_SEED=${seed}`);
    await using folder = await temporaryFolder();
    const installation = await startInstallation(folder.path, ["--log-level", "warn"], {
      env: {},
      nodeArgs: INSPECTED,
    });
    const { ready } = installation;
    const ending = new AbortController();
    const service = createClient({
      url: ready.url,
      token: (await readFile(ready.tokenFile, "utf8")).trim(),
      timeoutMs: 30_000,
      signal: ending.signal,
    });
    const control = controlPort({ endpoint: ready.faultsEndpoint, headerFile: ready.faultsHeaderFile });
    const regions = (await service.regions()).regions.map(({ region }) => region);
    for (const [index, delayMs] of ROUND_TRIPS_MS.entries())
      await control.apply(regions[index]!, { kind: "inject", faults: [{ kind: "delay", delayMs }] });

    const began = performance.now();
    const clock = (): number => performance.now() - began;
    const records = new DrillRecords({ service, collection: "outages", seed, ids: RATE, clock });
    const debt = sampleDebt({ service, clock, signal: ending.signal });
    try {
      await records.create();
      const load = startLoad({ records, rate: RATE, writeShare: WRITE_SHARE, seed, clock });
      const between = (from: number, to: number): PhaseFigures =>
        phaseFigures(
          load.calls.filter(({ startedAt }) => startedAt >= from && startedAt < to),
          { from, to },
        );

      await sleep(WARM_UP_MS);
      const healthyFrom = clock();
      const callsBefore = await callsOf(service);
      await sleep(HEALTHY_MS);
      const healthyTo = clock();
      const calls = (await callsOf(service)) - callsBefore;
      const healthy = between(healthyFrom, healthyTo);
      const extra = calls / (healthy.reads + healthy.writes * regions.length) - 1;
      t.diagnostic(`healthy: ${described(healthy)}, extra KMS calls ${(extra * 100).toFixed(2)} %`);
      const before = await memoryOf(installation.said());

      const outagesFrom = clock();
      const draw = seededRandom(seed ^ 0x5bd1e995);
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        const region = regions[Math.floor(draw() * regions.length)]!;
        const fault = FAULT_NAMES[Math.floor(draw() * FAULT_NAMES.length)]!;
        await sleep(CYCLE.healthyMs);
        const from = clock();
        const applied = await control.apply(region, DRILL_FAULTS[fault].order);
        await sleep(CYCLE.lostMs);
        await control.revert(applied);
        await sleep(CYCLE.backMs);
        t.diagnostic(
          `${region} ${fault}: ${described(between(from, clock()))}, owed ${debt.samples.at(-1)?.items ?? 0}`,
        );
      }
      const outagesTo = clock();
      await load.stop();
      const outages = between(outagesFrom, outagesTo);
      t.diagnostic(`outages: ${described(outages)}, most owed ${Math.max(...debt.samples.map(({ items }) => items))}`);

      await debt.untilPaid({ items: 0, endsAt: outagesTo + PROMISED.debtMs });
      t.diagnostic(
        `owed ${debt.samples.at(-1)?.items ?? 0} ${((clock() - outagesTo) / 1000).toFixed(1)} s after the end`,
      );
      const owed = await debt.sample();
      const after = await memoryOf(installation.said());
      t.diagnostic(
        `the service keeps ${before.kept.toFixed(1)} -> ${after.kept.toFixed(1)} MB, ` +
          `resident ${before.resident.toFixed(0)} -> ${after.resident.toFixed(0)} MB`,
      );
      for (const region of regions) await control.clear(region);
      const readBack = await records.readBack();
      t.diagnostic(`${readBack.versions} acknowledged writes read back: ${JSON.stringify(readBack.problems)}`);
      const alone = await readFromEachAlone({ service, control, records, regions, signal: ending.signal });
      t.diagnostic(
        `from each region alone: ${JSON.stringify(alone.map(({ region, problems }) => [region, problems]))}`,
      );

      assert.deepEqual([healthy.failedReads, outages.failedReads], [0, 0], "reads failed");
      assert.deepEqual([healthy.refusedWrites, healthy.failedWrites], [0, 0], "writes failed without an outage");
      assert.deepEqual(readBack.problems, {}, "an acknowledged write was lost");
      assert.equal(owed, 0, "wraps are owed");
      assert.ok(
        alone.every(({ problems }) => Object.keys(problems).length === 0),
        "a region does not open every record",
      );
      assert.ok(extra <= 0.05, `${extra * 100} % extra calls`);
      assert.ok(after.kept - before.kept <= MOST_GROWTH_MB, `${after.kept - before.kept} MB more`);
      const slowest = Math.max(healthy.slowestMs, outages.slowestMs);
      assert.ok(slowest <= MULTI_REGION_DEFAULTS.deadlineMs + PROMISED.overDeadlineMs, `a call took ${slowest} ms`);
    } finally {
      ending.abort();
      await debt.stop();
      assert.equal(await installation.stop(), 0);
    }
  },
);

async function callsOf(service: Client): Promise<number> {
  return (await service.regions()).regions.reduce((sum, { calls }) => sum + calls, 0);
}

function described({
  reads,
  failedReads,
  readMs,
  writes,
  refusedWrites,
  failedWrites,
  missingWraps,
  writeMs,
  slowestMs,
  codes,
}: PhaseFigures): string {
  const times = (latency: PhaseFigures["readMs"]): string =>
    `p50 ${(latency?.p50 ?? 0).toFixed(0)} p99 ${(latency?.p99 ?? 0).toFixed(0)} ms`;
  return (
    `${reads} reads (${failedReads} failed, ${times(readMs)}), ` +
    `${writes} writes (${refusedWrites} refused, ${failedWrites} failed, ${missingWraps} with wraps missing, ` +
    `${times(writeMs)}), slowest ${slowestMs.toFixed(0)} ms` +
    (Object.keys(codes).length === 0 ? "" : ` ${JSON.stringify(codes)}`)
  );
}

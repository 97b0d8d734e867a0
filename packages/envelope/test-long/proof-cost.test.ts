/**
 * What proven wraps cost, over real HTTP: calls and milliseconds of a write, with each of `proveWraps`. The calls are
 * asserted; the table is printed, and docs/resilience.md has one.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cachingMaterials, encrypt } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { MultiRegionKeyring, ProveWraps } from "@strongroom/envelope/aws-kms";
import { Regions } from "./support/regions.ts";

const WRITES = 100;
const MESSAGES_PER_KEY = 10;
const encryptionContext = { id: "42" };
const plaintext = Buffer.from("a name and an address");

const calls = (keyring: MultiRegionKeyring): number => keyring.health().reduce((sum, each) => sum + each.calls, 0);
const quantile = (sorted: readonly number[], fraction: number): number =>
  sorted[Math.floor(sorted.length * fraction)] ?? Number.NaN;

test("a proof is one call to each region, and its round trip", { timeout: 300_000 }, async (t) => {
  await using regions = await Regions.start();
  t.diagnostic("round trips | proveWraps | KMS calls a write | with ten messages a data key | p50 ms | p95 ms");
  for (const rtts of [
    [1, 1, 1],
    [5, 40, 70],
  ]) {
    await regions.set(regions.all, rtts);
    for (const proveWraps of ["off", "sampled", "all"] satisfies ProveWraps[]) {
      const keyring = multiRegionKeyring({
        regions: regions.all.map(({ asKeyRegion }) => asKeyRegion),
        minimum: 2,
        proveWraps,
        stragglerMinMs: 5_000,
        attemptTimeoutMs: 5_000,
        deadlineMs: 20_000,
        hedgeReserve: 0,
        hedgeRatio: 0,
      });
      // Connections are opened, and each region's first wrap is proven.
      for (let write = 0; write < 5; write++) await encrypt(plaintext, { keyring, encryptionContext });
      const before = calls(keyring);
      const times: number[] = [];
      for (let write = 0; write < WRITES; write++) {
        const startedAt = performance.now();
        await encrypt(plaintext, { keyring, encryptionContext });
        times.push(performance.now() - startedAt);
      }
      const each = (calls(keyring) - before) / WRITES;
      const beforeShared = calls(keyring);
      using materials = cachingMaterials({ keyring, maxAgeMs: 600_000, maxMessages: MESSAGES_PER_KEY });
      for (let write = 0; write < WRITES; write++) await encrypt(plaintext, { materials, encryptionContext });
      const shared = (calls(keyring) - beforeShared) / WRITES;
      if (proveWraps === "off") assert.deepEqual([each, shared], [3, 0.3]);
      if (proveWraps === "all") assert.deepEqual([each, shared], [6, 0.6]);
      times.sort((a, b) => a - b);
      const [p50, p95] = [quantile(times, 0.5), quantile(times, 0.95)].map(Math.round);
      t.diagnostic(`${rtts.join(", ")} | ${proveWraps} | ${each} | ${shared} | ${p50} | ${p95}`);
    }
  }
});

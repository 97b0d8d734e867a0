/** The worker that goes on with erasures, where the store fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { VaultError } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { systemSleep } from "../../src/convergence/repairs.ts";
import { ErasureWorker } from "../../src/erasure/erasure-worker.ts";
import type { ErasureWorkerParts } from "../../src/erasure/erasure-worker.ts";

test("a store that cannot be reached is asked again after a while, and not without a pause", async (t) => {
  const faults: unknown[] = [];
  const list = async (): Promise<never> => {
    // What is asked without a pause would never let go of the process.
    await delay(1);
    throw new VaultError("store-failed", "Nobody answers");
  };
  const worker = new ErasureWorker({
    ...({ files: { list }, dependencies: { store: { jobs: {} } } } as unknown as ErasureWorkerParts),
    ...{ onFault: (fault) => faults.push(fault), sleep: systemSleep, lookMs: 60_000, leaseMs: 60_000 },
  });
  defer(t, () => worker.stop());
  await delay(100);
  assert.equal(faults.length, 1);
});

/**
 * The contract of a store can fail: a store in memory that breaks one promise is found by the test of that promise.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { VaultError } from "@strongroom/vault";
import { storeContract } from "@strongroom/vault/store-contract";
import { memoryContractStorage } from "../support/memory-storage.ts";
import { OF_INVENTORY_AND_JOBS } from "../support/sabotages/of-inventory-and-jobs.ts";
import { OF_RECORDS } from "../support/sabotages/of-records.ts";
import type { Sabotage } from "../support/sabotages/sabotage.ts";

const SABOTAGES = { ...OF_RECORDS, ...OF_INVENTORY_AND_JOBS };

/** A test that waits for ever for what a broken store owes it has found that. */
const PATIENCE_MS = 5000;

/** Behaviour -> its test, on stores that are broken so. */
function contractOf({ alter, clock }: Partial<Sabotage>): ReadonlyMap<string, (t: TestContext) => Promise<void>> {
  const bodies = new Map<string, (t: TestContext) => Promise<void>>();
  const newStorage = () => memoryContractStorage({ ...(alter && { alter }), ...(clock && { clock: clock() }) });
  storeContract("memory", newStorage, {
    capabilities: { callerTransaction: true },
    test: (name, body) => {
      assert.ok(!bodies.has(name), `two tests are called ${name}`);
      bodies.set(name.replace("memory: ", ""), body);
    },
  });
  return bodies;
}

async function failureOf(body: (t: TestContext) => Promise<void>, t: TestContext): Promise<unknown> {
  const patience = new AbortController();
  const waited = new Promise<string>((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS, "it waits for ever");
    patience.signal.addEventListener("abort", () => {
      clearTimeout(timer);
    });
  });
  const failed = body(t).then(
    () => null,
    (error: unknown) => error,
  );
  try {
    return await Promise.race([failed, waited]);
  } finally {
    patience.abort();
  }
}

for (const [broken, sabotage] of Object.entries(SABOTAGES)) {
  test(`a store that ${broken} is found`, async (t) => {
    const body = contractOf(sabotage).get(sabotage.foundBy);
    assert.ok(body !== undefined, `there is a test called: ${sabotage.foundBy}`);
    const failure = await failureOf(body, t);
    assert.notEqual(failure, null, "the test passes");
    const isOfTheTest =
      failure === "it waits for ever" ||
      (failure as { code?: unknown }).code === "ERR_ASSERTION" ||
      failure instanceof VaultError;
    assert.ok(isOfTheTest, `it fails for another reason: ${String(failure)}`);
  });
}

test("every part of the contract has a test that was seen to fail", () => {
  const found = new Set(Object.values(SABOTAGES).map(({ foundBy }) => foundBy));
  const all = [...contractOf({}).keys()];
  assert.ok(all.length >= 80 && found.size >= 30, `${found.size} of ${all.length}`);
});

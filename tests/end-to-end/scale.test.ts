// The model of docs/scale.md in its small cases, against calls that the project's own KMS has counted in three regions:
// an import and its reads in each scope, and a change of everything to other keys; and the sizes of rows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { NUMBERS, type Numbers } from "../../scripts/scale/assumptions.ts";
import {
  importing,
  populationOf,
  rotating,
  SCOPES,
  steady,
  type CallLine,
  type Population,
  type Scope,
} from "../../scripts/scale/model.ts";
import { measureSizes, type MeasuredSizes, type RowSizes, type Sizes } from "../../scripts/scale/row-sizes.ts";
import { scopeVault, type ScopeVault } from "./key-scopes.ts";

const PEOPLE = 30;
const READS = 3;
const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"];

/** A vault without an audit, and so without its key; one record about everybody, of one version; nothing by chance. */
const NUMBERS_HERE: Numbers = {
  ...NUMBERS,
  regions: 3,
  ownKeys: 2,
  recordsPerPerson: 1,
  versionsPerRecord: 1,
  proveShare: 0,
};
const POPULATION: Population = populationOf(PEOPLE, NUMBERS_HERE);

const sum = (lines: readonly CallLine[], purpose: CallLine["purpose"], of: "first" | "further"): number =>
  lines.filter((line) => line.purpose === purpose).reduce((all, line) => all + line[of], 0);

describe("the model of calls says what the KMS has counted", () => {
  for (const scope of SCOPES)
    test(`${scope}: people imported, read, and brought to other keys, each wrap verified`, async (t) => {
      const own = await scopeVault(t, { scope });
      own.calls();
      await own.importPeople(PEOPLE);
      const written = own.calls();
      const lines = importing(scope, POPULATION, NUMBERS_HERE);
      assert.equal(written.wraps, 3 * sum(lines, "wrap", "first"));
      assert.equal(sum(lines, "wrap", "further"), sum(lines, "wrap", "first"));
      assert.ok(written.opens <= sum(lines, "open", "first"), `${written.opens} opened`);
      await own.reopenToRotate({ scope });
      own.calls();
      await own.read(READS * PEOPLE, PEOPLE);
      const read = own.calls();
      assert.equal(read.opens - read.own, opensOf(scope));
      await rotate(own, scope, true);
      await own.read(PEOPLE, PEOPLE);
    });

  test("subject: brought to other keys, none verified", async (t) => {
    const own = await scopeVault(t, { scope: "subject" });
    await own.importPeople(PEOPLE);
    await own.reopenToRotate({ scope: "subject" });
    await own.read(1, 1);
    await rotate(own, "subject", false);
  });
});

test("somebody new, a record, a version and a read take in the stores what docs/scale-sizes.json says", async () => {
  const known = JSON.parse(
    readFileSync(new URL("../../docs/scale-sizes.json", import.meta.url), "utf8"),
  ) as MeasuredSizes;
  const small = await measureSizes({ stores: ["sqlite"], scopes: ["subject"], items: 150 });
  const pairs = Object.entries(small.rows.sqlite.subject).flatMap(([row, sizes]) =>
    Object.entries(sizes as Sizes).map(([store, bytes]) => {
      const told = known.rows.sqlite.subject[row as keyof RowSizes][store as keyof Sizes];
      return { what: `${row} in ${store}`, bytes, told };
    }),
  );
  // So few rows are told in whole pages, of four kilobytes.
  const wrong = pairs.filter(({ bytes, told }) => Math.abs(bytes - told) > 0.15 * told + 100);
  assert.equal(pairs.length, 12);
  assert.deepEqual(wrong, []);
  assert.equal(small.messageBytes.subject, known.messageBytes.subject);
});

/** As many visits as people, of so many reads each, all within an age of the cache, in one process. */
function opensOf(scope: Scope): number {
  const visit = { readsPerVisit: READS, writesPerVisit: 0, newShare: 0, cacheSeconds: 1, visitSeconds: 1 };
  const traffic = { requests: READS * PEOPLE, visits: PEOPLE, processes: 1 };
  const numbers = { ...NUMBERS_HERE, ...visit };
  return Math.round(steady(scope, traffic, POPULATION.tenants, "together", numbers).opened);
}

/** The same three ways: by the model, by the vault's own forecast, and counted. */
async function rotate(own: ScopeVault, scope: Scope, verify: boolean): Promise<void> {
  const { convergence } = own.vault();
  own.callsByRegion();
  const { forecast } = await convergence.plan({ verify: verify ? 1 : 0 });
  assert.deepEqual(own.callsByRegion(), new Map(), "a plan asks nobody");
  await convergence.apply({ verify: verify ? 1 : 0, rate: 10_000 });
  for (let state = "running"; state !== "done";) {
    await delay(20);
    state = (await convergence.status()).run?.state ?? "running";
    assert.ok(["running", "done"].includes(state), state);
  }
  const counted = own.callsByRegion();
  const lines = rotating(scope, POPULATION, { ...NUMBERS_HERE, verify });
  const model = new Map(REGIONS.flatMap((region, at) => byOperation(lines, region, at === 0 ? "first" : "further")));
  assert.deepEqual(sorted(model), sorted(counted), "the model, and what the KMS has counted");
  const forecasted = new Map(forecast.calls.map((row) => [`${row.region} ${row.operation}`, row.calls] as const));
  assert.deepEqual(sorted(forecasted), sorted(counted), "the forecast, and what the KMS has counted");
}

/** A data key is generated where the model's first region is, and encrypted in the others. */
function byOperation(
  lines: readonly CallLine[],
  region: string,
  of: "first" | "further",
): readonly (readonly [string, number])[] {
  const rows = [
    ["Decrypt", sum(lines, "open", of) + sum(lines, "prove", of)],
    [of === "first" ? "GenerateDataKey" : "Encrypt", sum(lines, "wrap", of)],
    ["ReEncrypt", sum(lines, "rewrap", of)],
  ] as const;
  return rows.filter(([, calls]) => calls > 0).map(([operation, calls]) => [`${region} ${operation}`, calls] as const);
}

const sorted = (calls: ReadonlyMap<string, number>): readonly (readonly [string, number])[] =>
  [...calls].sort(([a], [b]) => (a < b ? -1 : 1));

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { memoryStore } from "@strongroom/vault/memory";

import { reportOf } from "../harness/report.ts";
import { savePeers, saveScopes } from "../save.ts";
import { SCOPE_CONTENDERS } from "../scopes/contenders.ts";
import { PEOPLE, SCOPE_EFFORTS, SCOPE_ROWS, SCOPES } from "../scopes/rows.ts";
import { Processes } from "../stores/processes.ts";
import { storesReportOf } from "../stores/report.ts";
import type { ContenderId } from "../stores/rows.ts";
import { SITES } from "../stores/sites.ts";
import { storesTableOf } from "../stores/table.ts";
import { playTurns, type StoreTurn } from "../stores/turns.ts";
import { rounds } from "../../tests/support/rounds.ts";

for (const contender of [...SCOPES, "people"] as const)
  for (const work of ["batch", "newcomers", "cold"] as const) {
    test(`${contender}, ${work}: what is written reads back, and a wrong record is noticed`, async () => {
      const store = memoryStore();
      const records = await SCOPE_CONTENDERS[contender]({ store, place: { kind: "memory" }, work });
      await records.put(PEOPLE);
      await records.putBatch(PEOPLE + 1, 20);
      for (const number of [0, 1, 20]) await records.get(PEOPLE + number);
      const people = await store.subjects.list({ after: null, limit: 100 });
      assert.equal(people.length, 21);
      await assert.rejects(records.get(PEOPLE + 21), "a record that is not there");
      await assert.rejects(records.putBatch(PEOPLE + 20, 5), "a batch with records that are there already");
      await records.close();
    });
  }

/** Of each row, and not the same ones in each; over memory everybody is held to what is written and read above. */
const EACH: number = rounds(1, 4);

test(`every row is played on a file by ${EACH} of its contenders, and read back`, { timeout: 240_000 }, async () => {
  await using site = await SITES.sqlite();
  const effort = { ...SCOPE_EFFORTS.quick, warmupMs: 10, measureMs: 30, records: 200 };
  const rows = SCOPE_ROWS.filter(({ id }) =>
    ["sqlite-get-64x1", "sqlite-cold-64x1", "sqlite-newcomers-1x1"].includes(id),
  ).map((row, first) => ({
    ...row,
    contenders: row.contenders.filter((_one, at, { length }) => (at + length - first) % length < EACH),
  }));
  const { turns, failures } = await playTurns({
    processes: new Processes(["--conditions=@strongroom/source"]),
    rows,
    sites: [site],
    effort,
    onStep: () => undefined,
  });
  assert.deepEqual(failures, []);
  assert.equal(turns.length, EACH + Math.min(EACH, 3) + EACH);
  assert.ok(turns.every(({ verified, together }) => verified >= together.operations && together.rate > 0));
});

function turn(row: string, contender: ContenderId, rate: number): StoreTurn {
  const found = { windowMs: 1_000, operations: 10, rate, latencyMs: { p50: 1, p99: 5 }, cpuMicros: 1_000 / rate };
  return { row, contender, round: 0, together: found, peakRssMiB: 80, verified: 10 };
}

function report(): ReturnType<typeof storesReportOf> {
  return storesReportOf({
    pace: "full",
    effort: SCOPE_EFFORTS.full,
    loadBefore: 0,
    versions: { sqlite: "3.50.0" },
    absent: [{ store: "postgres", reason: "no server for this machine" }],
    rows: SCOPE_ROWS,
    turns: [
      turn("sqlite-get-64x1", "people", 100),
      turn("sqlite-get-64x1", "subject", 25),
      turn("sqlite-get-64x1", "tenant", 24),
      turn("sqlite-cold-64x1", "subject", 12),
    ],
    sizes: [],
    failures: [],
  });
}

test("each scope is judged beside the rows in clear, and what was not measured never meets a target", () => {
  const verdicts = report().rows.find(({ id }) => id === "sqlite-get-64x1")?.verdicts;
  assert.deepEqual(
    verdicts?.map(({ measured, outcome }) => [measured, outcome]),
    [
      [null, "not-measured"],
      [0.25, "met"],
      [0.24, "missed"],
    ],
  );
  assert.match(storesTableOf(report()), /subject scope at least 0\.25x the same rows in clear: 0\.250x/);
});

test("the page has the scopes' part behind the others", () => {
  const folder = mkdtempSync(join(tmpdir(), "strongroom-bench-test-"));
  const docs = pathToFileURL(`${folder}/`);
  try {
    const peers = reportOf({
      rows: [],
      field: { contenders: [], absent: [] },
      rounds: 1,
      pace: "full",
      loadBefore: 0,
      turns: [],
      failures: [],
    });
    savePeers(peers, docs);
    saveScopes(report(), docs);
    const page = readFileSync(join(folder, "performance.md"), "utf8");
    assert.match(page, /\n## Scopes\n/);
    assert.match(page, /\| \*\*subject scope\*\* \| 1 process \| 25 \| 25 to 25 \| 0\.250x \|/);
    assert.match(page, /Not measurable here: PostgreSQL \(no server for this machine\)/);
    savePeers(peers, docs);
    assert.match(readFileSync(join(folder, "performance.md"), "utf8"), /\n## Scopes\n/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

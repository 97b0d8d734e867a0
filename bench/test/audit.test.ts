import assert from "node:assert/strict";
import { test } from "node:test";

import { AUDIT_EFFORTS, AUDIT_ROWS } from "../audit/rows.ts";
import { auditSectionOf } from "../audit/section.ts";
import { Processes } from "../stores/processes.ts";
import { storesReportOf } from "../stores/report.ts";
import type { ContenderId } from "../stores/rows.ts";
import { SITES } from "../stores/sites.ts";
import { playTurns, type StoreTurn } from "../stores/turns.ts";
import { rounds } from "../../tests/support/rounds.ts";

/** Of each row that is played. */
const EACH: number = rounds(1, 2);

test("rows are played on a file and over HTTP, with an audit and without", { timeout: 240_000 }, async () => {
  await using site = await SITES.sqlite();
  // The rows in clear are played by the tests of the scopes.
  const played: Readonly<Record<string, readonly ContenderId[]>> = {
    "sqlite-get-1x1": ["audited", "commit"],
    "sqlite-batch-1x2": ["audited"],
    "sqlite-served-64x1": ["audited", "unaudited"],
  };
  const rows = AUDIT_ROWS.filter(({ id }) => Object.hasOwn(played, id)).map((row) => ({
    ...row,
    contenders: row.contenders.filter((contender) => played[row.id]!.includes(contender)).slice(0, EACH),
  }));
  const { turns, failures } = await playTurns({
    processes: new Processes(["--conditions=@strongroom/source"]),
    rows,
    sites: [site],
    effort: { ...AUDIT_EFFORTS.quick, warmupMs: 10, measureMs: 30, records: 100 },
    onStep: () => undefined,
  });
  assert.deepEqual(failures, []);
  assert.equal(turns.length, EACH + 1 + EACH);
  assert.ok(turns.every(({ verified, together }) => verified >= together.operations && together.rate > 0));
});

function turn(contender: ContenderId, p50: number): StoreTurn {
  const found = { windowMs: 1_000, operations: 10, rate: 1, latencyMs: { p50, p99: 5 }, cpuMicros: 1 };
  return { row: "sqlite-get-1x1", contender, round: 0, together: found, peakRssMiB: 80, verified: 10 };
}

const reportOf = (turns: readonly StoreTurn[]): ReturnType<typeof storesReportOf> =>
  storesReportOf({
    pace: "full",
    effort: AUDIT_EFFORTS.full,
    loadBefore: 0,
    versions: {},
    absent: [],
    rows: AUDIT_ROWS,
    turns,
    sizes: [],
    failures: [],
  });

test("what an audit adds is judged beside one durable entry, and what was not measured never meets a target", () => {
  for (const [commit, outcome] of [
    [0.5, "met"],
    [0.25, "missed"],
    [null, "not-measured"],
  ] as const) {
    const turns = [turn("audited", 1), turn("unaudited", 0.25)];
    const report = reportOf(commit === null ? turns : [...turns, turn("commit", commit)]);
    const [verdict] = report.rows.find(({ id }) => id === "sqlite-get-1x1")?.verdicts ?? [];
    assert.deepEqual([verdict?.measured, verdict?.outcome], [commit === null ? null : 0.75 - commit, outcome]);
  }
});

test("the page has what is added, and the service beside itself without an audit", () => {
  const page = auditSectionOf(reportOf([turn("audited", 1), turn("unaudited", 0.25), turn("commit", 0.5)]), {
    json: "x",
  });
  assert.match(page, /audit adds at most one commit and 0\.3 ms \| the commit and 0\.25 ms \|  \| met \|/);
  assert.match(page, /with audit at least 0\.5x without audit \| not measured here/);
});

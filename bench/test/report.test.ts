import assert from "node:assert/strict";
import { test } from "node:test";

import { pageOf } from "../harness/page.ts";
import { plotOf } from "../harness/plot.ts";
import { median, reportOf, verdictOf, type Report } from "../harness/report.ts";
import type { Turn } from "../harness/rounds.ts";
import type { Row } from "../harness/row.ts";
import { tableOf } from "../harness/table.ts";
import { countOutcomes } from "../harness/words.ts";

const ROW: Row = {
  id: "row",
  title: "A row & its <title>",
  description: "What is timed.",
  subject: "ours",
  unit: "messages",
  payloadBytes: 1,
  batch: 1,
  length: "short",
  targets: [
    { kind: "ratio", against: "slow", atLeast: 4 },
    { kind: "ratio", against: "fast", atLeast: 1 },
    { kind: "ratio", against: "absent", atLeast: 1 },
    { kind: "memory", atMostMiB: 100 },
  ],
};

function turn(contender: string, round: number, rate: number): Turn {
  const sample = { rate, cpuMicrosPerUnit: 1, peakRssMiB: 90, verified: 10, latencyMs: null, metrics: {} };
  return { row: "row", contender, round, prepareMs: 1, sample };
}

const rounds = (contender: string, rates: readonly number[]): Turn[] =>
  rates.map((rate, round) => turn(contender, round, rate));

function report(): Report {
  const turns = [...rounds("ours", [100, 500, 90]), ...rounds("slow", [20, 25, 1]), ...rounds("fast", [400, 390, 410])];
  const contenders = ["ours", "slow", "fast"].map((id) => ({
    id,
    module: `file:///${id}.ts`,
    title: `title of ${id}`,
    version: "1.2.3",
    rows: ["row"],
  }));
  return reportOf({
    rows: [ROW],
    field: { contenders, absent: [{ id: "absent", reason: "no binary for this machine" }] },
    rounds: 3,
    pace: "full",
    loadBefore: 0.5,
    turns,
    failures: [],
  });
}

test("one wild round does not move a median", () => {
  assert.equal(median([100, 500, 90]), 100);
  assert.equal(median([1, 2, 3, 4]), 2.5);
});

test("targets are judged by medians, and a missing contender never meets one", () => {
  const [row] = report().rows;
  assert.deepEqual(
    row?.verdicts.map(({ measured, outcome }) => [measured, outcome]),
    [
      [5, "met"],
      [0.25, "missed"],
      [null, "not-measured"],
      [90, "met"],
    ],
  );
  assert.deepEqual(countOutcomes(report()), { met: 2, missed: 1, "not-measured": 1 });
});

test("a subject without results meets nothing", () => {
  assert.equal(verdictOf({ kind: "memory", atMostMiB: 100 }, "ours", []).outcome, "not-measured");
});

test("table, page and picture say the same and name what is absent", () => {
  const found = report();
  assert.match(tableOf(found), /at least 1x title of fast: 0\.250x \(1\.00x by CPU time\) {2}MISSED/);
  assert.match(tableOf(found), /not measurable here: absent \(no binary for this machine\)/);
  const page = pageOf(found, { picture: "p.svg", json: "p.json" });
  assert.match(page, /2 targets met, 1 missed, 1 not measured/);
  assert.match(page, /\*\*title of ours\*\* \| 100 \| 90 to 500/);
  const picture = plotOf(found);
  assert.match(picture, /A row &amp; its &lt;title&gt;/);
  assert.equal(picture.match(/class="mark"/g)?.length, 2);
});

// The report as a table for the terminal.

import type { Report, RowReport } from "./report.ts";
import {
  byCpuText,
  measuredText,
  OUTCOME_TEXT,
  numberText,
  rateText,
  rateUnit,
  countOutcomes,
  targetText,
  titleOf,
} from "./words.ts";

export function tableOf(report: Report): string {
  const { met, missed, "not-measured": notMeasured } = countOutcomes(report);
  return [
    ...report.rows.flatMap((row) => [...rowLines(report, row), ""]),
    ...report.absent.map(({ id, reason }) => `not measurable here: ${id} (${reason})`),
    ...report.failures.map(
      ({ row, contender, round, message }) => `FAILED ${row} ${contender} round ${round + 1}: ${message}`,
    ),
    `targets: ${met} met, ${missed} missed, ${notMeasured} not measured; ${report.rounds} rounds; load average ${report.load.before.toFixed(1)} before, ${report.load.during.toFixed(1)} at the end`,
  ].join("\n");
}

function rowLines(report: Report, row: RowReport): readonly string[] {
  const width = Math.max(0, ...row.results.map(({ contender }) => titleOf(report, contender).length));
  return [
    `${row.title} [${row.id}], ${rateUnit(row)}`,
    ...row.results.map((result) => {
      const name = titleOf(report, result.contender).padEnd(width);
      const spread = `${rateText(row, result.rate.lowest)}..${rateText(row, result.rate.highest)}`;
      return `  ${name}  ${rateText(row, result.rate.median).padStart(9)}  (${spread})  ${numberText(result.peakRssMiB)} MiB  ${numberText(result.verified)} verified`;
    }),
    ...row.verdicts.map(
      (verdict) =>
        `  > ${targetText(report, verdict)}: ${measuredText(verdict)}${verdict.byCpu === null ? "" : ` (${byCpuText(verdict)} by CPU time)`}  ${OUTCOME_TEXT[verdict.outcome]}`,
    ),
  ];
}

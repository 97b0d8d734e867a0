// The report of the stores as a table for the terminal.

import { numberText, OUTCOME_TEXT } from "../harness/words.ts";

import type { StoreRowReport, StoresReport } from "./report.ts";
import {
  CONTENDER_TITLES,
  countStoreOutcomes,
  countText,
  groupsOf,
  msText,
  processesText,
  ratioText,
  storeMeasuredText,
  storeTargetText,
  storeTitle,
  workText,
} from "./words.ts";

const WIDTH = Math.max(...Object.values(CONTENDER_TITLES).map(({ length }) => length));

export function storesTableOf(report: StoresReport): string {
  const { met, missed, "not-measured": notMeasured } = countStoreOutcomes(report);
  return [
    ...groupsOf(report).flatMap((rows) => [...groupLines(rows), ""]),
    ...report.sizes.map(
      ({ store, records, written, growth, bytesPerRecord, started, inventory }) =>
        `${storeTitle(store)}, ${countText(records)} records: ${numberText(written / (growth.ms / 1_000))} records/s, ${numberText(bytesPerRecord)} bytes each, ${numberText(growth.peakRssMiB)} MiB, start ${msText(started.startMs)}, read ${msText(started.readMs)}, probe ${msText(inventory.absentMs)}, count ${msText(inventory.countMs)}`,
    ),
    "",
    ...report.absent.map(({ store, reason }) => `not measurable here: ${storeTitle(store)} (${reason})`),
    ...report.failures.map(
      ({ row, contender, round, message }) =>
        `FAILED ${[row, contender, round === null ? null : `round ${round + 1}`].filter((part) => part !== null).join(" ")}: ${message}`,
    ),
    `targets: ${met} met, ${missed} missed, ${notMeasured} not measured; ${report.effort.rounds} rounds; load average ${report.load.before.toFixed(1)} before, ${report.load.during.toFixed(1)} at the end`,
  ].join("\n");
}

function groupLines(rows: readonly StoreRowReport[]): readonly string[] {
  return [
    ...rows.slice(0, 1).map((first) => `${workText(first)}, records/s`),
    ...rows.flatMap(({ id, processes, results, verdicts }) => [
      `  ${processesText(processes)} [${id}]`,
      ...results.map(
        ({ contender, rate, latencyMs, cpuMicros, peakRssMiB, verified }) =>
          `    ${CONTENDER_TITLES[contender].padEnd(WIDTH)}  ${numberText(rate.median).padStart(9)}  (${numberText(rate.lowest)}..${numberText(rate.highest)})  p50 ${msText(latencyMs.p50)}  p99 ${msText(latencyMs.p99)}  ${numberText(cpuMicros)} us CPU  ${numberText(peakRssMiB)} MiB  ${numberText(verified)} verified`,
      ),
      ...verdicts.map(
        (verdict) =>
          `    > ${storeTargetText(verdict)}: ${storeMeasuredText(verdict)}${verdict.byCpu === null ? "" : ` (${ratioText(verdict.byCpu)} by CPU time)`}  ${OUTCOME_TEXT[verdict.outcome]}`,
      ),
    ]),
  ];
}

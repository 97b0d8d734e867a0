// What a drill of keys leaves to its reader: what was felt, what the run came to beside what was foreseen, and what
// became of each promise.
import { duration, renderTable, type Terminal, wrapped } from "@strongroom/base/terminal";
import type { Latency, PhaseFigures } from "../figures.ts";
import { promiseLines } from "../report.ts";
import type { KeyDrillReport } from "./run-key-drill.ts";

/** All of it. */
export function keyDrillView(report: KeyDrillReport, terminal: Terminal): string {
  const { run, downSeconds, readBack, unacknowledged, keys, verification, settings, seconds, phases } = report;
  const { forecast, progress } = run;
  const made = progress.calls.reduce((sum, { calls }) => sum + calls, 0);
  const said = [
    `The run took ${duration(progress.seconds)} (foreseen ${duration(forecast.seconds)}) and ${number(made)} calls of ` +
      `the KMS (foreseen ${number(forecast.total)}; what is written meanwhile, and tried again after the kill, is in ` +
      "neither).",
    downSeconds === null
      ? "It was over before its process could be killed: take more records, or a lower --kms-rate."
      : `Its process was killed; ${downSeconds.toFixed(1)} s later there was another.`,
    `${number(readBack.versions)} acknowledged versions read back` +
      `${unacknowledged > 0 ? ` (${number(unacknowledged)} more were stored as the process died)` : ""}, ` +
      `${number(keys.length)} keys retired` +
      `${verification === null ? "" : `, ${number(verification.looked.versions)} versions and ` + `${number(verification.looked.keys)} keys opened`}, ` +
      `in ${duration(seconds)}. ${settings.rate} requests a second; --seed ${settings.seed} repeats the choices.`,
  ];
  return [
    phaseTable(phases, terminal.width),
    "",
    ...report.promises.map((result) => promiseLines(result, terminal)),
    "",
    ...said.map((line) => wrapped(line, terminal.width)),
  ].join("\n");
}

function phaseTable(phases: KeyDrillReport["phases"], width: number): string {
  const columns = ["READS", "FAILED", "P50", "P99", "WRITES", "FAILED", "P50", "P99", "SLOWEST"];
  return renderTable(
    [{ heading: "MILLISECONDS" }, ...columns.map((heading) => ({ heading, align: "right" as const }))],
    Object.entries(phases).map(([phase, figures]) => [phase, ...cells(figures)]),
    width,
  );
}

function cells(figures: PhaseFigures): readonly string[] {
  const { reads, failedReads, readMs, writes, failedWrites, refusedWrites, writeMs, slowestMs } = figures;
  return [
    ...[number(reads), number(failedReads), ...quantiles(readMs)],
    ...[number(writes), number(failedWrites + refusedWrites), ...quantiles(writeMs)],
    number(slowestMs),
  ];
}

function quantiles(latency: Latency | null): readonly [string, string] {
  return latency === null ? ["-", "-"] : [number(latency.p50), number(latency.p99)];
}

const number = (value: number): string => Math.round(value).toLocaleString("en");

// How figures are worded, on the terminal, on the page and in the picture alike.

import type { Report, RowReport, Verdict } from "./report.ts";
import type { Row } from "./row.ts";

const RATE_UNITS: Readonly<Record<Row["unit"], { readonly label: string; readonly divisor: number }>> = {
  messages: { label: "messages/s", divisor: 1 },
  records: { label: "records/s", divisor: 1 },
  calls: { label: "calls/s", divisor: 1 },
  bytes: { label: "MB/s", divisor: 1e6 },
};

const NUMBER = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const RATIO = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });

export const rateUnit = (row: RowReport): string => RATE_UNITS[row.unit].label;
export const rateText = (row: RowReport, rate: number): string => NUMBER.format(rate / RATE_UNITS[row.unit].divisor);
export const numberText = (value: number): string => NUMBER.format(value);

export function titleOf(report: Report, contender: string): string {
  return report.contenders.find(({ id }) => id === contender)?.title ?? contender;
}

/** What a target asks, such as "at least 12x AWS Encryption SDK". */
export function targetText(report: Report, { target }: Verdict): string {
  return target.kind === "memory"
    ? `at most ${target.atMostMiB} MiB resident`
    : `at least ${target.atLeast}x ${titleOf(report, target.against)}`;
}

/** What was measured against it, such as "14.2x" or "not measured here". */
export function measuredText({ target, measured }: Verdict): string {
  if (measured === null) return "not measured here";
  return target.kind === "memory" ? `${NUMBER.format(measured)} MiB` : `${RATIO.format(measured)}x`;
}

export function byCpuText({ byCpu }: Verdict): string {
  return byCpu === null ? "" : `${RATIO.format(byCpu)}x`;
}

export const OUTCOME_TEXT: Readonly<Record<Verdict["outcome"], string>> = {
  met: "met",
  missed: "MISSED",
  "not-measured": "-",
};

/** Targets met, missed and not measured in the whole report. */
export function countOutcomes(report: Report): Readonly<Record<Verdict["outcome"], number>> {
  const count = { met: 0, missed: 0, "not-measured": 0 };
  for (const { outcome } of report.rows.flatMap(({ verdicts }) => verdicts)) count[outcome] += 1;
  return count;
}

// What an import did, counted while it runs, and how it is told.
import type { Terminal } from "@strongroom/base/terminal";
import { CliError } from "../errors.ts";

/** Bad lines that are named one by one for a person; the rest is counted. JSON output names all. */
const NAMED_BAD_LINES = 20;

/** A line that was not imported, and why; never its content. */
export interface BadLine {
  readonly line: number;
  readonly reason: string;
}

/** What an import did; the JSON result. */
export interface ImportReport {
  readonly collection: string;
  read: number;
  created: number;
  replaced: number;
  unchanged: number;
  kept: number;
  /** Region -> new versions whose wrap is missing there. */
  readonly missingWraps: Record<string, number>;
  readonly bad: BadLine[];
}

/** The report of an import that has not begun. */
export function newReport(collection: string): ImportReport {
  return { collection, read: 0, created: 0, replaced: 0, unchanged: 0, kept: 0, missingWraps: {}, bad: [] };
}

/** Records that are in the collection now, whether this run wrote them or found them. */
export function stored({ created, replaced, unchanged, kept }: ImportReport): number {
  return created + replaced + unchanged + kept;
}

/** Prints the result; with bad lines, throws `input-has-bad-lines` unless they were accepted beforehand. */
export function finish(report: ImportReport, terminal: Terminal, onBad: "accept" | "fail"): void {
  report.bad.sort((one, other) => one.line - other.line);
  terminal.result({ ...report, stored: stored(report) }, () => summary(report, terminal));
  if (report.bad.length === 0) return;
  const named = report.bad.slice(0, NAMED_BAD_LINES).map(({ line, reason }) => `line ${line}: ${reason}`);
  const rest = report.bad.length - named.length;
  const problems = rest > 0 ? [...named, `and ${rest} more; --json names them all`] : named;
  if (onBad === "fail")
    throw new CliError("input-has-bad-lines", { detail: `${report.bad.length} of ${report.read} lines:`, problems });
  terminal.say(
    [`${report.bad.length} of ${report.read} lines were skipped:`, ...problems.map((problem) => `  - ${problem}`)].join(
      "\n",
    ),
  );
}

/** The result in one or two lines. */
export function summary(report: ImportReport, terminal: Terminal): string {
  const parts = (["created", "replaced", "unchanged", "kept"] as const)
    .filter((outcome) => report[outcome] > 0)
    .map((outcome) => `${report[outcome].toLocaleString("en")} ${outcome}`);
  const of = `${stored(report).toLocaleString("en")} of ${report.read.toLocaleString("en")} records are in ${report.collection}`;
  const missing = Object.entries(report.missingWraps).map(
    ([region, count]) => `${count.toLocaleString("en")} in ${region}`,
  );
  const first = `${terminal.style("bold", of)}${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`;
  return missing.length === 0
    ? first
    : `${first}\n${terminal.style("yellow", `wraps still missing: ${missing.join(", ")}`)}`;
}

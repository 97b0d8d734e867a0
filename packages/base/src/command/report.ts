/**
 * Turns whatever a command threw into what the person sees, or into one line of JSON, and into the exit code.
 */
import { EXIT_CODES } from "../errors/outcomes.ts";
import type { ErrorReport } from "../errors/report.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Prints the report to standard error and returns the exit code; `program` is the name it begins with. */
export function printReport(program: string, report: ErrorReport, terminal: Terminal): number {
  terminal.stderr.write(terminal.mode === "json" ? reportJson(report) : describe(program, report, terminal));
  return EXIT_CODES[report.outcome].code;
}

/** The report as one line of JSON. */
export function reportJson({ code, title, detail, problems, remedy, outcome }: ErrorReport): string {
  const exit = EXIT_CODES[outcome].code;
  return `${JSON.stringify({ error: { code, title, detail, problems, remedy, exit } })}\n`;
}

function describe(program: string, report: ErrorReport, terminal: Terminal): string {
  const { code, title, detail, problems, remedy, outcome } = report;
  const heading = `${terminal.styleError(["red", "bold"], `${program}:`)} ${terminal.styleError("bold", title)}`;
  if (outcome === "interrupted") return `${heading}\n  ${remedy}\n`;
  const lines = [
    `${heading} ${terminal.styleError("dim", `[${code}]`)}`,
    ...(detail === null ? [] : [`  ${sentence(detail)}`]),
    ...problems.map((problem) => `  - ${problem}`),
    ...remedy.split("\n").map((line) => `  ${line}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** Messages of other packages come without their full stop. */
function sentence(text: string): string {
  return /[.:!?]$/.test(text) ? text : `${text}.`;
}

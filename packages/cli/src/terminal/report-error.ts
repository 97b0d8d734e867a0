// Turns whatever a command threw into what the person sees, or into one line of JSON, and into the exit code.
import { CliError } from "../errors.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** Prints the error to standard error and returns the exit code. */
export function reportError(error: unknown, terminal: Terminal): number {
  const known = error instanceof CliError ? error : unexpected(error);
  const exit = EXIT_CODES[known.outcome].code;
  if (terminal.mode === "json") {
    const { reportedCode: code, title, detail, problems, remedy } = known;
    terminal.stderr.write(`${JSON.stringify({ error: { code, title, detail, problems, remedy, exit } })}\n`);
  } else {
    terminal.stderr.write(describe(known, terminal));
  }
  return exit;
}

function describe(error: CliError, terminal: Terminal): string {
  const heading = `${terminal.styleError(["red", "bold"], "strongroom:")} ${terminal.styleError("bold", error.title)}`;
  if (error.outcome === "interrupted") return `${heading}\n  ${error.remedy}\n`;
  const lines = [
    `${heading} ${terminal.styleError("dim", `[${error.reportedCode}]`)}`,
    ...(error.detail === null ? [] : [`  ${sentence(error.detail)}`]),
    ...error.problems.map((problem) => `  - ${problem}`),
    ...error.remedy.split("\n").map((line) => `  ${line}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** Messages of other packages come without their full stop. */
function sentence(text: string): string {
  return /[.:!?]$/.test(text) ? text : `${text}.`;
}

/** A defect: its name and message are shown, never its stack or properties, which could hold a document. */
function unexpected(error: unknown): CliError {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : "a value that is not an Error was thrown";
  return new CliError("unexpected", { detail, cause: error });
}

/**
 * Runs a program: its streams, environment and signals, what is shown of whatever a command threw, and the exit code.
 */
import { CommanderError } from "commander";
import { commandReport, type ErrorReport, EXIT_CODES, isTableError, reportOf } from "../errors.ts";
import { systemReason } from "../files.ts";
import {
  createTerminal,
  LONGEST_SHOWN,
  printable,
  printableJson,
  type Streams,
  type Terminal,
  widthOf,
  wrapped,
} from "../terminal/terminal.ts";
import { ProgramBuilder } from "./program.ts";
import type { CommandContext, ProgramSpec } from "./spec.ts";

/** What a program is run with; {@link runProcess} gives it the process's own. */
export interface ProgramIo {
  readonly streams: Streams;
  readonly env: CommandContext["env"];
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/**
 * Runs one command line (without the program's name) and returns the exit code.
 * @param argv - the words after the program's name
 */
export async function runProgram(spec: ProgramSpec, argv: readonly string[], io: ProgramIo): Promise<number> {
  const terminal = createTerminal(io.streams, argv.includes("--json") ? "json" : "human");
  const builder = new ProgramBuilder(spec, { terminal, env: io.env, cwd: io.cwd, signal: io.signal });
  try {
    await builder.build().parseAsync([...argv], { from: "user" });
    return EXIT_CODES[builder.outcome].code;
  } catch (error) {
    if (error instanceof CommanderError) return usageExit(error, terminal);
    const report = io.signal.aborted && !isTableError(error) ? commandReport("interrupted") : reportOf(error);
    return printReport(spec.name, report, terminal);
  }
}

/** Commander has already said what is wrong, with its suggestion; only the exit code and JSON are ours. */
function usageExit(error: CommanderError, terminal: Terminal): number {
  if (error.exitCode === 0) return EXIT_CODES.ok.code;
  // Help shown because no command was given is an answer, but not the one that was asked for.
  if (terminal.mode === "json")
    terminal.sayAlways(reportJson(commandReport("usage", { detail: error.message.replace(/^error: /, "") })));
  return EXIT_CODES.usage.code;
}

/**
 * One Ctrl-C can arrive twice: from the terminal, and passed on by npm. A second one that is meant comes later, in
 * milliseconds.
 */
const SAME_KEYSTROKE_MS = 700;

/** Runs the command line of this process and sets its exit code. */
export async function runProcess(spec: ProgramSpec): Promise<void> {
  // Everything the command makes is for its owner alone, whatever the shell's mask is.
  process.umask(0o077);
  // The reader went away (`strongroom list people | head -1`): nobody is left to be told.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT_CODES.ok.code);
    const mode = process.argv.includes("--json") ? "json" : "human";
    process.exit(printReport(spec.name, unwritten(error), createTerminal(process, mode)));
  });
  process.exitCode = await runProgram(spec, process.argv.slice(2), {
    streams: process,
    env: process.env,
    cwd: process.cwd(),
    signal: stopSignal(),
  });
}

/** A disk that is full, say: what was printed is not whole, and whoever reads it must know. */
function unwritten(error: NodeJS.ErrnoException): ErrorReport {
  return {
    code: "output-failed",
    title: "The output cannot be written",
    detail: `standard output: ${systemReason(error)}`,
    problems: [],
    remedy: "Look at where standard output goes: a disk that is full, a device.",
    outcome: "failure",
  };
}

/** Aborted by the first signal that asks for an orderly end; a second one does not wait for it. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  let askedAt = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted && performance.now() - askedAt > SAME_KEYSTROKE_MS)
        process.exit(EXIT_CODES.interrupted.code);
      if (stopping.signal.aborted) return;
      askedAt = performance.now();
      stopping.abort(signal);
    });
  }
  return stopping.signal;
}

/** Prints the report to standard error and returns the exit code; `program` is the name it begins with. */
export function printReport(program: string, report: ErrorReport, terminal: Terminal): number {
  terminal.sayAlways(terminal.mode === "json" ? reportJson(report) : describe(program, report, terminal));
  return EXIT_CODES[report.outcome].code;
}

/** The report as one line of JSON. */
export function reportJson({ code, title, detail, problems, remedy, outcome }: ErrorReport): string {
  const exit = EXIT_CODES[outcome].code;
  return `${printableJson({ error: { code, title, detail, problems, remedy, exit } })}\n`;
}

function describe(program: string, report: ErrorReport, terminal: Terminal): string {
  // Another program's answer may be in any part of it.
  const [code, title] = [safe(report.code), safe(report.title)];
  const { detail, problems, remedy, outcome } = report;
  const heading = `${terminal.styleError(["red", "bold"], `${program}:`)} ${terminal.styleError("bold", title)}`;
  if (outcome === "interrupted") return `${heading}\n  ${safe(remedy)}\n`;
  const width = widthOf(terminal.stderr);
  const lines = [
    wrapped(`${heading} ${terminal.styleError("dim", `[${code}]`)}`, width, 2),
    ...(detail === null ? [] : [wrapped(`  ${sentence(safe(detail))}`, width, 2)]),
    ...problems.map((problem) => wrapped(`  - ${safe(problem)}`, width, 4)),
    wrapped(`  ${safe(remedy)}`, width, 2),
  ];
  return `${lines.join("\n")}\n`;
}

function safe(text: string): string {
  return printable(text, LONGEST_SHOWN);
}

/** Messages of other packages come without their full stop. */
function sentence(text: string): string {
  return /[.:!?]$/.test(text) ? text : `${text}.`;
}

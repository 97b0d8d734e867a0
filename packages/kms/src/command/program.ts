// Builds the program from the table of commands: parsing, help with examples, errors, exit codes.

import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { z } from "zod";
import { KMS_ERRORS, KmsError } from "../errors.ts";
import { EXIT_CODES, OUTCOMES } from "./exit-codes.ts";
import type { Outcome } from "./exit-codes.ts";
import { COMMAND_GROUPS } from "./spec.ts";
import type { CommandIo, CommandSpec } from "./spec.ts";
import { COMMANDS } from "./commands/table.ts";

/** The command's name in help and errors. */
export const PROGRAM_NAME = "strongroom-kms";

const HELP_WIDTH = 110;

/** Wrong options or arguments. */
class UsageError extends Error {}

/**
 * Runs a command line (without the program's name).
 * @returns the exit code, one of `EXIT_CODES`.
 */
export async function runCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  let outcome: Outcome = "ok";
  const program = buildProgram(io, (result) => {
    outcome = result;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    outcome = report(error, argv.includes("--json") ? "json" : "human", io);
  }
  return EXIT_CODES[outcome].code;
}

function buildProgram(io: CommandIo, done: (outcome: Outcome) => void): Command {
  const program = configure(new Command(PROGRAM_NAME), io)
    .description(
      "A key management server that speaks the AWS KMS API: several regions in one process, real cryptography, " +
        "real key policies.",
    )
    .version(version(), "-V, --version", "print the version")
    .addHelpText("after", `\nExit codes:\n${exitCodes()}\n\nStart here: npx @strongroom/kms serve`);
  const groups = new Map<string, Command>();
  for (const spec of COMMANDS) {
    const [first = "", second] = spec.name.split(" ");
    let parent = program;
    if (second !== undefined) {
      parent = groups.get(first) ?? configure(program.command(first), io).description(COMMAND_GROUPS[first] ?? "");
      groups.set(first, parent);
    }
    addCommand(configure(parent.command(second ?? first), io), { spec, io, done });
  }
  return program;
}

const configure = (command: Command, io: CommandIo): Command =>
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .helpOption("-h, --help", "show help")
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // Said by `report`, which knows whether JSON is wanted.
      outputError: () => undefined,
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
    });

interface Wiring {
  readonly spec: CommandSpec;
  readonly io: CommandIo;
  readonly done: (outcome: Outcome) => void;
}

function addCommand(command: Command, { spec, io, done }: Wiring): void {
  command.summary(spec.summary).description(`${spec.summary}\n\n${spec.description}`).allowExcessArguments(false);
  for (const argument of spec.args?.split(" ") ?? []) command.argument(argument);
  for (const { flags, description, times } of spec.options) {
    const option = new Option(flags, description);
    if (times === "many")
      option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
    command.addOption(option);
  }
  command.option("--json", "print the result as one line of JSON");
  command.addHelpText(
    "after",
    `\nExamples:\n${spec.examples.map(({ line, meaning }) => `  # ${meaning}\n  ${line}`).join("\n\n")}`,
  );
  command.action(async () => {
    const { json, ...given } = command.opts<Record<string, unknown>>();
    const values = spec.schema.safeParse(given);
    if (!values.success)
      throw new UsageError(values.error.issues.map((issue) => `${flagOf(issue.path)} ${issue.message}`).join("; "));
    const result = (data: unknown, human: () => string): void => {
      io.stdout.write(`${json === true ? JSON.stringify(data) : human()}\n`);
    };
    done(await spec.run({ args: command.args, values: values.data, io, result }));
  });
}

const flagOf = ([name]: z.core.$ZodIssue["path"]): string =>
  name === undefined ? "" : `--${String(name).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Says what went wrong; a stack or a cause, which could hold a secret, is never shown. */
function report(error: unknown, mode: "human" | "json", io: CommandIo): Outcome {
  if (error instanceof CommanderError && error.exitCode === 0) return "ok";
  const { outcome, code, text, remedy } = describe(error);
  // Commander has already shown the help that stands in for a missing command.
  if (error instanceof CommanderError && error.code === "commander.help") return outcome;
  if (mode === "json")
    io.stderr.write(`${JSON.stringify({ error: { code, message: text, remedy, exit: EXIT_CODES[outcome].code } })}\n`);
  else io.stderr.write(`${PROGRAM_NAME}: ${text}\n  ${remedy}\n`);
  return outcome;
}

function describe(error: unknown): {
  readonly outcome: Outcome;
  readonly code: string;
  readonly text: string;
  readonly remedy: string;
} {
  if (error instanceof KmsError)
    return {
      outcome: OUTCOMES[error.code],
      code: error.code,
      text: error.message,
      remedy: KMS_ERRORS[error.code].remedy,
    };
  if (error instanceof CommanderError || error instanceof UsageError) {
    return {
      outcome: "usage",
      code: "usage",
      text: error.message.replace(/^error: /, ""),
      remedy: `Run ${PROGRAM_NAME} --help, or a command with --help.`,
    };
  }
  return {
    outcome: "failure",
    code: "unexpected",
    text: error instanceof Error ? `${error.name}: ${error.message}` : "unknown",
    remedy: "This is a defect: please report it.",
  };
}

const exitCodes = (): string =>
  Object.values(EXIT_CODES)
    .map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`)
    .join("\n");

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

// Builds the command-line program from the table of commands: parsing, help with examples, suggestions for typos, exit
// codes.
import { Command, CommanderError, Option } from "commander";
import { z } from "zod";
import { loadConfig } from "../config/load.ts";
import { CliError } from "../errors.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { reportError } from "../terminal/report-error.ts";
import { createTerminal, type OutputMode, type Streams } from "../terminal/terminal.ts";
import { type ConfigFlag, configFlags, type FlagText, flagValues } from "./config-flags.ts";
import { COMMAND_GROUPS, type CommandContext, type CommandSpec } from "./spec.ts";

/** What the program is run with; the process's own in main.ts. */
export interface ProgramOptions {
  readonly commands: readonly CommandSpec[];
  readonly version: string;
  readonly streams: Streams;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** Runs one command line (without the program's name) and returns the exit code. */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<number> {
  const mode: OutputMode = argv.includes("--json") ? "json" : "human";
  const terminal = createTerminal(options.streams, mode);
  const program = buildProgram(options, { terminal, env: options.env, cwd: options.cwd, signal: options.signal });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return EXIT_CODES.ok.code;
  } catch (error) {
    if (error instanceof CommanderError) return usageExit(error, terminal.mode, options.streams);
    if (options.signal.aborted && !(error instanceof CliError))
      return reportError(new CliError("interrupted"), terminal);
    return reportError(error, terminal);
  }
}

/** Commander has already said what is wrong, with its suggestion; only the exit code and JSON are ours. */
function usageExit(error: CommanderError, mode: OutputMode, streams: Streams): number {
  if (error.exitCode === 0) return EXIT_CODES.ok.code;
  // Help shown because no command was given is an answer, but not the one that was asked for.
  if (mode === "json") {
    const detail = error.message.replace(/^error: /, "");
    const exit = EXIT_CODES.usage.code;
    streams.stderr.write(
      `${JSON.stringify({ error: { code: "usage", title: "The command was not understood", detail, problems: [], exit } })}\n`,
    );
  }
  return EXIT_CODES.usage.code;
}

function buildProgram(options: ProgramOptions, context: CommandContext): Command {
  const { streams } = options;
  const program = new Command("strongroom")
    .description(
      "A vault for personal data: every record sealed under a key of its own, wrapped by KMS keys in several regions.",
    )
    .version(options.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .addHelpText("after", () => `\n${exitCodeHelp()}\n\nStart here: strongroom up`);
  const inherit = (command: Command): Command =>
    command
      .exitOverride()
      .showHelpAfterError("  Run it with --help to see its arguments, options and examples.")
      .configureOutput({
        writeOut: (text) => streams.stdout.write(text),
        writeErr: (text) => {
          if (context.terminal.mode === "human") streams.stderr.write(text);
        },
        outputError: (text, write) => {
          write(text.replace(/^error: /, `${context.terminal.styleError(["red", "bold"], "strongroom:")} `));
        },
        getOutHasColors: () => streams.stdout.isTTY && streams.stdout.hasColors(),
        getErrHasColors: () => streams.stderr.isTTY && streams.stderr.hasColors(),
        getOutHelpWidth: () => (streams.stdout.isTTY ? Math.min(streams.stdout.columns, 110) : 110),
        getErrHelpWidth: () => (streams.stderr.isTTY ? Math.min(streams.stderr.columns, 110) : 110),
      })
      .configureHelp({
        styleTitle: (text) => context.terminal.style("bold", text),
        subcommandTerm: (sub) => [sub.name(), ...sub.registeredArguments.map(argumentTerm)].join(" "),
      });
  inherit(program);
  const groups = new Map<string, Command>();
  for (const spec of options.commands) {
    const [first = "", second] = spec.name.split(" ");
    if (second === undefined) {
      // A command may also be a group: `regions` does something, and so does `regions debt`.
      const alone = inherit(program.command(first));
      groups.set(first, alone);
      addCommand(alone, spec, context);
      continue;
    }
    const group =
      groups.get(first) ??
      inherit(program.command(first))
        .description(COMMAND_GROUPS[first]?.summary ?? "")
        .helpGroup(`${COMMAND_GROUPS[first]?.heading ?? spec.heading}:`);
    groups.set(first, group);
    addCommand(inherit(group.command(second)), spec, context);
  }
  return program;
}

function argumentTerm(argument: { readonly required: boolean; name(): string }): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

function addCommand(command: Command, spec: CommandSpec, context: CommandContext): void {
  const flags = configFlags([...spec.flagGroups, "files"]);
  command
    .summary(spec.summary)
    .description(spec.description === undefined ? spec.summary : `${spec.summary}\n\n${spec.description}`)
    .helpGroup(`${spec.heading}:`)
    .helpOption("-h, --help", "show help")
    .showSuggestionAfterError(true)
    .allowExcessArguments(false);
  for (const argument of spec.args?.split(" ") ?? []) command.argument(argument);
  const own = Object.values(spec.options).map(({ flags: text, description }) => new Option(text, description));
  for (const option of own) command.addOption(option);
  const attributeOf = new Map<ConfigFlag, string>();
  for (const flag of flags) {
    const option = new Option(flag.flags, flag.description).helpGroup(SETTINGS_HEADING);
    attributeOf.set(flag, option.attributeName());
    if (flag.repeatable)
      option.argParser((value: string, previous: readonly string[] | undefined) => [...(previous ?? []), value]);
    command.addOption(option);
  }
  command.addOption(
    new Option("--config <file>", "configuration file (default: strongroom.config.json, .js or .ts here)").helpGroup(
      SETTINGS_HEADING,
    ),
  );
  command.addOption(new Option("--json", "print the result as JSON").helpGroup("Output:"));
  command.addHelpText("after", () => examplesHelp(spec));
  command.action(async () => {
    const values: Readonly<Record<string, unknown>> = command.opts();
    const loaded = await loadConfig({
      cwd: context.cwd,
      env: context.env,
      file: values["config"] as string | undefined,
      flags: flagValues(flags, (flag) => values[attributeOf.get(flag) ?? ""] as FlagText | undefined, context.cwd),
    });
    await spec.run({ context, args: command.args, options: readOptions(spec, values), loaded });
  });
}

const SETTINGS_HEADING = "Settings (also in the environment and the configuration file):";

/** Reads a command's own options; every wrong one is listed. */
function readOptions(spec: CommandSpec, values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const schema = z.object(
    Object.fromEntries(Object.entries(spec.options).map(([name, { schema: one }]) => [name, one])),
  );
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => {
    const flags = spec.options[String(path[0])]?.flags ?? String(path[0]);
    return `${flags.split(/[ ,]+/).find((part) => part.startsWith("--")) ?? flags} ${message}`;
  });
  throw new CliError("usage", {
    problems,
    remedy: `Run strongroom ${spec.name} --help: it lists arguments, options and examples.`,
  });
}

function examplesHelp(spec: CommandSpec): string {
  if (spec.examples.length === 0) return "";
  return `\nExamples:\n${spec.examples.map(({ line, meaning }) => `  # ${meaning}\n  ${line}`).join("\n\n")}`;
}

function exitCodeHelp(): string {
  const rows = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`);
  return `Exit codes:\n${rows.join("\n")}`;
}

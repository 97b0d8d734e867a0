/**
 * Builds a command-line program from tables of commands: parsing, help with examples, suggestions for typos.
 */
import { Command, type Help, Option } from "commander";
import { EXIT_CODES, type Outcome } from "../errors.ts";
import { flagDescription, type FlagText, givenByFlags, type SettingFlag, settingFlags } from "../settings/given.ts";
import { commandLines, widthOf, wrapped } from "../terminal/terminal.ts";
import { completionTable } from "./completion.ts";
import { readOptions } from "./options.ts";
import type { CommandContext, CommandSpec, CommandTable, ProgramSpec } from "./spec.ts";

/** The widest that help is written, in columns. */
const HELP_WIDTH = 110;

/** Builds the program of a spec, to be run once in a context. */
export class ProgramBuilder {
  /** How the command ended that ran without an error. */
  outcome: Outcome = "ok";
  readonly #spec: ProgramSpec;
  readonly #context: CommandContext;

  constructor(spec: ProgramSpec, context: CommandContext) {
    this.#spec = spec;
    this.#context = context;
  }

  build(): Command {
    const { name, description, version, startHere } = this.#spec;
    const program = this.#configured(new Command(name))
      .description(description)
      .version(version, "-V, --version", "print the version")
      .helpCommand("help [command]", "show help for a command")
      .enablePositionalOptions()
      .addHelpText("after", () => `\n${exitCodeHelp(this.#context.terminal.width)}\n\nStart here: ${startHere}`);
    const tables = [...this.#spec.tables, completionTable(this.#spec)];
    const groups = Object.fromEntries(tables.flatMap((table) => Object.entries(table.groups)));
    for (const table of tables)
      for (const spec of table.commands) this.#addCommand(this.#commandAt(program, spec, groups), spec, table);
    return program;
  }

  /** The command of a spec's words, and those above it. One may be both: `regions`, and `regions debt` below it. */
  #commandAt(program: Command, { name, heading }: CommandSpec, groups: CommandTable["groups"]): Command {
    let parent = program;
    let path = "";
    for (const word of name.split(" ")) {
      path = path === "" ? word : `${path} ${word}`;
      const above = parent;
      const group = groups[path];
      parent =
        above.commands.find((one) => one.name() === word) ??
        this.#configured(above.command(word))
          .description(group?.summary ?? "")
          .helpGroup(`${group?.heading ?? heading}:`);
    }
    return parent;
  }

  #configured(command: Command): Command {
    const { terminal } = this.#context;
    const { stdout, stderr } = terminal;
    return command
      .exitOverride()
      .showSuggestionAfterError(true)
      .showHelpAfterError("  Run it with --help to see its arguments, options and examples.")
      .helpOption("-h, --help", "show help")
      .configureOutput({
        writeOut: (text) => {
          terminal.print(text.replace(/\n$/, ""));
        },
        writeErr: (text) => {
          terminal.say(text.replace(/\n$/, ""));
        },
        outputError: (text, write) => {
          write(text.replace(/^error: /, `${terminal.styleError(["red", "bold"], `${this.#spec.name}:`)} `));
        },
        getOutHasColors: () => true,
        getErrHasColors: () => true,
        getOutHelpWidth: () => Math.min(widthOf(stdout), HELP_WIDTH),
        getErrHelpWidth: () => Math.min(widthOf(stderr), HELP_WIDTH),
      })
      .configureHelp({
        styleTitle: (text) => terminal.style("bold", text),
        styleUsage: (text) => usageLines(text, Math.min(widthOf(stdout), HELP_WIDTH)),
        formatItem,
        subcommandTerm: (sub) => [sub.name(), ...sub.registeredArguments.map(argumentTerm)].join(" "),
      });
  }

  #addCommand(command: Command, spec: CommandSpec, { settings }: CommandTable): void {
    command
      .summary(spec.summary)
      .description(spec.description === undefined ? spec.summary : `${spec.summary}\n\n${spec.description}`)
      .helpGroup(`${spec.heading}:`)
      .allowExcessArguments(false);
    for (const argument of spec.args?.split(" ") ?? []) command.argument(argument);
    for (const one of Object.values(spec.options)) command.addOption(newOption(one));
    const flags = settingFlags(settings.table, [...spec.flagGroups, ...settings.always]);
    const attributeOf = new Map<SettingFlag, string>();
    for (const flag of flags) {
      const one = newOption({
        flags: flag.flag,
        description: flagDescription(flag),
        repeatable: flag.way.repeatable,
      }).helpGroup(`${settings.heading}:`);
      attributeOf.set(flag, one.attributeName());
      command.addOption(one);
    }
    if (settings.configFile !== null)
      command.addOption(new Option("--config <file>", settings.configFile).helpGroup(`${settings.heading}:`));
    command.addOption(new Option("--json", "print the result as JSON").helpGroup("Output:"));
    command.addHelpText("after", () => examplesHelp(spec, this.#context.terminal.width));
    command.action(async () => {
      const values: Readonly<Record<string, unknown>> = command.opts();
      const { cwd, env } = this.#context;
      const textOf = (flag: SettingFlag): FlagText | undefined =>
        values[attributeOf.get(flag) ?? ""] as FlagText | undefined;
      const loaded = await settings.load({
        cwd,
        env,
        file: values["config"] as string | undefined,
        flags: givenByFlags(flags, textOf, cwd),
      });
      await spec.run({
        context: this.#context,
        args: command.args,
        options: readOptions(this.#spec.name, spec, values),
        loaded,
        endWith: (outcome) => {
          this.outcome = outcome;
        },
      });
    });
  }
}

interface OptionText {
  readonly flags: string;
  readonly description: string;
  readonly repeatable?: boolean | undefined;
}

function newOption({ flags, description, repeatable = false }: OptionText): Option {
  const option = new Option(flags, description);
  return repeatable
    ? option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
    : option;
}

function argumentTerm(argument: { readonly required: boolean; name(): string }): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

/** Widest term that its description stands beside; on a narrow screen, less. In columns. */
const TERM_WIDTH = { most: 36, shareOfScreen: 0.45 } as const;

/** A term and its description, beside it or, for a long one, below it. */
function formatItem(term: string, termWidth: number, description: string, helper: Help): string {
  const width = helper.helpWidth ?? HELP_WIDTH;
  const beside = Math.min(termWidth, TERM_WIDTH.most, Math.floor(width * TERM_WIDTH.shareOfScreen));
  const indent = " ".repeat(2);
  if (description === "") return indent + term;
  const column = beside + 4;
  const text = wrapped(description, width - column).replaceAll("\n", `\n${" ".repeat(column)}`);
  const isLong = helper.displayWidth(term) > beside;
  return isLong ? `${indent}${term}\n${" ".repeat(column)}${text}` : `${indent}${term.padEnd(beside)}${indent}${text}`;
}

const USAGE = "Usage: ";

/** What stands behind the word, which the library writes, indented like it. */
const usageLines = (text: string, width: number): string =>
  wrapped(`${USAGE}${text}`, width, USAGE.length).slice(USAGE.length);

function examplesHelp({ examples }: CommandSpec, width: number): string {
  if (examples.length === 0) return "";
  const lines = examples.map(
    ({ line, meaning }) =>
      `${wrapped(`  # ${meaning}`, width).replaceAll("\n", "\n  # ")}\n${commandLines(line, width, "  ")}`,
  );
  return `\nExamples:\n${lines.join("\n\n")}`;
}

function exitCodeHelp(width: number): string {
  const rows = Object.values(EXIT_CODES).map(({ code, meaning }) =>
    wrapped(`  ${String(code).padStart(3)}  ${meaning}`, width, 7),
  );
  return `Exit codes:\n${rows.join("\n")}`;
}

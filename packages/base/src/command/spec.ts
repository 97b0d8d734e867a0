/**
 * What a command is: one value with its words, options and examples, and the function that runs it. A program is a list
 * of tables of them; program.ts turns it into parsing and help, run.ts runs it, completion.ts completes it in a shell.
 */
import type { Outcome } from "../errors.ts";
import type { Environment, GivenValue } from "../settings/given.ts";
import type { SettingTable } from "../settings/setting.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { OptionTable, OptionValues } from "./options.ts";

/** Where a command runs: its terminal, environment and the signal that Ctrl-C aborts. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly env: Environment;
  readonly cwd: string;
  /** Aborted by SIGINT and SIGTERM; a command ends what it does, leaves no half-written file and returns or throws. */
  readonly signal: AbortSignal;
}

/** What a command is run with; `Loaded` is what its table's settings are loaded into. */
export interface Invocation<Table extends OptionTable = OptionTable, Loaded = unknown> {
  readonly context: CommandContext;
  /** The arguments in order; optional ones that were left out are absent. */
  readonly args: readonly string[];
  readonly options: OptionValues<Table>;
  readonly loaded: Loaded;
  /** Ends the command with another exit code although nothing failed: a check that did not pass. */
  readonly endWith: (outcome: Outcome) => void;
}

/** An example shown by --help: a line that works when pasted, and what it does. */
export interface Example {
  readonly line: string;
  readonly meaning: string;
}

/** One command. */
export interface CommandSpec<Table extends OptionTable = OptionTable, Loaded = unknown> {
  /** Words of the command: "put", "audit verify". */
  readonly name: string;
  /** Arguments as commander reads them: "<collection> <id>". */
  readonly args?: string;
  /** The words that its argument may be, for completion. */
  readonly argWords?: readonly string[];
  readonly summary: string;
  /** What a person needs to know beyond the summary; shown by --help. */
  readonly description?: string;
  /** Under which heading help lists it. */
  readonly heading: string;
  readonly options: Table;
  /** The groups of settings that it also takes as flags. */
  readonly flagGroups: readonly string[];
  readonly examples: readonly Example[];
  run(invocation: Invocation<Table, Loaded>): Promise<void>;
}

/** What a program was given of its settings, from which a table loads them. */
export interface SettingsGiven {
  readonly cwd: string;
  readonly env: Environment;
  /** The file named by --config, where a table offers it. */
  readonly file: string | undefined;
  readonly flags: readonly GivenValue[];
}

/** The settings of a table of commands, and how they are loaded before a command runs. */
export interface SettingsSource<Loaded> {
  readonly table: SettingTable;
  /** Groups whose flags every command takes, whatever groups it names. */
  readonly always: readonly string[];
  /** The heading of the flags in help, without a colon. */
  readonly heading: string;
  /** The description of --config; null where there is no configuration file. */
  readonly configFile: string | null;
  /** Loads them; throws an error of the package's table with every problem. */
  load(given: SettingsGiven): Promise<Loaded>;
}

/** What help says of the words before a command's last one: "token" of "token list". */
export interface CommandGroup {
  readonly summary: string;
  readonly heading: string;
}

/** Commands that share their settings. */
export interface CommandTable<Loaded = unknown> {
  readonly commands: readonly CommandSpec[];
  /** By the words of the group: "token", "kms audit". */
  readonly groups: Readonly<Record<string, CommandGroup>>;
  readonly settings: SettingsSource<Loaded>;
}

/** A program: its name and words, and its commands. */
export interface ProgramSpec {
  /** What a person types: "strongroom". */
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** The last line of its help. */
  readonly startHere: string;
  /** The tables, in the order in which help lists their commands. */
  readonly tables: readonly CommandTable[];
  /** Under which heading help lists `completion`. */
  readonly completionHeading: string;
}

/** How a table is mounted in another program, below a word of its own. */
export interface Mount {
  /** The word before each command: "kms". */
  readonly prefix: string;
  readonly group: CommandGroup;
  /** How examples call the program, and how they are to call it here. */
  readonly examples: { readonly from: string; readonly to: string };
}

/** The same commands below a word, with settings that come from elsewhere. */
export function mount<Loaded>(
  commands: readonly CommandSpec[],
  groups: CommandTable["groups"],
  settings: SettingsSource<Loaded>,
  { prefix, group, examples: { from, to } }: Mount,
): CommandTable<Loaded> {
  return {
    commands: commands.map((spec) => ({
      ...spec,
      name: `${prefix} ${spec.name}`,
      examples: spec.examples.map(({ line, meaning }) => ({ line: line.replaceAll(from, to), meaning })),
      run: (invocation) => spec.run(invocation),
    })),
    groups: {
      [prefix]: group,
      ...Object.fromEntries(Object.entries(groups).map(([name, one]) => [`${prefix} ${name}`, one])),
    },
    settings,
  };
}

// What a command is: one value with its words, options and examples, and the function that runs it. The table of them
// is commands/table.ts; program.ts turns it into help, parsing and typo suggestions.
import type { z } from "zod";
import type { LoadedConfig } from "../config/load.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Where a command runs: its terminal, environment and the signal that Ctrl-C aborts. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by SIGINT and SIGTERM; a command ends what it does, leaves no half-written file and returns or throws. */
  readonly signal: AbortSignal;
}

/** One option of a command; `flags` as commander reads them: "--limit <n>", "-f, --force". */
export interface OptionSpec<Value> {
  readonly flags: string;
  readonly description: string;
  /** Reads and checks the option's text, or its absence. */
  readonly schema: z.ZodType<Value>;
}

/** Options by their name in camel case, which must be that of the long flag. */
export type OptionTable = Readonly<Record<string, OptionSpec<unknown>>>;

/** The values of an option table. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends OptionSpec<infer Value> ? Value : never;
};

/** Which group of settings a command also takes as flags; see config-flags.ts. */
export type FlagGroup = "service" | "kms" | "keys" | "client" | "files" | "log";

/** What a command is run with. */
export interface Invocation<Table extends OptionTable = OptionTable> {
  readonly context: CommandContext;
  /** The arguments in order; optional ones that were left out are absent. */
  readonly args: readonly string[];
  readonly options: OptionValues<Table>;
  readonly loaded: LoadedConfig;
}

/** An example shown by --help: a line that works when pasted, and what it does. */
export interface Example {
  readonly line: string;
  readonly meaning: string;
}

/** One command. */
export interface CommandSpec<Table extends OptionTable = OptionTable> {
  /** Words of the command: "put", "kms serve". */
  readonly name: string;
  /** Arguments as commander reads them: "<collection> <id>". */
  readonly args?: string;
  readonly summary: string;
  /** What a person needs to know beyond the summary; shown by --help. */
  readonly description?: string;
  readonly heading: "Start" | "Records" | "Moving data" | "Looking after it";
  readonly options: Table;
  readonly flagGroups: readonly FlagGroup[];
  readonly examples: readonly Example[];
  run(invocation: Invocation<Table>): Promise<void>;
}

/** Defines a command with its options typed, and forgets the types for the table. */
export function command<Table extends OptionTable>(spec: CommandSpec<Table>): CommandSpec {
  return spec;
}

/** Defines an option. */
export function option<Value>(flags: string, description: string, schema: z.ZodType<Value>): OptionSpec<Value> {
  return { flags, description, schema };
}

/** A command with more words than the last one's first: the word before it groups them ("kms serve", "token list"). */
export const COMMAND_GROUPS: Readonly<
  Record<string, { readonly summary: string; readonly heading: CommandSpec["heading"] }>
> = {
  kms: { summary: "the key management server that speaks the AWS KMS API", heading: "Start" },
  token: { summary: "the tokens that programs show to the service", heading: "Looking after it" },
};

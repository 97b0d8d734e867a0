// What a command is: one value with its words, options and examples, and the function that runs it. The table of them
// is commands/table.ts; program.ts turns it into parsing, help and exit codes.

import type { z } from "zod";
import type { Outcome } from "./exit-codes.ts";

/** Where a command writes and what ends it. */
export interface CommandIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/** One option. `flags` as commander reads them: `--data-dir <folder>`. */
export interface OptionSpec {
  readonly flags: string;
  readonly description: string;
  /** `many`: may be given several times. */
  readonly times?: "once" | "many";
}

/** Options with the schema of their values, by their names in camel case. */
export interface OptionGroup<Shape extends z.ZodRawShape> {
  readonly options: readonly OptionSpec[];
  readonly shape: Shape;
}

/** What a command is run with. */
export interface Invocation<Values> {
  readonly args: readonly string[];
  readonly values: Values;
  readonly io: CommandIo;
  /** Prints the result: `data` as one line of JSON with --json, `human()` otherwise. */
  readonly result: (data: unknown, human: () => string) => void;
}

/** One command. */
export interface CommandSpec<Values = unknown> {
  /** Words: `serve`, `audit verify`. */
  readonly name: string;
  /** Arguments as commander reads them: `<file>`. */
  readonly args?: string;
  readonly summary: string;
  readonly description: string;
  readonly options: readonly OptionSpec[];
  readonly schema: z.ZodType<Values>;
  readonly examples: readonly { readonly line: string; readonly meaning: string }[];
  run(invocation: Invocation<Values>): Promise<Outcome>;
}

/** Defines a command with its values typed, and forgets the type for the table. */
export const command = <Values>(spec: CommandSpec<Values>): CommandSpec => spec;

/** Commands of two words: what the first says. */
export const COMMAND_GROUPS: Readonly<Record<string, string>> = {
  audit: "the record of all calls",
  policy: "who may do what",
};

// The frame of a command, with the configuration of an installation.
import type * as frame from "@strongroom/base/command";
import type { LoadedConfig } from "../config/load.ts";

export { option } from "@strongroom/base/command";
export type { CommandContext, OptionTable } from "@strongroom/base/command";

/** A command as the table has it. */
export type CommandSpec = frame.CommandSpec;

/** What a command is run with. */
export type Invocation<Table extends frame.OptionTable = frame.OptionTable> = frame.Invocation<Table, LoadedConfig>;

/** Defines a command with its options typed, and forgets the types for the table. */
export function command<Table extends frame.OptionTable>(spec: frame.CommandSpec<Table, LoadedConfig>): CommandSpec {
  return spec;
}

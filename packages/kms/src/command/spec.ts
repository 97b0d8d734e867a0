// The frame of a command, with the KMS's settings.

import type { CommandSpec, OptionTable } from "@strongroom/base/command";
import type { GivenKmsSettings } from "./settings.ts";

/** Defines a command of the KMS with its options typed, and forgets the types for the table. */
export function command<Table extends OptionTable>(spec: CommandSpec<Table, GivenKmsSettings>): CommandSpec {
  return spec;
}

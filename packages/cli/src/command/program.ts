// The command `strongroom`: its tables of commands, with the settings of an installation.
import type { CommandTable, ProgramSpec } from "@strongroom/base/command";
import packageJson from "../../package.json" with { type: "json" };
import { KMS_TABLE } from "../commands/kms.ts";
import { COMMAND_GROUPS, COMMANDS } from "../commands/table.ts";
import { INSTALLATION_SETTINGS, type LoadedConfig } from "../config/load.ts";

const table: CommandTable<LoadedConfig> = {
  commands: COMMANDS,
  groups: COMMAND_GROUPS,
  settings: INSTALLATION_SETTINGS,
};

/** The program, as `runProgram` runs it. */
export const PROGRAM: ProgramSpec = {
  name: "strongroom",
  version: packageJson.version,
  description:
    "A vault for personal data: every record sealed under a key of its own, wrapped by KMS keys in several regions.",
  startHere: "strongroom up",
  tables: [table, KMS_TABLE],
  completionHeading: "Looking after it",
};

// The command `strongroom-kms`: its table of commands, with the KMS's settings.

import { type CommandGroup, type CommandTable, type ProgramSpec } from "@strongroom/base/command";
import packageJson from "../../package.json" with { type: "json" };
import { KMS_COMMANDS } from "./commands/table.ts";
import { type GivenKmsSettings, KMS_SETTINGS, loadKmsSettings } from "./settings.ts";

/** What the words before a command's last one say. */
export const KMS_COMMAND_GROUPS: Readonly<Record<string, CommandGroup>> = {
  audit: { summary: "the record of all calls", heading: "Commands" },
  rows: { summary: "what the database holds", heading: "Commands" },
  policy: { summary: "who may do what", heading: "Commands" },
};

const table: CommandTable<GivenKmsSettings> = {
  commands: KMS_COMMANDS,
  groups: KMS_COMMAND_GROUPS,
  settings: {
    table: { ...KMS_SETTINGS },
    always: [],
    heading: "Settings (also in the environment)",
    configFile: null,
    load: async (given) => loadKmsSettings(given),
  },
};

/** The program, as `runProgram` runs it. */
export const KMS_PROGRAM: ProgramSpec = {
  name: "strongroom-kms",
  version: packageJson.version,
  description:
    "A key management server that speaks the AWS KMS API: several regions in one process, real cryptography, " +
    "real key policies.",
  startHere: "npx @strongroom/kms serve",
  tables: [table],
  completionHeading: "Commands",
};

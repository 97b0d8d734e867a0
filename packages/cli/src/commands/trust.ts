// `strongroom trust`: says once that a configuration file, as it is now, may say what it says.
import { type CommandTable, given, type SettingsGiven } from "@strongroom/base/command";
import type { CommandSpec } from "@strongroom/base/command";
import { requireUnchangeable } from "@strongroom/base/authority";
import { withRemedy } from "../authority.ts";
import { option } from "../command.ts";
import { findConfigFile } from "../config/file.ts";
import { forget, trust, trustFile } from "../config/trust.ts";
import { CliError } from "../errors.ts";
import { resolve } from "node:path";

/** `strongroom trust`. */
const trustCommand: CommandSpec = {
  name: "trust",
  args: "[file]",
  heading: "Looking after it",
  summary: "trust a configuration file as it is now, so that it is used where it is found",
  description:
    "A file that is only found in the present folder may set times and the log's level. To run a program, to say " +
    "where data, tokens and keys are or go, or to weaken what is promised, it must be named (--config), or trusted " +
    "here: its path and the hash of its content are remembered in your own folder (~/.config/strongroom). When it is " +
    "changed it is no longer trusted. Of a file that is a program, what it imports is not looked at.",
  flagGroups: [],
  options: { forget: option("--forget", "trust it no longer", given()) },
  examples: [
    { line: "npx strongroom trust", meaning: "the file in the present folder" },
    { line: "npx strongroom trust strongroom.config.json --forget", meaning: "no longer" },
  ],
  run: async ({ context: { terminal, cwd, env }, args, options }) => {
    const remembered = trustFile(env);
    if (options["forget"] === true) {
      const path = args[0] === undefined ? findConfigFile(cwd, undefined, env)?.path : resolve(cwd, args[0]);
      const forgotten = path !== undefined && (await forget(path, env));
      terminal.result({ path: path ?? null, forgotten }, (shown) =>
        shown.forgotten ? `${shown.path ?? ""} is no longer trusted.` : "It was not trusted.",
      );
      return;
    }
    const file = findConfigFile(cwd, args[0], env);
    if (file === null) throw new CliError("config-unreadable", { detail: `There is no configuration file in ${cwd}.` });
    withRemedy(() => {
      requireUnchangeable(file.path);
    });
    const trusted = await trust(file.path, file.content, env);
    terminal.result({ ...trusted, remembered }, ({ path }) => `${path} is trusted as it is now.`);
  },
};

/** The command, in a table of its own: the configuration is not loaded before it may be trusted. */
export const TRUST_TABLE: CommandTable<SettingsGiven> = {
  commands: [trustCommand],
  groups: {},
  settings: {
    table: {},
    always: [],
    heading: "Settings",
    configFile: null,
    load: (settings) => Promise.resolve(settings),
  },
};

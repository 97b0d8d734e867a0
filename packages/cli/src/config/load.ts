// Loads the configuration: file, environment and flags, later ones winning, validated once. A mistake in any of them is
// refused, never replaced by a default, and every problem is listed with where its value came from.
import { resolve } from "node:path";
import type { SettingsSource } from "@strongroom/base/command";
import {
  type Environment,
  givenByEnvironment,
  type GivenValue,
  mistypedVariables,
  problemLine,
  type SettingTable,
  settle,
} from "@strongroom/base/settings";
import { CliError } from "../errors.ts";
import { readConfigFile } from "./file.ts";
import { relationProblems } from "./relations.ts";
import type { Config } from "./schema.ts";
import { configSchema, OTHER_VARIABLES, SETTINGS } from "./settings.ts";

/** What the configuration is made from. */
export interface ConfigSources {
  readonly cwd: string;
  readonly env: Environment;
  /** The file named by --config; else STRONGROOM_CONFIG; else the one in the working folder. */
  readonly file?: string | undefined;
  readonly flags?: readonly GivenValue[];
}

/** The configuration and the file that it came from, if any. */
export interface LoadedConfig {
  readonly config: Config;
  readonly file: string | null;
  /** Dotted path -> where its value came from: a file, a variable or a flag. Settings at their default are absent. */
  readonly origins: ReadonlyMap<string, string>;
}

const table: SettingTable = { ...SETTINGS };

/** What help says of --config. */
export const CONFIG_FLAG = "configuration file (default: strongroom.config.json, .js or .ts here)";

/** The settings of the commands of an installation. */
export const INSTALLATION_SETTINGS: SettingsSource<LoadedConfig> = {
  table,
  always: ["files"],
  heading: "Settings (also in the environment and the configuration file)",
  configFile: CONFIG_FLAG,
  load: loadConfig,
};

/** Loads the configuration. Throws `config-unreadable`, or `config-invalid` with every problem listed. */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const { cwd, env, flags = [] } = sources;
  const named = sources.file ?? (env["STRONGROOM_CONFIG"] === "" ? undefined : env["STRONGROOM_CONFIG"]);
  const file = await readConfigFile(cwd, named);
  const { values, problems, raw, origins } = settle({
    schema: configSchema,
    raw: file?.value ?? {},
    rawOrigin: file?.path,
    given: [...givenByEnvironment(table, env, cwd), ...flags],
  });
  const lines = [
    ...[...problems, ...relationProblems(raw)].map((problem) => problemLine(problem, origins)),
    ...mistypedVariables({ prefix: "STRONGROOM_", table, others: OTHER_VARIABLES }, env),
  ];
  if (values === null || lines.length > 0) {
    throw new CliError("config-invalid", {
      detail: lines.length === 1 ? "There is 1 problem:" : `There are ${lines.length} problems:`,
      problems: lines,
    });
  }
  return { config: { ...values, dataDir: resolve(cwd, values.dataDir) }, file: file?.path ?? null, origins };
}

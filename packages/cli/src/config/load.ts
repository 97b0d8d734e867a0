// Loads the configuration: file, environment and flags, later ones winning, validated once, with what must hold
// between settings. A mistake in any of them is refused, never replaced by a default, and every problem is listed with
// where its value came from.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { SettingsSource } from "@strongroom/base/command";
import {
  absolutePaths,
  type Environment,
  givenByEnvironment,
  type GivenValue,
  mistypedVariables,
  problemLine,
  type SettingProblem,
  type SettingTable,
  settle,
} from "@strongroom/base/settings";
import { LOCAL_REGIONS, localRegions } from "@strongroom/kms/command";
import { z } from "zod";
import { CliError } from "../errors.ts";
import type { Config } from "./config.ts";
import { configSchema, OTHER_VARIABLES, SETTINGS } from "./settings.ts";
import { wrappingRegions } from "./wrapping-regions.ts";

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

/** The names looked for in the working folder. */
const CONFIG_FILES = [
  "strongroom.config.json",
  "strongroom.config.js",
  "strongroom.config.mjs",
  "strongroom.config.ts",
] as const;

/** A configuration file's path and its raw value. */
interface ConfigFile {
  readonly path: string;
  readonly value: unknown;
}

/**
 * Reads the named file, or the only one in the folder; null where there is none.
 * Throws `config-unreadable` when the named file is missing, when there are two, or when it cannot be parsed or run.
 */
async function readConfigFile(cwd: string, named: string | undefined): Promise<ConfigFile | null> {
  const path = named === undefined ? findConfigFile(cwd) : resolve(cwd, named);
  if (path === null) return null;
  if (!existsSync(path)) throw new CliError("config-unreadable", { detail: `${path} does not exist.` });
  try {
    return {
      path,
      value: absolutePaths(table, await READERS[extname(path) === ".json" ? "json" : "module"](path), dirname(path)),
    };
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("config-unreadable", {
      detail: `${path}: ${cause instanceof Error ? cause.message : "not readable"}`,
      cause,
    });
  }
}

function findConfigFile(cwd: string): string | null {
  const found = CONFIG_FILES.map((name) => resolve(cwd, name)).filter((path) => existsSync(path));
  if (found.length > 1) {
    throw new CliError("config-unreadable", {
      detail: `There is more than one configuration file: ${found.join(", ")}.`,
      remedy: "Keep one of them, or name the one to use with --config.",
    });
  }
  return found[0] ?? null;
}

const READERS: Readonly<Record<"json" | "module", (path: string) => Promise<unknown>>> = {
  json: async (path) => JSON.parse((await readFile(path, "utf8")).replace(/^\uFEFF/, "")) as unknown,
  module: async (path) => {
    const loaded = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
    if ("default" in loaded) return loaded["default"];
    throw new CliError("config-unreadable", {
      detail: `${path} has no default export.`,
      remedy:
        'Export the configuration: import { defineConfig } from "strongroom"; export default defineConfig({ … });',
    });
  },
};

const lenient = z.object({
  kms: z
    .object({ regions: localRegions.optional().catch(undefined) })
    .optional()
    .catch(undefined),
  keys: z
    .object({
      regions: wrappingRegions.optional().catch(undefined),
      minimum: z.int().optional().catch(undefined),
      target: z.int().optional().catch(undefined),
      attemptTimeoutMs: z.number().optional().catch(undefined),
      deadlineMs: z.number().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/**
 * What does not hold between settings whose own form is right; those that are wrong themselves are left to the schema.
 * Checked on the raw values, beside the schema and not after it, so that one run lists every problem.
 */
function relationProblems(raw: unknown): SettingProblem[] {
  const { kms, keys } = lenient.catch({}).parse(raw);
  const count = (keys?.regions ?? kms?.regions ?? LOCAL_REGIONS).length;
  const target = keys?.target ?? count;
  return [
    ...duplicates(
      ["kms", "regions"],
      kms?.regions?.map(({ name }) => name),
      "region",
    ),
    ...duplicates(
      ["kms", "regions"],
      kms?.regions?.map(({ port }) => port).filter((port) => port !== 0),
      "port",
    ),
    ...duplicates(
      ["keys", "regions"],
      keys?.regions?.map(({ region }) => region),
      "region",
    ),
    ...(keys?.regions ?? []).flatMap(({ region, keyArn }, index) => foreignKey(index, region, keyArn)),
    ...when(
      (keys?.target ?? 0) > count,
      ["keys", "target"],
      `asks for ${target} wraps, but there are ${count} regions`,
    ),
    ...when(
      (keys?.minimum ?? 0) > target,
      ["keys", "minimum"],
      `asks for ${keys?.minimum ?? 0} wraps, but at most ${target} are made (keys.target, or the number of regions)`,
    ),
    ...when(
      (keys?.attemptTimeoutMs ?? 0) > (keys?.deadlineMs ?? Infinity),
      ["keys", "attemptTimeoutMs"],
      "is longer than keys.deadlineMs, so a second region would never be tried",
    ),
  ];
}

function when(holds: boolean, path: SettingProblem["path"], message: string): SettingProblem[] {
  return holds ? [{ path, message }] : [];
}

function duplicates(
  path: SettingProblem["path"],
  values: readonly (string | number)[] | undefined,
  what: string,
): SettingProblem[] {
  const twice = new Set(values?.filter((value, index) => values.indexOf(value) !== index));
  return [...twice].map((value) => ({ path, message: `names the ${what} ${value} twice` }));
}

/** A key is used through the endpoint of its own region: the signature's scope names it. */
function foreignKey(index: number, region: string, keyArn: string | undefined): SettingProblem[] {
  const keyRegion = keyArn?.split(":")[3] ?? region;
  return when(
    keyRegion !== region,
    ["keys", "regions", index, "keyArn"],
    `is a key of ${keyRegion}, but the region is ${region}`,
  );
}

// Merges the configuration file, the environment and the flags, later ones winning, and validates the result once. A
// mistake in any of them is refused, never replaced by a default, and every problem is listed with where its value came
// from.
import { resolve } from "node:path";
import type { core } from "zod";
import { CliError } from "../errors.ts";
import { readConfigFile } from "./file.ts";
import { type Problem, relationProblems } from "./relations.ts";
import { type Config, configSchema } from "./schema.ts";
import { OTHER_VARIABLES, readSetting, SETTINGS } from "./settings.ts";
import { nearest } from "./similar.ts";

/** A value that a flag gave for a setting, already read. */
export interface FlagValue {
  readonly path: string;
  readonly flag: string;
  readonly value: unknown;
}

/** What the configuration is made from. */
export interface ConfigSources {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file named by --config; else STRONGROOM_CONFIG; else the one in the working folder. */
  readonly file?: string | undefined;
  readonly flags?: readonly FlagValue[];
}

/** The configuration and the file that it came from, if any. */
export interface LoadedConfig {
  readonly config: Config;
  readonly file: string | null;
  /** Dotted path -> where its value came from: a file, a variable or a flag. Settings at their default are absent. */
  readonly origins: ReadonlyMap<string, string>;
}

/** Loads the configuration. Throws `config-unreadable`, or `config-invalid` with every problem listed. */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const { cwd, env } = sources;
  const named = sources.file ?? (env["STRONGROOM_CONFIG"] === "" ? undefined : env["STRONGROOM_CONFIG"]);
  const file = await readConfigFile(cwd, named);
  const origins = new Map<string, string>();
  let raw: unknown = file?.value ?? {};
  for (const path of leafPaths(raw)) origins.set(path, file?.path ?? "");
  const given = [
    ...environmentValues(env, cwd),
    ...(sources.flags ?? []).map(({ path, flag, value }) => ({ path, origin: flag, value })),
  ];
  for (const { path, origin, value } of given) {
    raw = withValue(raw, path.split("."), value);
    origins.set(path, origin);
  }
  const parsed = configSchema.safeParse(raw);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap(schemaProblems)),
    ...relationProblems(raw),
  ].map((problem) => describe(problem, origins));
  problems.push(...mistypedVariables(env));
  if (!parsed.success || problems.length > 0) {
    throw new CliError("config-invalid", {
      detail: problems.length === 1 ? "There is 1 problem:" : `There are ${problems.length} problems:`,
      problems,
    });
  }
  return { config: { ...parsed.data, dataDir: resolve(cwd, parsed.data.dataDir) }, file: file?.path ?? null, origins };
}

function environmentValues(env: ConfigSources["env"], cwd: string): { path: string; origin: string; value: unknown }[] {
  return SETTINGS.flatMap(({ path, env: origin, reading }) => {
    const text = env[origin];
    return text === undefined
      ? []
      : [{ path, origin, value: readSetting(reading, text, (relative) => resolve(cwd, relative)) }];
  });
}

/** A variable that is nearly a setting's name: STRONGROOM_PROT=8300 must not silently leave the default in place. */
function mistypedVariables(env: ConfigSources["env"]): string[] {
  const known = [...SETTINGS.map((setting) => setting.env), ...OTHER_VARIABLES];
  return Object.keys(env)
    .filter((name) => name.startsWith("STRONGROOM_") && !known.includes(name))
    .flatMap((name) => {
      const meant = nearest(
        name.slice("STRONGROOM_".length),
        known.map((one) => one.slice("STRONGROOM_".length)),
      );
      return meant === null ? [] : [`${name} (environment): is no setting; did you mean STRONGROOM_${meant}?`];
    });
}

function schemaProblems(issue: core.$ZodIssue): Problem[] {
  const path = issue.path.map((segment) => (typeof segment === "number" ? segment : String(segment)));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const meant = nearest(key, knownKeys(path));
      return {
        path: [...path, key],
        message: meant === null ? "is no setting" : `is no setting; did you mean ${meant}?`,
      };
    });
  }
  if (issue.code === "invalid_type")
    return [{ path, message: `must be ${ARTICLES[issue.expected] ?? issue.expected}` }];
  if (issue.code === "invalid_value") return [{ path, message: `must be one of ${issue.values.join(", ")}` }];
  return [{ path, message: issue.message }];
}

const ARTICLES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a group of settings ({ … })",
  array: "a list",
};

/** The names allowed at a path of the schema, found by walking it. */
function knownKeys(path: Problem["path"]): readonly string[] {
  let schema: unknown = configSchema;
  for (const segment of path) schema = child(unwrapped(schema), segment);
  const found = unwrapped(schema);
  return hasShape(found) ? Object.keys(found.shape) : [];
}

function child(schema: unknown, segment: string | number): unknown {
  if (hasShape(schema)) return schema.shape[segment];
  if (typeof schema === "object" && schema !== null && "element" in schema) return schema.element;
  return undefined;
}

function unwrapped(schema: unknown): unknown {
  let current = schema;
  while (
    typeof current === "object" &&
    current !== null &&
    "unwrap" in current &&
    typeof current.unwrap === "function" &&
    !("element" in current)
  ) {
    current = (current.unwrap as () => unknown)();
  }
  return current;
}

function hasShape(schema: unknown): schema is { readonly shape: Readonly<Record<string, unknown>> } {
  return typeof schema === "object" && schema !== null && "shape" in schema && typeof schema.shape === "object";
}

function describe({ path, message }: Problem, origins: ReadonlyMap<string, string>): string {
  const dotted = path.join(".");
  const origin = [...origins].find(
    ([known]) => known === dotted || dotted.startsWith(`${known}.`) || known.startsWith(`${dotted}.`),
  )?.[1];
  const where = origin === undefined || origin === "" ? "" : ` (${origin})`;
  return `${dotted === "" ? "the configuration" : dotted}${where}: ${message}`;
}

function leafPaths(value: unknown, prefix = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return prefix === "" ? [] : [prefix];
  return Object.entries(value).flatMap(([key, inner]) => leafPaths(inner, prefix === "" ? key : `${prefix}.${key}`));
}

function withValue(target: unknown, [head = "", ...rest]: readonly string[], value: unknown): unknown {
  const base =
    typeof target === "object" && target !== null && !Array.isArray(target) ? (target as Record<string, unknown>) : {};
  return { ...base, [head]: rest.length === 0 ? value : withValue(base[head], rest, value) };
}

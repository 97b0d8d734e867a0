// The configuration file: which it is, whether it may say what it says, and what it holds. One that was named
// (--config, STRONGROOM_CONFIG) is believed; one that was only found in the present folder is, for what can do harm,
// when it was trusted once. Neither is when others may change it.
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { requireUnchangeable } from "@strongroom/base/authority";
import { isFilePermissions } from "@strongroom/base/secret-file";
import { absolutePaths, type Environment, type SettingTable } from "@strongroom/base/settings";
import { CliError } from "../errors.ts";
import { isTrusted } from "./trust.ts";

/** A configuration file, as it was read. */
export interface ConfigFile {
  readonly path: string;
  readonly kind: "json" | "module";
  readonly how: "named" | "found";
  readonly content: Buffer;
  readonly env: Environment;
}

/** The names looked for in the working folder. */
const CONFIG_FILES = [
  "strongroom.config.json",
  "strongroom.config.js",
  "strongroom.config.mjs",
  "strongroom.config.ts",
] as const;

/**
 * The named file, or the only one in the folder; null where there is none. Throws `config-unreadable` when the named
 * file is missing or when there are two.
 */
export function findConfigFile(cwd: string, named: string | undefined, env: Environment): ConfigFile | null {
  const path = named === undefined ? onlyOneIn(cwd) : resolve(cwd, named);
  if (path === null) return null;
  if (!existsSync(path)) throw new CliError("config-unreadable", { detail: `${path} does not exist.` });
  const kind = extname(path) === ".json" ? "json" : "module";
  const { size, ...found } = statOf(path);
  // Threat: a pipe or device with the name of a configuration is read for ever. One that is named may be a pipe.
  if ((named === undefined && !found.isFile) || size > LONGEST_FILE)
    throw new CliError("config-unreadable", {
      detail: found.isFile ? `${path} is larger than ${LONGEST_FILE} bytes.` : `${path} is no file.`,
    });
  try {
    return { path, kind, how: named === undefined ? "found" : "named", content: readFileSync(path), env };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Bytes of a configuration at most. */
const LONGEST_FILE = 1024 * 1024;

function statOf(path: string): { readonly size: number; readonly isFile: boolean } {
  try {
    const found = statSync(path);
    return { size: found.size, isFile: found.isFile() };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function onlyOneIn(cwd: string): string | null {
  const found = CONFIG_FILES.map((name) => resolve(cwd, name)).filter((path) => existsSync(path));
  if (found.length > 1) {
    throw new CliError("config-unreadable", {
      detail: `There is more than one configuration file: ${found.join(", ")}.`,
      remedy: "Keep one of them, or name the one to use with --config.",
    });
  }
  return found[0] ?? null;
}

/**
 * What the file holds, its paths made absolute. Throws `config-unreadable` when it cannot be parsed or run, and
 * `config-not-trusted` before a program is run that nobody named or trusted.
 */
export async function readConfigFile(file: ConfigFile, table: SettingTable): Promise<unknown> {
  if (file.kind === "module") requireBelieved(file, ["it is a program"]);
  try {
    return absolutePaths(table, await READERS[file.kind](file), dirname(file.path));
  } catch (cause) {
    throw cause instanceof CliError ? cause : unreadable(file.path, cause);
  }
}

/**
 * Refuses a file that says what it may not say.
 * @param powers what it says that can do harm; without any it is believed
 */
export function requireBelieved({ path, how, content, env }: ConfigFile, powers: readonly string[]): void {
  if (powers.length === 0) return;
  try {
    requireUnchangeable(path, how === "named" ? "anyone" : "ours");
  } catch (cause) {
    if (!isFilePermissions(cause)) throw cause;
    throw new CliError("config-not-trusted", {
      detail: `${path}: ${cause.reason}.`,
      problems: powers,
      remedy: `${cause.remedy ?? ""}.`,
      cause,
    });
  }
  if (how === "named" || isTrusted(path, content, env)) return;
  throw new CliError("config-not-trusted", {
    detail: `${path} was only found here, and nobody named or trusted it as it is. It says:`,
    problems: powers,
  });
}

const READERS: Readonly<Record<ConfigFile["kind"], (file: ConfigFile) => Promise<unknown>>> = {
  json: async ({ content }) => JSON.parse(content.toString("utf8").replace(/^\uFEFF/, "")) as unknown,
  module: async ({ path }) => {
    const loaded = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
    if ("default" in loaded) return loaded["default"];
    throw new CliError("config-unreadable", {
      detail: `${path} has no default export.`,
      remedy:
        'Export the configuration: import { defineConfig } from "strongroom"; export default defineConfig({ … });',
    });
  },
};

function unreadable(path: string, cause: unknown): CliError {
  const reason = cause instanceof Error ? cause.message : "not readable";
  return new CliError("config-unreadable", { detail: `${path}: ${reason}`, cause });
}

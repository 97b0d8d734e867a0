// Finds and reads the configuration file: strongroom.config.json, .js, .mjs or .ts in the working folder, or the one
// that is named.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { absolutePaths } from "@strongroom/base/settings";
import { CliError } from "../errors.ts";
import { SETTINGS } from "./settings.ts";

/** The names looked for in the working folder. */
export const CONFIG_FILES = [
  "strongroom.config.json",
  "strongroom.config.js",
  "strongroom.config.mjs",
  "strongroom.config.ts",
] as const;

/** A configuration file's path and its raw value. */
export interface ConfigFile {
  readonly path: string;
  readonly value: unknown;
}

/**
 * Reads the named file, or the only one in the folder; null where there is none.
 * Throws `config-unreadable` when the named file is missing, when there are two, or when it cannot be parsed or run.
 */
export async function readConfigFile(cwd: string, named: string | undefined): Promise<ConfigFile | null> {
  const path = named === undefined ? findConfigFile(cwd) : resolve(cwd, named);
  if (path === null) return null;
  if (!existsSync(path)) throw new CliError("config-unreadable", { detail: `${path} does not exist.` });
  try {
    return {
      path,
      value: absolutePaths(
        { ...SETTINGS },
        await readers[extname(path) === ".json" ? "json" : "module"](path),
        dirname(path),
      ),
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

const readers: Readonly<Record<"json" | "module", (path: string) => Promise<unknown>>> = {
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

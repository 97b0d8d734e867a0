// The other languages' toolchains, prepared once in a cache folder outside the checkout. A toolchain that is not there
// is a reason, not an error: its peer is skipped and the run says so.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export type Prepared =
  { readonly kind: "ready"; readonly folder: string } | { readonly kind: "missing"; readonly reason: string };

export interface Recipe {
  readonly id: string;
  /** Files whose content decides whether what is in the cache is still right; relative to this folder. */
  readonly sources: readonly string[];
  /** Commands to be run one after the other; `folder` is the empty place to fill. */
  readonly steps: (folder: string) => readonly (readonly [command: string, ...args: string[]])[];
}

/** `STRONGROOM_CACHE`, else the user's cache folder. */
function cacheFolder(): string {
  return (
    process.env["STRONGROOM_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "strongroom")
  );
}

/** The path of a file beside this one. */
export function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

export function prepare(recipe: Recipe): Prepared {
  const hash = createHash("sha256");
  for (const source of recipe.sources) hash.update(readFileSync(here(source)));
  const folder = join(cacheFolder(), "interop", `${recipe.id}-${hash.digest("hex").slice(0, 12)}`);
  const mark = join(folder, "complete");
  if (existsSync(mark)) return { kind: "ready", folder };

  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [command, ...args] of recipe.steps(folder)) {
    process.stderr.write(`preparing ${recipe.id}: ${command} ${args[0] ?? ""} ...\n`);
    const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
    if (error !== undefined) return { kind: "missing", reason: `${command} cannot be run (${error.message})` };
    if (status !== 0) return { kind: "missing", reason: `${command} failed: ${lastLines(`${stdout}${stderr}`)}` };
  }
  writeFileSync(mark, "");
  return { kind: "ready", folder };
}

/** The version that a file pins, as the pattern's first group finds it. */
export function pinnedVersion(path: string, pattern: RegExp): string {
  const version = pattern.exec(readFileSync(here(path), "utf8"))?.[1];
  if (version === undefined) throw new Error(`${path} pins no version that ${String(pattern)} finds`);
  return version;
}

function lastLines(output: string): string {
  return output.trim().split("\n").slice(-3).join(" / ");
}

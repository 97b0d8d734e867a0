// An earlier revision of the library as a contender: its own sources and its own bench, unpacked beside the peers and
// built by the same compiler, so that a change can be measured against what was there before it.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildIn } from "./install.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Not below node_modules, where Node does not strip types. */
const CACHE = fileURLToPath(new URL("../.revisions/", import.meta.url));

/** Unpacks and builds a revision; answers the URL of its contender. @throws when git or the compiler fails */
export function prepareRevision(revision: string): string {
  const commit = execFileSync("git", ["rev-parse", "--verify", `${revision}^{commit}`], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const folder = join(CACHE, commit.trim().slice(0, 12));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const archive = execFileSync("git", ["archive", commit.trim()], { cwd: ROOT, maxBuffer: 2 ** 28 });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  linkDependencies(folder);
  // Before the packages had a build of their own, the compiler made what was published.
  const own = "scripts/packages/build.ts";
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  buildIn(folder, existsSync(join(folder, own)) ? [own] : [compiler, "--build", "packages/envelope"]);
  return pathToFileURL(join(folder, "bench/contenders/strongroom.ts")).href;
}

/** The dependencies of this checkout, and the revision's own packages. */
function linkDependencies(folder: string): void {
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "@strongroom"), { recursive: true });
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name !== "@strongroom" && name !== "strongroom")
      symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  for (const name of readdirSync(join(folder, "packages")).filter((one) => one !== "cli")) {
    symlinkSync(join(folder, "packages", name), join(modules, "@strongroom", name));
  }
}

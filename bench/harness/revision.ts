// An earlier revision of the library as a contender: its own sources and its own bench, unpacked beside the peers and
// built by the same compiler, so that a change can be measured against what was there before it.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CACHE = fileURLToPath(new URL("../node_modules/.cache/", import.meta.url));

/** Unpacks and builds a revision; answers the URL of its contender. @throws when git or the compiler fails */
export function prepareRevision(revision: string): string {
  const commit = execFileSync("git", ["rev-parse", "--verify", `${revision}^{commit}`], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const folder = join(CACHE, `revision-${commit.trim().slice(0, 12)}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const parts = ["packages/envelope", "bench", "package.json", "tsconfig.base.json"];
  const archive = execFileSync("git", ["archive", commit.trim(), ...parts], { cwd: ROOT, maxBuffer: 2 ** 28 });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  linkDependencies(folder);
  const tsc = spawnSync(
    process.execPath,
    [join(ROOT, "node_modules/typescript/bin/tsc"), "--build", "packages/envelope"],
    {
      cwd: folder,
      stdio: ["ignore", 2, 2],
    },
  );
  if (tsc.status !== 0) throw new Error(`the build of packages/envelope at ${revision} failed`);
  return pathToFileURL(join(folder, "bench/contenders/strongroom.ts")).href;
}

/** The packages of this checkout, except that the library is the revision's. */
function linkDependencies(folder: string): void {
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "@strongroom"), { recursive: true });
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name !== "@strongroom" && name !== "strongroom")
      symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  symlinkSync(join(folder, "packages/envelope"), join(modules, "@strongroom/envelope"));
}

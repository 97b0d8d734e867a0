// What is measured is made ready when the bench is run: the peers by `npm ci` in this folder when its lock file is
// newer than what it left behind, never with the project; the library by its own build, so that it is measured as it is
// published, in JavaScript like its peers.

import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../", import.meta.url);
const ROOT = new URL("../", FOLDER);

/** Throws when npm fails; what npm says goes to standard error. */
export function installPeers(): void {
  const left = new URL("node_modules/.package-lock.json", FOLDER);
  const lock = new URL("package-lock.json", FOLDER);
  if (existsSync(left) && statSync(left).mtimeMs >= statSync(lock).mtimeMs) return;
  process.stderr.write("installing the peers in bench/ ...\n");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: fileURLToPath(FOLDER),
    stdio: ["ignore", 2, 2],
  });
  if (npm.status !== 0) throw new Error("npm ci in bench/ failed: without the peers there is nothing to compare with");
}

/** Builds what is published. Throws when the build fails; what it says goes to standard error. */
export function buildLibrary(): void {
  buildIn(fileURLToPath(ROOT), ["scripts/packages/build.ts"]);
}

/** Runs a build with this process's Node in a checkout. */
export function buildIn(folder: string, args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, args, { cwd: folder, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`the build in ${folder} failed: there is nothing to measure`);
}

// What is measured is made ready when the bench is run: the peers by `npm ci` in this folder when its lock file is
// newer than what it left behind, never with the project; the library by its own build, so that it is measured as it is
// published, in JavaScript like its peers.

import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../", import.meta.url);
const COMPILER = new URL("../node_modules/typescript/bin/tsc", FOLDER);
const LIBRARY = new URL("../packages/envelope", FOLDER);

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

/** Throws when the compiler fails; what it says goes to standard error. */
export function buildLibrary(): void {
  const tsc = spawnSync(process.execPath, [fileURLToPath(COMPILER), "--build", fileURLToPath(LIBRARY)], {
    stdio: ["ignore", 2, 2],
  });
  if (tsc.status !== 0) throw new Error("the build of packages/envelope failed: there is nothing to measure");
}

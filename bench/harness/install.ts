// The peers are installed when the bench is run, never with the project: `npm ci` in this folder, when its lock file is newer than what it left behind.

import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../", import.meta.url);

/** Throws when npm fails; what npm says goes to standard error. */
export function installPeers(): void {
  const left = new URL("node_modules/.package-lock.json", FOLDER);
  const lock = new URL("package-lock.json", FOLDER);
  if (existsSync(left) && statSync(left).mtimeMs >= statSync(lock).mtimeMs) return;
  process.stderr.write("installing the peers in bench/ ...\n");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: fileURLToPath(FOLDER), stdio: ["ignore", 2, 2] });
  if (npm.status !== 0) throw new Error("npm ci in bench/ failed: without the peers there is nothing to compare with");
}

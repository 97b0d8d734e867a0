// The data folder: does it belong to its owner alone, are the keys remembered.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "@strongroom/base/files";
import { CliError } from "../errors.ts";
import { readRegionKeys } from "../installation/installed-keys.ts";
import type { Check, Finding } from "./check.ts";

/** The folder and every file in it belong to their owner alone. */
export const checkPermissions: Check = async ({ folder }) => {
  try {
    const entries = await readdir(folder.path, { recursive: true, withFileTypes: true });
    const paths = [folder.path, ...entries.map((entry) => join(entry.parentPath, entry.name))];
    const open: string[] = [];
    for (const path of paths) {
      const found = await stat(path).catch(() => null);
      if (found !== null && (found.mode & 0o077) !== 0) open.push(path);
    }
    const what = "Data folder";
    if (open.length === 0)
      return [{ what, severity: "ok", detail: `${folder.path}: ${entries.length} files, for their owner alone` }];
    return [
      {
        what,
        severity: "failure",
        detail: `open to other users: ${open.join(", ")}`,
        remedy: `chmod -R go-rwx ${folder.path}`,
      },
    ];
  } catch (error) {
    return [unusableFolder(folder.path, systemErrorCode(error))];
  }
};

function unusableFolder(path: string, code: string | null): Finding {
  if (code === "ENOENT")
    return {
      what: "Data folder",
      severity: "warning",
      detail: `${path} does not exist yet`,
      remedy: "strongroom up makes it.",
    };
  return {
    what: "Data folder",
    severity: "failure",
    detail: `${path}: ${code ?? "not readable"}`,
    remedy: "Run as the folder's owner, or choose another with --data-dir.",
  };
}

/** Every region's key is known: from the configuration, or remembered in keys.json, which can be read. */
export const checkKeyFile: Check = async ({ folder, loaded: { config } }) => {
  try {
    const keys = Object.keys(await readRegionKeys(folder.keys));
    if (keys.length > 0) return [{ what: "Keys", severity: "ok", detail: `remembered for ${keys.join(", ")}` }];
    if (config.keys.regions?.every(({ keyArn }) => keyArn !== undefined) === true)
      return [{ what: "Keys", severity: "ok", detail: "all are named by keys.regions" }];
    return [
      {
        what: "Keys",
        severity: "warning",
        detail: "none are remembered",
        remedy: "strongroom up makes them; strongroom serve takes them from keys.regions.",
      },
    ];
  } catch (error) {
    const known = error instanceof CliError ? error : null;
    return [
      {
        what: "Keys",
        severity: "failure",
        detail: known?.detail ?? "keys.json cannot be read",
        remedy: known?.remedy ?? "Check its permissions.",
      },
    ];
  }
};

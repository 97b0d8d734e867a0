// Makes the data folder at first start and checks it at every start: only its owner may enter it, and it must be
// writable.
import { constants } from "node:fs";
import { access, chmod, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CliError, systemErrorCode } from "../errors.ts";
import { type DataFolder, dataFolder } from "./layout.ts";

/** What `prepareDataFolder` found. */
export interface PreparedFolder {
  readonly folder: DataFolder;
  /** Whether the folder was open to others and is now closed (0700). */
  readonly tightened: boolean;
}

/** Makes or checks the data folder. Throws `data-dir-unusable` with the reason. */
export async function prepareDataFolder(path: string): Promise<PreparedFolder> {
  const folder = dataFolder(path);
  try {
    await makeFolders(folder.path);
    const found = await stat(folder.path);
    const open = (found.mode & 0o077) !== 0;
    if (open) await chmod(folder.path, 0o700);
    await access(folder.path, constants.R_OK | constants.W_OK | constants.X_OK);
    return { folder, tightened: open };
  } catch (cause) {
    throw new CliError("data-dir-unusable", { detail: `${path}: ${reason(cause)}`, cause });
  }
}

/** Not `recursive: true`: where the system answers ENOENT whatever is there (below /proc), Node would try for ever. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw cause;
    await makeFolders(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "the system does not let a folder be made there.",
  EACCES: "permission denied.",
  EPERM: "it belongs to another user and is open to others.",
  EROFS: "it lies on a read-only filesystem.",
  ENOTDIR: "a part of the path is not a folder.",
  EEXIST: "there is a file of that name.",
  ENOSPC: "the disk is full.",
};

function reason(cause: unknown): string {
  const code = systemErrorCode(cause);
  return REASONS[code ?? ""] ?? `the system says ${code ?? "that it is not usable"}.`;
}

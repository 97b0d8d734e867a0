// One `strongroom up`, and one `strongroom drill`, per data folder.
import { type Lock, isLockHeld, takeLock } from "@strongroom/base/locks";
import { CliError } from "../errors.ts";

/** A held lock. */
export type FolderLock = Lock;

/** How long to wait for one that is just ending, in milliseconds. */
const BLOCK_MS = 300;

/** Takes the lock. Throws `data-dir-in-use` or `data-dir-unusable`. */
export function lockDataFolder(path: string, folder: string): FolderLock {
  try {
    return takeLock(path, { blockMs: BLOCK_MS });
  } catch (cause) {
    if (isLockHeld(cause)) throw new CliError("data-dir-in-use", { detail: folder, cause });
    throw new CliError("data-dir-unusable", { detail: `${folder}: the lock file can not be locked.`, cause });
  }
}

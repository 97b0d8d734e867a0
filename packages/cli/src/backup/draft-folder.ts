// A folder that is whole or not there: it is filled under another name beside its place, and gets its own at the end.
// What a process that was killed has left under the other name is taken over by the next one, and by nobody else.
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { folderReason, makeFolderSync, systemErrorCode } from "@strongroom/base/files";
import { isLockHeld, type Lock, takeLock } from "@strongroom/base/locks";
import { CliError } from "../errors.ts";

/** A folder that is being filled. */
export interface DraftFolder {
  readonly path: string;
  /** Gives it its name, on the disk on return. */
  publish(): void;
  /** Removes it; after it was published, does nothing. */
  discard(): void;
}

/** In a folder that is being filled, for as long: it tells such a folder from any other. */
const LOCK = "draft.lock";

/**
 * Makes it. Throws `folder-not-empty` when there is something in its place, `folder-unusable` when it cannot be made.
 */
export function makeDraftFolder(target: string): DraftFolder {
  requireFree(target);
  const path = join(dirname(target), `.${basename(target)}.draft`);
  const lock = take(path, target);
  let isOpen = true;
  return {
    path,
    publish: () => {
      requireFree(target);
      for (const folder of foldersIn(path)) flush(folder);
      // It is still locked for who comes now: he finds no lock in it, and leaves it alone.
      rmSync(join(path, LOCK));
      try {
        if (existsSync(target)) rmdirSync(target);
        renameSync(path, target);
      } catch (cause) {
        throw unusable(target, cause);
      }
      isOpen = false;
      lock.release();
      flush(dirname(target));
    },
    discard: () => {
      if (!isOpen) return;
      isOpen = false;
      rmSync(path, { recursive: true, force: true });
      lock.release();
    },
  };
}

/** Throws `folder-not-empty` where something is in a folder's place. */
export function requireFree(target: string): void {
  try {
    if (readdirSync(target).length === 0) return;
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return;
    if (systemErrorCode(cause) !== "ENOTDIR") throw unusable(target, cause);
  }
  throw new CliError("folder-not-empty", { detail: `${target} is there, and is not an empty folder.` });
}

function take(path: string, target: string): Lock {
  const isLeft = existsSync(path);
  if (isLeft && !existsSync(join(path, LOCK)) && readdirSync(path).length > 0)
    throw new CliError("folder-not-empty", { detail: `${path} is in the way, and is none of Strongroom's.` });
  try {
    makeFolderSync(path);
    const lock = takeLock(join(path, LOCK));
    for (const name of readdirSync(path)) if (name !== LOCK) rmSync(join(path, name), { recursive: true, force: true });
    return lock;
  } catch (cause) {
    if (isLockHeld(cause))
      throw new CliError("folder-in-use", { detail: `${target} is being written by another process.`, cause });
    throw unusable(target, cause);
  }
}

const unusable = (target: string, cause: unknown): CliError =>
  new CliError("folder-unusable", { detail: `${target}: ${folderReason(cause)}.`, cause });

function foldersIn(path: string): readonly string[] {
  const below = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...below.flatMap(({ name }) => foldersIn(join(path, name))), path];
}

/** Windows has no folders that could be flushed. */
function flush(folder: string): void {
  if (process.platform === "win32") return;
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

// Files that are whole or not there: written beside their place, flushed, then renamed over it. Mode 0600, for their
// owner alone.
import { randomBytes } from "node:crypto";
import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemErrorCode } from "../errors.ts";

/** A file being written; it takes its name at `commit`, and leaves nothing behind at `discard`. */
export interface PendingFile {
  write(bytes: string | Uint8Array): Promise<void>;
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** Opens a file that replaces `path` when it is committed. Throws the system's error (ENOENT, EACCES, ENOSPC …). */
export async function openAtomic(path: string): Promise<PendingFile> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.part`);
  const file = await open(temporary, "wx", 0o600);
  let open_ = true;
  const closeOnce = async (): Promise<void> => {
    if (open_) await file.close();
    open_ = false;
  };
  return {
    write: async (bytes) => {
      await file.appendFile(bytes);
    },
    commit: async () => {
      await file.sync();
      await closeOnce();
      await rename(temporary, path);
      await syncFolder(dirname(path));
    },
    discard: async () => {
      await closeOnce();
      await rm(temporary, { force: true });
    },
  };
}

/** Writes a whole file at once. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const file = await openAtomic(path);
  try {
    await file.write(content);
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** A file's text, or null where there is none. */
export async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return null;
    throw error;
  }
}

/** A rename is durable once its folder is flushed; filesystems that can not flush a folder do not need it. */
async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle | null = null;
  try {
    folder = await open(path, "r");
    await folder.sync();
  } catch (error) {
    if (!["EISDIR", "EPERM", "EINVAL", "EACCES"].includes(systemErrorCode(error) ?? "")) throw error;
  } finally {
    await folder?.close();
  }
}

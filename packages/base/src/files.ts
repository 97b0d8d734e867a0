/**
 * Files that are whole or not there, and for their owner alone (0600): written under another name beside their place,
 * flushed, then given their name, and the folder flushed; folders for their owner alone (0700); and what a person is
 * told of the system's errors. Own code, because write-file-atomic has no streaming form,
 * does not flush the folder, cannot refuse to replace, and would write through a link that lies at its draft's name.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const OWNER_ONLY = 0o600;

/** A file being written; it takes its name at `commit`, and leaves nothing behind at `discard`. */
export interface PendingFile {
  write(bytes: string | Uint8Array): Promise<void>;
  /** Resolves when the file has its name and both are on the disk. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/**
 * Opens a file that replaces `path` when it is committed. A link at `path` is replaced, never written through; a
 * device, a pipe, a socket or a folder never is (EEXIST, EISDIR): output-file.ts writes into it.
 *
 * @throws the system's error (ENOENT, EACCES, ENOSPC …), as do the methods of what it gives
 */
export async function openAtomic(path: string): Promise<PendingFile> {
  requireReplaceable(path);
  const draft = draftOf(path);
  const file = await open(draft, "wx", OWNER_ONLY);
  let closed = false;
  const closeOnce = async (): Promise<void> => {
    if (!closed) await file.close();
    closed = true;
  };
  return {
    write: async (bytes) => {
      await file.appendFile(bytes);
    },
    commit: async () => {
      await file.sync();
      await closeOnce();
      // Once more: what has the name now is what a rename would take away.
      requireReplaceable(path);
      await rename(draft, path);
      await flushFolder(dirname(path));
    },
    discard: async () => {
      await closeOnce();
      await rm(draft, { force: true });
    },
  };
}

/** Replaces a whole file at once. @throws the system's error; the old file is then as it was */
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

/**
 * Makes a new file with all of its content, on the disk on return. What is there already is never replaced.
 *
 * @throws the system's error; EEXIST when there is something of that name
 */
export function createFileSync(path: string, content: string | Uint8Array): void {
  const draft = draftOf(path);
  try {
    const file = openSync(draft, "wx", OWNER_ONLY);
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    linkSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
  flushFolderSync(dirname(path));
}

/** Makes an empty file for others to fill, so that it is its owner's alone from the start. @throws EEXIST */
export function createEmptyFileSync(path: string): void {
  closeSync(openSync(path, "wx", OWNER_ONLY));
}

/**
 * Gives a finished draft its name, on the disk on return. With `create` nothing is replaced (EEXIST), and the draft's
 * own name stays for the caller to remove.
 *
 * @throws the system's error
 */
export function publishSync(draft: string, path: string, mode: "create" | "replace"): void {
  const file = openSync(draft, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  // A link, unlike a rename, never replaces what has the name.
  if (mode === "create") linkSync(draft, path);
  else {
    requireReplaceable(path);
    renameSync(draft, path);
  }
  flushFolderSync(dirname(path));
}

/** Threat: as root, a rename to /dev/null takes the machine's away. */
function requireReplaceable(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isFile() || found.isSymbolicLink()) return;
  const code = found.isDirectory() ? "EISDIR" : "EEXIST";
  throw Object.assign(new Error(`${code}: it is no file`), { code, path });
}

/** A file's text, or null where there is none. @throws the system's error, other than ENOENT */
export async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/**
 * Makes a folder for its owner alone (0700), and those above it that are missing. One that is there stays as it is. Not
 * `recursive: true`: where the system answers ENOENT whatever is there (below /proc), Node would try for ever.
 *
 * @throws the system's error, which {@link folderReason} puts into words
 */
export function makeFolderSync(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    makeFolderSync(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}

/** The code of a system error ("ENOENT", "EADDRINUSE" …), or null for anything else. */
export function systemErrorCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** Whether an error of node:fs says that the file is not there. */
export function isAbsent(error: unknown): boolean {
  return systemErrorCode(error) === "ENOENT";
}

/** Words for codes of the system. */
export type SystemReasons = Readonly<Record<string, string>>;

const REASONS: SystemReasons = {
  EACCES: "permission denied",
  EEXIST: "there is something of that name",
  EISDIR: "it is a folder",
  ENOENT: "there is no such file",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is not a folder",
  EPERM: "the system does not permit it",
  EROFS: "it lies on a read-only filesystem",
};

/**
 * Why the system refused, in a few words without a full stop.
 *
 * @param special words that say more in this case than those that always hold
 */
export function systemReason(error: unknown, special: SystemReasons = {}): string {
  const code = systemErrorCode(error);
  if (code === null) return "the reason is not known";
  return special[code] ?? REASONS[code] ?? `the system says ${code}`;
}

/** Why a folder could not be made or used, in a few words without a full stop. */
export function folderReason(error: unknown): string {
  return systemReason(error, {
    EEXIST: "there is a file of that name",
    ENOENT: "the system does not let a folder be made there",
  });
}

/** A hidden name in the same folder: a rename moves within one filesystem only. */
function draftOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.part`);
}

/** What filesystems answer that cannot flush a folder; they do not need it. */
const NO_FLUSH: ReadonlySet<string | null> = new Set(["EISDIR", "EPERM", "EINVAL", "EACCES"]);

/** A name is durable once its folder is flushed. */
async function flushFolder(path: string): Promise<void> {
  let folder: FileHandle | null = null;
  try {
    folder = await open(path, "r");
    await folder.sync();
  } catch (error) {
    if (!NO_FLUSH.has(systemErrorCode(error))) throw error;
  } finally {
    await folder?.close();
  }
}

function flushFolderSync(path: string): void {
  try {
    const folder = openSync(path, "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    if (!NO_FLUSH.has(systemErrorCode(error))) throw error;
  }
}

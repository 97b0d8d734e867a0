/**
 * Reading secrets that lie in files: passphrases, keys, credentials. One rule for all of them: the file is its owner's
 * alone, or a folder above it is, so that nobody else gets to it. Orchestrators mount secrets with mode 0644, through
 * links (`..data`), into a folder that can be closed.
 */
import { closeSync, fstatSync, openSync, readFileSync, realpathSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { dirname } from "node:path";

/** How a secret may lie. */
export interface SecretFileOptions {
  /** `may-read`: who runs this program said that others may read the file. To write to it they never may. */
  readonly others?: "may-not-read" | "may-read";
}

/** Thrown by {@link readSecretFileSync}. Told by its `code`: each package carries a class of its own. */
export class FilePermissionsError extends Error {
  override readonly name = "FilePermissionsError";
  readonly code = "file-permissions";
  readonly path: string;
  /** Why the file is refused, without its path and without a full stop. */
  readonly reason: string;
  /** What a person can do, where there is more to say than to close the file. */
  readonly remedy: string | null;

  constructor(path: string, reason: string, remedy: string | null = null) {
    super(`${path}: ${reason}`);
    this.path = path;
    this.reason = reason;
    this.remedy = remedy;
  }
}

/** Whether an error says that a file is open to others, whichever copy of this package threw it. */
export function isFilePermissions(error: unknown): error is FilePermissionsError {
  return error instanceof Error && "code" in error && error.code === "file-permissions" && "reason" in error;
}

/** Permissions of the group and of everyone. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

/**
 * Reads a file that nobody but its owner gets to.
 *
 * @throws FilePermissionsError when others may as well; the system's error
 */
export function readSecretFileSync(path: string, options: SecretFileOptions = {}): Buffer {
  // Before it is opened as well: to open a pipe is to wait for its writer.
  requireClosed(path, statSync(path), options);
  const file = openSync(path, "r");
  try {
    // Of the opened file, not of the name: what is checked is what is read.
    requireClosed(path, fstatSync(file), options);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function requireClosed(path: string, file: Stats, { others = "may-not-read" }: SecretFileOptions): void {
  const open = file.mode & OTHERS;
  if (open === 0 || (others === "may-read" && (open & OTHERS_WRITE) === 0)) return;
  const lets = (open & OTHERS_WRITE) === 0 ? "read" : "change";
  const mode = (file.mode & 0o777).toString(8).padStart(3, "0");
  const way = wayPastFolders(path, file);
  if (way !== null) throw new FilePermissionsError(path, `its mode ${mode} lets others ${lets} it, and ${way}`);
}

/** How others get to the file in spite of the folders above it; null if they do not. */
function wayPastFolders(path: string, file: Stats): string | null {
  // Threat: a second name in a folder that is open.
  if (file.nlink > 1) return "it has another name elsewhere (a hard link)";
  // Where it lies itself, past every link: who can go through a link's folder is of no matter.
  const place = realpathSync(path);
  const there = statSync(place);
  const isSame = there.dev === file.dev && there.ino === file.ino;
  if (isSame && foldersAbove(place).some(isOursAlone)) return null;
  return "no folder above it is yours alone (mode 700)";
}

function foldersAbove(place: string): string[] {
  const folder = dirname(place);
  return folder === place ? [] : [folder, ...foldersAbove(folder)];
}

function isOursAlone(folder: string): boolean {
  const { uid, mode } = statSync(folder);
  return uid === process.geteuid?.() && (mode & OTHERS) === 0;
}

/**
 * @strongroom/base/authority: whether others may change a file that says who may do what: tokens, keys, credentials, a
 * configuration that names a program. Whoever can write to it, or put another in its place, has what it gives. No
 * folder above shields it from that: what others may write today they may have written before the folder was closed.
 */
import { lstatSync, readdirSync, readlinkSync, type Stats, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { FilePermissionsError } from "./secret-file.ts";

/** Whose a file may be: `ours` is that of who runs this, or of root; `anyone`: who names the file vouches for it. */
export type Ownership = "ours" | "anyone";

const OTHERS_WRITE = 0o022;
const GROUP_WRITES = 0o020;
const STICKY = 0o1000;
/** Links of one path at most, as with Linux. */
const MOST_LINKS = 40;

/**
 * Refuses a file that others may change: by its mode or its owner, or by a folder on the way to it, through every link.
 * A file that is not there is refused where others may put one.
 *
 * @throws FilePermissionsError with `remedy`; the system's error, other than ENOENT of the file itself
 */
export function requireUnchangeable(path: string, ownership: Ownership = "ours"): void {
  if (!hasModes()) return;
  let at: string = sep;
  let left = partsOf(resolve(path));
  for (let links = 0; links <= MOST_LINKS;) {
    const part = left.shift();
    if (part === undefined) return;
    requireFolderUnchangeable(path, at);
    const there = join(at, part);
    const found = left.length > 0 ? lstatSync(there) : lstatSync(there, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (found.isSymbolicLink()) {
      // A folder on the way may be a link too: where that lies, others may turn it elsewhere.
      requireOwner(there, found, ownership);
      const target = readlinkSync(there);
      if (isAbsolute(target)) at = sep;
      left = [...partsOf(target), ...left];
      links += 1;
    } else if (left.length === 0) requireOwnFile(there, found, ownership);
    else at = there;
  }
  throw Object.assign(new Error("too many links"), { code: "ELOOP" });
}

/** The names on the way, one by one: `..` of a link's target leads out of where the way has come to. */
const partsOf = (path: string): string[] => path.split(sep).filter((part) => part !== "" && part !== ".");

/**
 * Refuses a folder of ours whose files others may change, or in which a link or something else that is no file has a
 * name that we write to. A folder in it may be a link to another disk: it is held to the same.
 *
 * @param names paths inside of the folder that we write to
 * @throws FilePermissionsError with `remedy`; the system's error
 */
export function requireOwnFolder(folder: string, names: ReadonlySet<string>): void {
  if (!hasModes()) return;
  requireUnchangeable(folder);
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    // A log of SQLite, which came and went.
    if (found === undefined) continue;
    const inside = insideOf(name, names);
    if (
      found.isSymbolicLink() &&
      inside.size > 0 &&
      statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    ) {
      // A folder of its own disk: what it leads to is looked at as this one is.
      requireOwnFolder(path, inside);
      continue;
    }
    const isOurs = found.isFile() || found.isDirectory();
    if (!isOurs && names.has(name)) {
      const what = found.isSymbolicLink() ? "it is a link, and is not followed" : "it is no file";
      throw new FilePermissionsError(path, what, "Move it away, or put the file itself there");
    }
    if (isOurs) requireOwnFile(path, found, "ours");
  }
}

/** The names below a folder, relative to it. */
function insideOf(folder: string, names: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...names].filter((name) => name.startsWith(folder + sep)).map((name) => relative(folder, name)));
}

function requireOwner(path: string, { uid }: Stats, ownership: Ownership): void {
  if (ownership === "ours" && uid !== process.geteuid?.() && uid !== 0)
    throw new FilePermissionsError(
      path,
      `it belongs to another user (${uid})`,
      `Look at what it holds; then make it yours: chown -h "$(id -u)" ${path}`,
    );
}

function requireOwnFile(path: string, found: Stats, ownership: Ownership): void {
  requireOwner(path, found, ownership);
  const { mode } = found;
  if ((mode & OTHERS_WRITE) !== 0)
    throw new FilePermissionsError(
      path,
      `its mode ${octal(mode)} lets others change it`,
      `Look at what it holds; then close it: chmod go-w ${path}`,
    );
}

/** In a sticky folder (/tmp) nobody takes away what is another's. */
function requireFolderUnchangeable(path: string, folder: string): void {
  const found = lstatSync(folder);
  if ((found.mode & STICKY) === 0 && othersWrite(found))
    throw new FilePermissionsError(
      path,
      `others may put another in its place: the mode of ${folder} is ${octal(found.mode)}`,
      `Close the folder: chmod go-w ${folder}`,
    );
}

/** A group of one's own, as many systems make one for each user, is nobody else. */
function othersWrite({ mode, uid, gid }: Stats): boolean {
  const isPrivateGroup = gid !== 0 && gid === uid && uid === process.geteuid?.();
  return (mode & (isPrivateGroup ? OTHERS_WRITE & ~GROUP_WRITES : OTHERS_WRITE)) !== 0;
}

/** Windows has other permissions, which Node does not tell. */
function hasModes(): boolean {
  return process.geteuid !== undefined;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(3, "0");
}

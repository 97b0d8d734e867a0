// Where the sockets lie over which the service talks to its KMS: in the data folder. The path of a socket is short, and
// some file systems (folders shared with a container) hold none: then they are in a private folder of their own, for as
// long as the KMS runs.
import { once } from "node:events";
import { realpathSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { requireUnchangeable } from "@strongroom/base/authority";
import { makeFolderSync } from "@strongroom/base/files";
import { fitsSockets, socketPath } from "@strongroom/kms/command";

/** The folder of the sockets. */
export interface SocketFolder {
  readonly path: string;
  /** Removes it if it was made for this run. */
  remove(): Promise<void>;
}

/** A name that no region has; two that start at once take turns, by the lock of the data folder. */
const PROBE = `probe-${process.pid}`;

/** Where a private folder may lie: the user's own folder of running programs first, which nothing tidies up. */
const parents = (): readonly string[] =>
  [...new Set([process.env["XDG_RUNTIME_DIR"] ?? tmpdir(), tmpdir(), "/tmp"])].filter((path) => isAbsolute(path));

/**
 * The folder for regions of these names; null where there can be none.
 * @param wanted where it lies if it can
 */
export async function socketFolder(wanted: string, regions: readonly string[]): Promise<SocketFolder | null> {
  if (await holdsSockets(wanted, regions)) return { path: wanted, remove: async () => undefined };
  for (const parent of parents()) {
    if (!keepsNames(parent)) continue;
    const path = await mkdtemp(join(parent, "strongroom-")).catch(() => null);
    if (path === null) continue;
    const remove = (): Promise<void> => rm(path, { recursive: true, force: true });
    if (await holdsSockets(path, regions)) return { path, remove };
    await remove();
  }
  return null;
}

/** Whether the paths are short enough, and a socket can be made there. */
async function holdsSockets(folder: string, regions: readonly string[]): Promise<boolean> {
  if (!fitsSockets(folder, [...regions, PROBE])) return false;
  const server = createServer();
  try {
    makeFolderSync(folder);
    server.listen(socketPath(folder, PROBE));
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/**
 * Whether nobody but who runs this, and root, can move a folder that lies there, and put another in its place. The
 * variables that name it may be those of another user, whose runtime folder it is then (`sudo -E`, `su`).
 */
function keepsNames(folder: string): boolean {
  try {
    requireUnchangeable(join(folder, PROBE));
    return foldersDownTo(realpathSync(folder)).every((path) => [0, process.geteuid?.()].includes(statSync(path).uid));
  } catch {
    return false;
  }
}

function foldersDownTo(path: string): readonly string[] {
  return dirname(path) === path ? [path] : [...foldersDownTo(dirname(path)), path];
}

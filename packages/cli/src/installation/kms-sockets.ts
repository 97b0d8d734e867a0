// Where the sockets lie over which the service talks to its KMS: in the data folder. The path of a socket is short, and
// some file systems (folders shared with a container) hold none: then they are in a private folder of their own, for as
// long as the KMS runs.
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
const parents = (): readonly string[] => [...new Set([process.env["XDG_RUNTIME_DIR"] ?? tmpdir(), tmpdir(), "/tmp"])];

/**
 * The folder for regions of these names; null where there can be none.
 * @param wanted where it lies if it can
 */
export async function socketFolder(wanted: string, regions: readonly string[]): Promise<SocketFolder | null> {
  if (await holdsSockets(wanted, regions)) return { path: wanted, remove: async () => undefined };
  for (const parent of parents()) {
    if (!(await keepsNames(parent))) continue;
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

/** Whether nobody but its owner can move a folder that lies there, and put another in its place. */
async function keepsNames(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => null);
  return found?.isDirectory() === true && ((found.mode & 0o022) === 0 || (found.mode & 0o1000) !== 0);
}

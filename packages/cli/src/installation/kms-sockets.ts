// Where the sockets lie over which the service talks to its KMS: in the data folder. The path of a socket is short; in
// a data folder that lies deep they are in a private folder of their own, for as long as the KMS runs.
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fitsSockets } from "@strongroom/kms/command";

/** The folder of the sockets. */
export interface SocketFolder {
  readonly path: string;
  /** Removes it if it was made for this run. */
  remove(): Promise<void>;
}

/**
 * The folder for regions of these names; null where every path is too long.
 * @param wanted where it lies if its paths are short enough
 */
export async function socketFolder(wanted: string, regions: readonly string[]): Promise<SocketFolder | null> {
  if (fitsSockets(wanted, regions)) return { path: wanted, remove: async () => undefined };
  for (const parent of new Set([tmpdir(), "/tmp"])) {
    // As long as the one that is made.
    if (!fitsSockets(join(parent, "strongroom-XXXXXX"), regions) || !(await keepsNames(parent))) continue;
    const path = await mkdtemp(join(parent, "strongroom-")).catch(() => null);
    if (path !== null) return { path, remove: () => rm(path, { recursive: true, force: true }) };
  }
  return null;
}

/** Whether nobody but its owner can move a folder that lies there, and put another in its place. */
async function keepsNames(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => null);
  return found?.isDirectory() === true && ((found.mode & 0o022) === 0 || (found.mode & 0o1000) !== 0);
}

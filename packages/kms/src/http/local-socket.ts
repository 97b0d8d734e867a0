// Unix sockets of the regions, in a folder of the server's owner alone. Threat: another process of this machine takes
// a port while the server restarts, and is sent what is meant for the KMS. In this folder nobody else can put a socket,
// so whoever may open the folder knows who listens there.

import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { folderReason, isAbsent, makeFolderSync } from "@strongroom/base/files";
import { KmsError } from "../errors.ts";

/**
 * The longest path of a socket, bytes: macOS has room for 104 with the zero at the end, Linux for 108. A longer one is
 * cut by some systems, to a path that others may write to.
 */
const MAX_SOCKET_PATH = 103;

/**
 * Whether sockets can lie in `folder`, for regions of these names: their paths are short enough.
 *
 * @example
 * ```ts
 * import { fitsSockets } from "@strongroom/kms/command";
 *
 * console.log(fitsSockets("/srv/kms/sockets", ["eu-west-1"])); // prints: true
 * ```
 */
export function fitsSockets(folder: string, regions: readonly string[]): boolean {
  return regions.every((region) => Buffer.byteLength(socketPath(folder, region)) <= MAX_SOCKET_PATH);
}

/**
 * Where the socket of a region lies.
 *
 * @example
 * ```ts
 * import { socketPath } from "@strongroom/kms/command";
 *
 * console.log(socketPath("/srv/kms/sockets", "eu-west-1")); // prints: /srv/kms/sockets/eu-west-1.sock
 * ```
 */
export function socketPath(folder: string, region: string): string {
  return join(folder, `${region}.sock`);
}

/** Makes the folder, or sees to it that it is its owner's alone. @throws KmsError `socket-dir-unusable`. */
export function prepareSocketDir(folder: string, regions: readonly string[]): void {
  if (!fitsSockets(folder, regions))
    throw unusable(folder, `the paths of its sockets are longer than the ${MAX_SOCKET_PATH} bytes that systems take`);
  try {
    makeFolderSync(folder);
    const found = lstatSync(folder);
    // A link could lead to a folder of someone else's, today or tomorrow.
    if (!found.isDirectory()) throw unusable(folder, "it is a link, and must be a folder");
    if (found.uid !== process.geteuid?.()) throw unusable(folder, "it belongs to another user");
    if ((found.mode & 0o077) !== 0) chmodSync(folder, 0o700);
  } catch (cause) {
    if (cause instanceof KmsError) throw cause;
    throw unusable(folder, folderReason(cause), cause);
  }
}

/** Removes the socket that a server left which was killed. Nothing but a socket is removed. @throws KmsError. */
export function removeLeftSocket(path: string): void {
  try {
    if (!lstatSync(path).isSocket()) throw unusable(path, "there is something there that is no socket");
    unlinkSync(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

const unusable = (path: string, reason: string, cause?: unknown): KmsError =>
  new KmsError("socket-dir-unusable", `${path}: ${reason}.`, { cause });

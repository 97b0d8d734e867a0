/**
 * @strongroom/base/output-file: where a result goes that a person names. A file is replaced whole, for its owner alone,
 * or is left as it was; a device, a pipe, or a descriptor that the shell opened is written into and never replaced: as
 * root, a rename would take the machine's /dev/null away.
 */
import { constants, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openAtomic, type PendingFile, systemErrorCode, systemReason } from "./files.ts";

/** An output that is being written. */
export interface OutputFile extends PendingFile {
  /** `written-into`: what was written before a `discard` stays written. */
  readonly kind: "replaced" | "written-into";
}

/**
 * Opens an output. For a pipe's reader it waits until `signal` is aborted.
 *
 * @throws the system's error, which {@link outputReason} puts into words
 */
export async function openOutputFile(path: string, signal: AbortSignal): Promise<OutputFile> {
  const into = writtenInto(path);
  if (into === null) return { ...(await openAtomic(path)), kind: "replaced" };
  const file = into.isFIFO() ? await openPipe(path, signal) : await open(path, INTO);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await file.close();
    isOpen = false;
  };
  return {
    kind: "written-into",
    write: async (bytes) => {
      await file.appendFile(bytes);
    },
    commit: async () => {
      // A pipe and most devices keep nothing that could be flushed.
      await file.sync().catch((error: unknown) => {
        if (!KEEPS_NOTHING.has(systemErrorCode(error))) throw error;
      });
      await close();
    },
    discard: close,
  };
}

/** Neither made nor cut: it belongs to somebody else. Appending, as a shell's descriptor may be a file with a place. */
const INTO = constants.O_WRONLY | constants.O_APPEND;

const KEEPS_NOTHING: ReadonlySet<string | null> = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "EROFS"]);

/** How often it is looked whether a pipe has a reader, in milliseconds. */
const LOOK_EVERY_MS = 50;

/** To open a pipe as such is to wait for its reader where nothing can end the wait. */
async function openPipe(path: string, signal: AbortSignal): Promise<FileHandle> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const reached = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
      try {
        return await open(path, INTO);
      } finally {
        await reached.close();
      }
    } catch (error) {
      if (systemErrorCode(error) !== "ENXIO") throw error;
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** Links of one path at most, as with Linux. */
const MOST_LINKS = 40;

/**
 * What lies where a path leads, if that is to be written into: what is no file, and whatever is named through /dev or
 * /proc, where /dev/stdout may lead to a file that the shell has opened. Null for a file that can be replaced, and for
 * one that is still to be made.
 */
function writtenInto(path: string): Stats | null {
  let at = resolve(path);
  for (let links = 0; links < MOST_LINKS; links++) {
    const folder = realpathSync(dirname(at));
    const there = join(folder, basename(at));
    if (SYSTEM_FOLDERS.test(folder)) return statSync(there);
    const found = lstatSync(there, { throwIfNoEntry: false });
    if (found === undefined || found.isFile()) return null;
    if (!found.isSymbolicLink()) return found;
    at = resolve(folder, readlinkSync(there));
  }
  throw Object.assign(new Error("too many links"), { code: "ELOOP" });
}

/** Where the kernel's own names lie. Not /dev/shm and its like, which hold ordinary files. */
const SYSTEM_FOLDERS = /^\/(?:dev|dev\/(?:fd|pts)|proc(?:\/.*)?)$/;

/** Why an output could not be written, in a few words without a full stop. */
export function outputReason(error: unknown): string {
  return systemReason(error, {
    ENOENT: "the folder does not exist",
    ENXIO: "it is a socket, or a device that is not there",
    ELOOP: "it is a link that leads nowhere",
    EPIPE: "whoever read it went away",
    EEXIST: "it is no file, and is never replaced",
  });
}

/**
 * A log file that is bounded: when it has grown, its content goes to `PATH.1`, that of before to `PATH.2`, and so on.
 * It is copied and emptied where it is, and not renamed: another process that appends to it by its own file descriptor
 * writes on at the beginning, and needs to know nothing of it.
 */
import {
  close,
  closeSync,
  constants,
  copyFileSync,
  chmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { promisify } from "node:util";

/** How far a log may grow. */
export interface LogBounds {
  /** Bytes from which it is put aside; looked at every few seconds. */
  readonly bytes: number;
  /** Files that are kept beside it. */
  readonly kept: number;
}

/** What is kept of a log: 60 MiB with the file itself, and what is written between two looks. */
export const LOG_BOUNDS: LogBounds = { bytes: 10 * 1024 * 1024, kept: 5 };
const LOOK_MS = 2000;

/** An opened log. */
export interface RotatingLog {
  /** Opened to append: whatever writes to it, writes at its end. */
  readonly fd: number;
  /** Looks at its size now. */
  look(): void;
  close(): Promise<void>;
}

/**
 * Opens the log for appending, mode 0600, and keeps it within its bounds until it is closed. A link is not followed.
 *
 * @throws the system's error
 */
export function openRotatingLog(path: string, bounds: LogBounds = LOG_BOUNDS): RotatingLog {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  const look = (): void => {
    if (fstatSync(fd).size < bounds.bytes) return;
    try {
      for (let number = bounds.kept - 1; number >= 1; number--)
        renameIfThere(`${path}.${number}`, `${path}.${number + 1}`);
      rmSync(`${path}.new`, { force: true });
      // Through a new name: what stands under the old one, a link even, is replaced and not written into.
      copyFileSync(path, `${path}.new`, constants.COPYFILE_EXCL);
      chmodSync(`${path}.new`, 0o600);
      renameSync(`${path}.new`, `${path}.1`);
    } catch {
      // A full disk takes no copy. Bounded it is all the same: what is emptied is lost, the service is not.
    }
    ftruncateSync(fd, 0);
  };
  try {
    look();
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  const looking = setInterval(look, LOOK_MS).unref();
  return {
    fd,
    look,
    close: async () => {
      clearInterval(looking);
      await promisify(close)(fd);
    },
  };
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

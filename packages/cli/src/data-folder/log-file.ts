// The log of `strongroom up`: JSON lines in the data folder, for its owner alone. One that has grown is put aside when
// a new run starts.
import { closeSync, openSync, renameSync, statSync } from "node:fs";
import { CliError, systemErrorCode } from "../errors.ts";

/** A log larger than this is renamed to `strongroom.log.1` at the next start. */
const PUT_ASIDE_BYTES = 20 * 1024 * 1024;

/** An opened log. */
export interface LogFile {
  readonly fd: number;
  close(): void;
}

/** Opens the log for appending, mode 0600. Throws `data-dir-unusable`. */
export function openLogFile(path: string): LogFile {
  try {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > PUT_ASIDE_BYTES) renameSync(path, `${path}.1`);
    const fd = openSync(path, "a", 0o600);
    return {
      fd,
      close: () => {
        closeSync(fd);
      },
    };
  } catch (cause) {
    throw new CliError("data-dir-unusable", {
      detail: `The log ${path} can not be opened: ${systemErrorCode(cause) ?? "unknown reason"}.`,
      cause,
    });
  }
}

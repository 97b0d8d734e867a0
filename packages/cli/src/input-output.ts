// Where a command's bulk data comes from and goes to, by a name: a file, or - for the pipe. Input is counted as it is
// read; an output file appears whole or not at all, and standard output is written with its back pressure.
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { openAtomic, type PendingFile, systemReason } from "@strongroom/base/files";
import type { CommandContext } from "@strongroom/base/command";
import { CliError } from "./errors.ts";

/** An opened input: its bytes, how many there are in all (null for a pipe) and how many were read so far. */
export interface InputBytes {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly total: number | null;
  read(): number;
}

/** Opens a file, or standard input for "-". Throws `input-unreadable`. */
export async function openInput(path: string, { terminal, cwd, signal }: CommandContext): Promise<InputBytes> {
  let count = 0;
  const counted = async function* (source: AsyncIterable<unknown>): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of source) {
        signal.throwIfAborted();
        const bytes = typeof chunk === "string" ? Buffer.from(chunk, "utf8") : (chunk as Uint8Array);
        count += bytes.length;
        yield bytes;
      }
    } catch (cause) {
      throw signal.aborted ? new CliError("interrupted", { cause }) : unreadable(path, cause);
    }
  };
  const read = (): number => count;
  if (path === "-") return { chunks: counted(terminal.stdin), total: null, read };
  const file = resolve(cwd, path);
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw new CliError("input-unreadable", { detail: `${path} is a folder.` });
    return { chunks: counted(createReadStream(file, { signal })), total: found.isFile() ? found.size : null, read };
  } catch (cause) {
    throw cause instanceof CliError ? cause : unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): CliError {
  if (cause instanceof CliError) return cause;
  return new CliError("input-unreadable", {
    detail: `${path === "-" ? "standard input" : path}: ${systemReason(cause)}.`,
    cause,
  });
}

/** Bytes collected before they are written to a file, so that a file of short lines is not one system call each. */
const BUFFER_BYTES = 256 * 1024;

/** Opens a file, or standard output for "-". Every failure is `output-failed` with the system's reason. */
export async function openOutput(path: string, { terminal, cwd }: CommandContext): Promise<PendingFile> {
  if (path === "-") return standardOutput(terminal.stdout);
  const failed = (cause: unknown): never => {
    if (cause instanceof CliError) throw cause;
    throw new CliError("output-failed", { detail: `${path}: ${outputReason(cause)}.`, cause });
  };
  const file = await openAtomic(resolve(cwd, path)).catch(failed);
  let pending: string[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    const text = pending.join("");
    pending = [];
    size = 0;
    if (text !== "") await file.write(text).catch(failed);
  };
  return {
    write: async (text) => {
      pending.push(typeof text === "string" ? text : Buffer.from(text).toString("utf8"));
      size += text.length;
      if (size >= BUFFER_BYTES) await flush();
    },
    commit: async () => {
      await flush();
      await file.commit().catch(failed);
    },
    discard: () => file.discard(),
  };
}

/** Why an output file could not be written, in a few words without a full stop. */
export function outputReason(cause: unknown): string {
  return systemReason(cause, { ENOENT: "the folder does not exist" });
}

function standardOutput(stdout: NodeJS.WriteStream): PendingFile {
  return {
    write: async (text) => {
      if (!stdout.write(text)) await once(stdout, "drain");
    },
    commit: async () => undefined,
    discard: async () => undefined,
  };
}

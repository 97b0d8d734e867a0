// Where a command's bulk result goes: standard output with its back pressure, or a file that appears whole or not at
// all.
import { once } from "node:events";
import { resolve } from "node:path";
import { type PendingFile, openAtomic } from "@strongroom/base/files";
import type { CommandContext } from "../command/spec.ts";
import { CliError, systemErrorCode } from "../errors.ts";

/** A sink of text. */
export type Output = PendingFile;

/** Bytes collected before they are written, so that a file of short lines is not one system call each. */
const BUFFER = 256 * 1024;

/** Opens a file, or standard output for "-". Every failure is `output-failed` with the system's reason. */
export async function openOutput(path: string, { terminal, cwd }: CommandContext): Promise<Output> {
  if (path === "-") return standardOutput(terminal.stdout);
  const failed = (cause: unknown): never => {
    if (cause instanceof CliError) throw cause;
    const code = systemErrorCode(cause) ?? "not writable";
    throw new CliError("output-failed", { detail: `${path}: ${REASONS[code] ?? code}.`, cause });
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
      if (size >= BUFFER) await flush();
    },
    commit: async () => {
      await flush();
      await file.commit().catch(failed);
    },
    discard: () => file.discard(),
  };
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  ENOENT: "the folder does not exist",
  ENOSPC: "the disk is full",
  EISDIR: "it is a folder",
  EROFS: "it lies on a read-only filesystem",
};

function standardOutput(stdout: NodeJS.WriteStream): Output {
  return {
    write: async (text) => {
      if (!stdout.write(text)) await once(stdout, "drain");
    },
    commit: async () => undefined,
    discard: async () => undefined,
  };
}

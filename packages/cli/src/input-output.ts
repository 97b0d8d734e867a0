// Where a command's bulk data comes from and goes to, by a name: a file, or - for the pipe. Input is counted as it is
// read; an output file appears whole or not at all, a device or a pipe is written into, standard output with its back
// pressure.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { secretConcat } from "@strongroom/base/secret-memory";
import { systemReason } from "@strongroom/base/files";
import { openOutputFile, type OutputFile, outputReason } from "@strongroom/base/output-file";
import type { Terminal } from "@strongroom/base/terminal";
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

/** Reads a whole input that is small and secret. Throws `input-unreadable`, `input-invalid` for none or too long. */
export async function readWhole(
  path: string,
  context: CommandContext,
  { what, longest }: { readonly what: string; readonly longest: number },
): Promise<Buffer> {
  const input = await openInput(path, context);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input.chunks) {
    size += chunk.length;
    if (size > longest) throw new CliError("input-invalid", { detail: `The ${what} is longer than ${longest} bytes.` });
    chunks.push(chunk);
  }
  if (size === 0) throw new CliError("input-invalid", { detail: `There is no ${what}: the input is empty.` });
  return secretConcat(chunks);
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

/** Opens an output that a person names, or standard output for "-". Every failure is `output-failed`, with why. */
export async function openOutput(path: string, { terminal, cwd, signal }: CommandContext): Promise<OutputFile> {
  if (path === "-") return standardOutput(terminal);
  const failed = (cause: unknown): never => {
    if (cause instanceof CliError) throw cause;
    if (signal.aborted) throw new CliError("interrupted", { cause });
    throw new CliError("output-failed", { detail: `${path}: ${outputReason(cause)}.`, cause });
  };
  const file = await openOutputFile(resolve(cwd, path), signal).catch(failed);
  let pending: Uint8Array[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    const bytes = Buffer.concat(pending);
    pending = [];
    size = 0;
    if (bytes.length > 0) await file.write(bytes).catch(failed);
  };
  return {
    kind: file.kind,
    write: async (text) => {
      const bytes = typeof text === "string" ? Buffer.from(text) : text;
      pending.push(bytes);
      size += bytes.length;
      if (size >= BUFFER_BYTES) await flush();
    },
    commit: async () => {
      await flush();
      await file.commit().catch(failed);
    },
    discard: () => file.discard(),
  };
}

/** Writes an output at once. Throws as {@link withOutput} does. */
export async function writeOutput(path: string, text: string, context: CommandContext): Promise<void> {
  await withOutput(path, context, (output) => output.write(text));
}

/** Opens an output, writes it, and ends it. Throws as {@link openOutput} and the work do; a file is then as it was. */
export async function withOutput<Result>(
  path: string,
  context: CommandContext,
  work: (output: Pick<OutputFile, "write">) => Promise<Result>,
): Promise<Result> {
  const output = await openOutput(path, context);
  try {
    const result = await work(output);
    await output.commit();
    return result;
  } catch (error) {
    await output.discard();
    throw error;
  }
}

function standardOutput(terminal: Terminal): OutputFile {
  return {
    kind: "written-into",
    write: (text) => terminal.pipe(text),
    commit: async () => undefined,
    discard: async () => undefined,
  };
}

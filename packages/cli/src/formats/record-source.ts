// What every input format yields: documents with the line they stand on, and bad lines with the reason, never with
// their content.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { CommandContext } from "../command/spec.ts";
import { CliError, systemErrorCode } from "../errors.ts";

/** A JSON object as it was read. */
export type Document = Readonly<Record<string, unknown>>;

/** One line (or CSV row) of an input. */
export type SourceLine =
  | { readonly kind: "document"; readonly line: number; readonly document: Document }
  | { readonly kind: "bad"; readonly line: number; readonly reason: string };

/** An opened input: its bytes, how many there are in all (null for a pipe) and how many were read so far. */
export interface InputBytes {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly total: number | null;
  read(): number;
}

/** Longest line or CSV row that is taken into memory, in bytes; a document of 1 MiB fits with its escapes. */
export const LONGEST_LINE: number = 8 * 1024 * 1024;

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

const REASONS: Readonly<Record<string, string>> = { ENOENT: "there is no such file", EACCES: "permission denied" };

function unreadable(path: string, cause: unknown): CliError {
  if (cause instanceof CliError) return cause;
  const code = systemErrorCode(cause) ?? "not readable";
  return new CliError("input-unreadable", {
    detail: `${path === "-" ? "standard input" : path}: ${REASONS[code] ?? code}.`,
    cause,
  });
}

// An input or output by its name: a file or a pipe opened for reading, and the format that its ending tells.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { CommandContext } from "../command/spec.ts";
import { CliError, systemErrorCode } from "../errors.ts";

/** The formats. */
export const FORMATS = ["ndjson", "csv"] as const;

/** A format's name. */
export type Format = (typeof FORMATS)[number];

const FORMAT_BY_ENDING: Readonly<Record<string, Format>> = { ndjson: "ndjson", jsonl: "ndjson", csv: "csv" };

/**
 * The format that was asked for, else the one of the file's ending, else NDJSON for a pipe. Throws `usage` for an
 * ending that says nothing.
 */
export function chooseFormat(asked: Format | undefined, path: string): Format {
  if (asked !== undefined) return asked;
  if (path === "-") return "ndjson";
  const known = FORMAT_BY_ENDING[(path.split(".").pop() ?? "").toLowerCase()];
  if (known !== undefined) return known;
  throw new CliError("usage", {
    detail: `The ending of ${path} does not say which format it is.`,
    remedy: "Say it: --format ndjson or --format csv.",
  });
}

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

const REASONS: Readonly<Record<string, string>> = { ENOENT: "there is no such file", EACCES: "permission denied" };

function unreadable(path: string, cause: unknown): CliError {
  if (cause instanceof CliError) return cause;
  const code = systemErrorCode(cause) ?? "not readable";
  return new CliError("input-unreadable", {
    detail: `${path === "-" ? "standard input" : path}: ${REASONS[code] ?? code}.`,
    cause,
  });
}

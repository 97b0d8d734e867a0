// The changes of a correction: one JSON object of a bounded size.
import type { CommandContext } from "@strongroom/base/command";
import { DEFAULT_VAULT_LIMITS, parseDocument } from "@strongroom/vault";
import { CliError } from "../errors.ts";
import { openInput } from "../input-output.ts";

const MOST_BYTES: number = 1024 * 1024;

/** Throws `input-invalid`, `input-unreadable`. */
export async function readPatch(path: string, context: CommandContext): Promise<Readonly<Record<string, unknown>>> {
  const { chunks } = await openInput(path, context);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    size += chunk.length;
    if (size > MOST_BYTES) throw invalid();
  }
  try {
    return parseDocument(Buffer.concat(parts), DEFAULT_VAULT_LIMITS);
  } catch (cause) {
    throw invalid(cause);
  }
}

function invalid(cause?: unknown): CliError {
  return new CliError("input-invalid", {
    detail: "The changes must be one JSON object of at most 1 MiB.",
    remedy: 'Such as {"born":1815,"nickname":null}.',
    cause,
  });
}

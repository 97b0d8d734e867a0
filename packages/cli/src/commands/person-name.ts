// Whom a command is about. A name among the words of a command is seen by whoever lists the machine's processes: it may
// come from standard input.
import type { CommandContext } from "@strongroom/base/command";
import { CliError } from "../errors.ts";
import { openInput } from "../input-output.ts";

/** Longest name, in bytes, with the collection of a name of one record. */
const MOST_BYTES = 1_024;

/** The first word, or with - the first line of standard input. Throws `usage`, `input-unreadable`. */
export async function subjectOf([first = ""]: readonly string[], context: CommandContext): Promise<string> {
  if (first === "") throw new CliError("usage", { detail: "Whom it is about is missing." });
  if (first !== "-") return first;
  const { chunks } = await openInput("-", context);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    size += chunk.length;
    if (size > MOST_BYTES) throw noName();
  }
  const text = Buffer.concat(parts)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (text === "" || /[\r\n]/.test(text)) throw noName();
  return text;
}

function noName(): CliError {
  return new CliError("usage", {
    detail: "Standard input must hold one name, on one line.",
    remedy: "printf %s NAME | strongroom … -",
  });
}

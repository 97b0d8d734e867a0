// The lines of a text that is read in pieces, without their ends, and no more of it in memory than the longest line.
import { CliError } from "../errors.ts";
import { LONGEST_LINE } from "./document.ts";

/** One line of a text. */
export interface TextLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Reads UTF-8; a line ends with a line feed, with or without a carriage return before it. */
export async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new CliError("input-invalid", { detail: `The file is not UTF-8, near line ${number + 1}.` });
    }
  };
  let number = 0;
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decode(chunk)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) throw new CliError("input-invalid", { detail: tooLong(number + lines.length + 1) });
    for (const line of lines) yield { number: ++number, text: line.replace(/\r$/, "") };
  }
  rest += decode();
  if (rest !== "") yield { number: ++number, text: rest.replace(/\r$/, "") };
}

/** How the last piece of a line stays and what is added to it, or null where the next line is one of its own. */
export type Fold = (line: {
  readonly first: string;
  readonly last: string;
  readonly next: string;
}) => { readonly last: string; readonly added: string } | null;

/** Lines that were folded, in one again. A line of many pieces is put together once, at its end. */
export async function* unfolded(lines: AsyncIterable<TextLine>, fold: Fold): AsyncGenerator<TextLine> {
  let number = 0;
  let pieces: string[] = [];
  let length = 0;
  for await (const line of lines) {
    const last = pieces.at(-1);
    const folded = last === undefined ? null : fold({ first: pieces[0] ?? "", last, next: line.text });
    if (folded !== null) {
      pieces[pieces.length - 1] = folded.last;
      pieces.push(folded.added);
      length += folded.added.length;
      if (length > LONGEST_LINE) throw new CliError("input-invalid", { detail: tooLong(number) });
      continue;
    }
    if (last !== undefined) yield { number, text: pieces.join("") };
    number = line.number;
    pieces = [line.text];
    length = line.text.length;
  }
  if (pieces.length > 0) yield { number, text: pieces.join("") };
}

function tooLong(number: number): string {
  return `Line ${number} is longer than ${LONGEST_LINE} characters.`;
}

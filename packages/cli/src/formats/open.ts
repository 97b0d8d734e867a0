// Looks at a file before its first record: what kind it is by its content, not by its name. What is not taken is
// refused once, with one sentence that says what the file is.
import { CliError } from "../errors.ts";
import type { InputFormat, Reading, ReadOptions, Sample } from "./format.ts";
import type { InputFormatName } from "./names.ts";
import { peek } from "./peek.ts";
import { FILE_KINDS, INPUT_FORMATS } from "./table.ts";

/** How much of a file is looked at before a format is chosen, in bytes. */
export const SAMPLE_BYTES: number = 256 * 1024;

/** What a person may say of a file beside how its format is read. */
export interface OpenOptions extends ReadOptions {
  /** The name of the file as a person gave it, or "-". */
  readonly path: string;
  /** Null: as the file looks. */
  readonly format: InputFormatName | null;
  /** The name of an encoding of the Encoding Standard, or null: as the file looks. */
  readonly encoding: string | null;
}

/** Nothing is said: the file is read as it looks. */
export const AS_IT_LOOKS: Omit<OpenOptions, "path" | "idField"> = {
  format: null,
  encoding: null,
  delimiter: null,
  records: null,
  headings: "literal",
};

/** An opened file: its format, and its records. */
export interface OpenedFile extends Reading {
  readonly format: InputFormat;
}

/** Chooses the format of a stream and begins to read it. @throws CliError `input-invalid` for what is not taken */
export async function openRecords(stream: AsyncIterable<Uint8Array>, options: OpenOptions): Promise<OpenedFile> {
  const peeked = await peek(stream, SAMPLE_BYTES);
  try {
    const sample: Sample = {
      bytes: peeked.first,
      text: new TextDecoder().decode(peeked.first),
      whole: peeked.whole,
      hint: options.format ?? ending(options.path),
    };
    const format = chooseInputFormat(sample, options.format);
    return { format, ...(await format.read({ sample, chunks: peeked.chunks }, options)) };
  } catch (error) {
    await peeked.close();
    throw error;
  }
}

function chooseInputFormat(sample: Sample, asked: InputFormatName | null): InputFormat {
  const found = FILE_KINDS.find((kind) => kind.looksLike(sample));
  if (found === undefined) throw new CliError("input-invalid", { detail: "The file is of no kind that is known." });
  if (found.kind === "refused")
    throw new CliError("input-invalid", { detail: `The file is ${found.title}.`, remedy: found.remedy });
  if (asked === null) return found;
  const wanted = INPUT_FORMATS.find(({ name }) => name === asked);
  if (wanted === undefined) throw new CliError("usage", { detail: `There is no format ${asked}.` });
  return wanted;
}

function ending(path: string): string {
  return path === "-" || !path.includes(".") ? "" : (path.split(".").pop() ?? "").toLowerCase();
}

// Looks at a file before its first record: how it is compressed and encoded, and what kind it is, by its content more
// than by its name. What is not taken is refused once, with one sentence that says what the file is.
import { CliError } from "../errors.ts";
import { COMPRESSIONS, compressionOf, decompressed } from "./compression.ts";
import { asUtf8, encodingOf, sampleText } from "./encoding.ts";
import type { InputFormat, Reading, ReadOptions, Sample } from "./format.ts";
import type { InputFormatName } from "./names.ts";
import { peek, type Peeked } from "./peek.ts";
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
  sheet: null,
  headings: "literal",
};

/** An opened file: its format, and its records. */
export interface OpenedFile extends Reading {
  readonly format: InputFormat;
}

/** Chooses the format of a stream and begins to read it. @throws CliError `input-invalid` for what is not taken */
export async function openRecords(stream: AsyncIterable<Uint8Array>, options: OpenOptions): Promise<OpenedFile> {
  const peeked = await unpacked(stream);
  try {
    const encoding = encodingOf(peeked.first, options.encoding);
    const sample: Sample = {
      bytes: peeked.first,
      text: sampleText(peeked.first, encoding),
      whole: peeked.whole,
      asked: options.format,
      ending: endingOf(options.path),
    };
    const format = formatOf(sample, options);
    const isText = format.content === "text" && encoding !== null;
    const chunks = isText ? asUtf8(peeked.chunks, encoding) : peeked.chunks;
    return { format, ...(await format.read({ sample, chunks }, options)) };
  } catch (error) {
    // Not awaited: a pipe that is refused may never end.
    void peeked.close().catch(() => undefined);
    throw error;
  }
}

async function unpacked(stream: AsyncIterable<Uint8Array>): Promise<Peeked> {
  const outer = await peek(stream, SAMPLE_BYTES);
  const compression = compressionOf(outer.first);
  if (compression === null) return outer;
  const inner = await peek(decompressed(outer.chunks, compression), SAMPLE_BYTES);
  if (compressionOf(inner.first) === null) return inner;
  await inner.close();
  throw new CliError("input-invalid", {
    detail: "The file is compressed twice.",
    remedy: "Unpack it once and import what comes out.",
  });
}

/** Which options are about which format. */
const ONLY_FOR: readonly {
  readonly flag: string;
  readonly formats: readonly InputFormatName[];
  readonly given: (options: OpenOptions) => boolean;
}[] = [
  { flag: "--delimiter", formats: ["csv"], given: ({ delimiter }) => delimiter !== null },
  { flag: "--nest", formats: ["csv"], given: ({ headings }) => headings === "nested" },
  { flag: "--records", formats: ["json"], given: ({ records }) => records !== null },
];

function formatOf(sample: Sample, options: OpenOptions): InputFormat {
  const found = FILE_KINDS.find((kind) => kind.looksLike(sample));
  if (found === undefined || found.kind === "refused")
    throw new CliError("input-invalid", {
      detail: `The file is ${found?.title ?? "of no kind that is known"}.`,
      ...(found === undefined ? {} : { remedy: found.remedy }),
    });
  const format = wanted(found, options);
  for (const { flag, formats, given } of ONLY_FOR) {
    if (given(options) && !formats.includes(format.name))
      throw new CliError("usage", {
        detail: `The file is ${format.title}, and ${flag} is for ${formats.join(", ")}.`,
        remedy: `Leave ${flag} away.`,
      });
  }
  return format;
}

/** The format that was asked for, unless the file is surely another: then half of it would be read, and wrongly. */
function wanted(found: InputFormat, { format, records }: OpenOptions): InputFormat {
  const asked = format ?? (records !== null && found.name === "ndjson" ? "json" : null);
  const named = INPUT_FORMATS.find(({ name }) => name === asked);
  if (named === undefined || named === found) return found;
  // Any text may be CSV. A JSON object after the other is what both JSON and NDJSON are.
  if (found.name === "csv" || (named.name === "json" && found.name === "ndjson")) return named;
  throw new CliError("input-invalid", {
    detail: `The file is ${found.title} and not ${named.title}.`,
    remedy: `Leave --format away, or say --format ${found.name}.`,
  });
}

/** The ending of a file's name, and of `people.csv.gz` that of what is inside. */
function endingOf(path: string): string {
  const endings = path.toLowerCase().split(/[\\/]/).pop()?.split(".").slice(1) ?? [];
  const isPacked = COMPRESSIONS.some(({ endings: packed }) => packed.includes(endings.at(-1) ?? ""));
  return endings.at(isPacked ? -2 : -1) ?? "";
}

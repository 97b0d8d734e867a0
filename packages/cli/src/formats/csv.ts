// CSV (RFC 4180) in and out, a row at a time. columns.ts says how documents fit into cells.
import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { stringify } from "csv-stringify/sync";
import { CliError } from "../errors.ts";
import { type Cell, type CsvColumn, fromCells, heading, parseHeading, toCells } from "./columns.ts";
import { type Document, LONGEST_LINE } from "./document.ts";
import type { InputFormat, Reading, SourceRecord } from "./format.ts";

/** A parsed row and the line it ends on. */
interface Row {
  readonly record: readonly Cell[];
  readonly info: { readonly lines: number };
}

/** Comma-separated values with a heading row; any text may be it, so it stands last. */
export const csvFormat: InputFormat = {
  kind: "taken",
  name: "csv",
  title: "a CSV file",
  content: "text",
  unit: "line",
  looksLike: ({ text }) => text !== null,
  read: async ({ chunks }) => readCsv(chunks),
};

/**
 * Reads documents; the first row is the heading. Rows that do not fit are yielded as bad. A broken quote makes the rest
 * of a CSV file meaningless, so there the reading ends with `input-invalid`.
 */
async function readCsv(chunks: AsyncIterable<Uint8Array>): Promise<Reading> {
  const rows = readRows(chunks);
  const first = await rows.next();
  if (first.done === true) throw new CliError("input-invalid", { detail: "The file has no heading." });
  const columns = parseHeadings(first.value.record);
  const records = async function* (): AsyncGenerator<SourceRecord> {
    // A row may go over several lines; it is named by its first.
    let end = first.value.info.lines;
    for await (const { record, info } of rows) {
      if (!isBlank(record, columns)) yield parseRow(record, columns, end + 1);
      end = info.lines;
    }
  };
  return { fields: first.value.record.map(({ text }) => text), notes: [], records: records() };
}

async function* readRows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Row> {
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    max_record_size: LONGEST_LINE,
    delimiter: ",",
    cast: (text, { quoting }): Cell => ({ text, quoted: quoting }),
  });
  const source = Readable.from(strictUtf8(chunks));
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    yield* parser as AsyncIterable<Row>;
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const line = typeof cause["lines"] === "number" ? ` at line ${cause["lines"]}` : "";
    throw new CliError("input-invalid", {
      detail: `Not valid CSV${line}: ${CSV_REASONS[cause.code] ?? cause.code}.`,
      remedy:
        "Correct the quotes there and run the same command again; the rows before it are stored already and are " +
        "left alone.",
    });
  }
}

/** csv-parse's own messages quote the input; these say the same without it. */
const CSV_REASONS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "a quote is opened and never closed",
  INVALID_OPENING_QUOTE: "a quote stands inside of a cell that does not begin with one",
  CSV_INVALID_CLOSING_QUOTE: "something follows the closing quote of a cell",
  CSV_MAX_RECORD_SIZE: `a row is longer than ${LONGEST_LINE} bytes`,
};

function parseHeadings(record: readonly Cell[]): readonly CsvColumn[] {
  const seen = new Map<string, number>();
  return record.map(({ text }, index) => {
    const number = index + 1;
    try {
      const column = parseHeading(text);
      const key = JSON.stringify(column.path);
      const first = seen.get(key);
      if (first !== undefined) throw new RangeError(`names the same value as column ${first}`);
      seen.set(key, number);
      return column;
    } catch (cause) {
      throw new CliError("input-invalid", {
        detail: `The heading of column ${number} ${cause instanceof Error ? cause.message : "is not valid"}.`,
        cause,
      });
    }
  });
}

/** An empty line; in a file of one column it is a row without a value. */
function isBlank(record: readonly Cell[], columns: readonly CsvColumn[]): boolean {
  return record.length === 1 && columns.length > 1 && record[0]?.text === "" && !record[0].quoted;
}

function parseRow(record: readonly Cell[], columns: readonly CsvColumn[], position: number): SourceRecord {
  if (record.length !== columns.length)
    return { kind: "bad", position, reason: `${record.length} cells, but the heading has ${columns.length}` };
  try {
    return { kind: "document", position, document: fromCells(record, columns) };
  } catch (error) {
    return { kind: "bad", position, reason: error instanceof RangeError ? error.message : "not readable" };
  }
}

/** The parser would turn bytes that are no UTF-8 into replacement characters: a name changed in silence. */
async function* strictUtf8(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const check = (chunk?: Uint8Array): void => {
    try {
      decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new CliError("input-invalid", {
        detail: "The file is not UTF-8.",
        remedy: "Convert it first: iconv -f WINDOWS-1252 -t UTF-8 FILE",
      });
    }
  };
  for await (const chunk of chunks) {
    check(chunk);
    yield chunk;
  }
  check();
}

/** The heading row. */
export function csvHeading(columns: readonly CsvColumn[]): string {
  return stringify([columns.map(heading)]);
}

/** How a row is written. */
export interface CsvRowOptions {
  /**
   * Puts ' before cells that a spreadsheet would run as a formula (OWASP, CSV injection). Such a file does not come
   * back equal.
   */
  readonly formulas: "keep" | "escape";
}

/** One document as a row. The empty text is quoted, which keeps it apart from an absent value. */
export function csvRow(document: Document, columns: readonly CsvColumn[], { formulas }: CsvRowOptions): string {
  return stringify([toCells(document, columns)], { quoted_match: /^$/, escape_formulas: formulas === "escape" });
}

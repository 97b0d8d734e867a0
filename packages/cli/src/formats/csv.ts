// CSV (RFC 4180) in and out, a row at a time. columns.ts says how documents fit into cells, csv-delimiter.ts what
// stands between them.
import { pipeline, Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { stringify } from "csv-stringify/sync";
import { CliError } from "../errors.ts";
import {
  type Cell,
  type CsvColumn,
  fromCells,
  heading,
  isAbsent,
  MOST_COLUMNS,
  parseHeading,
  toCells,
} from "./columns.ts";
import { type Layout, layoutOf } from "./csv-delimiter.ts";
import { type Document, LONGEST_LINE } from "./document.ts";
import { strictUtf8 } from "./encoding.ts";
import type { InputFormat, Reading, ReadOptions, Source, SourceRecord } from "./format.ts";

/** A parsed row and the line it ends on. */
interface Row {
  readonly record: readonly Cell[];
  readonly info: { readonly lines: number };
}

/** Comma-separated values with a heading row; any text may be it. */
export const csvFormat: InputFormat = {
  kind: "taken",
  name: "csv",
  title: "a CSV file",
  content: "text",
  unit: "line",
  looksLike: ({ text }) => text !== null,
  read: readCsv,
};

/**
 * Reads documents; the first row is the heading. Rows that do not fit are yielded as bad. A broken quote makes the rest
 * of a CSV file meaningless, so there the reading ends with `input-invalid`.
 */
async function readCsv({ sample, chunks }: Source, { delimiter, headings }: ReadOptions): Promise<Reading> {
  const rows = readRows(chunks, layoutOf(sample.text ?? "", delimiter));
  let first = await nextRow(rows);
  while (first !== null && isBlank(first.record)) first = await nextRow(rows);
  if (first === null) throw new CliError("input-invalid", { detail: "The file has no heading." });
  const headingEnd = first.info.lines;
  const names = first.record.map(({ text }) => text);
  const columns = parseHeadings(names, headings);
  // The first row is read ahead: where it fills a column without a heading, all rows do.
  const second = await nextRow(rows);
  const nameless = columns.findIndex((column, index) => column === null && isFilled(second?.record[index]));
  if (nameless !== -1)
    throw new CliError("input-invalid", {
      detail: `Column ${nameless + 1} has no heading, and its cells are not empty.`,
      remedy: "Give the column a heading, or remove it.",
    });
  const records = async function* (): AsyncGenerator<SourceRecord> {
    // A row may go over several lines; it is named by its first.
    let end = headingEnd;
    for (let row = second; row !== null; row = await nextRow(rows)) {
      if (!isBlank(row.record)) yield parseRow(row.record, columns, end + 1);
      end = row.info.lines;
    }
  };
  return {
    columns: columns.flatMap((column, index) =>
      column === null ? [] : [{ heading: names[index] ?? "", field: column.path }],
    ),
    notes: [],
    records: records(),
  };
}

async function nextRow(rows: AsyncGenerator<Row>): Promise<Row | null> {
  const next = await rows.next();
  return next.done === true ? null : next.value;
}

async function* readRows(
  chunks: AsyncIterable<Uint8Array>,
  { delimiter, linesBefore }: Layout,
): AsyncGenerator<Row, undefined> {
  const parser = parse({
    info: true,
    relax_column_count: true,
    delimiter,
    // Without this csv-parse takes the first that it meets, and a file of several would lose rows in its cells.
    record_delimiter: ["\r\n", "\n", "\r"],
    from_line: linesBefore + 1,
    // Cells beyond what a heading may have share one value: a row of a million commas is only counted.
    cast: (text, { quoting, index }): Cell => (index > MOST_COLUMNS ? BEYOND : { text, quoted: quoting }),
  });
  const source = Readable.from(boundedRows(strictUtf8(chunks)));
  // csv-parse counts the line break of Windows twice where it stands inside of a cell.
  let counted = 0;
  try {
    for await (const row of pipeline(source, parser, () => undefined) as AsyncIterable<Row>) {
      for (const { text, quoted } of row.record) if (quoted) counted += text.split("\r\n").length - 1;
      yield { record: row.record, info: { lines: row.info.lines - counted } };
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const line = typeof cause["lines"] === "number" ? ` at line ${cause["lines"]}` : "";
    throw new CliError("input-invalid", {
      detail: `Not valid CSV${line}: ${CSV_REASONS[cause.code] ?? cause.code}.`,
      remedy: "Correct it there and run the same command again: records that are stored already are left alone.",
    });
  }
}

/** Before the parser, whose own limit does not count a cell that is empty. */
async function* boundedRows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let length = 0;
  let isQuoted = false;
  for await (const chunk of chunks) {
    for (const byte of chunk) {
      length++;
      if (byte === 0x22) isQuoted = !isQuoted;
      else if (!isQuoted && (byte === 0x0a || byte === 0x0d)) length = 0;
      if (length > LONGEST_LINE)
        throw new CliError("input-invalid", {
          detail: `A row of the CSV file is longer than ${LONGEST_LINE} bytes, or a quote is opened and never closed.`,
          remedy: "Correct the file and run the same command again: records that are stored already are left alone.",
        });
    }
    // The parser holds all rows of a piece at once.
    for (let start = 0; start < chunk.length; start += PIECE_BYTES) yield chunk.subarray(start, start + PIECE_BYTES);
  }
}

const PIECE_BYTES = 16 * 1024;

const BEYOND: Cell = { text: "beyond", quoted: true };

/** csv-parse's own messages quote the input; these say the same without it. */
const CSV_REASONS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "a quote is opened and never closed",
  INVALID_OPENING_QUOTE: "a quote stands inside of a cell that does not begin with one",
  CSV_INVALID_CLOSING_QUOTE: "something follows the closing quote of a cell",
};

function parseHeadings(names: readonly string[], bare: ReadOptions["headings"]): readonly (CsvColumn | null)[] {
  const refuse = (detail: string): CliError => new CliError("input-invalid", { detail });
  if (names.length > MOST_COLUMNS)
    throw refuse(`The heading has ${names.length} columns; at most ${MOST_COLUMNS} are taken.`);
  const seen = new Map<string, number>();
  const columns = names.map((name, index) => {
    const number = index + 1;
    const column = headingOf(name, number, bare);
    if (column === null) return null;
    const key = JSON.stringify(column.path);
    const first = seen.get(key);
    if (first !== undefined)
      throw new CliError("input-invalid", {
        detail: `Columns ${first} and ${number} have the same heading, ${shownHeading(name)}.`,
        remedy: "Give each column a heading of its own, or remove one of them.",
      });
    seen.set(key, number);
    return column;
  });
  return columns;
}

function headingOf(name: string, number: number, bare: ReadOptions["headings"]): CsvColumn | null {
  try {
    return parseHeading(name, bare);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new CliError("input-invalid", { detail: `The heading of column ${number} ${cause.message}.`, cause });
  }
}

/** A heading as a message shows it. */
export function shownHeading(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}

function isFilled(cell: Cell | undefined): boolean {
  return cell !== undefined && !isAbsent(cell);
}

/** An empty line. */
function isBlank(record: readonly Cell[]): boolean {
  return record.length === 1 && !isFilled(record[0]);
}

/** Cells that are missing or too many belong to another column or row, unless they are of no column and empty. */
function parseRow(record: readonly Cell[], columns: readonly (CsvColumn | null)[], position: number): SourceRecord {
  const isShort = columns.slice(record.length).some((column) => column !== null);
  const isLong = record.slice(columns.length).some(isFilled);
  if (isShort || isLong)
    return { kind: "bad", position, reason: `${record.length} cells, but the heading has ${columns.length}` };
  try {
    return { kind: "document", position, document: fromCells(record, columns) };
  } catch (error) {
    return { kind: "bad", position, reason: error instanceof RangeError ? error.message : "not readable" };
  }
}

/**
 * The heading row. Fewer than two columns get one without a heading beside them: a row without a value would be an
 * empty line, which is none. A first heading that is more than letters and digits is quoted, so that the file looks
 * like nothing else.
 */
export function csvHeading(columns: readonly CsvColumn[], { formulas }: CsvRowOptions): string {
  const headings = [...columns.map(heading), ...padding(columns, "")];
  return stringify([headings], {
    quoted_match: QUOTED,
    escape_formulas: formulas === "escape",
    cast: {
      string: (value, { index }) => ({
        value,
        quoted: index === 0 && value !== "" && !/^[\p{L}\p{N}_]+$/u.test(value),
      }),
    },
  });
}

function padding<Value>(columns: readonly CsvColumn[], value: Value): readonly Value[] {
  return columns.length < 2 ? Array.from({ length: 2 - columns.length }, () => value) : [];
}

/** Beside what the delimiter and quotes need: every line break, and the empty text of a document's value. */
const QUOTED = /[\r\n;\t|]/;

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
  const cells = [...toCells(document, columns), ...padding(columns, null)];
  return stringify([cells], { quoted_match: [/^$/, QUOTED], escape_formulas: formulas === "escape" });
}

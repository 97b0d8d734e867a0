// Workbooks (xlsx): the rows of one sheet under its first row; xlsx-cell.ts says what a cell means. The file is a
// zip: what it says to unfold to is added up before any of it is unfolded.
import { secretConcat } from "@strongroom/base/secret-memory";
import type { Cell, CellValue, Sheet, Workbook } from "hucre";
import { CliError } from "../errors.ts";
import type { Document } from "./document.ts";
import type { InputFormat, Reading, ReadOptions, SourceRecord } from "./format.ts";
import { cellValue, type DateSystem } from "./xlsx-cell.ts";
import { zipEntries } from "./zip-directory.ts";

/** Largest file, and what all of it may unfold to, in bytes: some hundred thousand rows of ten cells. */
const LARGEST = { file: 64 * 1024 * 1024, unfolded: 128 * 1024 * 1024 } as const;

/** Excel's workbooks. */
export const xlsxFormat: InputFormat = {
  kind: "taken",
  name: "xlsx",
  title: "an Excel workbook",
  content: "bytes",
  unit: "row",
  looksLike: ({ bytes }) => isZip(bytes) && Buffer.from(bytes).includes("xl/"),
  read: async ({ chunks }, options) => readWorkbook(await whole(chunks), options),
};

function isZip(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 4)).equals(Buffer.from("PK\x03\x04", "latin1"));
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > LARGEST.file) throw invalid(`The workbook is larger than ${LARGEST.file} bytes.`, AS_CSV);
    parts.push(chunk);
  }
  return secretConcat(parts);
}

const AS_CSV = "Save the sheet as CSV (UTF-8) and import that.";

function invalid(detail: string, remedy?: string): CliError {
  return new CliError("input-invalid", { detail, ...(remedy === undefined ? {} : { remedy }) });
}

async function readWorkbook(bytes: Uint8Array, { sheet: wanted }: ReadOptions): Promise<Reading> {
  requireBounded(bytes);
  const { readXlsx } = await import("hucre/xlsx");
  let workbook: Workbook;
  try {
    workbook = await readXlsx(bytes, { readStyles: true });
  } catch {
    // Its message may quote a cell.
    throw invalid("The workbook cannot be read: it is damaged, or locked with a password.", AS_CSV);
  }
  const sheet = chooseSheet(workbook.sheets, wanted);
  return { ...readSheet(sheet, workbook.dateSystem ?? "1900"), notes: [] };
}

/** Threat: a small file that unfolds to more than there is memory. */
function requireBounded(bytes: Uint8Array): void {
  let total = 0;
  for (const { packed, unfolded, described } of zipEntries(bytes)) {
    // The library takes an entry that says nothing of its size to be of any size.
    total += unfolded === 0 && (packed > 0 || described) ? Infinity : unfolded;
  }
  if (total > LARGEST.unfolded) throw invalid(`The workbook unfolds to more than ${LARGEST.unfolded} bytes.`, AS_CSV);
}

function chooseSheet(sheets: readonly Sheet[], wanted: string | null): Sheet {
  const names = sheets.map(({ name }) => `"${name}"`).join(", ");
  if (wanted !== null) {
    const named = sheets.find(({ name }) => name === wanted);
    if (named === undefined) throw invalid(`There is no sheet of that name; there are: ${names}.`);
    return named;
  }
  const filled = sheets.filter(
    (sheet) => sheet.hidden !== true && sheet.veryHidden !== true && sheet.rows.some(isFilled),
  );
  const [first] = filled;
  if (first === undefined) throw invalid("The workbook has no sheet with rows.");
  if (filled.length > 1)
    throw invalid(`The workbook has several sheets with rows: ${names}.`, "Say which one: --sheet NAME.");
  return first;
}

function isFilled(row: readonly CellValue[]): boolean {
  return row.some((value) => value !== null && value !== "");
}

function readSheet({ rows, cells }: Sheet, dateSystem: DateSystem): Pick<Reading, "columns" | "records"> {
  const top = rows.findIndex(isFilled);
  const headings = headingsOf(rows.slice(top), rows[top] ?? []);
  const columns = headings.flatMap((heading) => (heading === null ? [] : [{ heading, field: [heading] }]));
  const records = async function* (): AsyncGenerator<SourceRecord> {
    for (const [index, row] of rows.entries()) {
      if (index <= top || !isFilled(row)) continue;
      try {
        yield { kind: "document", position: index + 1, document: rowDocument(row, headings, index, cells, dateSystem) };
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        yield { kind: "bad", position: index + 1, reason: error.message };
      }
    }
  };
  return { columns, records: records() };
}

/** The column's names; null for a column without one, in which no row may have anything. */
function headingsOf(rows: readonly (readonly CellValue[])[], first: readonly CellValue[]): readonly (string | null)[] {
  const width = rows.reduce((widest, row) => Math.max(widest, row.length), 0);
  const seen = new Map<string, number>();
  return Array.from({ length: width }, (_, index) => {
    const value = first[index] ?? "";
    const heading = (value instanceof Date ? value.toISOString().slice(0, 10) : String(value)).trim();
    const column = columnName(index);
    if (heading === "") {
      if (rows.some((row) => isFilled([row[index] ?? null])))
        throw invalid(`Column ${column} has cells and no heading.`);
      return null;
    }
    const before = seen.get(heading);
    if (before !== undefined) throw invalid(`Columns ${columnName(before)} and ${column} have the same heading.`);
    seen.set(heading, index);
    return heading;
  });
}

function rowDocument(
  row: readonly CellValue[],
  headings: readonly (string | null)[],
  index: number,
  cells: ReadonlyMap<string, Cell> | undefined,
  dateSystem: DateSystem,
): Document {
  return Object.fromEntries(
    row.flatMap((value, column): [string, unknown][] => {
      const heading = headings[column] ?? null;
      if (heading === null) return [];
      const cell = cells?.get(`${index},${column}`);
      const where = `column ${columnName(column)} (${heading})`;
      // A program that wrote the formula may have left its result to whoever opens the file.
      if (value === null && cell?.formula !== undefined)
        throw new RangeError(`${where} holds a formula without its result: open the workbook and save it`);
      return value === null || value === "" ? [] : [[heading, cellValue(value, cell, dateSystem, where)]];
    }),
  );
}

/** A, B … Z, AA …: as a spreadsheet names it. */
function columnName(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : columnName(Math.floor(index / 26) - 1) + letter;
}

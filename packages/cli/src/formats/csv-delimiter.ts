// What stands between the cells of a CSV file: semicolons where the comma is the decimal sign, tabs, bars. The heading
// decides; where several of them stand in it, the one by which the next rows have as many cells.
import { CliError } from "../errors.ts";

/** In this order where nothing speaks for another. */
const DELIMITERS = [",", ";", "\t", "|"] as const;
/** Rows beside the heading that are counted. */
const ROWS = 20;

/** Words for what is hard to type in a shell. */
const WORDS: Readonly<Record<string, string>> = {
  comma: ",",
  semicolon: ";",
  tab: "\t",
  "\\t": "\t",
  pipe: "|",
  space: " ",
};

/** The line by which Excel is told of a delimiter. */
const EXCEL_LINE = /^sep=([^\r\n"])(?:\r\n|\n|\r)/i;

/** A delimiter, and how many lines stand before the heading. */
export interface Layout {
  readonly delimiter: string;
  readonly linesBefore: number;
}

/** The layout of a file that begins with this text. @throws CliError `usage` for a delimiter that can be none */
export function layoutOf(text: string, asked: string | null): Layout {
  const excel = EXCEL_LINE.exec(text);
  const linesBefore = excel === null ? 0 : 1;
  if (asked !== null) return { delimiter: parseDelimiter(asked), linesBefore };
  return { delimiter: excel?.[1] ?? delimiterOf(text), linesBefore };
}

function parseDelimiter(asked: string): string {
  const delimiter = WORDS[asked] ?? asked;
  if (/^[^\r\n"\p{L}\p{N}]$/u.test(delimiter)) return delimiter;
  throw new CliError("usage", {
    detail: "--delimiter must be one character that is no letter, digit, quote or line break.",
    remedy: "For example: --delimiter ';', --delimiter tab, --delimiter '|'",
  });
}

function delimiterOf(text: string): string {
  const [heading, ...rows] = countRows(text);
  if (heading === undefined) return ",";
  const [best] = DELIMITERS.filter((delimiter) => heading.all.has(delimiter))
    .map((delimiter) => ({
      delimiter,
      rows: rows.filter(({ all }) => all.get(delimiter) === heading.all.get(delimiter)).length,
      tight: heading.tight.get(delimiter) ?? 0,
    }))
    .sort((one, other) => other.rows - one.rows || other.tight - one.tight);
  return best?.delimiter ?? ",";
}

/** How often each character stands outside of quotes, and how often no space follows, as it does in prose. */
interface Counts {
  readonly all: Map<string, number>;
  readonly tight: Map<string, number>;
}

/** The first rows that are not blank. */
function countRows(text: string): readonly Counts[] {
  const rows: Counts[] = [];
  const emptyRow = (): Counts => ({ all: new Map(), tight: new Map() });
  let row = emptyRow();
  let isQuoted = false;
  let isBlank = true;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === '"') isQuoted = !isQuoted;
    if (!isQuoted && (character === "\n" || character === "\r")) {
      if (!isBlank) rows.push(row);
      if (rows.length > ROWS) return rows;
      row = emptyRow();
      isBlank = true;
      continue;
    }
    isBlank = false;
    if (isQuoted) continue;
    row.all.set(character, (row.all.get(character) ?? 0) + 1);
    if (text[at + 1] !== " ") row.tight.set(character, (row.tight.get(character) ?? 0) + 1);
  }
  return isBlank ? rows : [...rows, row];
}

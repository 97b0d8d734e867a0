/**
 * Text laid out for a screen: tables, prose that breaks between words, command lines that can still be pasted. A width
 * of Infinity is that of a pipe or a file, where nothing is broken.
 */
import stringWidth from "string-width";
import { escaped } from "./printable.ts";

/** One column: its heading and on which side its cells are padded. */
export interface Column {
  readonly heading: string;
  readonly align?: "left" | "right";
}

/**
 * Renders rows under headings, or, where that is wider than `width`, each row as lines of heading and cell. Cells may
 * hold colour codes; their width is that of the visible text. A line end in a cell is shown as one.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number = Infinity,
): string {
  const cellsOf = (row: readonly string[]): string[] =>
    columns.map((_, index) => (row[index] ?? "").replaceAll("\n", escaped));
  const table = rows.map(cellsOf);
  const widths = columns.map((column, index) =>
    table.reduce((widest, row) => Math.max(widest, stringWidth(row[index] ?? "")), stringWidth(column.heading)),
  );
  const whole = widths.reduce((sum, one) => sum + one + GAP.length, -GAP.length);
  if (whole > width) return blocks(columns, table, width);
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => pad(cells[index] ?? "", widths[index] ?? 0, column.align ?? "left"))
      .join(GAP)
      .trimEnd();
  return [line(columns.map((column) => column.heading)), ...table.map(line)].join("\n");
}

const GAP = "  ";

/** A row below the other, its empty cells left out. */
function blocks(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  const widest = columns.reduce((most, { heading }) => Math.max(most, stringWidth(heading)), 0);
  return rows
    .map((row) =>
      columns
        .flatMap(({ heading }, index) => {
          const cell = row[index] ?? "";
          return cell === "" ? [] : [wrapped(pad(heading, widest, "left") + GAP + cell, width, widest + GAP.length)];
        })
        .join("\n"),
    )
    .join("\n\n");
}

/**
 * Breaks a line of prose between words; the lines after the first begin with so many spaces. A word that is wider than
 * a line, and the spaces that a line begins with, stay as they are.
 */
export function wrapped(text: string, width: number, hanging: number = 0): string {
  if (stringWidth(text) <= width) return text;
  const [start = ""] = /^ */.exec(text) ?? [];
  const lines: string[] = [];
  let line = start;
  let isEmpty = true;
  for (const word of text.slice(start.length).split(/(?<=[^ ]) (?=[^ ])/)) {
    const longer = isEmpty ? line + word : `${line} ${word}`;
    if (isEmpty || stringWidth(longer) <= width) line = longer;
    else {
      lines.push(line);
      line = " ".repeat(hanging) + word;
    }
    isEmpty = false;
  }
  return [...lines, line].join("\n");
}

/** A command for a shell over several lines, as it can be pasted: broken between its words, outside of quotes. */
export function commandLines(line: string, width: number, indent: string): string {
  const words = line.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
  const lines: string[] = [];
  let current = indent;
  for (const [index, word] of words.entries()) {
    const longer = current.trim() === "" ? current + word : `${current} ${word}`;
    // Room for the backslash, where something follows.
    const room = index === words.length - 1 ? width : width - 2;
    if (current.trim() === "" || stringWidth(longer) <= room) current = longer;
    else {
      lines.push(`${current} \\`);
      current = `${indent}  ${word}`;
    }
  }
  return [...lines, current].join("\n");
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - stringWidth(text)));
  return align === "left" ? text + space : space + text;
}

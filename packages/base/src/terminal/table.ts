/**
 * Plain tables for a terminal: columns padded to their widest cell, no frame, so that they can be read, grepped and
 * cut.
 */
import stringWidth from "string-width";

/** One column: its heading and on which side its cells are padded. */
export interface Column {
  readonly heading: string;
  readonly align?: "left" | "right";
}

/**
 * Renders rows under headings. Cells may hold colour codes; their width is that of the visible text.
 * Control characters other than colours never reach the terminal: callers pass cells through {@link printable}.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, index) =>
    Math.max(stringWidth(column.heading), ...rows.map((row) => stringWidth(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => pad(cells[index] ?? "", widths[index] ?? 0, column.align ?? "left"))
      .join("  ")
      .trimEnd();
  return [line(columns.map((column) => column.heading)), ...rows.map(line)].join("\n");
}

/** Replaces control characters, so that a stored id or a file name cannot steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === "\u200d" ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - stringWidth(text)));
  return align === "left" ? text + space : space + text;
}

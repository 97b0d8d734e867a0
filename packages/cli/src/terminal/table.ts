// Plain tables for a terminal: columns padded to their widest cell, no frame, so that they can be read, grepped and
// cut.
import { stripVTControlCharacters } from "node:util";

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
    Math.max(displayWidth(column.heading), ...rows.map((row) => displayWidth(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => pad(cells[index] ?? "", widths[index] ?? 0, column.align ?? "left"))
      .join("  ")
      .trimEnd();
  return [line(columns.map((column) => column.heading)), ...rows.map(line)].join("\n");
}

/** Replaces control characters, so that a stored id or a file name can not steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === "\u200d" ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "left" ? text + space : space + text;
}

/** Columns taken on a terminal: graphemes, those of East Asian wide scripts and emoji counted twice. */
function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(stripVTControlCharacters(text))) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });
const WIDE = /\p{Emoji_Presentation}|\uFE0F|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u;

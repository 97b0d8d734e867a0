/**
 * @strongroom/base/terminal: where a command writes, and how. Results go to standard output, everything said to a
 * person goes to standard error, and colour only where a terminal shows it (NO_COLOR and FORCE_COLOR are honoured,
 * https://no-color.org). Tables are plain: columns padded to their widest cell, no frame, so that they can be read,
 * grepped and cut. The progress bar and the log are entry points of their own, for what they import.
 */
import { styleText } from "node:util";
import stringWidth from "string-width";

/** A colour or weight as `util.styleText` names it. */
export type Style = Parameters<typeof styleText>[0];

/** How results are printed: for a person, or as JSON for a program. */
export type OutputMode = "human" | "json";

/** The streams a command runs with; tests hand in their own. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** What a command says and where. */
export interface Terminal extends Streams {
  readonly mode: OutputMode;
  /** Prints a result: `data` as one line of JSON in json mode, `human()` otherwise. A newline is added. */
  result(data: unknown, human: () => string): void;
  /** Says something to the person (standard error); silent in json mode. */
  say(text: string): void;
  /** Styles text for standard output, or leaves it alone where no terminal shows it. */
  style(style: Style, text: string): string;
  /** The same for standard error. */
  styleError(style: Style, text: string): string;
}

/** Makes the terminal of one command. */
export function createTerminal(streams: Streams, mode: OutputMode): Terminal {
  const styleFor =
    (stream: NodeJS.WriteStream) =>
    (style: Style, text: string): string =>
      styleText(style, text, { stream });
  return {
    ...streams,
    mode,
    result(data, human) {
      streams.stdout.write(`${mode === "json" ? printableJson(data) : human()}\n`);
    },
    say(text) {
      if (mode === "human") streams.stderr.write(`${text}\n`);
    },
    style: styleFor(streams.stdout),
    styleError: styleFor(streams.stderr),
  };
}

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
    rows.reduce((widest, row) => Math.max(widest, stringWidth(row[index] ?? "")), stringWidth(column.heading)),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => pad(cells[index] ?? "", widths[index] ?? 0, column.align ?? "left"))
      .join("  ")
      .trimEnd();
  return [line(columns.map((column) => column.heading)), ...rows.map(line)].join("\n");
}

/**
 * Text from outside as a terminal may show it: control characters, and whatever does not show, replaced, so that a
 * stored id, a file name or another program's answer cannot steer it; cut where it is longer than `longest`.
 */
export function printable(text: string, longest: number = Infinity): string {
  const kept = text.length <= longest ? text : text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, "");
  const replaced = kept.replace(
    /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return kept === text ? replaced : `${replaced}… (${text.length} characters)`;
}

/** JSON that reads back as the same data, and that shows nothing to a terminal but itself. */
export function printableJson(data: unknown): string {
  return JSON.stringify(data).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, unit) => {
      return `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`;
    }).join(""),
  );
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - stringWidth(text)));
  return align === "left" ? text + space : space + text;
}

/** Seconds as "42 s", "3 min 5 s" or "1 h 12 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

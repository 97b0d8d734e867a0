/**
 * @strongroom/base/terminal: where a command writes, and how. Results go to standard output, everything said to a
 * person goes to standard error, and colour only where a terminal shows it (NO_COLOR and FORCE_COLOR are honoured,
 * https://no-color.org). Tables are plain: columns padded to their widest cell, no frame, so that they can be read,
 * grepped and cut. The progress bar and the log are entry points of their own, for what they import.
 */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { styleText } from "node:util";
import stringWidth from "string-width";
import { wrapped } from "./layout.ts";
import { escaped, HIDDEN, printableCopy, printableJson, printableJsonText } from "./printable.ts";

export { commandLines, renderTable, wrapped } from "./layout.ts";
export type { Column } from "./layout.ts";
export { LONGEST_SHOWN, printable, printableCopy, printableJson, printableJsonText } from "./printable.ts";

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

/** One of the streams a command writes to, as a command sees it: what shows it, and not the stream itself. */
export type Screen = Pick<NodeJS.WriteStream, "isTTY" | "columns">;

/**
 * What a command says and where. The streams themselves are not in it: every text goes through one of these methods,
 * and none lets through what a terminal would obey, whoever wrote it. Only colours asked for by `style` come out.
 */
export interface Terminal {
  readonly stdin: Streams["stdin"];
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly mode: OutputMode;
  /** Columns of the screen that standard output is; Infinity where it is none, or does not know. */
  readonly width: number;
  /**
   * Prints a result: `data` as one line of JSON in json mode, `human` of it otherwise. A newline is added. What `human`
   * is given is a copy whose texts are {@link printable}: no name in it can make a line of its own.
   */
  result<Data>(data: Data, human: (shown: Data) => string): void;
  /** Prints lines for a person to standard output. A newline is added. */
  print(text: string): void;
  /** Prints data to standard output as one line of JSON, whatever the mode. */
  printJson(data: unknown): void;
  /** Says something to the person, in lines of prose (standard error); silent in json mode. */
  say(text: string): void;
  /** The same in both modes, and as it is: no newline is added. */
  sayAlways(text: string): void;
  /** Draws lines in the place of those that were drawn before. Only where standard output is a terminal. */
  redraw(text: string): void;
  /**
   * Standard output for data in bulk, with its back pressure: as it is for a pipe or a file; where a terminal shows it,
   * harmless.
   */
  pipe(text: string | Uint8Array): Promise<void>;
  /** Styles text for standard output, or leaves it alone where no terminal shows it. */
  style(style: Style, text: string): string;
  /** The same for standard error. */
  styleError(style: Style, text: string): string;
  /** Asks a person for a word: the question on standard error, one line of standard input. */
  ask(question: string, signal: AbortSignal): Promise<string>;
  /** The stream of a progress bar, which draws by itself, from numbers and a label that is {@link printable}. */
  readonly barStream: NodeJS.WriteStream;
}

/** Makes the terminal of one command. */
export function createTerminal(streams: Streams, mode: OutputMode): Terminal {
  const { stdin, stdout, stderr } = streams;
  const marks = styleMarks();
  const write = (stream: NodeJS.WriteStream, text: string): void => {
    stream.write(marks.colours(marks.harmless(text)));
  };
  const styleFor =
    (stream: NodeJS.WriteStream) =>
    (style: Style, text: string): string =>
      marks.marked(styleText(style, marks.harmless(text), { stream }));
  let drawn = 0;
  return {
    stdin,
    stdout,
    stderr,
    mode,
    width: widthOf(stdout),
    result(data, human) {
      write(stdout, `${mode === "json" ? printableJson(data) : human(printableCopy(data))}\n`);
    },
    print(text) {
      write(stdout, `${text}\n`);
    },
    printJson(data) {
      write(stdout, `${printableJson(data)}\n`);
    },
    say(text) {
      if (mode !== "human") return;
      const lines = text.split("\n").map((line) => wrapped(line, widthOf(stderr), 2));
      write(stderr, `${lines.join("\n")}\n`);
    },
    sayAlways(text) {
      write(stderr, text);
    },
    redraw(text) {
      const lines = `${marks.colours(marks.harmless(text))}\n`;
      stdout.write(`${drawn === 0 ? "" : `\u001b[${drawn}A\r`}${CLEAR_BELOW}${lines}`);
      drawn = text.split("\n").reduce((rows, line) => rows + rowsOf(line, stdout.columns), 0);
    },
    async pipe(data) {
      const shown = stdout.isTTY
        ? printableJsonText(typeof data === "string" ? data : Buffer.from(data).toString())
        : data;
      if (!stdout.write(shown)) await once(stdout, "drain");
    },
    style: styleFor(stdout),
    styleError: styleFor(stderr),
    async ask(question, signal) {
      write(stderr, question);
      const lines = createInterface({ input: stdin, signal });
      try {
        for await (const line of lines) return line;
        return "";
      } finally {
        lines.close();
      }
    },
    barStream: stderr,
  };
}

/**
 * Colours that are told from those in a text of somebody else: until they are written, they carry a number that nobody
 * can guess. It has the form of a colour's parameters, so that whatever measures a text takes it for a colour.
 */
function styleMarks(): Record<"marked" | "harmless" | "colours", (text: string) => string> {
  const number = Array.from({ length: 4 }, () => randomInt(1000, 10_000)).join(";");
  const marks = new RegExp(`\u001b\\[(\\d+);${number}m`, "gu");
  const hiddenOrMark = new RegExp(`\u001b\\[\\d+;${number}m|(?!\\n)(?:${HIDDEN})`, "gu");
  return {
    marked: (text) => text.replace(/\u001b\[(\d+)m/g, `\u001b[$1;${number}m`),
    harmless: (text) => text.replace(hiddenOrMark, (found) => (found.length > 8 ? found : escaped(found))),
    colours: (text) => text.replace(marks, "\u001b[$1m"),
  };
}

/** Columns of a screen; Infinity for what is none, or does not know. */
export function widthOf({ isTTY, columns }: Screen): number {
  return isTTY && columns > 0 ? columns : Infinity;
}

const CLEAR_BELOW = "\u001b[J";

/** Rows that a line takes on a screen: a narrow one breaks it. A terminal that does not know its width says 0. */
function rowsOf(line: string, columns: number): number {
  const width = stringWidth(line);
  return columns > 0 && width > 0 ? Math.ceil(width / columns) : 1;
}

/** Seconds as "42 s", "3 min 5 s" or "1 h 12 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

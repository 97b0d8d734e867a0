/**
 * Where a command writes. Results go to standard output, everything said to a person goes to standard error, and colour
 * only where a terminal shows it (NO_COLOR and FORCE_COLOR are honoured, https://no-color.org).
 */
import { styleText } from "node:util";

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
      streams.stdout.write(`${mode === "json" ? JSON.stringify(data) : human()}\n`);
    },
    say(text) {
      if (mode === "human") streams.stderr.write(`${text}\n`);
    },
    style: styleFor(streams.stdout),
    styleError: styleFor(streams.stderr),
  };
}

// Terminal output as lines of styled spans. Knows the Select Graphic Rendition sequences that `util.styleText` writes
// (ECMA-48, 8.3.117); all others are dropped.

/** A piece of one line in one style. */
export interface Span {
  readonly text: string;
  /** Names out of {@link STYLES}, sorted. */
  readonly styles: readonly string[];
}

/** SGR parameter -> the style it begins; what it ends is in {@link ENDS}. */
const STYLES: ReadonlyMap<number, string> = new Map([
  [1, "bold"],
  [2, "dim"],
  [31, "red"],
  [32, "green"],
  [33, "yellow"],
  [34, "blue"],
  [35, "magenta"],
  [36, "cyan"],
]);

const COLOURS: readonly string[] = ["red", "green", "yellow", "blue", "magenta", "cyan"];
const ENDS: ReadonlyMap<number, readonly string[]> = new Map([
  [0, [...STYLES.values()]],
  [22, ["bold", "dim"]],
  [39, COLOURS],
]);

const SEQUENCE = /\x1b\[([0-9;?]*)([A-Za-z])/g;

/** Splits output into lines of spans; a line longer than `columns` goes on in the next. */
export function ansiLines(output: string, columns: number): readonly (readonly Span[])[] {
  const active = new Set<string>();
  return output
    .replaceAll("\r", "")
    .split("\n")
    .flatMap((line) => wrapped(spansOf(line, active), columns));
}

/** `active` is carried from line to line. */
function spansOf(line: string, active: Set<string>): Span[] {
  const spans: Span[] = [];
  let from = 0;
  const add = (to: number): void => {
    if (to > from) spans.push({ text: line.slice(from, to), styles: [...active].sort() });
  };
  for (const match of line.matchAll(SEQUENCE)) {
    add(match.index);
    from = match.index + match[0].length;
    if (match[2] === "m") for (const parameter of (match[1] ?? "").split(";")) apply(Number(parameter), active);
  }
  add(line.length);
  return spans;
}

function apply(parameter: number, active: Set<string>): void {
  for (const style of ENDS.get(parameter) ?? []) active.delete(style);
  const style = STYLES.get(parameter);
  if (style === undefined) return;
  if (COLOURS.includes(style)) for (const colour of COLOURS) active.delete(colour);
  active.add(style);
}

/** What a reader takes for one character. */
const CHARACTERS = new Intl.Segmenter("en");

function wrapped(spans: readonly Span[], columns: number): Span[][] {
  const lines: Span[][] = [[]];
  let room = columns;
  for (const { text, styles } of spans) {
    const characters = Array.from(CHARACTERS.segment(text), ({ segment }) => segment);
    while (characters.length > 0) {
      if (room === 0) {
        lines.push([]);
        room = columns;
      }
      const taken = characters.splice(0, room);
      room -= taken.length;
      lines.at(-1)?.push({ text: taken.join(""), styles });
    }
  }
  return lines;
}

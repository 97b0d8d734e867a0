// Panels of bars as an SVG document: one panel for each kind of work, and on a bar a mark for every value that is asked
// of it.

const WIDTH = 920;
const LABEL_WIDTH = 300;
const VALUE_WIDTH = 110;
const BAR_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
const LINE = 22;
const BAR = 14;
const HEADING = 34;
const GAP = 18;

const STYLE = `text{font:13px system-ui,sans-serif;fill:#24292f}.h{font-weight:600}.s{fill:#57606a}.bg{fill:#fff}.bar{fill:#afb8c1}.own{fill:#0969da}.mark{stroke:#cf222e;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.bg{fill:#0d1117}.bar{fill:#59636e}.own{fill:#4493f8}.mark{stroke:#f85149}}`;

/** One bar of a panel. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The value as the reader sees it. */
  readonly text: string;
  /** Whether it is ours, which stands out. */
  readonly own: boolean;
  /** Values at which the bar is marked. */
  readonly marks: readonly number[];
}

/** Bars of one unit, all to the same scale. */
export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

/** What the picture says besides its panels. */
export interface Caption {
  /** For those who cannot see it. */
  readonly label: string;
  /** A line below the panels. */
  readonly note: string;
}

/** An SVG document; readable in light and dark surroundings. Panels without bars are left out. */
export function drawPanels(panels: readonly Panel[], { label, note }: Caption): string {
  const drawn: string[] = [];
  let top = GAP;
  for (const panel of panels.filter(({ bars }) => bars.length > 0)) {
    drawn.push(panelAt(panel, top));
    top += HEADING + panel.bars.length * LINE + GAP;
  }
  top += LINE;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" aria-label="${escaped(label)}">
<style>${STYLE}</style>
<rect class="bg" width="${WIDTH}" height="${top}"/>
${drawn.join("\n")}
<text class="s" x="8" y="${top - 8}">${escaped(note)}</text>
</svg>
`;
}

function panelAt({ title, unit, bars }: Panel, top: number): string {
  const longest = bars.reduce((most, { value, marks }) => Math.max(most, value, ...marks), Number.MIN_VALUE);
  const length = (value: number): number => Math.round((value / longest) * BAR_WIDTH * 10) / 10;
  const barAt = ({ label, value, text, own, marks }: Bar, index: number): string => {
    const y = top + HEADING + index * LINE;
    return [
      `<text ${own ? 'class="h" ' : ""}x="${LABEL_WIDTH - 8}" y="${y + 12}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="${own ? "own" : "bar"}" x="${LABEL_WIDTH}" y="${y}" width="${Math.max(1, length(value))}" height="${BAR}" rx="2"/>`,
      ...marks.map(
        (mark) =>
          `<line class="mark" x1="${LABEL_WIDTH + length(mark)}" x2="${LABEL_WIDTH + length(mark)}" y1="${y - 3}" y2="${y + BAR + 3}"/>`,
      ),
      `<text x="${WIDTH - 8}" y="${y + 12}" text-anchor="end">${escaped(text)}</text>`,
    ].join("");
  };
  return [
    `<text class="h" x="8" y="${top + 16}">${escaped(title)}</text>`,
    `<text class="s" x="${WIDTH - 8}" y="${top + 16}" text-anchor="end">${escaped(unit)}</text>`,
    ...bars.map(barAt),
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

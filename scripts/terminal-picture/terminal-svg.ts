// Lines of a terminal as an SVG that turns its pages by itself (CSS only). Where animations are off it shows the first
// page.
import type { Span } from "./ansi-lines.ts";

/** What the picture shows. */
export interface TerminalPicture {
  /** Read by screen readers and shown in the title bar. */
  readonly title: string;
  readonly columns: number;
  /** Each page is shown for `secondsPerPage`, then the next. */
  readonly pages: readonly (readonly (readonly Span[])[])[];
  readonly secondsPerPage: number;
}

/** In px of the picture's own coordinates. */
const CELL = { width: 8.4, height: 19 } as const;
const PADDING = 20;
const BAR = 36;

const STYLE = `
  text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; fill: #d5dbe0; white-space: pre }
  .bold { font-weight: 700; fill: #ffffff } .dim { fill: #7d8a94 } .red { fill: #ff7b72 } .green { fill: #56d364 } .yellow { fill: #e3b341 }
  .blue { fill: #79c0ff } .magenta { fill: #d2a8ff } .cyan { fill: #56d4dd } .title { fill: #9aa6af; text-anchor: middle }`;

/** The picture as the text of an SVG file. */
export function terminalSvg({ title, columns, pages, secondsPerPage }: TerminalPicture): string {
  const width = Math.ceil(columns * CELL.width + 2 * PADDING);
  const height = pages.reduce((most, page) => Math.max(most, page.length), 0) * CELL.height + BAR + 2 * PADDING;
  const total = pages.length * secondsPerPage;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}
  .page { opacity: 0; animation: turn ${total}s step-end infinite } .page:first-of-type { opacity: 1 }
  @keyframes turn { 0% { opacity: 1 } ${number(100 / pages.length)}% { opacity: 0 } 100% { opacity: 0 } }
  @media (prefers-reduced-motion: reduce) { .page { animation: none } }
</style>
<rect width="${width}" height="${height}" rx="10" fill="#12181d"/>
<circle cx="22" cy="18" r="6" fill="#ff5f57"/><circle cx="42" cy="18" r="6" fill="#febc2e"/><circle cx="62" cy="18" r="6" fill="#28c840"/>
<text class="title" x="${width / 2}" y="23">${escaped(title)}</text>
${pages.map((page, index) => pageGroup(page, index * secondsPerPage)).join("\n")}
</svg>
`;
}

function pageGroup(lines: readonly (readonly Span[])[], delaySeconds: number): string {
  const rows = lines.flatMap((spans, row) =>
    spans.length === 0
      ? []
      : [
          `<text x="${PADDING}" y="${number(BAR + PADDING + row * CELL.height)}" xml:space="preserve">${spans.map(tspan).join("")}</text>`,
        ],
  );
  return `<g class="page" style="animation-delay:${delaySeconds}s">\n${rows.join("\n")}\n</g>`;
}

function tspan({ text, styles }: Span): string {
  return styles.length === 0 ? escaped(text) : `<tspan class="${styles.join(" ")}">${escaped(text)}</tspan>`;
}

function number(value: number): string {
  return String(Number(value.toFixed(2)));
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function escaped(text: string): string {
  return text.replaceAll(/[&<>]/g, (character) => ENTITIES[character] ?? character);
}

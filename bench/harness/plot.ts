// The report as a picture: a panel of bars for each row, and on the subject's bar a mark for every rate that a target
// asks of it.

import type { Report, Result, RowReport } from "./report.ts";
import { rateText, rateUnit, titleOf } from "./words.ts";

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

/** An SVG document; readable in light and dark surroundings. */
export function plotOf(report: Report): string {
  const panels: string[] = [];
  let top = GAP;
  for (const row of report.rows.filter(({ results }) => results.length > 0)) {
    panels.push(panelOf(report, row, top));
    top += HEADING + row.results.length * LINE + GAP;
  }
  top += LINE;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" aria-label="Rates of all contenders in all rows">
<style>${STYLE}</style>
<rect class="bg" width="${WIDTH}" height="${top}"/>
${panels.join("\n")}
<text class="s" x="8" y="${top - 8}">Red marks: the rate a target asks for, the other contender's rate times its factor. Longer is faster.</text>
</svg>
`;
}

function panelOf(report: Report, row: RowReport, top: number): string {
  const marks = row.verdicts.flatMap(({ target }) => {
    if (target.kind !== "ratio") return [];
    const other = row.results.find(({ contender }) => contender === target.against);
    return other === undefined ? [] : [other.rate.median * target.atLeast];
  });
  const fastest = Math.max(...marks, ...row.results.map(({ rate }) => rate.median));
  const length = (rate: number): number => Math.round((rate / fastest) * BAR_WIDTH * 10) / 10;
  const bar = (result: Result, index: number): string => {
    const y = top + HEADING + index * LINE;
    const own = result.contender === row.subject;
    const targets = own
      ? marks.map(
          (rate) =>
            `<line class="mark" x1="${LABEL_WIDTH + length(rate)}" x2="${LABEL_WIDTH + length(rate)}" y1="${y - 3}" y2="${y + BAR + 3}"/>`,
        )
      : [];
    return [
      `<text ${own ? 'class="h" ' : ""}x="${LABEL_WIDTH - 8}" y="${y + 12}" text-anchor="end">${escaped(titleOf(report, result.contender))}</text>`,
      `<rect class="${own ? "own" : "bar"}" x="${LABEL_WIDTH}" y="${y}" width="${Math.max(1, length(result.rate.median))}" height="${BAR}" rx="2"/>`,
      ...targets,
      `<text x="${WIDTH - 8}" y="${y + 12}" text-anchor="end">${rateText(row, result.rate.median)}</text>`,
    ].join("");
  };
  return [
    `<text class="h" x="8" y="${top + 16}">${escaped(row.title)}</text>`,
    `<text class="s" x="${WIDTH - 8}" y="${top + 16}" text-anchor="end">${rateUnit(row)}</text>`,
    ...row.results.map(bar),
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

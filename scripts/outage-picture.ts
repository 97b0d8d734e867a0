// An outage as a picture: every request as a dot of its latency, and under it the wraps that were owed, with the time
// in which regions were lost.
import type { Timeline } from "strongroom";

const WIDTH = 920;
const LEFT = 70;
const RIGHT = 24;
const LATENCY = { top: 62, height: 260 };
const DEBT = { top: 362, height: 80 };
const HEIGHT = 500;

const STYLE = `text{font:13px system-ui,sans-serif;fill:#24292f}.s{font-size:12px;fill:#57606a}.e{text-anchor:end}.m{text-anchor:middle}.bg{fill:#fff}.lost{fill:#ffebe9}.grid{stroke:#d0d7de;stroke-width:1}
.dot{fill:none;stroke-width:3.4;stroke-linecap:round}.read{stroke:#0969da}.write{stroke:#8250df}.refused{stroke:#9a6700}.failed{stroke:#cf222e;stroke-width:6}.key{stroke-width:8}.owed{fill:none;stroke:#bc4c00;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.bg{fill:#0d1117}.lost{fill:#3a1d1d}.grid{stroke:#30363d}.read{stroke:#4493f8}.write{stroke:#ab7df8}.refused{stroke:#d29922}.failed{stroke:#f85149}.owed{stroke:#db6d28}}`;

type Scale = (value: number) => number;

/** An SVG document; readable in light and dark surroundings. */
export function outagePicture({ outages, calls, debt }: Timeline): string {
  const from = outages.reduce((first, { began }) => Math.min(first, began), Infinity);
  const to = outages.reduce((last, { ended }) => Math.max(last, ended), -Infinity);
  const shown = calls.filter(({ at, ms }) => at >= from && at + ms <= to);
  const x: Scale = (at) => round(LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT - RIGHT));
  const latency = latencyScale(shown.map(({ ms }) => ms));
  const owed = debt.filter(({ at }) => at >= from && at <= to);
  const most = owed.reduce((highest, { items }) => Math.max(highest, items), 1);
  const debtY: Scale = (items) => round(DEBT.top + DEBT.height * (1 - items / most));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Latency of every request and wraps owed, before, during and after a lost region">
<style>${STYLE}</style>
<rect class="bg" width="${WIDTH}" height="${HEIGHT}"/>
${[...outages.map((outage) => lostBand(outage, x)), ...legend(shown), ...latencyGrid(latency), ...DOTS.map((dots) => dotsOf(shown, dots, x, latency.y)), ...debtPanel(owed, most, x, debtY), ...seconds(from, to, x)].join("\n")}
</svg>
`;
}

/** One kind of dot: which calls it stands for. */
interface Dots {
  readonly style: string;
  readonly words: string;
  readonly of: (call: Timeline["calls"][number]) => boolean;
}

/** In the order in which they are drawn: what went wrong lies on top. */
const DOTS: readonly Dots[] = [
  { style: "read", words: "reads", of: ({ kind, outcome }) => kind === "read" && outcome === "ok" },
  { style: "write", words: "writes", of: ({ kind, outcome }) => kind === "write" && outcome === "ok" },
  { style: "refused", words: "refused writes", of: ({ outcome }) => outcome === "refused" },
  { style: "failed", words: "errors", of: ({ outcome }) => outcome === "failed" },
];

/** All dots of a kind are one path of points: a tenth of the size of as many circles. */
function dotsOf(calls: Timeline["calls"], { style, of }: Dots, x: Scale, y: Scale): string {
  const points = calls.filter(of).map(({ at, ms }) => `M${x(at)} ${y(ms)}h0`);
  return `<path class="dot ${style}" d="${points.join("")}"/>`;
}

function legend(calls: Timeline["calls"]): string[] {
  return DOTS.map(({ style, words, of }, index) => {
    const left = LEFT + index * 190;
    return `<path class="dot key ${style}" d="M${left} 24h0"/><text x="${left + 12}" y="28">${calls.filter(of).length.toLocaleString("en")} ${words}</text>`;
  });
}

function lostBand({ fault, regions, lost, back }: Timeline["outages"][number], x: Scale): string {
  const width = round(x(back) - x(lost));
  return `<rect class="lost" x="${x(lost)}" y="${LATENCY.top - 16}" width="${width}" height="${DEBT.top + DEBT.height - LATENCY.top + 16}"/><text class="s m" x="${round(x(lost) + width / 2)}" y="${LATENCY.top - 4}">${escaped(regions.join(" and "))} lost: ${escaped(fault)}</text>`;
}

interface LatencyScale {
  readonly y: Scale;
  /** Powers of ten, in milliseconds. */
  readonly marks: readonly number[];
}

/** Logarithmic: an outage is about factors, and most requests take a few milliseconds. */
function latencyScale(values: readonly number[]): LatencyScale {
  const shortest = values.reduce((least, ms) => Math.min(least, ms), Infinity);
  const longest = values.reduce((most, ms) => Math.max(most, ms), 1);
  const lowest = Math.floor(Math.log10(Math.max(0.1, shortest)));
  const highest = Math.max(lowest + 1, Math.ceil(Math.log10(longest)));
  const y: Scale = (ms) =>
    round(LATENCY.top + LATENCY.height * (1 - (Math.log10(Math.max(ms, 10 ** lowest)) - lowest) / (highest - lowest)));
  return { y, marks: Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index)) };
}

function latencyGrid({ y, marks }: LatencyScale): string[] {
  return marks.map(
    (ms) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(ms)}" y2="${y(ms)}"/><text class="s e" x="${LEFT - 8}" y="${y(ms) + 4}">${ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`}</text>`,
  );
}

function debtPanel(owed: Timeline["debt"], most: number, x: Scale, y: Scale): string[] {
  const line = owed.map(({ at, items }, index) => `${index === 0 ? "M" : "L"}${x(at)} ${y(items)}`).join("");
  return [
    ...[0, most].map(
      (items) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(items)}" y2="${y(items)}"/><text class="s e" x="${LEFT - 8}" y="${y(items) + 4}">${items}</text>`,
    ),
    `<text class="s" x="${LEFT + 4}" y="${DEBT.top - 8}">records that owe a wrap</text>`,
    `<path class="owed" d="${line}"/>`,
  ];
}

function seconds(from: number, to: number, x: Scale): string[] {
  const step = [1, 2, 5, 10, 20, 60, 120].find((each) => (to - from) / 1000 / each <= 14) ?? 600;
  const marks = Array.from({ length: Math.floor((to - from) / 1000 / step) + 1 }, (_, index) => index * step);
  return marks.map(
    (second) => `<text class="s m" x="${x(from + second * 1000)}" y="${HEIGHT - 30}">${second} s</text>`,
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

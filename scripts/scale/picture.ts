// The picture of docs/scale.md: calls a second at the peak, and hours of a rotation, over the number of people. Both
// logarithmic.
import type { Numbers } from "./assumptions.ts";
import { populationOf, rotating, SCOPES, secondsAt } from "./model.ts";
import { peakCalls, WAYS } from "./page.ts";

const WIDTH = 920;
const HEIGHT = 400;
const TOP = 56;
const BOTTOM = 330;
const PANELS = { left: { from: 76, to: 436 }, right: { from: 550, to: 890 } } as const;
const PEOPLE = { lowest: 4, highest: 9 } as const;
/** Points of a line for each power of ten. */
const STEPS = 4;
const HOUR_SECONDS = 3_600;
const SHARE = 0.1;

const STYLE = `text{font:13px system-ui,sans-serif;fill:#24292f}.s{font-size:12px;fill:#57606a}.e{text-anchor:end}.m{text-anchor:middle}.bg{fill:#fff}.grid{stroke:#d0d7de;stroke-width:1}
.line{fill:none;stroke-width:2.4}.k0{stroke:#cf222e}.k1{stroke:#8250df}.k2{stroke:#8250df;stroke-dasharray:7 4}.k3{stroke:#1a7f37}.limit{stroke:#9a6700;stroke-width:1.4;stroke-dasharray:3 3}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.bg{fill:#0d1117}.grid{stroke:#30363d}.k0{stroke:#f85149}.k1,.k2{stroke:#ab7df8}.k3{stroke:#3fb950}.limit{stroke:#d29922}}`;

/** One line: its style, and its value for so many people. */
interface Line {
  readonly style: string;
  readonly of: (people: number) => number;
}

interface Panel {
  readonly place: (typeof PANELS)[keyof typeof PANELS];
  readonly title: string;
  /** Powers of ten. */
  readonly lowest: number;
  readonly highest: number;
  readonly mark: (value: number) => string;
  readonly lines: readonly Line[];
  readonly limits: readonly { readonly at: number; readonly words: string }[];
}

/** An SVG document; readable in light and dark surroundings. */
export function scalePicture(numbers: Numbers): string {
  const { quotaPerSecond } = numbers;
  const calls: Panel = {
    place: PANELS.left,
    title: "KMS calls a second at the peak, first region",
    lowest: -2,
    highest: 6,
    mark: (value) => value.toLocaleString("en"),
    lines: WAYS.map((way, at) => ({ style: `k${at}`, of: (people) => peakCalls(way, people, numbers) })),
    limits: [
      { at: quotaPerSecond, words: `the quota, ${quotaPerSecond.toLocaleString("en")}` },
      { at: quotaPerSecond * 10, words: "ten times as much" },
    ],
  };
  const rotation: Panel = {
    place: PANELS.right,
    title: `Hours of a verified rotation, with ${SHARE * 100} % of the quota`,
    lowest: -6,
    highest: 4,
    mark: (value) => `${value.toLocaleString("en", { maximumFractionDigits: 6 })} h`,
    lines: SCOPES.map((scope) => ({
      style: { record: "k0", subject: "k1", tenant: "k3" }[scope],
      of: (people) => {
        const lines = rotating(scope, populationOf(people, numbers), { ...numbers, verify: true });
        return secondsAt(quotaPerSecond * SHARE, lines) / HOUR_SECONDS;
      },
    })),
    limits: [
      { at: 24, words: "a day" },
      { at: 24 * 30, words: "a month" },
    ],
  };
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="KMS calls a second at the peak and hours of a rotation, by scope, for ten thousand to a billion people">
<style>${STYLE}</style>
<rect class="bg" width="${WIDTH}" height="${HEIGHT}"/>
${[...drawn(calls), ...drawn(rotation), ...legend()].join("\n")}
</svg>
`;
}

function drawn({ place, title, lowest, highest, mark, lines, limits }: Panel): readonly string[] {
  const { from, to } = place;
  const x = (people: number): number =>
    round(from + ((Math.log10(people) - PEOPLE.lowest) / (PEOPLE.highest - PEOPLE.lowest)) * (to - from));
  const y = (value: number): number => {
    const power = Math.min(highest, Math.max(lowest, Math.log10(value)));
    return round(BOTTOM - ((power - lowest) / (highest - lowest)) * (BOTTOM - TOP));
  };
  const powers = Array.from({ length: (highest - lowest) / 2 + 1 }, (_, at) => 10 ** (lowest + 2 * at));
  const people = Array.from({ length: PEOPLE.highest - PEOPLE.lowest + 1 }, (_, at) => PEOPLE.lowest + at);
  const points = Array.from(
    { length: (PEOPLE.highest - PEOPLE.lowest) * STEPS + 1 },
    (_, at) => 10 ** (PEOPLE.lowest + at / STEPS),
  );
  return [
    `<text x="${from}" y="${TOP - 16}">${title}</text>`,
    ...powers.map(
      (value) =>
        `<line class="grid" x1="${from}" x2="${to}" y1="${y(value)}" y2="${y(value)}"/><text class="s e" x="${from - 6}" y="${y(value) + 4}">${mark(value)}</text>`,
    ),
    ...people.map((power) => `<text class="s m" x="${x(10 ** power)}" y="${BOTTOM + 18}">${peopleMark(power)}</text>`),
    ...limits.map(
      ({ at, words }) =>
        `<line class="limit" x1="${from}" x2="${to}" y1="${y(at)}" y2="${y(at)}"/><text class="s" x="${from + 4}" y="${y(at) - 4}">${words}</text>`,
    ),
    ...lines.map(
      ({ style, of }) =>
        `<path class="line ${style}" d="${points.map((count, at) => `${at === 0 ? "M" : "L"}${x(count)} ${y(of(count))}`).join("")}"/>`,
    ),
  ];
}

function peopleMark(power: number): string {
  const marks = ["10,000", "100,000", "1 M", "10 M", "100 M", "1 bn"];
  return marks[power - PEOPLE.lowest] ?? "";
}

function legend(): readonly string[] {
  return WAYS.map(({ name }, at) => {
    const left = [76, 164, 402, 722][at] ?? 0;
    return `<path class="line k${at}" d="M${left} ${HEIGHT - 26}h26"/><text class="s" x="${left + 32}" y="${HEIGHT - 22}">${name.replaceAll("`", "")}</text>`;
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

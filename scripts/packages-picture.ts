// The packages and which of them imports which, as a picture: the rule of .dependency-cruiser.mjs drawn, so that it shows
// what lint allows.

/** Package -> the packages that it may import. */
export type AllowedImports = Readonly<Record<string, readonly string[]>>;

/** The rule that `npm run lint:imports` holds the packages to. */
export async function allowedImports(): Promise<AllowedImports> {
  const rules = new URL("../.dependency-cruiser.mjs", import.meta.url);
  return ((await import(rules.href)) as { readonly allowed: AllowedImports }).allowed;
}

const WIDTH = 980;
const HEIGHT = 670;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** What is in it, a line each. */
  readonly lines: readonly string[];
  /** `library`: published by itself. `private`: inside those that import it. */
  readonly style: "library" | "private";
}

const BOX_HEIGHT = 78;

/** Whoever imports lies above what it imports. */
const BOXES: Readonly<Record<string, Box>> = {
  cli: { x: 24, y: 44, width: 932, style: "library", lines: ["the command; the only package that wires everything"] },
  client: {
    x: 24,
    y: 164,
    width: 200,
    style: "library",
    lines: ["typed client of the HTTP API,", "made from its OpenAPI"],
  },
  server: { x: 500, y: 164, width: 226, style: "library", lines: ["the HTTP API, tokens,", "OpenAPI"] },
  kms: { x: 766, y: 164, width: 190, style: "library", lines: ["speaks the AWS KMS API;", "shares no cryptography"] },
  vault: {
    x: 460,
    y: 264,
    width: 226,
    style: "library",
    lines: ["records, versions, stores,", "repair of owed wraps"],
  },
  envelope: {
    x: 264,
    y: 366,
    width: 270,
    style: "library",
    lines: ["messages, keyrings, regions;", "no runtime dependency"],
  },
  witness: {
    x: 640,
    y: 366,
    width: 216,
    style: "private",
    lines: ["a file, a service, a bucket;", "private: bundled"],
  },
  base: {
    x: 580,
    y: 466,
    width: 336,
    style: "private",
    lines: ["files, locks, SQLite, commands, settings, errors;", "private: bundled into those above it"],
  },
  tlog: {
    x: 234,
    y: 566,
    width: 722,
    style: "private",
    lines: [
      "transparency logs: Merkle trees, signed notes, checkpoints, cosignatures;",
      "private: bundled into those above it",
    ],
  },
};

/** Where an arrow goes down from one package to another. */
const ARROW_AT: Readonly<Record<string, number>> = {
  "cli client": 124,
  "cli tlog": 244,
  "cli envelope": 364,
  "cli vault": 480,
  "cli server": 620,
  "cli base": 746,
  "cli kms": 861,
  "server vault": 594,
  "server base": 706,
  "kms base": 890,
  "kms tlog": 936,
  "kms witness": 811,
  "vault envelope": 500,
  "vault base": 616,
  "vault tlog": 557,
  "vault witness": 663,
  "witness base": 784,
  "witness tlog": 838,
};

const STYLE = `text{font-size:14px;font-family:ui-sans-serif,system-ui,sans-serif;fill:#1f2a30}.s{font-size:12px;fill:#55636b}.bg{fill:#fbfbf8}
.library{fill:#fff;stroke:#37474f;stroke-width:1.4}.private{fill:#eef1f7;stroke:#34508a;stroke-width:1.4;stroke-dasharray:5 4}
.a{stroke:#37474f;stroke-width:1.6;fill:none;marker-end:url(#m)}.tip{fill:#37474f}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.bg{fill:#0d1117}.library{fill:#161b22;stroke:#9198a1}.private{fill:#121d2f;stroke:#4493f8}.a{stroke:#9198a1}.tip{fill:#9198a1}}`;

/** An SVG document; readable in light and dark surroundings. */
export function packagesPicture(allowed: AllowedImports): string {
  const boxes = Object.keys(allowed).map((name) => boxOf(name));
  const arrows = Object.entries(allowed).flatMap(([from, targets]) => targets.map((to) => arrowOf(from, to)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${caption(allowed)}">
<title>The packages: an arrow goes from a package to one that it may import</title>
<style>${STYLE}</style>
<defs><marker id="m" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0 10 5 0 10z"/></marker></defs>
<rect class="bg" width="${WIDTH}" height="${HEIGHT}"/>
<text class="s" x="24" y="28">An arrow goes from a package to one that it may import; everything else is refused by npm run lint:imports. It ends at its tip, also behind a box.</text>
${[...arrows, ...boxes].join("\n")}
</svg>
`;
}

function boxOf(name: string): string {
  const { x, y, width, lines, style } = placed(name);
  const text = lines.map((line, index) => `<text class="s" x="${x + 16}" y="${y + 48 + index * 16}">${line}</text>`);
  const box = `<rect class="${style}" x="${x}" y="${y}" width="${width}" height="${BOX_HEIGHT}" rx="8"/>`;
  return `${box}<text x="${x + 16}" y="${y + 27}">${name}</text>${text.join("")}`;
}

function arrowOf(from: string, to: string): string {
  const x = ARROW_AT[`${from} ${to}`];
  if (x === undefined) throw new Error(`scripts/packages-picture.ts has no place for an arrow from ${from} to ${to}.`);
  const top = placed(from).y + BOX_HEIGHT;
  return `<path class="a" d="M${x} ${top}V${placed(to).y - 2}"/>`;
}

function placed(name: string): Box {
  const box = BOXES[name];
  if (box === undefined) throw new Error(`scripts/packages-picture.ts has no place for the package ${name}.`);
  return box;
}

/** The picture in words, for those who do not see it. */
function caption(allowed: AllowedImports): string {
  const sentences = Object.entries(allowed).map(
    ([from, targets]) => `${from} may import ${targets.length === 0 ? "no other package" : targets.join(", ")}.`,
  );
  return sentences.join(" ");
}

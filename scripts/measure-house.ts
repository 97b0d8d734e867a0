// `npm run measure`: the house in figures, this checkout beside earlier revisions: `npm run measure -- v0.1.0 HEAD~20`.
// Prints Markdown tables; an earlier revision is unpacked into a temporary folder and measured by the same code.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { againstTheDesign, cycles, exportedNames, type PackageSizes, repeatedRuns, sizes } from "./house/measures.ts";
import { closureOf, definitionOf, readSourceTree, type SourceTree } from "./house/source-tree.ts";

const root = new URL("..", import.meta.url).pathname;

/** A call whose reader is followed: the package and the function, or the file where it begins. */
const CALLS = [
  { title: "encrypt", package: "envelope", name: "encrypt" },
  { title: "decrypt", package: "envelope", name: "decrypt" },
  { title: "multiRegionKeyring", package: "envelope", name: "multiRegionKeyring" },
  { title: "openVault", package: "vault", name: "openVault" },
  { title: "a KMS call (Encrypt)", file: "packages/kms/src/operations/encrypt.ts" },
] as const;

interface House {
  readonly title: string;
  readonly tree: SourceTree;
  readonly sizes: ReadonlyMap<string, PackageSizes>;
  readonly names: ReadonlyMap<string, readonly string[]>;
}

function measure(title: string, folder: string): House {
  const tree = readSourceTree(folder);
  const measured = sizes(tree);
  return { title, tree, sizes: measured, names: exportedNames(folder) };
}

function measureRevision(revision: string): House {
  const folder = mkdtempSync(join(tmpdir(), "strongroom-house-"));
  try {
    const archive = execFileSync("git", ["archive", revision, "packages"], { cwd: root, maxBuffer: 2 ** 28 });
    execFileSync("tar", ["-x", "-C", folder], { input: archive });
    return measure(revision, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function table(heading: string, houses: readonly House[], rows: readonly (readonly [string, ...string[]])[]): string {
  const head = [heading, ...houses.map(({ title }) => title)];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const houses = [...process.argv.slice(2).map(measureRevision), measure("this checkout", root)];
const packages = [...new Set(houses.flatMap((house) => [...house.sizes.keys()]))].sort();
const percent = (share: number): string => `${Math.round(share * 100)} %`;

const sizeRows = packages.map((name): [string, ...string[]] => [
  name,
  ...houses.map(({ sizes: measured }) => {
    const one = measured.get(name);
    if (one === undefined) return "";
    return [one.files, one.medianLines, one.thinFiles, one.longLines, percent(one.commentShare)].join(" / ");
  }),
]);

const callRows = CALLS.map((call): [string, ...string[]] => [
  call.title,
  ...houses.map(({ tree }) => {
    const start = "file" in call ? call.file : definitionOf(tree, call.package, call.name);
    return start === null ? "" : String(closureOf(tree, start).size);
  }),
]);

const entries = [...new Set(houses.flatMap((house) => [...house.names.keys()]))].sort();
const nameRows = entries.map((entry): [string, ...string[]] => [
  entry,
  ...houses.map(({ names }) => String(names.get(entry)?.length ?? "")),
]);

const wholeRows: [string, ...string[]][] = [
  ["repeated runs of six lines", ...houses.map(({ tree }) => String(repeatedRuns(tree).length))],
  ["cycles", ...houses.map(({ tree }) => String(cycles(tree).length))],
  ["imports against the design", ...houses.map(({ tree }) => String(againstTheDesign(tree).length))],
];

console.log(
  [
    table("files / median lines / files under 30 lines / lines over 120 columns / comments", houses, sizeRows),
    table("files that one call opens (value imports, within the package)", houses, callRows),
    table("exported names", houses, nameRows),
    table("the whole", houses, wholeRows),
  ].join("\n\n"),
);

// What is measured of the sources, each measure a function of the tree: sizes, long lines, closures, cycles, imports that run
// against the design, repeated runs of lines.
import ts from "typescript";
import { entryPoints } from "../api/entry-points.ts";
import { allowedImports } from "../packages-picture.ts";
import type { SourceFile, SourceTree } from "./source-tree.ts";

/** Sizes of one package. */
export interface PackageSizes {
  readonly files: number;
  readonly lines: number;
  readonly medianLines: number;
  /** Files of fewer than 30 lines. */
  readonly thinFiles: number;
  /** Lines of more than 120 columns. */
  readonly longLines: number;
  /** Lines that are comments, of all. */
  readonly commentShare: number;
}

/** The rule that `npm run lint:imports` holds the packages to. */
const MAY_IMPORT = await allowedImports();

/** Sizes by package. */
export function sizes(tree: SourceTree): ReadonlyMap<string, PackageSizes> {
  const result = new Map<string, PackageSizes>();
  for (const [name, files] of Map.groupBy(tree.values(), (file) => file.package)) {
    const lines = files.flatMap((file) => file.lines);
    result.set(name, {
      files: files.length,
      lines: lines.length,
      medianLines: median(files.map((file) => file.lines.length)),
      thinFiles: files.filter((file) => file.lines.length < 30).length,
      longLines: lines.filter((line) => line.length > 120).length,
      commentShare: lines.filter((line) => /^\s*(\/\/|\/?\*)/.test(line)).length / lines.length,
    });
  }
  return result;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : Math.round(((sorted[middle - 1] ?? 0) + upper) / 2);
}

/** Groups of files that import one another in a circle, by value or by type. */
export function cycles(tree: SourceTree): readonly (readonly string[])[] {
  const reach = new Map([...tree.keys()].map((path) => [path, reachable(tree, path)]));
  const seen = new Set<string>();
  const groups: string[][] = [];
  for (const path of tree.keys()) {
    if (seen.has(path) || !(reach.get(path)?.has(path) ?? false)) continue;
    const group = [...tree.keys()].filter((other) => reach.get(path)?.has(other) && reach.get(other)?.has(path));
    for (const member of group) seen.add(member);
    groups.push(group);
  }
  return groups;
}

function reachable(tree: SourceTree, path: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = importedFiles(tree.get(path));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const imported of importedFiles(tree.get(next))) queue.push(imported);
  }
  return seen;
}

function importedFiles(file: SourceFile | undefined): string[] {
  return file?.imports.flatMap(({ file: imported }) => imported ?? []) ?? [];
}

/** Imports of sibling packages that the design does not allow, as `file -> package`. */
export function againstTheDesign(tree: SourceTree): readonly string[] {
  return [...tree.values()].flatMap((file) =>
    file.imports.flatMap(({ specifier }) => {
      const sibling = /^@strongroom\/([a-z]+)/.exec(specifier)?.[1];
      if (sibling === undefined || sibling === file.package) return [];
      return MAY_IMPORT[file.package]?.includes(sibling) ? [] : [`${file.path} -> ${sibling}`];
    }),
  );
}

/** Lines that make a run worth naming. */
const RUN = 6;

/**
 * Runs of at least six lines that stand in two places to the letter (white space apart). Comments, imports, lists of
 * exports and lines without a word do not count.
 */
export function repeatedRuns(tree: SourceTree): readonly string[] {
  const places = new Map<string, { readonly path: string; readonly line: number }>();
  const runs: string[] = [];
  for (const { path, text: source } of tree.values()) {
    const telling = source
      .replaceAll(/^(?:import|export) (?:type )?\{[^}]*\}/gm, (list) => list.replaceAll(/[^\n]/g, ""))
      .split("\n")
      .map((line, index) => ({ text: line.trim(), number: index + 1 }))
      .filter(({ text }) => /\w/.test(text) && !/^(\/\/|\/?\*|import |from )/.test(text));
    let until = 0;
    for (let start = 0; start + RUN <= telling.length; start++) {
      const key = telling
        .slice(start, start + RUN)
        .map(({ text }) => text)
        .join("\n");
      const number = telling[start]?.number ?? 0;
      const first = places.get(key);
      if (first === undefined) places.set(key, { path, line: number });
      else if (number >= until) {
        runs.push(`${path}:${number} ~ ${first.path}:${first.line}`);
        until = telling[start + RUN]?.number ?? Infinity;
      }
    }
  }
  return runs;
}

/** The names that each entry point of the public packages exports: `@strongroom/envelope/aws-kms` -> names. */
export function exportedNames(root: string): ReadonlyMap<string, readonly string[]> {
  const entries = entryPoints(root);
  const options: ts.CompilerOptions = { allowImportingTsExtensions: true, noEmit: true, noLib: true, types: [] };
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    { ...options, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  );
  const checker = program.getTypeChecker();
  return new Map(
    entries.map(({ name, file }) => {
      const source = program.getSourceFile(file);
      const symbol = source === undefined ? undefined : checker.getSymbolAtLocation(source);
      const names = symbol === undefined ? [] : checker.getExportsOfModule(symbol).map((one) => one.getName());
      return [name, names.sort()];
    }),
  );
}

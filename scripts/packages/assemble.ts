// Makes `dist` of a published package from what tsc compiled: its own files, the files of private packages that it
// uses, and what CommonJS gets. Nothing else is there, so nothing old is published.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { compiledName, COMMONJS_FOLDER } from "./exports.ts";
import { packageOf, rewriteSpecifiers, specifiersOf } from "./specifiers.ts";
import { isPublished, sourceEntries } from "./workspace.ts";
import type { Package } from "./workspace.ts";

/** Compiled files by their path under `dist`. */
type Files = Map<string, string>;

function textOf(files: Files, path: string): string {
  const text = files.get(path);
  if (text === undefined) throw new Error(`dist/${path} is imported and was not compiled`);
  return text;
}

/** Writes `dist` anew. `packages` are all of the workspace. */
export function assemble(published: Package, packages: readonly Package[]): void {
  const files = compiledFiles(published, "");
  bundle(files, published, packages);
  addCommonJs(files, published);
  checkDependencies(files, published);
  const dist = join(published.folder, "dist");
  rmSync(dist, { recursive: true, force: true });
  for (const [path, text] of files) {
    const file = join(dist, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** What tsc made of each source that is there now, under a folder of `dist`. */
function compiledFiles({ folder }: Package, under: string): Files {
  const files: Files = new Map();
  for (const source of globSync("**/*.ts", { cwd: join(folder, "src") }).toSorted()) {
    const name = compiledName(`src/${source.replaceAll("\\", "/")}`);
    for (const ending of [".js", ".js.map", ".d.ts"]) {
      const text = readFileSync(join(folder, "build", name + ending), "utf8");
      files.set(posix.join(under, name + ending), ending === ".d.ts" ? naming(text) : text);
    }
  }
  return files;
}

/** Declarations name the compiled file: tsc leaves `.ts` there, which other tools do not resolve. */
const naming = (declarations: string): string =>
  rewriteSpecifiers(declarations, (specifier) =>
    specifier.startsWith(".") ? specifier.replace(/\.ts$/, ".js") : specifier,
  ).text;

/**
 * Takes in the files of private packages that are imported, each package in a folder of its own, and makes their
 * specifiers relative.
 */
function bundle(files: Files, published: Package, packages: readonly Package[]): void {
  const available: Files = new Map();
  const targets = new Map<string, string>();
  for (const { name, folder, manifest } of packages.filter((one) => !isPublished(one))) {
    const under = name.split("/").at(-1) ?? name;
    if ([...files.keys()].some((path) => path.startsWith(`${under}/`)))
      throw new Error(`${published.name} has a folder src/${under}: ${name} is to be bundled there`);
    for (const [path, text] of compiledFiles({ name, folder, manifest }, under))
      available.set(path, path.endsWith(".map") ? withSources(text, path, under) : text);
    for (const [entry, source] of sourceEntries(manifest))
      targets.set(posix.join(name, entry), `${under}/${compiledName(source)}.js`);
  }
  const open = [...files.keys()].filter((path) => !path.endsWith(".map"));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const from = posix.dirname(path);
    const { text, moveMappings } = rewriteSpecifiers(textOf(files, path), (specifier) => {
      const target = targets.get(specifier);
      return target === undefined ? specifier : relative(from, target);
    });
    files.set(path, text);
    const map = files.get(`${path}.map`);
    if (map !== undefined) files.set(`${path}.map`, withMappings(map, moveMappings));
    for (const specifier of specifiersOf(text).filter((one) => one.startsWith("."))) {
      const name = posix.join(from, specifier).replace(/\.js$/, "");
      if (files.has(`${name}.js`) || !available.has(`${name}.js`)) continue;
      for (const ending of [".js", ".js.map", ".d.ts"]) files.set(name + ending, textOf(available, name + ending));
      open.push(`${name}.js`, `${name}.d.ts`);
    }
  }
}

/**
 * For `require`: an entry that requires the one ES module, and declarations in which TypeScript sees CommonJS.
 */
function addCommonJs(files: Files, { manifest }: Package): void {
  const entries = [...sourceEntries(manifest).values()].map(compiledName);
  const reached = new Set<string>();
  const open = entries.map((name) => `${name}.d.ts`);
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const specifier of specifiersOf(textOf(files, path)))
      if (specifier.startsWith(".")) open.push(posix.join(posix.dirname(path), specifier).replace(/\.js$/, ".d.ts"));
  }
  for (const path of [...reached].toSorted()) files.set(`${COMMONJS_FOLDER}/${path}`, textOf(files, path));
  for (const name of entries) {
    const path = `${COMMONJS_FOLDER}/${name}.js`;
    files.set(path, `"use strict";\nmodule.exports = require("${relative(posix.dirname(path), `${name}.js`)}");\n`);
  }
  files.set(`${COMMONJS_FOLDER}/package.json`, '{ "type": "commonjs" }\n');
}

/** Refuses imports of packages that an installation would not bring, and of private ones that are left. */
function checkDependencies(files: Files, { name, manifest }: Package): void {
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies, [name]: "itself" };
  const problems = [...files]
    .filter(([path]) => path.endsWith(".js") || path.endsWith(".d.ts"))
    .flatMap(([path, text]) =>
      specifiersOf(text)
        .map(packageOf)
        .filter((one) => one !== null && !(one in declared))
        .map((one) => `dist/${path} imports ${String(one)}`),
    );
  if (problems.length === 0) return;
  throw new Error(`${name} does not name all its dependencies:\n  ${problems.join("\n  ")}`);
}

/** Of a bundled file: its sources as if they lay in the package that carries it. */
function withSources(map: string, path: string, under: string): string {
  const parsed = JSON.parse(map) as { readonly sources: readonly string[] };
  const sources = parsed.sources.map((source) => {
    const own = posix.join(posix.dirname(path.slice(under.length + 1)), source).replace(/^\.\.\/src\//, "");
    return relative(posix.join("dist", posix.dirname(path)), posix.join("src", under, own));
  });
  return JSON.stringify({ ...parsed, sources });
}

function withMappings(map: string, move: (mappings: string) => string): string {
  const parsed = JSON.parse(map) as { readonly mappings: string };
  return JSON.stringify({ ...parsed, mappings: move(parsed.mappings) });
}

function relative(from: string, to: string): string {
  const path = posix.relative(from, to);
  return path.startsWith(".") ? path : `./${path}`;
}

// Looks a packed package over, file by file, as a stranger would find it after installing: is everything there that
// it names, and nothing that belongs to this machine or to the workspace alone?
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, posix } from "node:path";
import { COMMONJS_FOLDER } from "./exports.ts";
import { packageOf, specifiersOf } from "./specifiers.ts";
import type { ExportTarget, Manifest } from "./workspace.ts";
import { ROOT, SOURCE_CONDITION } from "./workspace.ts";

/** What the workspace knows of a package beside its files. */
export interface Expected {
  /** Text of the licence that each package carries. */
  readonly license: string;
  /** Names of packages that are never published. */
  readonly privateNames: readonly string[];
}

interface Contents {
  readonly folder: string;
  /** Paths relative to the package, with `/`. */
  readonly files: ReadonlySet<string>;
  readonly manifest: Manifest & Readonly<Record<string, unknown>>;
}

/** Fields that the registry shows, and those that a release relies on. */
const REQUIRED_FIELDS = [
  "description",
  "license",
  "author",
  "homepage",
  "bugs",
  "repository",
  "keywords",
  "engines",
  "publishConfig",
] as const;

/** Every problem of an unpacked package; none when it may be published. */
export function checkPacked(folder: string, expected: Expected): readonly string[] {
  const contents: Contents = {
    folder,
    files: new Set(
      globSync("**/*", { cwd: folder })
        .filter((path) => statSync(join(folder, path)).isFile())
        .map((path) => path.replaceAll("\\", "/")),
    ),
    manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Contents["manifest"],
  };
  return [
    ...manifestProblems(contents),
    ...missingFiles(contents),
    ...strayFiles(contents),
    ...licenseProblems(contents, expected),
    ...[...contents.files].flatMap((path) => textProblems(contents, path, expected)),
  ];
}

function manifestProblems({ manifest }: Contents): readonly string[] {
  const { publishConfig, engines } = manifest as {
    readonly publishConfig?: { readonly access?: string; readonly provenance?: boolean };
    readonly engines?: { readonly node?: string };
  };
  return [
    ...REQUIRED_FIELDS.filter((field) => !(field in manifest)).map((field) => `package.json has no ${field}`),
    ...["devDependencies", "scripts", "private"]
      .filter((field) => field in manifest)
      .map((field) => `package.json has ${field}, which is the workspace's own`),
    ...(publishConfig?.access === "public" && publishConfig.provenance === true
      ? []
      : ["publishConfig is not public with provenance"]),
    ...(engines?.node === ">=22.18" ? [] : ["engines.node is not >=22.18"]),
    ...Object.entries(manifest.dependencies ?? {})
      .filter(([, range]) => /^(?:file|link|workspace|git)/.test(range))
      .map(([name, range]) => `it depends on ${name} at ${range}, which no registry has`),
    ...Object.entries(manifest.exports ?? {}).flatMap(([entry, target]) => exportProblems(entry, target)),
  ];
}

/** The first condition that holds is taken: `types` must stand first, and the workspace's own must not be there. */
function exportProblems(entry: string, target: ExportTarget): readonly string[] {
  if (typeof target === "string") return [];
  const conditions = Object.keys(target);
  return [
    ...(conditions.includes(SOURCE_CONDITION) ? [`exports "${entry}" names a source`] : []),
    ...(conditions.includes("default") && !conditions.includes("types") ? [`exports "${entry}" has no types`] : []),
    ...(conditions.indexOf("types") > conditions.indexOf("default")
      ? [`exports "${entry}" names types after code`]
      : []),
    ...(entry === "." || entry.startsWith("./") ? [] : [`exports "${entry}" is no subpath`]),
    ...Object.values(target).flatMap((inner) => exportProblems(entry, inner)),
  ];
}

function missingFiles({ files, manifest, folder }: Contents): readonly string[] {
  const named = [
    ...Object.values(manifest.exports ?? {}).flatMap(filesOf),
    ...Object.values(manifest.bin ?? {}),
    "package.json",
    "README.md",
    "LICENSE",
  ];
  const programs = Object.values(manifest.bin ?? {}).filter((path) => files.has(posix.normalize(path)));
  return [
    ...(manifest.exports === undefined ? ["package.json has no exports"] : []),
    ...named.filter((path) => !files.has(posix.normalize(path))).map((path) => `${path} is named and not packed`),
    ...programs
      .filter((path) => !readFileSync(join(folder, path), "utf8").startsWith("#!/usr/bin/env node\n"))
      .map((path) => `${path} does not begin with #!/usr/bin/env node`),
  ];
}

const filesOf = (target: ExportTarget): readonly string[] =>
  typeof target === "string" ? [target] : Object.values(target).flatMap(filesOf);

function strayFiles({ files }: Contents): readonly string[] {
  const belongs = /^(?:package\.json|README\.md|LICENSE|bin\/.+\.js|dist\/.+(?:\.js|\.js\.map|\.d\.ts))$/;
  const test = /(?:^|[/.])tests?[/.]|\btest-long\b|\.types\.d\.ts$/;
  return [...files]
    .filter((path) => path !== `dist/${COMMONJS_FOLDER}/package.json`)
    .filter((path) => !belongs.test(path) || test.test(path))
    .map((path) => `${path} is packed and does not belong there`);
}

function licenseProblems({ folder, files }: Contents, { license }: Expected): readonly string[] {
  if (!files.has("LICENSE")) return [];
  return readFileSync(join(folder, "LICENSE"), "utf8") === license ? [] : ["LICENSE is not the repository's"];
}

function textProblems(contents: Contents, path: string, { privateNames }: Expected): readonly string[] {
  const text = readFileSync(join(contents.folder, path), "utf8");
  const imports = /(?:\.js|\.d\.ts)$/.test(path) ? specifiersOf(text) : [];
  return [
    ...[ROOT, `${homedir()}/`].filter((own) => text.includes(own)).map(() => `${path} holds a path of this machine`),
    ...privateNames
      .filter((name) => imports.some((one) => packageOf(one) === name))
      .map((name) => `${path} imports ${name}`),
    ...imports.flatMap((specifier) => importProblems(contents, path, specifier)),
    ...(path.endsWith(".js") ? mapProblems(contents, path, text) : []),
  ];
}

function importProblems({ files, manifest }: Contents, path: string, specifier: string): readonly string[] {
  const name = packageOf(specifier);
  if (name !== null) {
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies, [manifest.name]: "" };
    return name in declared ? [] : [`${path} imports ${name}, which is no dependency`];
  }
  if (specifier.startsWith("node:")) return [];
  const target = posix.join(posix.dirname(path), specifier);
  const wanted = path.endsWith(".d.ts") ? target.replace(/\.js$/, ".d.ts") : target;
  return files.has(wanted) ? [] : [`${path} imports ${wanted}, which is not packed`];
}

/** A source map names sources that are not packed, so it must hold them. */
function mapProblems({ folder }: Contents, path: string, text: string): readonly string[] {
  const name = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(text)?.[1];
  if (name === undefined) return [];
  const map = join(folder, posix.dirname(path), name);
  if (!existsSync(map)) return [`${path} names its source map ${name}, which is not packed`];
  const { sources, sourcesContent = [] } = JSON.parse(readFileSync(map, "utf8")) as {
    readonly sources: readonly string[];
    readonly sourcesContent?: readonly (string | null)[];
  };
  return sources.every((_, index) => typeof sourcesContent[index] === "string")
    ? []
    : [`${path}.map does not hold its sources`];
}

// The packages of this repository: which are published, in which order, and which are private and bundled into the
// others.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The repository's root. */
export const ROOT: string = join(import.meta.dirname, "../..");

/** The export condition under which the workspace resolves to sources. */
export const SOURCE_CONDITION = "@strongroom/source";

/** What an entry of `exports` says: a file, or files by condition. */
export type ExportTarget = string | { readonly [condition: string]: ExportTarget };

/** The part of a package.json that is read here. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly exports?: Readonly<Record<string, ExportTarget>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** One package of the workspace. */
export interface Package {
  readonly name: string;
  /** Its folder, absolute. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Every package that is compiled, each after those it depends on. */
export function readPackages(root: string = ROOT): readonly Package[] {
  const { workspaces } = readManifest(root) as Manifest & { readonly workspaces: readonly string[] };
  const packages = workspaces
    .map((workspace) => join(root, workspace))
    .filter((folder) => existsSync(join(folder, "tsconfig.json")))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .map(({ folder, manifest }) => ({ name: manifest.name, folder, manifest }));
  return inDependencyOrder(packages);
}

/** Packages that go to the registry. */
export const isPublished = ({ manifest }: Package): boolean => manifest.private !== true;

/** The package's own subpath exports: entry (`.`, `./sqlite`) -> its source file, relative to the package. */
export function sourceEntries({ exports = {} }: Manifest): ReadonlyMap<string, string> {
  const entries = Object.entries(exports).flatMap(([entry, target]) => {
    const source = typeof target === "string" ? undefined : target[SOURCE_CONDITION];
    return typeof source === "string" ? [[entry, source] as const] : [];
  });
  return new Map(entries);
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

function inDependencyOrder(packages: readonly Package[]): readonly Package[] {
  const ordered = new Set<Package>();
  const visit = (one: Package): void => {
    if (ordered.has(one)) return;
    const { dependencies, devDependencies } = one.manifest;
    const needed = { ...dependencies, ...devDependencies };
    for (const other of packages) if (other !== one && other.name in needed) visit(other);
    ordered.add(one);
  };
  packages.forEach(visit);
  return [...ordered];
}

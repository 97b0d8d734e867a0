// Packs published packages into tarballs, out of a copy: package.json without what concerns the workspace alone.
//
//   npm run packages:pack [-- FOLDER]      builds, then packs into FOLDER (`packed` without it)
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "./build.ts";
import type { ExportTarget, Manifest, Package } from "./workspace.ts";
import { isPublished, readPackages, ROOT, SOURCE_CONDITION } from "./workspace.ts";

/** A packed package: its tarball's path, and what is inside. */
export interface Packed {
  readonly name: string;
  readonly tarball: string;
  readonly manifest: Manifest;
}

/** The package.json that is published. */
export function publishedManifest(manifest: Manifest): Manifest {
  const kept = Object.entries(manifest).filter(([field]) => field !== "devDependencies" && field !== "scripts");
  const published = Object.fromEntries(kept) as unknown as Manifest;
  return { ...published, exports: withoutSources(manifest.exports ?? {}) as Readonly<Record<string, ExportTarget>> };
}

function withoutSources(target: ExportTarget): ExportTarget {
  if (typeof target === "string") return target;
  const kept = Object.entries(target).filter(([condition]) => condition !== SOURCE_CONDITION);
  return Object.fromEntries(kept.map(([condition, inner]) => [condition, withoutSources(inner)]));
}

/** Packs one package, which must be built, into a folder. */
export function pack({ folder, manifest }: Package, destination: string): Packed {
  const stage = mkdtempSync(join(tmpdir(), "strongroom-pack-"));
  try {
    for (const file of [...(manifest.files ?? []), "README.md", "LICENSE"])
      if (existsSync(join(folder, file))) cpSync(join(folder, file), join(stage, file), { recursive: true });
    const published = publishedManifest(manifest);
    writeFileSync(join(stage, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
    mkdirSync(destination, { recursive: true });
    const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", destination];
    const before = new Set(readdirSync(destination));
    execFileSync("npm", args, { cwd: stage, stdio: ["ignore", "ignore", "inherit"] });
    const made = readdirSync(destination).find((file) => !before.has(file));
    if (made === undefined) throw new Error(`${destination} holds a tarball of ${manifest.name} already`);
    return { name: manifest.name, tarball: join(destination, made), manifest: published };
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** Builds and packs every published package, in the order in which they are to be published. */
export function packAll(destination: string): readonly Packed[] {
  build();
  return readPackages()
    .filter(isPublished)
    .map((one) => pack(one, destination));
}

if (import.meta.main) {
  const destination = resolve(process.argv[2] ?? join(ROOT, "packed"));
  rmSync(destination, { recursive: true, force: true });
  for (const { name, tarball } of packAll(destination)) console.log(`${name}: ${tarball}`);
}

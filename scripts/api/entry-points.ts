// The entry points of the public packages, from the `exports` of their package.json: what a user can import, and the source
// file behind each name.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One thing that can be imported. */
export interface EntryPoint {
  /** As it is imported: `@strongroom/envelope/aws-kms`. */
  readonly name: string;
  /** The folder below `packages/`. */
  readonly package: string;
  /** Absolute path of the source file. */
  readonly file: string;
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, Readonly<Record<string, unknown>> | string>>;
}

/** The entry points below `root`, packages that are not published left out. */
export function entryPoints(root: string): readonly EntryPoint[] {
  return readdirSync(join(root, "packages"))
    .sort()
    .flatMap((folder) => {
      const manifest = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8")) as Manifest;
      if (manifest.private === true) return [];
      return Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
        const source = typeof target === "string" ? undefined : target["@strongroom/source"];
        if (typeof source !== "string") return [];
        return [{ name: join(manifest.name, subpath), package: folder, file: join(root, "packages", folder, source) }];
      });
    });
}

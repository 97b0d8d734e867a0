// What `exports` of a published package says, made from the one thing that a person writes: the source of each entry.
//
//   npm run packages:exports      writes it into every package.json; `npm run build` refuses what differs
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExportTarget, Manifest, Package } from "./workspace.ts";
import { isPublished, readPackages, SOURCE_CONDITION, sourceEntries } from "./workspace.ts";

/** Folder under `dist` of what CommonJS gets: docs/decisions/0008-commonjs-by-require.md. */
export const COMMONJS_FOLDER = "cjs";

/** The compiled form of a source: `./src/a/b.ts` -> `a/b`. */
export function compiledName(source: string): string {
  const name = /^(?:\.\/)?src\/(.+)\.ts$/.exec(source)?.[1];
  if (name === undefined) throw new Error(`An export's source is src/….ts: ${source}`);
  return name;
}

/** The `exports` that a package ought to have. */
export function completeExports(manifest: Manifest): Readonly<Record<string, ExportTarget>> {
  const entries = [...sourceEntries(manifest)].map(([entry, source]) => {
    const name = compiledName(source);
    return [
      entry,
      {
        [SOURCE_CONDITION]: source,
        require: files(`./dist/${COMMONJS_FOLDER}/${name}`),
        ...files(`./dist/${name}`),
      },
    ] as const;
  });
  return { ...Object.fromEntries(entries), "./package.json": "./package.json" };
}

const files = (path: string): { readonly types: string; readonly default: string } => ({
  types: `${path}.d.ts`,
  default: `${path}.js`,
});

/** Refuses packages whose `exports` are not complete. */
export function checkExports(packages: readonly Package[]): void {
  const wrong = packages
    .filter(isPublished)
    .filter(({ manifest }) => JSON.stringify(manifest.exports) !== JSON.stringify(completeExports(manifest)));
  if (wrong.length === 0) return;
  const names = wrong.map(({ name }) => name).join(", ");
  throw new Error(`The exports of ${names} are not complete: run npm run packages:exports`);
}

if (import.meta.main) {
  for (const { folder, manifest } of readPackages().filter(isPublished)) {
    const path = join(folder, "package.json");
    const whole = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    writeFileSync(path, `${JSON.stringify({ ...whole, exports: completeExports(manifest) }, null, 2)}\n`);
  }
}

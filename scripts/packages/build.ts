// npm run build: compiles every package with tsc and makes the `dist` that is published.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { assemble } from "./assemble.ts";
import { checkExports } from "./exports.ts";
import { isPublished, readPackages, ROOT } from "./workspace.ts";

/** Compiles and assembles; what tsc says goes to the terminal. */
export function build(): void {
  const packages = readPackages();
  checkExports(packages);
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const folders = packages.map(({ folder }) => folder);
  const { status } = spawnSync(process.execPath, [tsc, "-b", ...folders], { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) throw new Error("The packages do not compile.");
  for (const one of packages.filter(isPublished)) assemble(one, packages);
}

if (import.meta.main) {
  try {
    build();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

// A project of someone else: the packed packages are installed into it, and each file of uses/ is there twice, as an
// ES module and as CommonJS.
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Packed } from "../../scripts/packages/pack.ts";

const run = promisify(execFile);

/** How a file is understood, by the package.json beside it. */
export const FORMS = ["esm", "cjs"] as const;
/** One of {@link FORMS}. */
export type Form = (typeof FORMS)[number];

/** The oldest Node that is supported. */
const OLDEST_NODE = "22.18.0";
/** The registry's package of nothing but the program: no script has to run. */
const NODE_PACKAGE = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

/** What a project has beside the packages: clients that users bring, and the oldest tools that are supported. */
const BESIDE = {
  "@aws-sdk/client-kms": "^3.1164.0",
  "@types/node": "^22.18.0",
  "typescript-oldest": "npm:typescript@~5.8.0",
  "typescript-native": "npm:typescript@~7.0.0",
  [NODE_PACKAGE]: OLDEST_NODE,
} as const;

/** Makes the project in an empty folder, with `npm install` as anyone would. */
export async function makeProject(folder: string, packed: readonly Packed[]): Promise<void> {
  const packages = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
  await writeJson(join(folder, "package.json"), { private: true, dependencies: { ...packages, ...BESIDE } });
  await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"], { cwd: folder });
  const uses = join(import.meta.dirname, "uses");
  const names = (await readdir(uses)).filter((file) => file.endsWith(".ts")).map((file) => file.replace(/\.ts$/, ""));
  for (const form of FORMS) {
    const copy = join(folder, form);
    await cp(uses, copy, { recursive: true });
    for (const name of names) {
      const file = join(copy, `${name}.ts`);
      const text = await readFile(file, "utf8");
      await writeFile(file, text.replaceAll(/(?<=from "\.[^"]*)\.ts"/g, '.js"'));
    }
    await writeFile(join(copy, "run.ts"), runner(names));
    const type = form === "esm" ? "module" : "commonjs";
    await writeJson(join(copy, "package.json"), { type });
    await mkdir(join(folder, "out", form), { recursive: true });
    await writeJson(join(folder, "out", form, "package.json"), { type });
  }
}

/** Runs every use; with UNBUNDLED=1 those too that need the package's own files. Prints the names of what ran. */
function runner(names: readonly string[]): string {
  const imports = names.map((name, index) => `import * as use${index} from "./${name}.js";`).join("\n");
  const table = names.map((name, index) => `  ${JSON.stringify(name)}: use${index},`).join("\n");
  return `${imports}
const uses: Record<string, { use?: () => Promise<void>; useUnbundled?: () => Promise<void> }> = {
${table}
};
async function main(): Promise<void> {
  for (const [name, { use, useUnbundled }] of Object.entries(uses)) {
    await use?.();
    if (process.env["UNBUNDLED"] === "1") await useUnbundled?.();
    console.log(name);
  }
}
main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
`;
}

/** The oldest Node that is supported, in the project. */
export const oldestNode = (folder: string): string =>
  join(folder, "node_modules", NODE_PACKAGE, process.platform === "win32" ? "node.exe" : "bin/node");

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

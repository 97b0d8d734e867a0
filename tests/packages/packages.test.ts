// What is published, as a stranger gets it: packed, looked over, installed, type-checked, run and bundled.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { publint } from "publint";
import { checkPacked } from "../../scripts/packages/check.ts";
import { packAll, type Packed } from "../../scripts/packages/pack.ts";
import { isPublished, readPackages, ROOT, sourceEntries } from "../../scripts/packages/workspace.ts";
import { FORMS, makeProject, oldestNode } from "./project.ts";

const run = promisify(execFile);
const published = readPackages().filter(isPublished);
const uses = await readdir(join(import.meta.dirname, "uses"));
/** Of the uses, in the order in which they run. */
const names = uses.filter((file) => file.endsWith(".ts")).map((file) => file.replace(/\.ts$/, ""));

/** Compilers and how they resolve: `oldest` is the oldest that is supported, `native` is TypeScript 7. */
const TYPED = [
  // node16 is what the uses are compiled with before they run.
  { compiler: "typescript-oldest", module: "nodenext", moduleResolution: "nodenext" },
  { compiler: "typescript-oldest", module: "esnext", moduleResolution: "bundler" },
  { compiler: "typescript", module: "nodenext", moduleResolution: "nodenext" },
  { compiler: "typescript-native", module: "node16", moduleResolution: "node16" },
  { compiler: "typescript-native", module: "nodenext", moduleResolution: "nodenext" },
  { compiler: "typescript-native", module: "esnext", moduleResolution: "bundler" },
] as const;

describe("the packed packages", { concurrency: 2 }, () => {
  let folder = "";
  let project = "";
  let packed: readonly Packed[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "strongroom-packages-"));
    // A release keeps the tarballs: what it publishes is what was tested.
    packed = packAll(process.env["STRONGROOM_TARBALLS"] ?? join(folder, "packed"));
    project = join(folder, "project");
    await mkdir(project);
    await makeProject(project, packed);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("every entry of every package is used", () => {
    const entries = published.flatMap(({ name, manifest }) =>
      [...sourceEntries(manifest).keys()].map((entry) =>
        `${name}${entry.slice(1)}`.replace("@strongroom/", "").replaceAll("/", "-"),
      ),
    );
    assert.deepEqual(names.toSorted(), entries.toSorted(), "tests/packages/uses has one file for each entry");
  });

  for (const { name } of published) {
    test(`${name} holds what it names, and nothing else`, async () => {
      assert.deepEqual(await look(join(project, "node_modules", name)), []);
    });

    test(`publint and arethetypeswrong have nothing to say of ${name}`, async () => {
      const tarball = await readFile(tarballOf(name));
      const bytes = new Uint8Array(tarball);
      const { messages } = await publint({ pack: { tarball: bytes.slice().buffer }, strict: true });
      assert.deepEqual(messages, []);
      const checked = await checkPackage(createPackageFromTarballData(bytes));
      assert.notEqual(checked.types, false);
      // `node10` knows no exports, and no Node that is supported resolves so.
      const problems = ("problems" in checked ? checked.problems : []).filter(
        (problem) => !("resolutionKind" in problem && problem.resolutionKind === "node10"),
      );
      assert.deepEqual(problems, []);
    });
  }

  describe("are typed", { concurrency: 2 }, () => {
    for (const { compiler, module, moduleResolution } of TYPED) {
      test(`for ${compiler}, module ${module}, moduleResolution ${moduleResolution}`, async () => {
        // A bundler's resolution reads every file as an ES module.
        const forms = moduleResolution === "bundler" ? ["esm"] : FORMS;
        await compile(compiler, { module, moduleResolution, noEmit: true }, forms);
      });
    }
  });

  describe("run", { concurrency: 1 }, () => {
    test("compiled by the oldest TypeScript", () =>
      compile("typescript-oldest", { module: "node16", rootDir: project, outDir: join(project, "out") }, FORMS));

    for (const form of FORMS) {
      test(`as ${form}, on this Node`, () => runUses(process.execPath, join(project, "out", form, "run.js")));
      test(`as ${form}, on the oldest Node`, () => runUses(oldestNode(project), join(project, "out", form, "run.js")));

      test(`as ${form}, bundled by esbuild`, async () => {
        const outfile = join(project, "bundled", form === "esm" ? "run.mjs" : "run.cjs");
        const require = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
        await build({
          entryPoints: [join(project, form, "run.ts")],
          bundle: true,
          platform: "node",
          target: "node22",
          format: form,
          outfile,
          logLevel: "error",
          // fastify and pino are CommonJS and require Node's own modules.
          ...(form === "esm" ? { banner: { js: require } } : {}),
        });
        // Elsewhere: nothing of the installation is to be found from there.
        const elsewhere = join(folder, `bundled-${form}`);
        await mkdir(elsewhere);
        const moved = join(elsewhere, form === "esm" ? "run.mjs" : "run.cjs");
        await writeFile(moved, await readFile(outfile));
        await runUses(process.execPath, moved, { UNBUNDLED: "0" });
      });
    }

    for (const { name, manifest } of published) {
      for (const [program, path] of Object.entries(manifest.bin ?? {})) {
        for (const node of ["this Node", "the oldest Node"]) {
          test(`${program} starts, on ${node}`, async () => {
            const executable = node === "this Node" ? process.execPath : oldestNode(project);
            const env = { ...process.env, PATH: `${dirname(executable)}${delimiter}${process.env["PATH"] ?? ""}` };
            const start = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
              run(join(project, "node_modules/.bin", program), args, { env });
            assert.equal((await start("--version")).stdout.trim(), manifest.version);
            const { stdout, stderr } = await start("--help");
            assert.match(stdout, /Usage/i);
            assert.equal(unwarned(stderr), "");
            assert.ok(await readFile(join(project, "node_modules", name, path)));
          });
        }
      }
    }
  });

  describe("are watched", { concurrency: 1 }, () => {
    // One use of one entry, in a project that has nothing but a copy of its package, which is spoilt.
    async function spoilt(name: string, spoil: (copy: string, use: string) => Promise<void>): Promise<string> {
      const place = join(folder, `spoilt-${name}`);
      const copy = join(place, "node_modules/@strongroom/envelope");
      await cp(join(project, "node_modules/@strongroom/envelope"), copy, { recursive: true });
      await cp(join(project, "esm", `${name}.ts`), join(place, "use.ts"));
      await writeFile(join(place, "package.json"), JSON.stringify({ type: "module" }));
      const typeRoots = [join(project, "node_modules/@types")];
      const compiling = (): Promise<string> =>
        compile("typescript-native", { module: "nodenext", noEmit: true, typeRoots }, ["."], place).then(
          () => "",
          (error: unknown) => (error as Error).message,
        );
      assert.equal(await compiling(), "", "before it is spoilt it compiles");
      await spoil(copy, await readFile(join(place, "use.ts"), "utf8"));
      return await compiling();
    }

    test("a lost type turns the type check red", async () => {
      const said = await spoilt("envelope", async (copy, use) => {
        const imported = [...use.matchAll(/\{([^}]*)\} from "@strongroom\/envelope"/g)];
        const names = imported.flatMap(([, list = ""]) => list.match(/\w+/g) ?? []).filter((name) => name !== "type");
        const lost = names.map((name) => `export declare const ${name}: any;\nexport type ${name} = any;\n`);
        await writeFile(join(copy, "dist/index.d.ts"), lost.join(""));
      });
      assert.match(said, /Unused '@ts-expect-error' directive/);
    });

    test("a lost export turns the type check red", async () => {
      const said = await spoilt("envelope-raw-rsa", async (copy) => {
        const path = join(copy, "package.json");
        const manifest = JSON.parse(await readFile(path, "utf8")) as { exports: Record<string, unknown> };
        delete manifest.exports["./raw-rsa"];
        await writeFile(path, JSON.stringify(manifest));
      });
      assert.match(said, /Cannot find module '@strongroom\/envelope\/raw-rsa'/);
    });

    test("a file that is not packed turns the check red", async () => {
      const copy = join(project, "spoilt-files");
      await cp(join(project, "node_modules/@strongroom/vault"), copy, { recursive: true });
      await rm(join(copy, "dist/index.js"));
      assert.match((await look(copy)).join("\n"), /dist\/index\.js is named and not packed/);
    });
  });

  function tarballOf(name: string): string {
    return packed.find((one) => one.name === name)?.tarball ?? assert.fail(`${name} was not packed`);
  }

  async function compile(
    compiler: string,
    options: { readonly module: string; readonly [option: string]: unknown },
    forms: readonly string[],
    place: string = project,
  ): Promise<void> {
    const name = Object.values({ compiler, ...options })
      .join("-")
      .replaceAll(/[^\w-]/g, "");
    const config = join(place, `tsconfig.${name}.json`);
    const compilerOptions = {
      target: "es2022",
      lib: ["es2022"],
      types: ["node"],
      strict: true,
      skipLibCheck: false,
      ...options,
    };
    await writeFile(config, JSON.stringify({ compilerOptions, include: forms.map((form) => `${form}/**/*.ts`) }));
    const tools = join(compiler === "typescript" ? ROOT : project, "node_modules", compiler);
    try {
      await run(process.execPath, [join(tools, "bin/tsc"), "-p", config], { cwd: place });
    } catch (error) {
      assert.fail((error as { readonly stdout: string }).stdout);
    }
  }

  async function runUses(node: string, file: string, env: NodeJS.ProcessEnv = { UNBUNDLED: "1" }): Promise<void> {
    const { stdout, stderr } = await run(node, [file], { env: { ...process.env, ...env }, timeout: 120_000 });
    assert.deepEqual(stdout.trim().split("\n"), names);
    assert.equal(unwarned(stderr), "");
  }
});

async function look(folder: string): Promise<readonly string[]> {
  const license = await readFile(join(ROOT, "LICENSE"), "utf8");
  const privateNames = readPackages()
    .filter((one) => !isPublished(one))
    .map((one) => one.name);
  return checkPacked(folder, { license, privateNames });
}

/** Without what Node 22 says of its own SQLite. */
function unwarned(stderr: string): string {
  return stderr
    .replace(/^\(node:\d+\) ExperimentalWarning: SQLite is an experimental feature.*\n/m, "")
    .replace(/^\(Use `node --trace-warnings .*\n/m, "");
}

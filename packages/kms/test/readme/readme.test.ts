// The examples of the README and of the doc comments, as they stand there, run against the package.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import * as kms from "@strongroom/kms";
import { createKms } from "@strongroom/kms";
import { KMS_COMMANDS } from "../../src/command/commands/table.ts";
import { temporaryDirectory } from "../running-kms.ts";
// Its test runs with the others.
import "./node-test.example.ts";

const execute = promisify(execFile);
const SOURCES = join(import.meta.dirname, "../../src");

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language = "", text = ""]) => ({
  language,
  text,
}));
const blockWith = (part: string): string => blocks.find(({ text }) => text.includes(part))!.text;

test("the example for node:test is the one that is run", () => {
  const example = readFileSync(join(import.meta.dirname, "node-test.example.ts"), "utf8");
  assert.equal(blockWith("node:test"), example);
});

/** Examples that are programs by themselves. */
const PROGRAMS: readonly (readonly [title: string, code: string])[] = [
  ["in one line", blockWith("a free port, a temporary directory")],
  ["time and faults", `import { AdjustableClock, createKms } from "@strongroom/kms";\n${blockWith("clock.advance")}`],
];

for (const [title, code] of PROGRAMS) {
  test(`an example runs: ${title}`, async (t) => {
    // Beside the sources, so that the packages are found.
    const directory = await mkdtemp(join(import.meta.dirname, "run-"));
    t.after(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, "example.ts"), code);
    await import(join(directory, "example.ts"));
  });
}

test("the seed of the README makes its keys", async (t) => {
  const file = join(await temporaryDirectory(t), "seed.yaml");
  const seed = blocks.find(({ language }) => language === "yaml")!.text;
  writeFileSync(file, seed);
  const regions = ["eu-west-1", "eu-west-2"].map((name) => ({ name, port: 0 }));
  await using kms = await createKms({ regions, seed: file });
  assert.equal(kms.seeded!.made.length, [...seed.matchAll(/^ {2}- id:/gm)].length + 1, "one of them in two regions");
});

test("every command is in the README, and only those that there are", () => {
  const names = KMS_COMMANDS.map((command) => command.name);
  for (const name of names) assert.ok(readme.includes(`\`${name}\``), name);
  for (const [, line = ""] of readme.matchAll(/npx @strongroom\/kms ([a-z ]+)/g))
    assert.ok(
      names.some((name) => line.startsWith(name)),
      line,
    );
});

/** The examples in the doc comments of what the package exports, under the file they stand in. */
const documented = globSync("**/*.ts", { cwd: SOURCES }).flatMap((file) =>
  [...readFileSync(join(SOURCES, file), "utf8").matchAll(/^ \* @example\n \* ```ts\n([\s\S]*?)^ \* ```$/gm)].map(
    ([, code = ""]) => ({ file, code: code.replaceAll(/^ \* ?/gm, "") }),
  ),
);

for (const { file, code } of documented) {
  test(`the example in ${file} runs as it stands`, async (t) => {
    const directory = await mkdtemp(join(import.meta.dirname, "run-"));
    t.after(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, "example.ts"), code);
    const options = ["--conditions=@strongroom/source", join(directory, "example.ts")];
    const { stderr } = await execute(process.execPath, options, { env: { ...process.env, TMPDIR: directory } });
    assert.equal(stderr, "");
  });
}

test("every public function has an example", () => {
  const functions = Object.entries(kms).flatMap(([name, value]) =>
    /^[a-z]/.test(name) && typeof value === "function" ? [name] : [],
  );
  const shown = documented.map(({ code }) => code).join("\n");
  assert.ok(functions.length > 5);
  for (const name of functions) assert.match(shown, new RegExp(`\\b${name}\\(`), name);
});

// The examples of the README, as they stand there, run against the package.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { KMS_COMMANDS } from "../../src/command/commands/table.ts";
import { temporaryDirectory } from "../running-kms.ts";
// Its test runs with the others.
import "./node-test.example.ts";

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

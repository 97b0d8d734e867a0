import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { COMMANDS } from "../../src/command/commands/table.ts";
import { temporaryDirectory } from "../running-kms.ts";
// Its test runs with the others.
import "./node-test.example.ts";

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language = "", text = ""]) => ({ language, text }));

test("the example for node:test is the one that is run", () => {
  const example = readFileSync(join(import.meta.dirname, "node-test.example.ts"), "utf8");
  assert.ok(blocks.some(({ text }) => text === example));
});

test("the seed of the README makes its keys", async (t) => {
  const file = join(await temporaryDirectory(t), "seed.yaml");
  const seed = blocks.find(({ language }) => language === "yaml")!.text;
  writeFileSync(file, seed);
  const regions = ["eu-west-1", "eu-west-2"].map((name) => ({ name, port: 0 }));
  await using kms = await createKms({ regions, seed: file });
  assert.equal(kms.seeded!.made.length, [...seed.matchAll(/^ {2}- id:/gm)].length + 1, "one of them in two regions");
});

test("every command is in the README, and only those that there are", () => {
  const names = COMMANDS.map((command) => command.name);
  for (const name of names) assert.ok(readme.includes(`\`${name}\``), name);
  for (const [, line = ""] of readme.matchAll(/npx @strongroom\/kms ([a-z ]+)/g)) assert.ok(names.some((name) => line.startsWith(name)), line);
});

// The examples of the envelope's README run as they stand and print what they say.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ExampleEnvironment, exampleEnvironment } from "../api/example-environment.ts";
import { exampleFolder, runExample } from "../api/run-example.ts";

const readme = await readFile(join(import.meta.dirname, "../../packages/envelope/README.md"), "utf8");
const examples = [...readme.matchAll(/^## (.+?)\n[\s\S]*?^```ts\n([\s\S]*?)^```/gm)].map(
  ([, title = "", code = ""]) => ({ title, code }),
);

describe("every example of the README runs and prints what it says", () => {
  let environment: ExampleEnvironment | undefined;
  before(async () => {
    environment = await exampleEnvironment();
    Object.assign(process.env, environment.variables);
  });
  after(() => environment?.[Symbol.asyncDispose]());

  test("there are five", () => {
    assert.equal(examples.length, 5);
  });

  for (const { title, code } of examples) {
    test(title, async (t) => {
      await using folder = await exampleFolder(import.meta.dirname);
      await runExample(t, await folder.place("readme", code), code);
    });
  }
});

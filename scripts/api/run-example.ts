// Runs an example as it stands and compares what it prints with what its comments promise: a line that ends in
// `// prints: …` says what it writes to the console, and nothing else is written.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { format } from "node:util";

/** Folders for examples: beside the packages, so that these are found. */
export interface ExampleFolder extends AsyncDisposable {
  /** Writes the code into a folder of its own. Answers the file. */
  readonly place: (name: string, code: string) => Promise<string>;
}

/** Makes a folder below `parent`, removed at the end with all that the examples wrote into it. */
export async function exampleFolder(parent: string): Promise<ExampleFolder> {
  const folder = await mkdtemp(join(parent, "run-"));
  return {
    place: async (name, code) => {
      const own = join(folder, name);
      await mkdir(own);
      await writeFile(join(own, "example.ts"), code);
      return join(own, "example.ts");
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** Runs the file in this process, its folder being the current one, and fails where it does not print what it says. */
export async function runExample(t: TestContext, file: string, code: string): Promise<void> {
  const written: string[] = [];
  const cwd = process.cwd();
  const mocks = (["log", "warn", "error"] as const).map((name) =>
    // eslint-disable-next-line no-restricted-syntax -- what one call was given
    t.mock.method(console, name, (...values: unknown[]) => void written.push(format(...values))),
  );
  const temporary = process.env["TMPDIR"];
  const folder = join(file, "..");
  process.chdir(folder);
  process.env["TMPDIR"] = folder;
  try {
    await import(file);
  } finally {
    process.chdir(cwd);
    if (temporary === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = temporary;
    for (const { mock } of mocks) mock.restore();
  }
  assert.deepEqual(written, promisedBy(code));
}

/** What the comments of an example say that it prints, line by line. */
export function promisedBy(code: string): readonly string[] {
  return [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, text = ""]) => text);
}

// The README's examples, as they stand there, run against the package.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";

const readme = readFileSync(resolve(import.meta.dirname, "../README.md"), "utf8");
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? "");

/** The second example belongs to another test runner; the others are programs. */
const PROGRAMS: readonly (readonly [title: string, code: string])[] = [
  ["a test in one line", examples[0] ?? ""],
  ["time and faults", `import { AdjustableClock, createKms } from "@strongroom/kms";\n${examples[2] ?? ""}`],
];

for (const [title, code] of PROGRAMS) {
  test(`the README's example runs: ${title}`, async (t) => {
    // Beside the sources, so that the packages are found.
    const directory = await mkdtemp(join(import.meta.dirname, "readme-"));
    t.after(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, "example.ts"), code);
    const child = spawn(process.execPath, ["--conditions=@strongroom/source", join(directory, "example.ts")], { stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    const [code_] = (await once(child, "exit")) as [number];
    assert.equal(code_, 0, errors);
  });
}

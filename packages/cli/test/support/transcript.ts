// For tests: command transcripts. A transcript is a text file:
//
//   # what follows shows
//   $ put people ada --json          a command line, without the program's name; 'single quotes' keep spaces together
//   < {"name":"Ada"}                 a line of its standard input
//   > {"version":1,…}                a line that it prints; … stands for any text inside of a line
//   ! strongroom: …                  a line that it says on standard error
//   ? 3                              its exit code, where that is not 0
//   @ people.csv                     a line of @ and a name makes a file of the < lines that follow
//
// A lone `> …` or `! …` stands for any number of further lines.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./command.ts";

type Step =
  | {
      readonly kind: "command";
      readonly line: number;
      readonly args: readonly string[];
      input: string[];
      output: string[];
      error: string[];
      code: number;
    }
  | { readonly kind: "file"; readonly line: number; readonly name: string; input: string[] };

/** Runs every command of a transcript in `cwd` and compares what it prints. */
export async function runTranscript(
  text: string,
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const steps = parse(text);
  for (const step of steps) {
    const input = step.input.map((line) => `${line}\n`).join("");
    if (step.kind === "file") {
      await writeFile(join(cwd, step.name), input);
      continue;
    }
    const { code, stdout, stderr } = await runCommand(step.args, { cwd, stdin: input, env });
    const where = `line ${step.line}: strongroom ${step.args.join(" ")}\n--- stdout\n${stdout}--- stderr\n${stderr}`;
    assert.equal(code, step.code, `exit code of ${where}`);
    assert.ok(fits(stdout, step.output), `standard output of ${where}`);
    assert.ok(fits(stderr, step.error), `standard error of ${where}`);
  }
  return steps.length;
}

function parse(text: string): Step[] {
  const steps: Step[] = [];
  text.split("\n").forEach((line, index) => {
    const mark = line.slice(0, 1);
    const rest = line.slice(2);
    const last = steps.at(-1);
    if (mark === "" || mark === "#") return;
    if (mark === "$")
      steps.push({ kind: "command", line: index + 1, args: words(rest), input: [], output: [], error: [], code: 0 });
    else if (mark === "@") steps.push({ kind: "file", line: index + 1, name: rest, input: [] });
    else if (mark === "<" && last !== undefined) last.input.push(rest);
    else if (mark === ">" && last?.kind === "command") last.output.push(rest);
    else if (mark === "!" && last?.kind === "command") last.error.push(rest);
    else if (mark === "?" && last?.kind === "command") last.code = Number(rest);
    else throw new Error(`line ${index + 1} of the transcript is not understood`);
  });
  return steps;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
}

function fits(actual: string, expected: readonly string[]): boolean {
  const pattern = expected
    .map((line) =>
      line === "…"
        ? "(?:.*\\n)*?"
        : `${line
            .split("…")
            .map((part) => escaped(part))
            .join(".*")}\\n`,
    )
    .join("");
  return new RegExp(`^${pattern}$`, "u").test(actual);
}

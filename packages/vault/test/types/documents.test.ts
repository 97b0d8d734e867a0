/**
 * Compiles the fixture beside this file, as the project compiles it and as a user with nothing but `strict` would, and
 * holds the compiler's messages to what the fixture expects.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const fixture = fileURLToPath(new URL("documents.types.ts", import.meta.url));
const MARK = /^\s*\/\/ @ts-expect-error (.+)$/;

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  lib: ["lib.es2024.d.ts", "lib.esnext.disposable.d.ts", "lib.esnext.iterator.d.ts"],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  customConditions: ["@strongroom/source"],
  types: ["node"],
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
};

for (const [settings, options] of [
  ["strict alone", OPTIONS],
  ["the project's own", { ...OPTIONS, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }],
] as const) {
  test(`with ${settings}, what JSON can hold is a document, and the rest is refused in words`, () => {
    const host = ts.createCompilerHost(options);
    const source = ts.sys.readFile(fixture) ?? "";
    const lines = source.split("\n");
    const readFile = host.readFile.bind(host);
    // Without the marks the compiler says what it has against each line.
    host.readFile = (path) => (path === fixture ? source.replaceAll("@ts-expect-error", "") : readFile(path));
    const program = ts.createProgram([fixture], options, host);
    const file = program.getSourceFile(fixture);
    assert.ok(file !== undefined);
    const found = new Map(
      program
        .getSemanticDiagnostics(file)
        .map(({ start = 0, messageText }) => [
          file.getLineAndCharacterOfPosition(start).line,
          ts.flattenDiagnosticMessageText(messageText, "\n"),
        ]),
    );
    const expected = lines.flatMap((line, index) => {
      const message = MARK.exec(line)?.[1];
      return message === undefined ? [] : [{ line: index + 1, message }];
    });
    assert.ok(expected.length >= 20);
    for (const { line, message } of expected)
      assert.ok(found.get(line)?.includes(message), `${lines[line] ?? ""}\n${message}\n${found.get(line) ?? "taken"}`);
    assert.deepEqual(
      [...found.keys()],
      expected.map(({ line }) => line),
      [...found.values()].join("\n"),
    );
  });
}

// Every public function and class has an example in its doc comment, and every example passes the type checker, runs as it
// stands and prints what it says.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import ts from "typescript";
import { entryPoints } from "../api/entry-points.ts";
import { type ExampleEnvironment, exampleEnvironment } from "../api/example-environment.ts";
import { compilerOptions, publicNames } from "../api/examples.ts";
import { exampleFolder, promisedBy, runExample } from "../api/run-example.ts";

const root = join(import.meta.dirname, "../..");
const names = publicNames(root, entryPoints(root));

test("every public function and class has an example", () => {
  const without = names.filter(({ examples }) => examples.length === 0);
  assert.deepEqual(
    without.map(({ entry, name }) => `${entry.name}: ${name}`),
    [],
  );
});

test("every example but a configuration file says what it prints", () => {
  const silent = names.filter(({ examples }) =>
    examples.some((code) => promisedBy(code).length === 0 && !/^export default /m.test(code)),
  );
  assert.deepEqual(
    silent.map(({ entry, name }) => `${entry.name}: ${name}`),
    [],
  );
});

const folder = await exampleFolder(import.meta.dirname);
after(() => folder[Symbol.asyncDispose]());
const examples = await Promise.all(
  names.flatMap(({ entry, name, examples: codes }) =>
    codes.map(async (code, index) => {
      const title = `${entry.name}: ${name}${index === 0 ? "" : ` (${index + 1})`}`;
      const file = await folder.place(title.replaceAll(/[^\w.@-]+/g, "-"), code);
      return { title, code, file };
    }),
  ),
);

test("every example passes the type checker", () => {
  const files = examples.map(({ file }) => file);
  const program = ts.createProgram(files, compilerOptions(root));
  const problems = files.flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${file}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    );
  });
  assert.deepEqual(problems, []);
});

describe("every example runs and prints what it says", () => {
  let environment: ExampleEnvironment | undefined;
  before(async () => {
    environment = await exampleEnvironment();
    Object.assign(process.env, environment.variables);
  });
  after(() => environment?.[Symbol.asyncDispose]());
  for (const { title, code, file } of examples) test(title, (t) => runExample(t, file, code));
});

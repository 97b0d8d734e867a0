// The house in figures: what the sources must keep to, and that each measure notices what it is there for.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import ts from "typescript";
import { againstTheDesign, cycles, exportedNames, repeatedRuns, sizes } from "../house/measures.ts";
import { closureOf, definitionOf, readSourceTree, type SourceFile, type SourceTree } from "../house/source-tree.ts";

const root = join(import.meta.dirname, "../..");

describe("the sources of the packages", () => {
  const house = readSourceTree(root);

  test("import one another in no circle", () => {
    assert.deepEqual(cycles(house), []);
  });

  test("import only what the design allows", () => {
    assert.deepEqual(againstTheDesign(house), []);
  });

  test("have no line over 120 columns outside template literals", () => {
    const long = [...house.values()].flatMap((file) => longLines(file).map((line) => `${file.path}:${line}`));
    assert.deepEqual(long, []);
  });

  test("have no file over 450 lines", () => {
    const long = [...house.values()].filter(({ lines }) => lines.length > 450).map(({ path }) => path);
    assert.deepEqual(long, []);
  });

  test("say nothing of six lines twice", () => {
    assert.deepEqual(repeatedRuns(house), []);
  });

  for (const [call, most, start] of [
    ["encrypt", 15, definitionOf(house, "envelope", "encrypt")],
    ["decrypt", 16, definitionOf(house, "envelope", "decrypt")],
    ["multiRegionKeyring", 32, definitionOf(house, "envelope", "multiRegionKeyring")],
    // It puts records, the keys of people, search, roles, erasures, rights, retention, the convergence (of which repair
    // is a part), approvals, the audit and the verification together, and nobody reads all of them for one question:
    // what each of them opens is measured by itself.
    ["openVault", 269, definitionOf(house, "vault", "openVault")],
    // Both hear how what is asked is told to the audit, and a write makes entries and links that go with its unit. A
    // write is tagged for search, and both are held to restrictions and consents. The table of errors is eight files.
    ["a read of a record", 23, "packages/vault/src/records/read.ts"],
    ["a write of a record", 42, "packages/vault/src/records/write.ts"],
    // The keys that entries are sealed under are made and held beside people's, and a key changes its kind there.
    ["the keys of people", 40, definitionOf(house, "vault", "openSubjectKeys")],
    ["how entries are made", 34, definitionOf(house, "vault", "openAuditor")],
    ["how entries come to the log", 26, "packages/vault/src/audit/sequencer.ts"],
    // It holds the stores against the log, adopts what a restore brought, carries entries, forgets what is due,
    // publishes, answers questions and signs statements: parts of their own again.
    ["the log of a vault", 53, "packages/vault/src/audit/open-audit.ts"],
    // Each entry, whether its text may be gone, the tables of addresses and of streams: a file each.
    ["the verification of the log", 27, definitionOf(house, "vault", "verifyAuditLog")],
    ["the verification of a vault", 55, "packages/vault/src/verify/verify.ts"],
    ["repair", 16, "packages/vault/src/convergence/repairs.ts"],
    // What a caller does with runs is apart from what works on them, which needs the keys of people and of records.
    ["how a run is begun", 15, "packages/vault/src/convergence/runs.ts"],
    ["what is asked of the convergence", 60, "packages/vault/src/convergence/looks.ts"],
    ["the work on a run", 54, "packages/vault/src/convergence/convergence-worker.ts"],
    ["a call of the KMS", 12, "packages/kms/src/operations/encrypt.ts"],
  ] as const) {
    test(`a reader of ${call} opens at most ${most} files`, () => {
      const files = closureOf(house, start ?? "");
      assert.ok(files.size > 1, "the file was found");
      assert.ok(files.size <= most, [...files].join("\n"));
    });
  }

  test("the envelope's root exports at most 36 names", () => {
    const names = exportedNames(root).get("@strongroom/envelope") ?? [];
    assert.ok(names.includes("encrypt"));
    assert.ok(names.length <= 36, names.join(", "));
  });
});

/** Numbers of the lines over 120 columns that do not lie in a template literal, which Prettier does not break either. */
function longLines({ path, text, lines }: SourceFile): readonly number[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const templates = new Set<number>();
  const visit = (node: ts.Node): void => {
    if (ts.isTemplateLiteral(node)) {
      const [from, to] = [node.getStart(source), node.getEnd()].map(
        (at) => source.getLineAndCharacterOfPosition(at).line,
      );
      for (let line = from ?? 0; line <= (to ?? 0); line++) templates.add(line + 1);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return lines.flatMap((line, index) => (line.length > 120 && !templates.has(index + 1) ? [index + 1] : []));
}

describe("the measures notice", () => {
  test("a circle, and which files it goes through", (t) => {
    const tree = made(t, {
      "vault/src/a.ts": 'import { b } from "./b.ts";\nexport const a = () => b;\n',
      "vault/src/b.ts": 'import type { c } from "./c.ts";\nexport const b = (given: c): c => given;\n',
      "vault/src/c.ts": 'import { a } from "./a.ts";\nexport type c = typeof a;\n',
      "vault/src/apart.ts": 'export { a } from "./a.ts";\n',
    });
    assert.deepEqual(cycles(tree), [["packages/vault/src/a.ts", "packages/vault/src/b.ts", "packages/vault/src/c.ts"]]);
  });

  test("an import that the design does not allow, by type too", (t) => {
    const tree = made(t, {
      "kms/src/a.ts": 'import type { Vault } from "@strongroom/vault";\nexport type A = Vault;\n',
      "server/src/b.ts": 'export { openVault } from "@strongroom/vault";\n',
    });
    assert.deepEqual(againstTheDesign(tree), ["packages/kms/src/a.ts -> vault"]);
  });

  test("lines that stand twice, but no imports and no comments", (t) => {
    const body = Array.from({ length: 6 }, (_, index) => `export const value${index} = ${index};`).join("\n");
    const head = Array.from({ length: 6 }, (_, index) => `import "./m${index}.ts";\n// remark ${index}\n`).join("");
    const twice = made(t, { "vault/src/a.ts": head + body, "vault/src/b.ts": `${head}\n\n${body}` });
    assert.deepEqual(repeatedRuns(twice), ["packages/vault/src/b.ts:15 ~ packages/vault/src/a.ts:13"]);
    const shorter = body.slice(0, body.lastIndexOf("\n"));
    assert.deepEqual(repeatedRuns(made(t, { "vault/src/a.ts": head + body, "vault/src/b.ts": head + shorter })), []);
  });

  test("what a call opens: imports by value, not by type, and not those of other packages", (t) => {
    const tree = made(t, {
      "vault/src/a.ts":
        'import { b, type B } from "./b.ts";\nimport type { c } from "./c.ts";\nimport { d } from "@strongroom/envelope";\n' +
        "export async function start(given: c, other: B) { return [b, d, given, other]; }\n",
      "vault/src/b.ts": 'import { type c } from "./c.ts";\nexport const b: c | null = null;\nexport type B = c;\n',
      "vault/src/c.ts": "export type c = string;\n",
    });
    assert.equal(definitionOf(tree, "vault", "start"), "packages/vault/src/a.ts");
    assert.equal(definitionOf(tree, "kms", "start"), null);
    assert.deepEqual(
      [...closureOf(tree, "packages/vault/src/a.ts")],
      ["packages/vault/src/a.ts", "packages/vault/src/b.ts"],
    );
  });

  test("sizes, and leave out what is generated", (t) => {
    const tree = made(t, {
      "kms/src/a.ts": `// A remark.\nexport const a = "${"x".repeat(120)}";\n`,
      "kms/src/b.ts": "export {};\n".repeat(40),
      "kms/src/types.ts": "// @generated\nexport {};\n",
    });
    const expected = { files: 2, lines: 42, medianLines: 21, thinFiles: 1, longLines: 1, commentShare: 1 / 42 };
    assert.deepEqual(sizes(tree).get("kms"), expected);
    const [long] = tree.values();
    assert.deepEqual(long === undefined ? [] : longLines(long), [2]);
  });

  test("a long line, except in a template", (t) => {
    const x = "x".repeat(120);
    const [file] = made(t, { "kms/src/a.ts": `const a = \`\n${x}\n\`;\n// ${x}\n` }).values();
    assert.deepEqual(file === undefined ? [] : longLines(file), [4]);
  });
});

/** A tree of made-up files below `packages/`, by their text. */
function made(t: { after: (end: () => void) => void }, files: Readonly<Record<string, string>>): SourceTree {
  const folder = mkdtempSync(join(tmpdir(), "strongroom-house-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, "packages", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return readSourceTree(folder);
}

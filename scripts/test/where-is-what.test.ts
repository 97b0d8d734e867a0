import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const docs = join(import.meta.dirname, "../../docs");
const page = readFileSync(join(docs, "where-is-what.md"), "utf8");

interface Row {
  readonly question: string;
  readonly shown: string;
  readonly path: string;
  readonly names: readonly string[];
}

const rows: readonly Row[] = [...page.matchAll(/^\| (.+?) \| \[`([^`]+)`\]\(([^)]+)\) \| (.+) \|$/gm)].map(
  ([, question = "", shown = "", path = "", names = ""]) => ({
    question,
    shown,
    path: join(docs, path),
    names: [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
  }),
);

test("every line of a table is a question, a file and names, and no question is asked twice", () => {
  const lines = page.split("\n").filter((line) => line.startsWith("| ") && !/^\| (question|---) /.test(line));
  assert.ok(rows.length > 40);
  assert.equal(rows.length, lines.length);
  assert.equal(new Set(rows.map(({ question }) => question)).size, rows.length);
});

test("every answer is in the file that is named", () => {
  const wrong = rows.flatMap(({ question, shown, path, names }) => {
    if (!path.endsWith(`packages/${shown}`)) return [`${question} ${shown} is shown, and ${path} linked`];
    if (!existsSync(path)) return [`${question} ${shown} is not there`];
    const source = readFileSync(path, "utf8");
    return names.filter((name) => !exportsName(source, name)).map((name) => `${question} ${shown} exports no ${name}`);
  });
  assert.deepEqual(wrong, []);
});

test("every package answers something", () => {
  const packages = new Set(rows.map(({ shown }) => shown.split("/")[0]));
  assert.deepEqual([...packages].sort(), [
    "base",
    "cli",
    "client",
    "envelope",
    "kms",
    "server",
    "tlog",
    "vault",
    "witness",
  ]);
});

function exportsName(source: string, name: string): boolean {
  return new RegExp(String.raw`^export (?:async )?(?:function\*?|const|class|interface|type) ${name}\b`, "m").test(
    source,
  );
}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

test("CONTRIBUTING.md lists every script of package.json, and no other", () => {
  const { scripts } = JSON.parse(read("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
  const listed = [...read("CONTRIBUTING.md").matchAll(/^\| `npm (?:run )?([\w:-]+)[^`]*` \| .+ \|$/gm)];
  assert.deepEqual(listed.map(([, name = ""]) => name).toSorted(), Object.keys(scripts).toSorted());
});

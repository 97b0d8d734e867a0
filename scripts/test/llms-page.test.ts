import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { llmsPage } from "../llms-page.ts";

const root = join(import.meta.dirname, "../..");

test("llms.txt lists the documents that there are", () => {
  assert.equal(readFileSync(join(root, "llms.txt"), "utf8"), llmsPage(root), "run `npm run docs:llms`");
});

test("each document has a title and a sentence, and is there", () => {
  const rows = [...llmsPage(root).matchAll(/^- \[(.*)\]\((.*)\): (.*)$/gm)];
  assert.ok(rows.length > 20, `${rows.length} rows`);
  for (const [row, title = "", path = "", sentence = ""] of rows) {
    assert.ok(title !== "" && sentence.length > 10, row);
    assert.ok(existsSync(join(root, path)), row);
  }
});

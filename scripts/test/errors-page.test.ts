import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { errorsPage } from "../errors-page.ts";

test("docs/errors.md lists every code with its remedy, as the sources have them", () => {
  const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
  assert.equal(page, errorsPage(), "run `npm run docs:errors` and read the difference");
});

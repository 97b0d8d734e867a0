import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { settingsPage } from "../settings-page.ts";

test("docs/settings.md lists every setting, as the sources have them", () => {
  const page = readFileSync(new URL("../../docs/settings.md", import.meta.url), "utf8");
  assert.equal(page, settingsPage(), "run `npm run docs:settings` and read the difference");
});

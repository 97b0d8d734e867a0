// Whatever a hand changes in the three stores of a vault: what is read is right, or refused, or told of by what
// docs/histories.md says, which is the table of the long form.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { moments } from "../support/edits/moments.ts";
import { noticeName, noticeOf, noticesIn, unexplained } from "../support/edits/page.ts";
import { tryFiles } from "../support/edits/run.ts";
import type { Result } from "../support/edits/run.ts";

const PAGE = new URL("../../docs/histories.md", import.meta.url);

test("a record, a column and rows that belong together, as the page has it", async (t) => {
  const began = performance.now();
  const most = { "one record": 3, "one column": 6, together: 3 };
  const results: Result[] = [];
  await tryFiles(await moments(t), { records: 1, rows: 1, most }, (result) => results.push(result));
  assert.deepEqual(unexplained(results), []);
  const page = noticesIn(readFileSync(PAGE, "utf8"));
  assert.ok(page.size > 300, String(page.size));
  assert.deepEqual(
    results.map(noticeName).filter((name) => !page.has(name)),
    [],
  );
  const unnoticed = results.filter(
    (result) => noticeOf(result.outcome) === "nothing" && page.get(noticeName(result))?.hasNothing === false,
  );
  assert.deepEqual(unnoticed.map(noticeName), []);
  t.diagnostic(`${results.length} changes, ${Math.round(performance.now() - began)} ms`);
});

// Every column of every table of a vault's three stores changed, one at a time; what is done with one record from copies
// of its rows; rows that belong together; and whole stores put back. With STRONGROOM_WRITE_HISTORIES=1 it writes
// docs/histories.md.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { moments } from "../support/edits/moments.ts";
import { historiesPage, isWrong, NOTICES, noticeOf, unexplained } from "../support/edits/page.ts";
import { tryAll } from "../support/edits/run.ts";
import type { Result } from "../support/edits/run.ts";
import { filesSetBack } from "../support/edits/set-back-files.ts";
import { setBackAll, setBackSection } from "../support/edits/set-back.ts";
import type { SetBackResult } from "../support/edits/set-back.ts";

const all: Result[] = [];
const setBack: Record<string, readonly SetBackResult[]> = {};

test("every column, every rollback of one record, and rows that belong together", async (t) => {
  const results = await tryAll(t, await moments(t), { records: 2, rows: 1 });
  all.push(...results);
  const counts = NOTICES.map((notice) => {
    const own = results.filter(({ outcome }) => noticeOf(outcome) === notice);
    return `${own.length} ${notice}`;
  });
  t.diagnostic(`${results.length} changes: ${counts.join(", ")}; ${results.filter(isWrong).length} with wrong answers`);
  assert.ok(results.filter(({ section, outcome }) => section === "one column" && outcome.isTaken).length >= 405);
  assert.deepEqual(unexplained(results), []);
});

test("each store, two of them and all three put back", async (t) => {
  const results = await setBackAll(await filesSetBack(await moments(t)));
  setBack["SQLite"] = results;
  t.diagnostic(`${results.length} times put back`);
  // Only where nothing that is outside of all three has seen more.
  const older = results.filter(({ wrong }) => wrong > 0);
  assert.deepEqual(
    older.map(({ places, when, witness }) => [places.length, when, witness]),
    [[3, "at rest", false]],
  );
});

test("the page", { skip: process.env["STRONGROOM_WRITE_HISTORIES"] === undefined }, () => {
  const rerun = "STRONGROOM_WRITE_HISTORIES=1 npm run test:long";
  writeFileSync(
    new URL("../../docs/histories.md", import.meta.url),
    historiesPage(all, { rerun, setBack: setBackSection(setBack) }),
  );
});

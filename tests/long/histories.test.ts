// Every column of every table of a vault's three stores changed, one at a time; what is done with one record from copies
// of its rows; rows that belong together; and whole stores put back. With STRONGROOM_WRITE_HISTORIES=1 it writes
// docs/histories.md.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { moments } from "../support/edits/moments.ts";
import { historiesPage, isWrong, nameOf, NOTICES, noticeOf, reasonOf, unexplained } from "../support/edits/page.ts";
import { tryFiles, trySchemas } from "../support/edits/run.ts";
import type { Result } from "../support/edits/run.ts";
import { filesSetBack } from "../support/edits/set-back-files.ts";
import { setBackAll, setBackSection } from "../support/edits/set-back.ts";
import { postgresMoments, schemasSetBack } from "../support/edits/postgres.ts";
import type { SetBackDomain, SetBackResult } from "../support/edits/set-back.ts";

const all: Result[] = [];
const setBack: Record<string, readonly SetBackResult[]> = {};

function told(t: TestContext, results: readonly Result[]): void {
  const counts = NOTICES.map((notice) => {
    const own = results.filter(({ outcome }) => noticeOf(outcome) === notice);
    return `${own.length} ${notice}`;
  });
  t.diagnostic(`${results.length} changes: ${counts.join(", ")}; ${results.filter(isWrong).length} with wrong answers`);
}

test("every column, every rollback of one record, and rows that belong together", async (t) => {
  await tryFiles(await moments(t), { records: 1, rows: 1, most: "all" }, (result) => all.push(result));
  told(t, all);
  assert.ok(all.filter(({ section, outcome }) => section === "one column" && outcome.isTaken).length >= 405);
  assert.deepEqual(unexplained(all), []);
});

test("the same of a record in PostgreSQL, and some of the columns", async (t) => {
  const results: Result[] = [];
  const most = { "one record": 1000, "one column": 100, together: 0 };
  await trySchemas(await postgresMoments(t), { records: 1, rows: 1, most }, (result) => results.push(result));
  told(t, results);
  assert.deepEqual(
    results
      .filter(isWrong)
      .filter((result) => reasonOf(result) === null)
      .map(nameOf),
    [],
  );
});

const DOMAINS: Readonly<Record<string, (t: TestContext) => Promise<SetBackDomain>>> = {
  SQLite: async (t) => filesSetBack(await moments(t)),
  PostgreSQL: async (t) => schemasSetBack(await postgresMoments(t)),
};

for (const [title, domain] of Object.entries(DOMAINS))
  test(`each store, two of them and all three put back in ${title}`, async (t) => {
    const results = await setBackAll(await domain(t));
    setBack[title] = results;
    t.diagnostic(`${results.length} times put back`);
    for (const { places, when, witness, refused, wrong } of results) {
      const what = `${places.join(", ")} ${when}${witness ? ", with a witness" : ""}`;
      // Reads are held to the log: where it is older too, they are right again when the stores are compared.
      if (wrong > 0) assert.ok(places.includes("records") && places.includes("audit"), what);
      if (wrong > 0 && when === "at rest") assert.deepEqual([places.length, witness], [3, false], what);
      if (wrong > 0 && when !== "at rest") assert.ok(refused.includes("store-rolled-back"), what);
    }
  });

test("the page", { skip: process.env["STRONGROOM_WRITE_HISTORIES"] === undefined }, () => {
  const rerun = "STRONGROOM_WRITE_HISTORIES=1 npm run test:long";
  writeFileSync(
    new URL("../../docs/histories.md", import.meta.url),
    historiesPage(all, { rerun, setBack: setBackSection(setBack) }),
  );
});

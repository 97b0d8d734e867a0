// Exchanges between rows of the two databases of a vault, on SQLite and on PostgreSQL. With
// STRONGROOM_WRITE_SWAPS=1 it writes docs/swaps.md.
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { trialRecords } from "../support/swaps/people.ts";
import { SCOPES, swapsPage } from "../support/swaps/results.ts";
import type { Result } from "../support/swaps/results.ts";
import { postgresDatabases, sqliteDatabases, trialKeyrings, tryAll } from "../support/swaps/run.ts";

/** So many pairs of rows of each exchange, or `all`, which takes hours. */
const GIVEN = process.env["STRONGROOM_SWAP_PAIRS"] ?? "12";
const PAIRS = GIVEN === "all" ? GIVEN : Number(GIVEN);

const DATABASES = { SQLite: sqliteDatabases, PostgreSQL: postgresDatabases };
const all: Result[] = [];

for (const [title, databases] of Object.entries(DATABASES))
  for (const scope of SCOPES)
    test(`thirty records in ${scope} scope on ${title}`, async (t) => {
      const options = { scope, keyrings: await trialKeyrings(t), databases: await databases(t) };
      const results = await tryAll(options, { size: "full", pairs: PAIRS });
      if (title === "SQLite") all.push(...results);
      const refused = results.filter(({ outcome }) => outcome.kind === "refused").length;
      t.diagnostic(`${results.length} changes, ${refused} refused`);
    });

test("the page", { skip: process.env["STRONGROOM_WRITE_SWAPS"] === undefined }, () => {
  const rerun = "STRONGROOM_WRITE_SWAPS=1 npm run test:long";
  writeFileSync(
    new URL("../../docs/swaps.md", import.meta.url),
    swapsPage(all, { rerun, records: trialRecords("full").length, pairs: PAIRS }),
  );
});

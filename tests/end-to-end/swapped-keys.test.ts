// Whatever a hand exchanges in the two databases of a vault: what is read is right or refused, and nothing of one person
// is sealed under another's key. docs/swaps.md is the table of the long form, which tries every pair of rows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { effectOf, effectsIn, SCOPES } from "../support/swaps/results.ts";
import type { Result } from "../support/swaps/results.ts";
import { sqliteDatabases, trialKeyrings, tryAll } from "../support/swaps/run.ts";

const PAGE = new URL("../../docs/swaps.md", import.meta.url);

const all: Result[] = [];

for (const scope of SCOPES)
  test(`rows, columns, keys and wraps exchanged in ${scope} scope`, async (t) => {
    const options = { scope, keyrings: await trialKeyrings(t), databases: await sqliteDatabases(t) };
    const began = performance.now();
    const results = await tryAll(options, { size: "small", pairs: 1 });
    const refused = results.filter(({ outcome }) => outcome.kind === "refused");
    assert.ok(refused.length > results.length / 4, `${refused.length} of ${results.length}`);
    all.push(...results);
    t.diagnostic(`${results.length} changes, ${refused.length} refused, ${Math.round(performance.now() - began)} ms`);
  });

test("the page has what was tried, and what is refused there is refused here", () => {
  const effects = effectsIn(readFileSync(PAGE, "utf8"));
  assert.ok(effects.size > 100);
  const tried = new Set(all.map(effectOf));
  assert.deepEqual(
    [...tried].filter((name) => !effects.has(name)),
    [],
  );
  const unnoticed = all.filter(
    (result) => result.outcome.kind === "right" && effects.get(effectOf(result))?.hasRight === false,
  );
  assert.deepEqual(unnoticed.map(effectOf), []);
});

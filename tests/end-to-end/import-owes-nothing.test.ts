// An import into regions that are all healthy leaves no wrap owed, whatever else the machine does: a region that is
// slow because everything is slow is not a region that is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Installation } from "./installation.ts";
import { importMany } from "./many-people.ts";

test("1,000 people into three healthy regions: every wrap is there when the import ends", async (context) => {
  await using installation = await Installation.start();
  const { report, owed, seconds } = await importMany(installation, 1000);
  context.diagnostic(
    `1,000 people in ${seconds.toFixed(1)} s, missing at first ${JSON.stringify(report.missingWraps)}`,
  );
  assert.deepEqual([report.created, report.missingWraps, owed], [1000, {}, 0]);
  assert.equal(await installation.down(), 0);
});

// Processes that rotate a wrapping key while they write and read, a few of them killed: nothing is lost, and the rotation
// ends by itself. The long tests kill hundreds.
import { test } from "node:test";
import { inFiles, prepareAuditedTables } from "../support/faults/audited-place.ts";
import { rotationKilled } from "../support/faults/rotation-killed.ts";

test("three processes killed in a rotation that also moves every collection to another scope", async (t) => {
  const place = await inFiles(t);
  await prepareAuditedTables(place);
  await rotationKilled(t, { place, kills: 3, killsEach: 3, rate: 400, records: 8, pauseMs: 200, movesScopes: true });
});

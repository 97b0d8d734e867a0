// A few processes killed in the middle of erasures, over each kind of store. The long tests kill hundreds.
import { test } from "node:test";
import { inFiles, onServer } from "../support/faults/audited-place.ts";
import { erasuresKilled } from "../support/faults/erasures-killed.ts";

for (const [store, placeOf] of Object.entries({ SQLite: inFiles, PostgreSQL: onServer }))
  test(`after three kills in the middle of erasures nothing is left of who was erased: ${store}`, async (t) => {
    await erasuresKilled(t, { place: await placeOf(t), kills: 3 });
  });

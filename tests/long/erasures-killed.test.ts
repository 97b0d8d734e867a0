// Processes that erase people while others write about them, killed 500 times over each kind of store.
import { test } from "node:test";
import { inFiles, onServer } from "../support/faults/audited-place.ts";
import { erasuresKilled } from "../support/faults/erasures-killed.ts";

const KILLS = Number(process.env["STRONGROOM_ERASURE_KILLS"] ?? 500);

for (const [store, placeOf] of Object.entries({ SQLite: inFiles, PostgreSQL: onServer }))
  test(`after ${KILLS} kills in the middle of erasures nothing is left of who was erased: ${store}`, async (t) => {
    await erasuresKilled(t, { place: await placeOf(t), kills: KILLS });
  });

// Processes that erase people while others write about them, killed 500 times over each kind of store.
import { test } from "node:test";
import { inFiles, onServer } from "../support/faults/audited-place.ts";
import { erasuresKilled } from "../support/faults/erasures-killed.ts";

const KILLS = Number(process.env["STRONGROOM_ERASURE_KILLS"] ?? 500);
/** A vault of its own for so many: it grows with what is written. */
const KILLS_EACH_VAULT = 100;

/** As many kills as are asked for, some in each vault. */
const vaults: readonly number[] = Array.from({ length: Math.ceil(KILLS / KILLS_EACH_VAULT) }, (_, n) =>
  Math.min(KILLS_EACH_VAULT, KILLS - n * KILLS_EACH_VAULT),
);

for (const [store, placeOf] of Object.entries({ SQLite: inFiles, PostgreSQL: onServer }))
  for (const [n, kills] of vaults.entries())
    test(`after ${kills} kills in the middle of erasures nothing is left of who was erased: ${store}, vault ${n + 1}`, async (t) => {
      await erasuresKilled(t, { place: await placeOf(t), kills });
    });

// Processes that rotate a wrapping key while others write and read, killed 300 times a store: every version of every
// record is what it was, and nothing is left under the old key.
import { test } from "node:test";
import { inFiles, onServer, prepareAuditedTables } from "../support/faults/audited-place.ts";
import { rotationKilled } from "../support/faults/rotation-killed.ts";

const KILLS = Number(process.env["STRONGROOM_KILLS"] ?? 300);
/** A vault of its own for so many: it grows with what is written. */
const KILLS_EACH_VAULT = 60;

const HOW = { killsEach: 12, rate: 400, records: 40, pauseMs: 100 } as const;

/** As many kills as are asked for, a few in each vault. */
const vaults: readonly number[] = Array.from({ length: Math.ceil(KILLS / KILLS_EACH_VAULT) }, (_, n) =>
  Math.min(KILLS_EACH_VAULT, KILLS - n * KILLS_EACH_VAULT),
);

for (const [store, placeOf] of Object.entries({ SQLite: inFiles, PostgreSQL: onServer }))
  for (const [n, kills] of vaults.entries()) {
    const movesScopes = n % 2 === 1;
    const what = movesScopes ? "rotations and moves of scope" : "rotations";
    test(`${kills} processes killed in ${what} over ${store}, vault ${n + 1}`, async (t) => {
      const place = await placeOf(t);
      await prepareAuditedTables(place);
      await rotationKilled(t, { place, kills, movesScopes, ...HOW });
    });
  }

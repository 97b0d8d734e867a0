/** A minute of 200 requests a second with a region lost and back every 10 s, for twenty seeds, in virtual time. */
import { test } from "node:test";
import { loadWithOutages } from "../test/support/load.ts";

for (let seed = 1; seed <= 20; seed++) {
  test(`no read fails and no write is lost while regions come and go, seed ${seed}`, async (t) => {
    for (const line of await loadWithOutages(seed, 6)) t.diagnostic(line);
  });
}

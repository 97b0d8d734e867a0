// Seeding a data directory that no server uses.

import { mkdirSync } from "node:fs";
import { settleOptions } from "../options.ts";
import type { KmsOptions } from "../options.ts";
import { openCustody } from "../store/custody.ts";
import { Store } from "../store/store.ts";
import { plant } from "./plant.ts";
import type { SeedReport } from "./plant.ts";
import { readSeed } from "./read-seed.ts";
import type { SeedSource } from "./read-seed.ts";

/** What `seedDataDir` is asked to do: the options of the server that is to find the keys. */
export interface SeedOptions extends Pick<KmsOptions, "regions" | "rootKey" | "accountId" | "clock"> {
  readonly dataDir: string;
  readonly seed: SeedSource;
}

/**
 * Makes the keys of a seed in a data directory, which is made if it does not exist.
 * @throws KmsError `seed-malformed`, `seed-conflict`, and those of starting a server there.
 */
export async function seedDataDir(options: SeedOptions): Promise<SeedReport> {
  const { dataDir, rootKey, accountId, clock, regions } = settleOptions(options);
  const names = regions.map((region) => region.name);
  const seed = readSeed(options.seed, names);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const custody = await openCustody(dataDir, rootKey);
  try {
    const store = await Store.open(custody.database, custody.chain, names);
    return await plant(seed, { store, sealer: custody.sealer, account: accountId, now: clock.now() });
  } finally {
    await custody.database.close();
    custody.sealer.close();
    custody.chain.close();
  }
}

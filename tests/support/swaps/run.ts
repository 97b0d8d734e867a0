/**
 * All changes in one scope: the records are written, then each change is made, looked at and taken back.
 */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { postgresKeyStore, postgresStore } from "@strongroom/vault/postgres";
import { sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import pg from "pg";
import { QUICK_KEYRING, regionalKeys } from "../../../packages/vault/test/support/regional-vault.ts";
import type { RegionalKeys } from "../../../packages/vault/test/support/regional-vault.ts";
import { defer } from "../defer.ts";
import { temporaryFolder } from "../faults/folder.ts";
import { startPostgres } from "../postgres/server.ts";
import { exchanges } from "./changes.ts";
import type { Pairs, Place } from "./changes.ts";
import { sqliteHand } from "./hand.ts";
import { keyChanges, LENGTH_PREFIXED, TOGETHER } from "./key-changes.ts";
import { trialRecords } from "./people.ts";
import { postgresHand } from "./postgres-hand.ts";
import type { Result } from "./results.ts";
import { Trial } from "./trial.ts";
import type { Databases, TrialOptions } from "./trial.ts";

/** How much is tried. */
export interface Extent {
  readonly size: "small" | "full";
  readonly pairs: Pairs;
}

/** Wrapping keys of the records and of the key store, in three regions of one KMS. */
export async function trialKeyrings(t: TestContext): Promise<TrialOptions["keyrings"]> {
  const { keys } = await regionalKeys(t);
  const others = await Promise.all(
    keys.map(async (key) => ({ ...key, keyArn: (await key.client.createKey({})).KeyMetadata!.Arn! })),
  );
  const keyringOf = (regions: RegionalKeys["keys"]): TrialOptions["keyrings"]["keys"] =>
    multiRegionKeyring({ regions, minimum: 2, ...QUICK_KEYRING });
  return { records: keyringOf(keys), keys: keyringOf(others) };
}

/** Two files. */
export async function sqliteDatabases(t: TestContext): Promise<Databases> {
  const folder = await temporaryFolder(t);
  const path = (place: Place): string => join(folder, `${place}.sqlite`);
  const [records, keys] = [await sqliteStore(path("records")), await sqliteKeyStore(path("keys"))];
  defer(t, () => records.close());
  defer(t, () => keys.close());
  return { records, keys, hand: async (place) => sqliteHand(path(place)) };
}

/** Two schemas of one database. */
export async function postgresDatabases(t: TestContext): Promise<Databases> {
  const { url } = await startPostgres(t);
  const poolOf = (): pg.Pool => new pg.Pool({ connectionString: url, max: 4 });
  const records = await postgresStore(poolOf(), { migrate: true, endPool: true });
  defer(t, () => records.close());
  const keys = await postgresKeyStore(poolOf(), { migrate: true, endPool: true });
  defer(t, () => keys.close());
  const schemas: Readonly<Record<Place, string>> = { records: "strongroom", keys: "strongroom_keys" };
  return { records, keys, hand: (place) => postgresHand(url, schemas[place]) };
}

/** Tries everything in one scope. @throws AssertionError at the first answer that is wrong */
export async function tryAll(
  options: Omit<TrialOptions, "records">,
  { size, pairs }: Extent,
): Promise<readonly Result[]> {
  const trial = await Trial.begin({ ...options, records: trialRecords(size) });
  try {
    const { records, keys } = trial.hands;
    const changes = [
      ...exchanges("records", records, TOGETHER.records, pairs),
      ...exchanges("keys", keys, TOGETHER.keys, pairs),
      ...keyChanges(trial.hands, LENGTH_PREFIXED, pairs),
    ];
    const results: Result[] = [];
    for (const change of changes) results.push({ scope: options.scope, change, outcome: await trial.play(change) });
    return results;
  } finally {
    await trial.close();
  }
}

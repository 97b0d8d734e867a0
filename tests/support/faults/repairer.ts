// A process that pays owed wraps and writes down each version that it has given another message. It ends when its
// standard input does.
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { KMS } from "@aws-sdk/client-kms";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { openVault } from "@strongroom/vault";
import { QUICK_KEYRING, QUICK_REPAIR } from "../../../packages/vault/test/support/regional-vault.ts";
import { storeWith } from "../../../packages/vault/test/support/store-with.ts";
import { openPlace, type Place } from "./place.ts";

/** What the process is told. */
export interface RepairTask {
  readonly place: Place;
  readonly regions: readonly { readonly region: string; readonly endpoint: string; readonly keyArn: string }[];
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly leaseMs: number;
  readonly log: string;
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { place, regions, credentials, leaseMs, log } = JSON.parse(String((await lines.next()).value)) as RepairTask;
const keyring = multiRegionKeyring({
  regions: regions.map(({ region, endpoint, keyArn }) => ({
    region,
    keyArn,
    client: new KMS({ region, endpoint, credentials, maxAttempts: 1 }),
  })),
  minimum: 2,
  ...QUICK_KEYRING,
});
const store = await openPlace(place);
const watched = storeWith(store, {
  inventory: {
    rewrap: async (change) => {
      const result = await store.inventory.rewrap(change);
      appendFileSync(log, `${change.place.id}/${change.place.version} ${result.kind}\n`);
      return result;
    },
  },
});
const vault = await openVault({
  store: watched,
  keyring,
  repair: { ...QUICK_REPAIR, leaseMs, claimItems: 4, atOnce: 2, itemsPerSecond: 200, health: () => keyring.health() },
});
process.stdout.write("ready\n");
await lines.next();
await vault.close();
process.exit();

/**
 * A run over real regions of a KMS: from keys to other keys in the same regions, one of which is lost in the middle.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { openVault } from "@strongroom/vault";
import type { KeySetInput, KeyStore, KeyWrap, Vault } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { putPeople, QUICK_RUN, requireAll, untilRun } from "../support/converging.ts";
import type { RunProgress } from "../../src/convergence/view.ts";
import { QUICK_KEYRING, regionalKeys, REGIONS, until } from "../support/regional-vault.ts";
import type { RegionalKeys } from "../support/regional-vault.ts";
import { memoryStorage } from "../support/storage.ts";

interface Regional extends RegionalKeys {
  readonly vault: Vault;
  readonly keyStore: KeyStore;
  readonly old: readonly string[];
  readonly fresh: readonly string[];
}

async function regional(t: TestContext): Promise<Regional> {
  const regions = await regionalKeys(t);
  const storage = memoryStorage();
  const set = (keys: RegionalKeys["keys"]): KeySetInput => ({
    keyring: multiRegionKeyring({ regions: keys, minimum: 1, ...QUICK_KEYRING }),
    keySet: keys.map(({ keyArn }) => keyArn),
  });
  const others = await Promise.all(
    regions.keys.map(async (key) => ({ ...key, keyArn: (await key.client.createKey({})).KeyMetadata!.Arn! })),
  );
  const [a, b] = [set(regions.keys), set(others)];
  const vault = await openVault({
    ...{ store: await storage.open(), ...a, next: b, keys: { store: await storage.openKeys() } },
    repair: QUICK_RUN,
  });
  defer(t, () => vault.close());
  const keyStore = await storage.openKeys();
  defer(t, () => keyStore.close());
  return { ...regions, vault, keyStore, old: a.keySet, fresh: b.keySet };
}

const arnOf = ({ info }: KeyWrap): string => Buffer.from(info).toString("utf8");

/** The wrapping keys of every person's key. */
async function arns({ keyStore }: Regional): Promise<readonly (readonly string[])[]> {
  const sets = (await keyStore.inventory.sets()).map(({ id }) => id);
  const items = await keyStore.inventory.list({ sets, after: null, limit: 1000 });
  const rows = await Promise.all(items.map(({ place }) => keyStore.keys.version(place!.owner, place!.version)));
  return rows.map(({ key }) => key!.wraps.map(arnOf).sort());
}

test("a region that is lost in the middle: the others go on, nothing is dropped, and it ends when it is back", async (t) => {
  const opened = await regional(t);
  const { vault, kms, fresh, old } = opened;
  await putPeople(vault, 12);
  await kms.stopRegion("eu-west-2");
  await vault.convergence.apply({ rate: 10_000 });
  const inOthers = fresh.filter((arn) => !arn.includes(":eu-west-2:"));
  await until(async () => (await arns(opened)).every((names) => inOthers.every((arn) => names.includes(arn))));
  const { run } = await vault.convergence.status();
  assert.deepEqual([run?.state, run?.phase], ["running", "add"]);
  assert.ok(
    (await arns(opened)).every((names) => old.every((arn) => names.includes(arn))),
    "no old wrap is gone",
  );
  await kms.startRegion("eu-west-2");
  await untilRun(vault, "done");
  assert.ok((await arns(opened)).every((names) => names.join() === fresh.toSorted().join()));
  await requireAll(vault, 12);
});

test("a rotation in the same regions costs one ReEncrypt and one Decrypt a wrap, and no more", async (t) => {
  const opened = await regional(t);
  const { vault, fresh } = opened;
  await putPeople(vault, 12);
  const keys = (await arns(opened)).length;
  await vault.convergence.apply({ rate: 10_000 });
  await untilRun(vault, "done");
  assert.ok((await arns(opened)).every((names) => names.join() === fresh.toSorted().join()));
  const callsNow = async (): Promise<RunProgress["calls"]> => (await vault.convergence.status()).run!.progress.calls;
  // They are written down every two seconds.
  await until(async () => (await callsNow()).reduce((sum, { calls: made }) => sum + made, 0) >= 6 * keys);
  const calls = await callsNow();
  const told = calls.map(({ region, operation, calls: made }) => `${region} ${operation} ${made}`).sort();
  const each = REGIONS.flatMap((region) => [`${region} Decrypt ${keys}`, `${region} ReEncrypt ${keys}`]);
  assert.deepEqual(told, each.sort());
});

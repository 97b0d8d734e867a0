/**
 * Partitions of the repair, and what becomes of them when their holder dies or stands still, or when somebody has
 * written into the database.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketOf, openVault, parseAddress } from "@strongroom/vault";
import type { AddressInput, Lease, Leased, Store } from "@strongroom/vault";
import { MemoryStorage, memoryStore } from "@strongroom/vault/memory";
import { defer } from "../../../../tests/support/defer.ts";
import { bucketsOf, REPAIR_JOB, REPAIR_PARTITIONS } from "../../src/convergence/partitions.ts";
import { flipTo } from "../support/key-sets.ts";
import {
  owedVersions,
  owesNothing,
  putSome,
  QUICK_KEYRING,
  QUICK_REPAIR,
  regionalVault,
  until,
} from "../support/regional-vault.ts";
import { memoryStorage } from "../support/storage.ts";
import { testStorage } from "../support/storage.ts";
import { storeWith } from "../support/store-with.ts";

test("what a process held that died is repaired when its lease has run out, and not before", async (t) => {
  const time = { now: Date.parse("2026-01-01T00:00:00Z") };
  const clock = (): Date => new Date(time.now);
  const memory = new MemoryStorage();
  const storage = {
    ...memoryStorage(memory),
    open: async (): Promise<Store> => memoryStore({ storage: memory, clock }),
  };
  const { vault, kms, store, keyring } = await regionalVault(t, { keyring: QUICK_KEYRING, clock, storage });
  await kms.stopRegion("eu-west-2");
  await putSome(vault, 30);
  await kms.startRegion("eu-west-2");
  await until(async () => (await keyring.probe()).every(({ state }) => state === "up"));
  await store.jobs.add(REPAIR_JOB, REPAIR_PARTITIONS);
  const dead: Leased[] = [];
  for (let n = 0; n < 8; n++) dead.push((await store.jobs.lease({ job: REPAIR_JOB, holder: "dead", ms: 60_000 }))!);
  const partitions = dead.map(({ partition }) => partition);
  const isHeld = (item: AddressInput): boolean => partitions.some((partition) => isIn(partition, item));
  const held = (await owedVersions(vault)).filter(isHeld).length;
  assert.ok(held > 0 && held < 30, "the test's own records are spread over the partitions");
  const heir = await openVault({ store: await storage.open(), keyring, clock, repair: QUICK_REPAIR });
  defer(t, () => heir.close());
  await until(() => heir.repairStatus().repaired === 30 - held);
  time.now += 59_999;
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal((await vault.wrapDebt()).items, held);
  const [job] = await vault.jobs();
  assert.deepEqual(
    job?.partitions.filter(({ state }) => state === "running").map(({ partition, holder }) => [partition, holder]),
    partitions.toSorted().map((partition) => [partition, "dead"]),
  );
  // Past the end of the lease, and of the heir's pause between two looks.
  time.now += 1 + 100;
  await until(owesNothing(vault));
  await until(() => heir.repairStatus().repaired >= 30);
  assert.equal(heir.repairStatus().repaired, 30);
  assert.equal(await store.jobs.save(dead[0]!, { cursor: null, done: 1, failed: 0, problem: null }, 1), "overtaken");
});

function isIn(partition: string, { collection, id }: AddressInput): boolean {
  const { from, to } = bucketsOf(partition)!;
  const bucket = bucketOf(parseAddress({ collection, id }));
  return bucket >= from && bucket < to;
}

test("a repair that stands still over its lease changes nothing when it goes on: another one has done its work", async (t) => {
  const { vault, kms, storage, keyring } = await regionalVault(t, { keyring: QUICK_KEYRING });
  await kms.stopRegion("eu-west-2");
  await putSome(vault, 12);
  await kms.startRegion("eu-west-2");
  await until(async () => (await keyring.probe()).every(({ state }) => state === "up"));
  const still = Promise.withResolvers<undefined>();
  const go = Promise.withResolvers<undefined>();
  const store = await storage.open();
  const made: string[] = [];
  const stopping = storeWith(store, {
    inventory: {
      rewrap: async (change) => {
        still.resolve(undefined);
        await go.promise;
        const result = await store.inventory.rewrap(change);
        made.push(result.kind);
        return result;
      },
    },
  });
  const repair = { ...QUICK_REPAIR, leaseMs: 150 };
  const first = await openVault({ store: stopping, keyring, repair });
  defer(t, () => first.close());
  await still.promise;
  const second = await openVault({ store: await storage.open(), keyring, repair });
  defer(t, () => second.close());
  await until(owesNothing(vault));
  await until(() => second.repairStatus().repaired >= 12);
  const messages = await allMessages(store, 12);
  go.resolve(undefined);
  await until(() => made.length > 0 && first.repairStatus().state === "resting");
  assert.ok(
    made.every((kind) => kind === "overtaken"),
    made.join(),
  );
  assert.deepEqual(await allMessages(store, 12), messages);
  assert.deepEqual([first.repairStatus().repaired, second.repairStatus().repaired], [0, 12]);
  assert.equal(first.repairStatus().overtaken, made.length);
});

test("whoever was taken over changes nothing, also where its heir has done nothing yet", async (t) => {
  const { vault, kms, store, storage, keyring } = await regionalVault(t, { keyring: QUICK_KEYRING });
  await kms.stopRegion("eu-west-2");
  await putSome(vault, 12);
  await kms.startRegion("eu-west-2");
  await until(async () => (await keyring.probe()).every(({ state }) => state === "up"));
  const still = Promise.withResolvers<Lease>();
  const go = Promise.withResolvers<undefined>();
  const own = await storage.open();
  const late: string[] = [];
  const stopping = storeWith(own, {
    inventory: {
      rewrap: async (change) => {
        still.resolve(change.lease!);
        await go.promise;
        const result = await own.inventory.rewrap(change);
        if (change.lease?.partition === (await still.promise).partition) late.push(result.kind);
        return result;
      },
    },
  });
  const worker = await openVault({ store: stopping, keyring, repair: { ...QUICK_REPAIR, leaseMs: 500 } });
  defer(t, () => worker.close());
  const { partition } = await still.promise;
  const taken: Leased[] = [];
  await until(async () => {
    const lease = await store.jobs.lease({ job: REPAIR_JOB, holder: "heir", ms: 600_000 });
    if (lease !== null) taken.push(lease);
    return lease?.partition === partition;
  });
  for (const lease of taken)
    if (lease.partition !== partition)
      await store.jobs.finish(lease, { cursor: null, done: 0, failed: 0, problem: null }, 0);
  const held = (await owedVersions(vault)).filter((item) => isIn(partition, item)).length;
  go.resolve(undefined);
  await until(async () => (await vault.wrapDebt()).items === held && worker.repairStatus().state === "resting");
  assert.ok(held > 0 && late.length > 0);
  assert.deepEqual(new Set(late), new Set(["overtaken"]));
});

async function allMessages({ records }: Store, count: number): Promise<readonly string[]> {
  const addresses = Array.from({ length: count }, (_, n) => parseAddress({ collection: "people", id: `id-${n}` }));
  const reads = await Promise.all(addresses.map((address) => records.read(address, null)));
  return reads.map(({ stored }) => Buffer.from(stored!.message).toString("base64"));
}

test("partitions and positions that somebody wrote into the database stop no repair", async (t) => {
  const { vault, kms, store, storage, keyring } = await regionalVault(t, { keyring: QUICK_KEYRING });
  await kms.stopRegion("eu-west-2");
  await putSome(vault, 20);
  await kms.startRegion("eu-west-2");
  await store.jobs.add(REPAIR_JOB, ["a newer program's", ...REPAIR_PARTITIONS]);
  for (let n = 0; n <= REPAIR_PARTITIONS.length; n++) {
    const lease = (await store.jobs.lease({ job: REPAIR_JOB, holder: "x", ms: 60_000 }))!;
    const cursor = n % 2 === 0 ? "no position" : "]";
    await store.jobs.finish(lease, { cursor, done: 0, failed: 0, problem: null }, 0);
  }
  const repairing = await openVault({ store: await storage.open(), keyring, repair: QUICK_REPAIR });
  defer(t, () => repairing.close());
  await until(owesNothing(vault));
  assert.equal(repairing.repairStatus().failuresByCode["cursor-invalid"], undefined);
  const [job] = await vault.jobs();
  assert.notEqual(job?.partitions.find(({ partition }) => partition.startsWith("a newer"))?.state, "finished");
});

test("a version whose place is damaged is counted and passed over, and the others are repaired", async (t) => {
  const storage = await testStorage(t);
  const store = await storage.open();
  const altered = storeWith(store, {
    inventory: {
      list: async (page) =>
        (await store.inventory.list(page)).map((item) => (item.id === "id-3" ? { ...item, place: null } : item)),
    },
  });
  const { vault, kms } = await regionalVault(t, {
    storage,
    store: altered,
    keyring: QUICK_KEYRING,
    repair: { ...QUICK_REPAIR, claimItems: 1 },
  });
  await kms.stopRegion("eu-west-2");
  await putSome(vault, 12);
  await kms.startRegion("eu-west-2");
  await until(async () => (await vault.wrapDebt()).items === 1);
  await until(async () => (await vault.jobs())[0]?.done === 11);
  assert.equal((await vault.jobs())[0]?.problem?.code, "record-tampered");
  assert.deepEqual(
    (await vault.debts()).damaged?.map(({ id }) => id),
    ["id-3"],
  );
});

test("a key set that is not known ends a round, and is told", async (t) => {
  const faults: string[] = [];
  const { vault, kms, store, storage, keyring } = await regionalVault(t, { keyring: QUICK_KEYRING });
  await kms.stopRegion("eu-west-2");
  await putSome(vault, 2);
  await kms.startRegion("eu-west-2");
  await flipTo(store, "f".repeat(64));
  const onFault = (error: unknown): void => void faults.push((error as { code: string }).code);
  const other = await openVault({ store: await storage.open(), keyring, repair: { ...QUICK_REPAIR, onFault } });
  defer(t, () => other.close());
  await until(() => faults.length >= 2);
  assert.deepEqual([new Set(faults), (await vault.wrapDebt()).items], [new Set(["key-set-unknown"]), 2]);
  await vault.flipKeySet();
  await until(owesNothing(vault));
});

/**
 * The repair in the background: over real regions that go and come, and with time of the tests' own where only time
 * matters.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openVault, parseAddress } from "@strongroom/vault";
import type { RepairStatus, Store, Vault } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { rejectsWith } from "../support/errors.ts";
import {
  owedVersions,
  owesNothing,
  putSome,
  QUICK_KEYRING,
  QUICK_REPAIR,
  regionalVault,
  until,
} from "../support/regional-vault.ts";
import { testStorage } from "../support/storage.ts";
import { alteredStore, lastByteAltered, storeWith } from "../support/store-with.ts";
import { aesKeyring, testVault } from "../support/vault.ts";

test("a region is lost and comes back: what is owed is paid, by nobody's doing", async (t) => {
  const { vault, kms } = await regionalVault(t, { keyring: QUICK_KEYRING, repair: QUICK_REPAIR });
  await kms.stopRegion("eu-west-1");
  await putSome(vault, 30);
  await vault.put({ collection: "people", id: "id-0" }, { n: "again" });
  assert.equal((await vault.wrapDebt()).items, 31);
  await kms.startRegion("eu-west-1");
  await until(owesNothing(vault));
  for (let n = 0; n < 30; n++)
    assert.deepEqual(
      (await vault.history({ collection: "people", id: `id-${n}` })).map(({ wraps }) => wraps.stored),
      n === 0 ? [3, 3] : [3],
    );
  assert.deepEqual((await vault.get({ collection: "people", id: "id-0" })).document, { n: "again" });
  await until(() => vault.repairStatus().repaired >= 31);
  const { repaired, overtaken, lastRepairAt } = vault.repairStatus();
  assert.deepEqual([repaired, overtaken], [31, 0]);
  assert.ok(lastRepairAt !== null);
});

test("a vault without the repair keeps what is owed, and one that is opened with it later pays it, without any health", async (t) => {
  const { vault, kms, storage, keyring } = await regionalVault(t, { keyring: QUICK_KEYRING });
  await kms.stopRegion("eu-west-2");
  await putSome(vault, 5);
  await kms.startRegion("eu-west-2");
  assert.equal(vault.repairStatus().state, "off");
  const later = await openVault({ store: await storage.open(), keyring, repair: QUICK_REPAIR });
  defer(t, () => later.close());
  await until(owesNothing(vault));
  await until(() => later.repairStatus().repaired >= 5);
  assert.equal(later.repairStatus().repaired, 5);
});

test("while a region is away, one version in an interval is tried and the others wait untouched", async (t) => {
  const { vault, kms } = await regionalVault(t, {
    keyring: QUICK_KEYRING,
    repair: { ...QUICK_REPAIR, intervalMs: 600_000 },
  });
  await kms.stopRegion("eu-west-1");
  await putSome(vault, 20);
  await until(() => vault.repairStatus().failed > 0 && vault.repairStatus().state === "resting");
  await vault.put({ collection: "people", id: "more" }, {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(vault.repairStatus().failed, 1);
  assert.equal((await vault.debts()).items.filter(({ attempts }) => attempts > 0).length, 1);
});

test("a damaged version does not keep the others waiting, stays owed, and its reason is listed", async (t) => {
  const storage = await testStorage(t);
  const real = await storage.open();
  const message = async (): Promise<Uint8Array> =>
    (await real.records.read(parseAddress({ collection: "people", id: "id-5" }), null)).stored!.message;
  const store = alteredStore(real, async (stored, id) => {
    if (id === "id-3") return { ...stored, message: lastByteAltered(stored.message) };
    return id === "id-4" ? { ...stored, message: await message() } : stored;
  });
  const { vault, kms } = await regionalVault(t, { storage, store, keyring: QUICK_KEYRING, repair: QUICK_REPAIR });
  await kms.stopRegion("eu-west-1");
  await putSome(vault, 10);
  await kms.startRegion("eu-west-1");
  await until(async () => (await vault.wrapDebt()).items === 2);
  await until(
    () =>
      vault.repairStatus().failuresByCode["record-moved"] === 1 &&
      vault.repairStatus().failuresByCode["record-tampered"] === 1,
  );
  await until(async () => (await vault.debts()).items.every(({ attempts }) => attempts === 1));
  assert.equal((await vault.debts()).next, null);
  assert.deepEqual(
    (await owedVersions(vault))
      .map(({ collection, id, version, regions, attempts, lastProblem }) => [
        collection,
        id,
        version,
        regions[0]?.region,
        attempts,
        lastProblem?.code,
      ])
      .sort(),
    [
      ["people", "id-3", 1, "eu-west-1", 1, "record-tampered"],
      ["people", "id-4", 1, "eu-west-1", 1, "record-moved"],
    ],
  );
  // It is not tried again at once: the rest of this test would be a second attempt's time.
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal((await vault.debts()).items[0]?.attempts, 1);
});

test("two vaults on one store pay the same debt together, each version once", async (t) => {
  const { vault, kms, storage, keyring } = await regionalVault(t, { keyring: QUICK_KEYRING, repair: QUICK_REPAIR });
  const other = await openVault({
    store: await storage.open(),
    keyring,
    repair: { ...QUICK_REPAIR, health: () => keyring.health() },
  });
  defer(t, () => other.close());
  await kms.stopRegion("eu-central-1");
  await putSome(vault, 120);
  await kms.startRegion("eu-central-1");
  await until(owesNothing(vault));
  // The store has it before the one who made it counts it.
  const sum = (of: "repaired" | "overtaken"): number => vault.repairStatus()[of] + other.repairStatus()[of];
  await until(() => sum("repaired") >= 120);
  assert.deepEqual([sum("repaired"), sum("overtaken")], [120, 0]);
});

test("closing waits for the repair under way, begins no other, and gives its partition back", async (t) => {
  const { vault, kms, storage, keyring } = await regionalVault(t, { keyring: QUICK_KEYRING });
  await kms.stopRegion("eu-west-2");
  await putSome(vault, 10);
  await kms.startRegion("eu-west-2");
  await until(async () => (await keyring.probe()).every(({ state }) => state === "up"));
  const under = Promise.withResolvers<undefined>();
  const go = Promise.withResolvers<undefined>();
  const second = await storage.open();
  const slow = storeWith(second, {
    inventory: {
      rewrap: async (change) => {
        under.resolve(undefined);
        await go.promise;
        return second.inventory.rewrap(change);
      },
    },
  });
  const closing = await openVault({ store: slow, keyring, repair: { ...QUICK_REPAIR, atOnce: 1 } });
  await under.promise;
  let closed = false;
  const close = closing.close().then(() => {
    closed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(closed, false);
  go.resolve(undefined);
  await close;
  assert.deepEqual([closing.repairStatus().repaired, closing.repairStatus().state], [1, "stopped"]);
  assert.equal((await vault.wrapDebt()).items, 9);
  const [repair] = await vault.jobs();
  assert.deepEqual([repair?.job, repair?.states.running, repair?.done], ["repair", 0, 1]);
  await rejectsWith("store-closed", () => closing.ping());
});

test("a signal ends the repair and the calls under way; the vault stays open", async (t) => {
  const ending = new AbortController();
  const { vault, kms } = await regionalVault(t, {
    keyring: QUICK_KEYRING,
    repair: { ...QUICK_REPAIR, signal: ending.signal },
  });
  ending.abort();
  await until(() => vault.repairStatus().state === "stopped");
  await kms.stopRegion("eu-west-2");
  await putSome(vault, 3);
  await kms.startRegion("eu-west-2");
  assert.equal((await vault.wrapDebt()).items, 3);
});

/** Fifty owed versions, repaired in time of the test's own: when each was begun, in its milliseconds. */
async function timed(
  t: Parameters<typeof testVault>[0],
  settings: { readonly itemsPerSecond: number },
): Promise<{ readonly starts: readonly number[]; readonly vault: Vault }> {
  let now = 0;
  const starts: number[] = [];
  const keyring = aesKeyring();
  const { store, vault } = await testVault(t, { keyring });
  await putSome(vault, 50);
  for (let n = 0; n < 50; n++) await owe(store, `id-${n}`);
  const watched = storeWith(store, {
    records: {
      read: (address, version) => {
        starts.push(now);
        return store.records.read(address, version);
      },
    },
    close: async () => undefined,
  });
  const sleep = async (ms: number): Promise<void> => {
    now = Math.max(now, now + ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const timedVault = await openVault({
    store: watched,
    keyring,
    clock: () => new Date(now),
    repair: { ...settings, atOnce: 1, sleep },
  });
  defer(t, () => timedVault.close());
  await until(owesNothing(vault));
  await until(() => timedVault.repairStatus().settled >= 50);
  return { starts, vault: timedVault };
}

/** Writes a version that owes a wrap which its keyring does not ask for: a repair settles it. */
async function owe({ records, gate, inventory }: Store, id: string): Promise<void> {
  const address = parseAddress({ collection: "people", id });
  const { version, stamp } = (await records.read(address, null)).stored!;
  const { kind } = await inventory.rewrap({
    place: { ...address, version },
    seen: stamp,
    epoch: (await gate.current()).epoch,
    message: null,
    wrapSet: {
      wraps: [{ provider: "strongroom-test", key: "k", material: null }],
      target: 2,
      missing: [{ region: "gone", keyArn: "arn:gone", reason: "refused" }],
    },
    at: "2026-01-01T00:00:00.000Z",
    lease: null,
  });
  assert.equal(kind, "made");
}

test("the pace is kept: no more versions are begun in a second than allowed", async (t) => {
  const { starts, vault } = await timed(t, { itemsPerSecond: 10 });
  assert.equal(vault.repairStatus().settled, 50);
  assert.equal(starts.length, 50);
  for (let n = 10; n < starts.length; n++) assert.ok(starts[n]! - starts[n - 10]! >= 1000 - 1e-6);
});

test("a store that cannot be used now ends a round, not the repair", async (t) => {
  const { vault, kms, storage, keyring } = await regionalVault(t, { keyring: QUICK_KEYRING });
  await kms.stopRegion("eu-west-2");
  await putSome(vault, 4);
  await kms.startRegion("eu-west-2");
  const second = await storage.open();
  const faults: unknown[] = [];
  let failing = 3;
  const sick = storeWith(second, {
    inventory: {
      sets: () => (failing-- > 0 ? Promise.reject(new TypeError("a defect")) : second.inventory.sets()),
    },
  });
  const repairing = await openVault({
    store: sick,
    keyring,
    repair: { ...QUICK_REPAIR, onFault: (error) => faults.push(error) },
  });
  defer(t, () => repairing.close());
  await until(owesNothing(vault));
  const { failed, failuresByCode } = repairing.repairStatus();
  assert.deepEqual([faults.length, failuresByCode["store-failed"]], [3, 3]);
  assert.ok(failed >= 3);
});

test("the list of what is owed has pages, and takes no cursor that is not its own", async (t) => {
  const { vault, store } = await testVault(t);
  await putSome(vault, 7);
  for (let n = 0; n < 7; n++) await owe(store, `id-${n}`);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await vault.debts({ limit: 3, ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...page.items.map((item) => (item.kind === "version" ? item.id : "a key")));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  assert.deepEqual(
    seen.sort(),
    Array.from({ length: 7 }, (_, n) => `id-${n}`),
  );
  const { next } = await vault.list("people", { limit: 2 });
  for (const wrong of [
    next!,
    "",
    "e30",
    Buffer.from('["debt-4","versions"]').toString("base64url"),
    Buffer.from('["debt-4","versions","a position of nobody\'s"]').toString("base64url"),
    Buffer.from(JSON.stringify(["debt-4", "versions", "x".repeat(2049)])).toString("base64url"),
    Buffer.from('["debt-4","people","x"]').toString("base64url"),
  ]) {
    await rejectsWith("cursor-invalid", () => vault.debts({ cursor: wrong }));
  }
  await rejectsWith("limit-invalid", () => vault.debts({ limit: 0 }));
  const off: RepairStatus = vault.repairStatus();
  assert.deepEqual(off, {
    state: "off",
    repaired: 0,
    settled: 0,
    overtaken: 0,
    failed: 0,
    failuresByCode: {},
    lastRepairAt: null,
    lastFailure: null,
  });
});

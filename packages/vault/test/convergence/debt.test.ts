/**
 * What is owed as those see it who must not wait, and the jobs as a list shows them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_SEEN, openVault } from "@strongroom/vault";
import type { DebtSeen, JobPartition, JobSummary, KnownWrapSet, Vault, WrapSetId } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { QUICK_KEYRING, QUICK_REPAIR, regionalVault, until } from "../support/regional-vault.ts";
import { movableTime } from "../support/key-sets.ts";
import { storeWith } from "../support/store-with.ts";
import { aesKeyring, testVault } from "../support/vault.ts";

/** The figures after at least one look. */
async function seen(vault: Vault): Promise<DebtSeen> {
  await until(() => vault.debtSeen() !== null);
  return vault.debtSeen()!;
}

test("without a repair the figures are looked for when asked, at most once in 30 s, and nobody waits for the store", async (t) => {
  const time = movableTime(t);
  const { store, keyring } = await testVault(t);
  let looks = 0;
  const go = Promise.withResolvers<undefined>();
  const slow = storeWith(store, {
    inventory: {
      sets: async () => {
        looks++;
        await go.promise;
        return store.inventory.sets();
      },
    },
  });
  const vault = await openVault({ store: slow, keyring });
  defer(t, () => vault.close());
  assert.deepEqual([vault.debtSeen(), vault.debtSeen(), looks], [null, null, 1]);
  go.resolve(undefined);
  const first = await seen(vault);
  assert.deepEqual({ ...first, at: null }, { items: 0, regions: [], at: null, capped: false });
  time.later(29_000);
  assert.equal(vault.debtSeen(), first);
  assert.equal(looks, 1);
  time.later(1_001);
  assert.equal(vault.debtSeen(), first, "what was seen last, at once");
  await until(() => vault.debtSeen() !== first);
  assert.equal(looks, 2);
});

test("a store that fails a look is no failure of who asks, and is looked at again", async (t) => {
  const time = movableTime(t);
  const { store, keyring } = await testVault(t);
  let isAway = true;
  const sick = storeWith(store, {
    inventory: { sets: () => (isAway ? Promise.reject(new Error("away")) : store.inventory.sets()) },
  });
  const vault = await openVault({ store: sick, keyring });
  defer(t, () => vault.close());
  assert.equal(vault.debtSeen(), null);
  await new Promise((resolve) => setImmediate(resolve));
  isAway = false;
  assert.equal(vault.debtSeen(), null);
  time.later(30_001);
  assert.equal((await seen(vault)).items, 0);
});

test("closing waits for the look that is under way", async (t) => {
  const { store, keyring } = await testVault(t);
  const go = Promise.withResolvers<undefined>();
  let [isOver, isClosed] = [false, false];
  const slow = storeWith(store, {
    inventory: {
      sets: async () => {
        await go.promise;
        isOver = true;
        return store.inventory.sets();
      },
    },
    close: async () => {
      assert.ok(isOver, "the store is closed when nobody uses it any more");
    },
  });
  const vault = await openVault({ store: slow, keyring });
  vault.debtSeen();
  const closing = vault.close().then(() => {
    isClosed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isClosed, false);
  go.resolve(undefined);
  await closing;
});

test("a repair's rounds see what is owed, by regions, and that it is paid", async (t) => {
  const { vault, kms } = await regionalVault(t, { keyring: QUICK_KEYRING, repair: QUICK_REPAIR });
  await kms.stopRegion("eu-west-1");
  await vault.put({ collection: "people", id: "ada" }, {});
  await until(() => vault.debtSeen()?.items === 1);
  const { regions, capped, at } = await seen(vault);
  assert.deepEqual(
    regions.map(({ region, items, oldest }) => [region, items, typeof oldest]),
    [["eu-west-1", 1, "string"]],
  );
  assert.deepEqual([capped, Number.isFinite(Date.parse(at))], [false, true]);
  await kms.startRegion("eu-west-1");
  await until(() => vault.debtSeen()?.items === 0);
});

const set = (id: number, ...missing: readonly string[]): KnownWrapSet => ({
  id: id as WrapSetId,
  set: {
    wraps: [],
    target: 3,
    missing: missing.map((region) => ({ region, keyArn: `arn:${region}`, reason: "refused" })),
  },
});

test("only sets that owe are counted, no further than told, and a region that owes by two sets is one", async (t) => {
  const { store, keyring } = await testVault(t);
  const asked: (readonly [readonly number[], number])[] = [];
  const counted = storeWith(store, {
    inventory: {
      sets: async () => [
        set(1),
        set(2, "r1", "r2"),
        set(3, "r1", "r1"),
        set(4, "r3"),
        { id: 5 as WrapSetId, set: null },
      ],
      counts: async (sets, atMost) => {
        asked.push([sets, atMost]);
        return [
          { id: 2 as WrapSetId, items: atMost > MOST_SEEN ? 250_000 : atMost, oldest: "2026-02-01T00:00:00.000Z" },
          { id: 3 as WrapSetId, items: 5, oldest: "2026-01-01T00:00:00.000Z" },
          { id: 4 as WrapSetId, items: 0, oldest: null },
        ];
      },
    },
  });
  const vault = await openVault({ store: counted, keyring });
  const regions = (most: number): unknown => [
    { region: "r1", items: most + 5, oldest: "2026-01-01T00:00:00.000Z" },
    { region: "r2", items: most, oldest: "2026-02-01T00:00:00.000Z" },
  ];
  const { at, ...figures } = await seen(vault);
  assert.ok(Date.parse(at) > 0);
  assert.deepEqual(figures, { items: MOST_SEEN + 5, regions: regions(MOST_SEEN), capped: true });
  assert.deepEqual(await vault.wrapDebt(), { items: 250_005, regions: regions(250_000) });
  assert.deepEqual(asked, [
    [[2, 3, 4], MOST_SEEN],
    [[2, 3, 4], Number.MAX_SAFE_INTEGER],
  ]);
});

test("versions whose place, date or wrap set is damaged are listed as damaged, escaped, beside the others", async (t) => {
  const { store, keyring } = await testVault(t);
  const item = { collection: "peo\u001b[2Jple", id: "a\n", failure: null, position: "p" };
  const altered = storeWith(store, {
    inventory: {
      sets: async () => [set(1, "r1"), { id: 2 as WrapSetId, set: null }],
      list: async () => [
        { ...item, place: null, wrapSet: 1 as WrapSetId, since: "2026-01-01T00:00:00.000Z" },
        { ...item, place: null, wrapSet: 2 as WrapSetId, since: null },
      ],
    },
  });
  const vault = await openVault({ store: altered, keyring });
  const damaged = { kind: "version", collection: "peo\\u{1b}[2Jple", id: "a\\u{a}", code: "record-tampered" };
  assert.deepEqual(await vault.debts(), { items: [], damaged: [damaged, damaged], next: null });
});

test("jobs are told by partition and as a whole, whatever somebody wrote into the database", async (t) => {
  const partition = (name: string, more: Partial<JobPartition>): JobPartition => ({
    job: "repair",
    partition: name,
    state: "due",
    fence: 1,
    cursor: null,
    done: 0,
    failed: 0,
    problem: null,
    holder: null,
    takenAt: null,
    savedAt: null,
    ...more,
  });
  const { store } = await testVault(t);
  const altered = storeWith(store, {
    jobs: {
      list: async () => [
        partition("00", { state: "running", done: 7, takenAt: "2026-01-01T00:00:01.000Z", holder: "host\u0007/1" }),
        partition("01", { failed: 2, problem: { code: "record-moved", at: "2026-01-01T00:00:02.000Z" } }),
        partition("02", { problem: { code: "x\u001b[1m", at: "2026-01-01T00:00:03.000Z" }, cursor: "\n" }),
        partition("00", { job: "other", state: "finished", savedAt: "2026-01-01T00:00:04.000Z" }),
      ],
    },
  });
  const vault = await openVault({ store: altered, keyring: aesKeyring() });
  const [repair, other] = (await vault.jobs()) as [JobSummary, JobSummary];
  assert.deepEqual(repair.states, { waiting: 0, due: 2, running: 1, finished: 0 });
  assert.deepEqual([repair.done, repair.failed, repair.takenAt], [7, 2, "2026-01-01T00:00:01.000Z"]);
  assert.deepEqual(repair.problem, { code: "x\\u{1b}[1m", at: "2026-01-01T00:00:03.000Z" });
  assert.deepEqual([repair.partitions[0]?.holder, repair.partitions[2]?.cursor], ["host\\u{7}/1", "\\u{a}"]);
  assert.deepEqual([other.job, other.states.finished, other.savedAt], ["other", 1, "2026-01-01T00:00:04.000Z"]);
});

/**
 * The repair of one key over real regions: the key stays, wraps only ever grow, and what may come in between.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { KeyPlace, KeyRow, KeyWrap, Lease, SubjectId, WrapSet } from "@strongroom/vault";
import { parseKeySet } from "../../src/keys/key-set.ts";
import { KeySets } from "../../src/keys/key-sets.ts";
import { tenantWrapSet } from "../../src/keys/tenant-wrap.ts";
import { REPAIR_KEYS_JOB } from "../../src/convergence/partitions.ts";
import { addWraps } from "../../src/convergence/add-wraps.ts";
import { rejectsWith } from "../support/errors.ts";
import { ofNextGeneration, regionalKeyStore } from "../support/key-repair.ts";
import type { RegionalKeyStore } from "../support/key-repair.ts";
import { REGIONS, until } from "../support/regional-vault.ts";
import type { Region } from "../support/regional-vault.ts";
import { overlaid } from "../support/store-with.ts";

/** A key without its wrap in `lost`; all regions are up. */
async function owing(t: TestContext, lost: Region = "eu-west-2"): Promise<RegionalKeyStore & { place: KeyPlace }> {
  const regional = await regionalKeyStore(t);
  await regional.kms.stopRegion(lost);
  const place = await regional.make();
  await regional.kms.startRegion(lost);
  await regional.allUp();
  return { ...regional, place };
}

/** Puts other wraps or another account into the row, as a hand in the database does. */
async function alter(regional: RegionalKeyStore, place: KeyPlace, to: Partial<KeyRow>): Promise<void> {
  const { store } = regional;
  const { stamp: seen, wrapSet } = await regional.row(place);
  const { epoch } = await store.gate.current();
  const change = { wraps: to.wraps ?? null, wrapSet: to.wrapSet ?? wrapSet!, moved: null, lease: null };
  const result = await store.inventory.rewrap({ place, seen, epoch, at: new Date().toISOString(), ...change });
  assert.equal(result.kind, "made");
}

const regionOf = ({ info }: KeyWrap): string => Buffer.from(info).toString("utf8").split(":")[3]!;
const regionsOf = ({ wraps }: KeyRow): readonly string[] => wraps.map(regionOf).sort();
const wrapIn = ({ wraps }: KeyRow, region: Region): KeyWrap => wraps.find((wrap) => regionOf(wrap) === region)!;

/** A region that owes, as a reading that found its wrap wrong notes it. */
const oweIn = (keyArn: string, region: Region, set: WrapSet): WrapSet => ({
  ...set,
  missing: [{ region, keyArn, reason: "wrong-data-key" }],
});

test("a key gets its missing wrap, and is the same key in every region", async (t) => {
  const regional = await owing(t);
  const before = await regional.row(regional.place);
  assert.deepEqual(
    before.wrapSet?.missing.map(({ region }) => region),
    ["eu-west-2"],
  );
  const calls = (): number => regional.keyring.health().reduce((sum, health) => sum + health.calls, 0);
  const made = calls();
  assert.deepEqual(await regional.repair(regional.place), { kind: "repaired", gained: ["eu-west-2"] });
  assert.equal(calls() - made, 3, "one call opens it, one wraps it, and one opens the new wrap");
  const { wraps, wrapSet, stamp, ...columns } = await regional.row(regional.place);
  const { wraps: old, wrapSet: oldSet, stamp: oldStamp, ...oldColumns } = before;
  assert.deepEqual(columns, oldColumns, "its check and its generation too");
  assert.deepEqual([wraps.length, wrapSet?.target, wrapSet?.missing, old.length], [3, 3, [], 2]);
  assert.notDeepEqual([stamp, wrapSet], [oldStamp, oldSet]);
  const keys = await Promise.all(REGIONS.map((region) => regional.openedIn(region, regional.place)));
  assert.equal(new Set(keys).size, 1);
});

test("a region that is away in its turn keeps the wrap that it has", async (t) => {
  const regional = await owing(t);
  const before = wrapIn(await regional.row(regional.place), "eu-central-1");
  await regional.kms.stopRegion("eu-central-1");
  assert.deepEqual(await regional.repair(regional.place), { kind: "repaired", gained: ["eu-west-2"] });
  const after = await regional.row(regional.place);
  assert.deepEqual(wrapIn(after, "eu-central-1"), before);
  assert.deepEqual([regionsOf(after), after.wrapSet?.missing], [REGIONS.toSorted(), []]);
});

test("a region that gives no wrap this time either is a failure, and the row stays", async (t) => {
  const regional = await owing(t);
  const before = await regional.row(regional.place);
  await regional.kms.stopRegion("eu-west-2");
  const error = await rejectsWith("wraps-still-missing", () => regional.repair(regional.place));
  assert.deepEqual(
    error.regions?.map(({ region }) => region),
    ["eu-west-2"],
  );
  assert.deepEqual(await regional.row(regional.place), before);
});

test("a wrap that does not open is made anew, also where nobody has noted it and nothing else is owed", async (t) => {
  const regional = await regionalKeyStore(t);
  const [place, other] = [await regional.make(), await regional.make()];
  const strange = wrapIn(await regional.row(other), "eu-west-1");
  const { wraps } = await regional.row(place);
  const wrong = wraps.map((wrap) => (regionOf(wrap) === "eu-west-1" ? strange : wrap));
  await alter(regional, place, { wraps: wrong });
  await rejectsWith("subject-key-tampered", () => regional.openedIn("eu-west-1", place));
  assert.deepEqual(await regional.repair(place), { kind: "repaired", gained: ["eu-west-1"] });
  assert.equal(await regional.openedIn("eu-west-1", place), await regional.openedIn("eu-west-2", place));
});

test("a region that answers another key owes its wrap while it lies, and nothing once it tells the truth", async (t) => {
  let isLying = false;
  const regional = await regionalKeyStore(t, (client, region) =>
    overlaid(client, {
      decrypt: async (input, options) => {
        const answer = await client.decrypt(input, options);
        return isLying && region === "eu-west-1" ? { ...answer, Plaintext: Buffer.alloc(32, 7) } : answer;
      },
    }),
  );
  const place = await regional.make();
  const { wrapSet } = await regional.row(place);
  isLying = true;
  await alter(regional, place, { wrapSet: oweIn(regional.keys[0]!.keyArn, "eu-west-1", wrapSet!) });
  const before = await regional.row(place);
  const error = await rejectsWith("wraps-still-missing", () => regional.repair(place));
  assert.deepEqual(error.regions, [{ region: "eu-west-1", reason: "wrap-does-not-open" }]);
  assert.deepEqual(await regional.row(place), before);
  isLying = false;
  // It rests for having lied, and is tried by each further repair.
  await until(async () => (await regional.repair(place).catch(() => null))?.kind === "repaired");
  const after = await regional.row(place);
  assert.deepEqual([regionsOf(after), after.wrapSet?.missing], [REGIONS.toSorted(), []]);
  assert.notDeepEqual(wrapIn(after, "eu-west-1"), wrapIn(before, "eu-west-1"), "one that was opened is in its place");
  assert.equal(await regional.openedIn("eu-west-1", place), await regional.openedIn("eu-west-2", place));
});

test("a key that no wrap opens to is refused and stays as it is", async (t) => {
  const regional = await owing(t);
  const other = await regional.row(await regional.make());
  await alter(regional, regional.place, { wraps: other.wraps });
  const before = await regional.row(regional.place);
  await rejectsWith("subject-key-tampered", () => regional.repair(regional.place));
  assert.deepEqual(await regional.row(regional.place), before);
});

test("a key under a tenant's owes nothing to regions, whatever its row says: no region is asked", async (t) => {
  const regional = await regionalKeyStore(t);
  const owner = randomUUID();
  const subject = await regional.row(await regional.make("subject", owner));
  const wraps = [{ provider: "strongroom-tenant", info: Buffer.from("acme"), ciphertext: Buffer.alloc(92, 1) }];
  const place = { kind: "tenant-subject", owner, version: randomUUID() as unknown as KeyPlace["version"] } as const;
  const wrapSet = oweIn("arn:gone", "eu-west-1", tenantWrapSet("acme", TENANT_KEY));
  const { epoch } = await regional.store.gate.current();
  await regional.store.keys.create([{ epoch, name: null, key: { ...subject, ...place, wraps, wrapSet } }]);
  for (const region of REGIONS) await regional.kms.stopRegion(region);
  assert.deepEqual(await regional.repair(place), { kind: "settled" });
  const after = await regional.row(place);
  assert.deepEqual([after.wraps.length, after.wrapSet], [1, tenantWrapSet("acme", TENANT_KEY)]);
});

/** As the wrap names it. */
const TENANT_KEY = "01010101-0101-0101-0101-010101010101";

const MEANWHILE: readonly {
  readonly title: string;
  readonly lease?: Lease;
  readonly does: (regional: RegionalKeyStore, place: KeyPlace) => Promise<unknown>;
}[] = [
  { title: "another repair was faster", does: (regional, place) => regional.repair(place) },
  {
    title: "the person was erased",
    does: ({ store }, { owner }) => store.keys.erase([owner as SubjectId], new Date().toISOString()),
  },
  {
    title: "the lease is somebody else's",
    lease: { job: REPAIR_KEYS_JOB, partition: "00", fence: 1 },
    does: ({ store }) => store.jobs.lease({ job: REPAIR_KEYS_JOB, holder: "heir", ms: 60_000 }),
  },
];

for (const { title, lease = null, does } of MEANWHILE)
  test(`between the reading and the change: ${title}, and nothing is changed`, async (t) => {
    const regional = await owing(t);
    const { store, dependencies, place } = regional;
    await store.jobs.add(REPAIR_KEYS_JOB, ["00"]);
    if (lease !== null) {
      await store.jobs.lease({ job: REPAIR_KEYS_JOB, holder: "one", ms: 1 });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    let seen: KeyRow | null = null;
    const rewrap: typeof store.inventory.rewrap = async (change) => {
      await does(regional, place);
      seen = (await store.keys.version(place.owner, place.version)).key;
      return store.inventory.rewrap(change);
    };
    const late = overlaid(store, { inventory: overlaid(store.inventory, { rewrap }) });
    assert.deepEqual(await addWraps({ ...dependencies, store: late }, place, lease), { kind: "overtaken" });
    assert.deepEqual((await store.keys.version(place.owner, place.version)).key, seen);
  });

test("a key that is gone before it is read is passed over", async (t) => {
  const regional = await owing(t);
  await regional.store.keys.erase([regional.place.owner as SubjectId], new Date().toISOString());
  assert.deepEqual(await regional.repair(regional.place), { kind: "overtaken" });
});

test("a key set that changes while a key is wrapped: it is wrapped anew, under the one in force", async (t) => {
  const regional = await owing(t);
  const { store, dependencies, keyring, place } = regional;
  const [current, next] = [parseKeySet(keyring, undefined, 1), parseKeySet(keyring, ["next"], 1)];
  let tries = 0;
  const rewrap: typeof store.inventory.rewrap = async (change) => {
    if (++tries === 1) await store.gate.flip({ from: change.epoch, digest: next.digest });
    return store.inventory.rewrap(change);
  };
  const moving = overlaid(store, { inventory: overlaid(store.inventory, { rewrap }) });
  const keySets = new KeySets(store.gate, current, next);
  const outcome = await addWraps({ ...dependencies, store: moving, keySets }, place, null);
  assert.deepEqual([outcome.kind, tries], ["repaired", 2]);
});

test("a key of an earlier generation leaves its wraps behind whole, or stays until every region has a new one", async (t) => {
  const regional = await owing(t);
  const { dependencies, place } = regional;
  const later = await ofNextGeneration(dependencies);
  const before = await regional.row(place);
  await regional.kms.stopRegion("eu-west-1");
  await rejectsWith("wraps-still-missing", () => addWraps(later, place, null));
  assert.deepEqual(await regional.row(place), before);
  await regional.kms.startRegion("eu-west-1");
  await regional.allUp();
  assert.equal((await addWraps(later, place, null)).kind, "repaired");
  const after = await regional.row(place);
  assert.deepEqual([after.generation, after.wraps.length], [2, 3]);
  const old = new Set(before.wraps.map(({ ciphertext }) => Buffer.from(ciphertext).toString("hex")));
  assert.ok(after.wraps.every(({ ciphertext }) => !old.has(Buffer.from(ciphertext).toString("hex"))));
  assert.equal(await regional.openedIn("eu-west-1", place), await regional.openedIn("eu-west-2", place));
});

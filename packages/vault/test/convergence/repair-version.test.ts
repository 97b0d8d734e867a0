/**
 * The repair of one version over real regions, and what may come in between.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import fc from "fast-check";
import { inspect } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { Keyring } from "@strongroom/envelope";
import { parseAddress, parseSubject, parseVersion } from "@strongroom/vault";
import type { Lease, MissingWrap, Store, VersionPlace } from "@strongroom/vault";
import { parseKeySet } from "../../src/keys/key-set.ts";
import { KeySets } from "../../src/keys/key-sets.ts";
import { decideRepair } from "../../src/convergence/decide-repair.ts";
import type { WrapPlace } from "../../src/convergence/decide-repair.ts";
import { repairVersion } from "../../src/convergence/repair-version.ts";
import type { WorkOutcome } from "../../src/convergence/work.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { QUICK_KEYRING, REGIONS, regionalVault, until } from "../support/regional-vault.ts";
import type { RegionalVault } from "../support/regional-vault.ts";
import { alteredStore, lastByteAltered, storeWith } from "../support/store-with.ts";

const address = parseAddress({ collection: "people", id: "ada" });
const place: VersionPlace = { ...address, version: parseVersion(1) };

/** Version 1 of people/ada lacks its wrap in `lost`, and all regions are up. */
async function owing(t: TestContext, lost = "eu-west-2"): Promise<RegionalVault> {
  const regional = await regionalVault(t, { keyring: QUICK_KEYRING });
  await regional.kms.stopRegion(lost);
  await regional.vault.put(address, { name: "Ada" }, { subject: "person-1" });
  await regional.kms.startRegion(lost);
  await allUp(regional);
  return regional;
}

async function allUp({ keyring }: RegionalVault): Promise<void> {
  await until(async () => (await keyring.probe()).every(({ state }) => state === "up"));
}

async function repair(
  { store, keyring }: { readonly store: Store; readonly keyring: Keyring },
  lease: Lease | null = null,
): Promise<WorkOutcome> {
  const keys = new KeySets(store.gate, parseKeySet(keyring, undefined), null);
  return repairVersion({ store, keys, subjectKeys: null, clock: () => new Date(), signal: undefined }, place, lease);
}

async function messageOf({ records }: Store): Promise<Buffer> {
  return Buffer.from((await records.read(address, place.version)).stored!.message);
}

test("a version gets its missing wrap in a message of its own, and is else as it was", async (t) => {
  const regional = await owing(t);
  const { vault, store } = regional;
  const before = await vault.get(address);
  const old = inspect(await messageOf(store));
  assert.deepEqual(await repair(regional), { kind: "repaired", gained: ["eu-west-2"] });
  const now = inspect(await messageOf(store));
  assert.deepEqual(now.encryptedDataKeys.map(({ region }) => region).sort(), [...REGIONS].sort());
  assert.notEqual(now.messageId, old.messageId, "a header is never made twice for one message id");
  assert.deepEqual(await vault.get(address), before);
  assert.deepEqual(
    (await vault.history(address)).map(({ wraps }) => wraps),
    [{ stored: 3, target: 3 }],
  );
  assert.equal((await vault.wrapDebt()).items, 0);
});

test("an old version is repaired beside newer ones, and the record stays at its newest", async (t) => {
  const regional = await owing(t);
  const { vault } = regional;
  await vault.put(address, { name: "Augusta Ada" });
  assert.equal((await repair(regional)).kind, "repaired");
  assert.deepEqual(
    [(await vault.get(address)).version, (await vault.get(address)).document],
    [2, { name: "Augusta Ada" }],
  );
  assert.deepEqual((await vault.get(address, { version: 1 })).document, { name: "Ada" });
});

const MEANWHILE: readonly {
  readonly what: string;
  readonly outcome: WorkOutcome["kind"];
  readonly happens: (regional: RegionalVault) => Promise<unknown>;
  readonly versions: readonly number[];
}[] = [
  { what: "a live write", outcome: "repaired", happens: ({ vault }) => vault.put(address, { n: 2 }), versions: [2, 1] },
  { what: "a removal", outcome: "overtaken", happens: ({ vault }) => vault.remove(address), versions: [] },
  {
    what: "a removal and a new record",
    outcome: "overtaken",
    happens: async ({ vault }) => {
      await vault.remove(address);
      await vault.put(address, { n: 2 });
    },
    versions: [2],
  },
  { what: "another repair", outcome: "overtaken", happens: (regional) => repair(regional), versions: [1] },
];

for (const { what, outcome, happens, versions } of MEANWHILE) {
  test(`${what} between reading and committing is never overwritten`, async (t) => {
    const regional = await owing(t);
    const { vault, store } = regional;
    const afterIt: Buffer[] = [];
    const racing = storeWith(store, {
      inventory: {
        rewrap: async (change) => {
          await happens(regional);
          if ((await store.records.read(address, place.version)).stored !== null) afterIt.push(await messageOf(store));
          return store.inventory.rewrap(change);
        },
      },
    });
    const result = await repair({ ...regional, store: racing });
    assert.equal(result.kind, outcome);
    const rows = await store.records.versions(address, { before: null, limit: 10 });
    assert.deepEqual(
      rows.versions.map(({ version }) => version),
      versions,
    );
    if (outcome === "overtaken") for (const message of afterIt) assert.deepEqual(await messageOf(store), message);
    if (versions[0] === 2) assert.deepEqual((await vault.get(address)).document, { n: 2 });
  });
}

test("when another region is away, the message stays byte for byte rather than lose its wrap there", async (t) => {
  const regional = await owing(t);
  const { vault, store, kms } = regional;
  const before = await messageOf(store);
  await kms.stopRegion("eu-central-1");
  const error = await rejectsWith("wraps-still-missing", () => repair(regional));
  assert.deepEqual(
    error.regions?.map(({ region }) => region),
    ["eu-central-1"],
  );
  assert.deepEqual(await messageOf(store), before);
  assert.deepEqual(
    (await vault.wrapDebt()).regions.map(({ region }) => region),
    ["eu-west-2"],
  );
});

test("of two wraps that are owed one can be paid before the other", async (t) => {
  const regional = await regionalVault(t, { keyring: { ...QUICK_KEYRING, minimum: 1 } });
  const { vault, kms } = regional;
  await kms.stopRegion("eu-west-1");
  await kms.stopRegion("eu-west-2");
  await vault.put(address, { n: 1 });
  await kms.startRegion("eu-west-1");
  await until(async () => (await regional.keyring.probe())[0]?.state === "up");
  assert.deepEqual(await repair(regional), { kind: "repaired", gained: ["eu-west-1"], isPartial: true });
  assert.deepEqual(
    (await vault.debts()).items.map(({ regions }) => regions.map(({ region }) => region)),
    [["eu-west-2"]],
  );
  assert.deepEqual(
    (await vault.history(address)).map(({ wraps }) => wraps),
    [{ stored: 2, target: 3 }],
  );
  await kms.startRegion("eu-west-2");
  await allUp(regional);
  assert.deepEqual(await repair(regional), { kind: "repaired", gained: ["eu-west-2"] });
  assert.equal((await vault.wrapDebt()).items, 0);
});

test("a debt that the configuration does not ask for any more is settled without touching the message", async (t) => {
  const regional = await owing(t, "eu-central-1");
  const before = await messageOf(regional.store);
  const fewer = multiRegionKeyring({ regions: regional.keys.slice(0, 2), minimum: 2, ...QUICK_KEYRING });
  assert.deepEqual(await repair({ store: regional.store, keyring: fewer }), { kind: "settled" });
  assert.deepEqual(await messageOf(regional.store), before);
  assert.equal((await regional.vault.wrapDebt()).items, 0);
});

test("a repair leaves no region on its own: a wrap where the configuration wants none any more is not taken away", async (t) => {
  const regional = await owing(t, "eu-west-2");
  const before = await messageOf(regional.store);
  const other = multiRegionKeyring({ regions: regional.keys.slice(0, 2), minimum: 2, ...QUICK_KEYRING });
  await rejectsWith("wraps-would-be-lost", () => repair({ store: regional.store, keyring: other }));
  assert.deepEqual(await messageOf(regional.store), before);
  assert.equal((await regional.vault.wrapDebt()).items, 1);
});

test("a damaged message is refused as a read refuses it, and stays as it is", async (t) => {
  const regional = await owing(t);
  const { store, vault } = regional;
  const before = await messageOf(store);
  const bytes = alteredStore(store, (stored) => ({ ...stored, message: lastByteAltered(stored.message) }));
  await rejectsWith("record-tampered", () => repair({ ...regional, store: bytes }));
  const subject = alteredStore(store, (stored) => ({ ...stored, subject: parseSubject("someone else") }));
  await rejectsWith("record-moved-subject", () => repair({ ...regional, store: subject }));
  assert.deepEqual(await messageOf(store), before);
  assert.equal((await vault.wrapDebt()).items, 1);
});

test("a lease that is somebody else's by now, as after a process stood still, changes nothing", async (t) => {
  const regional = await owing(t);
  const { store, vault } = regional;
  const before = await messageOf(store);
  await store.jobs.add("repair", ["00"]);
  const lease = (await store.jobs.lease({ job: "repair", holder: "one", ms: 1 }))!;
  await new Promise((resolve) => setTimeout(resolve, 5));
  const heir = (await store.jobs.lease({ job: "repair", holder: "two", ms: 60_000 }))!;
  assert.deepEqual(await repair(regional, lease), { kind: "overtaken" });
  assert.deepEqual(await messageOf(store), before);
  assert.equal((await vault.wrapDebt()).items, 1);
  assert.equal((await repair(regional, heir)).kind, "repaired");
});

test("a key set that changes while a version is sealed: it is sealed anew, under the one in force", async (t) => {
  const regional = await owing(t);
  const { store, keyring } = regional;
  const [current, next] = [parseKeySet(keyring, undefined), parseKeySet(keyring, ["next"])];
  let seals = 0;
  const moving = storeWith(store, {
    inventory: {
      rewrap: async (change) => {
        if (++seals === 1) await store.gate.flip({ from: change.epoch, digest: next.digest });
        return store.inventory.rewrap(change);
      },
    },
  });
  const keys = new KeySets(store.gate, current, next);
  const outcome = await repairVersion(
    { store: moving, keys, subjectKeys: null, clock: () => new Date(), signal: undefined },
    place,
    null,
  );
  assert.deepEqual([outcome.kind, seals], ["repaired", 2]);
});

const wrap = (region: string | null, keyInfo = `key-${region ?? "raw"}`): WrapPlace => ({
  providerId: "aws-kms",
  keyInfo,
  region,
});
const wraps = (...regions: readonly string[]): readonly WrapPlace[] => regions.map((region) => wrap(region));
const missingIn = (...regions: readonly string[]): readonly MissingWrap[] =>
  regions.map((region) => ({ region, keyArn: `key-${region}`, reason: "refused" }));

test("a message with every region of the old one and more takes its place", () => {
  assert.deepEqual(decideRepair(wraps("a", "b"), wraps("a", "b", "c"), []), { kind: "replace", gained: ["c"] });
  assert.deepEqual(decideRepair(wraps("a"), wraps("b", "a"), missingIn("c")), { kind: "replace", gained: ["b"] });
});

test("another key of the same region is a wrap in that region", () => {
  assert.deepEqual(decideRepair([wrap("a", "old key")], [wrap("a", "new key"), wrap("b")], []), {
    kind: "replace",
    gained: ["b"],
  });
});

test("what has no region is a place by its key", () => {
  assert.deepEqual(decideRepair([wrap(null, "k1")], [wrap(null, "k1"), wrap(null, "k2")], []), {
    kind: "replace",
    gained: ["aws-kms k2"],
  });
  throwsWith("wraps-would-be-lost", () => decideRepair([wrap(null, "k1")], [wrap(null, "k2"), wrap(null, "k3")], []));
});

test("a message that is no better is settled when nothing is missing, and a failure of the regions when something is", () => {
  assert.deepEqual(decideRepair(wraps("a", "b"), wraps("a", "b"), []), { kind: "settled" });
  const error = throwsWith("wraps-still-missing", () => decideRepair(wraps("a", "b"), wraps("a", "b"), missingIn("c")));
  assert.deepEqual(error.regions, [{ region: "c", reason: "refused" }]);
});

test("a message that would lose a region is refused, whether the region failed or is not wanted any more", () => {
  throwsWith("wraps-still-missing", () => decideRepair(wraps("a", "b"), wraps("a", "c"), missingIn("b")));
  throwsWith("wraps-would-be-lost", () => decideRepair(wraps("a", "b"), wraps("a", "c", "d"), []));
});

test("whatever the wraps are: what takes the place has all the old places, more of them, and no fewer wraps", () => {
  const places = fc.record({
    providerId: fc.constantFrom("aws-kms", "raw"),
    keyInfo: fc.constantFrom("k1", "k2"),
    region: fc.constantFrom("a", "b", "c", null),
  });
  const name = ({ region, providerId, keyInfo }: WrapPlace): string => region ?? `${providerId} ${keyInfo}`;
  fc.assert(
    fc.property(
      fc.array(places, { minLength: 1, maxLength: 5 }),
      fc.array(places, { minLength: 1, maxLength: 5 }),
      fc.subarray(["a", "b", "c"]),
      (before, after, owed) => {
        const had = new Set(before.map(name));
        const has = new Set(after.map(name));
        let judged;
        try {
          judged = decideRepair(before, after, missingIn(...owed));
        } catch {
          return;
        }
        assert.ok([...had].every((region) => has.has(region)));
        assert.ok(after.length >= before.length);
        if (judged.kind === "replace")
          assert.deepEqual(
            judged.gained,
            [...has].filter((region) => !had.has(region)),
          );
        else assert.deepEqual([had, owed], [has, []]);
      },
    ),
    { numRuns: 2000 },
  );
});

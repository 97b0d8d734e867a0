/**
 * The repair of one key where its wraps and the key set are not of the same places: two keys in one region, a region
 * that the key set has left, and a key of an earlier generation that owes nothing.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Keyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient } from "@strongroom/envelope/aws-kms";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import { VaultError } from "@strongroom/vault";
import type { KeyPlace, KeyRow, KeyWrap } from "@strongroom/vault";
import { parseKeySet } from "../../src/keys/key-set.ts";
import { KeySets } from "../../src/keys/key-sets.ts";
import { RegionWraps } from "../../src/keys/region-wraps.ts";
import { addWraps } from "../../src/convergence/add-wraps.ts";
import type { KeyWorkDependencies } from "../../src/convergence/add-wraps.ts";
import { rejectsWith } from "../support/errors.ts";
import { ofNextGeneration, regionalKeyStore } from "../support/key-repair.ts";
import type { RegionalKeyStore } from "../support/key-repair.ts";
import { QUICK_KEYRING } from "../support/regional-vault.ts";
import { overlaid } from "../support/store-with.ts";
import { aesKeyring } from "../support/vault.ts";

interface WrappingKey {
  readonly region: string;
  readonly keyArn: string;
  readonly client: KmsClient;
}

const arnOf = ({ info }: KeyWrap): string => Buffer.from(info).toString("utf8");
const arnsOf = ({ wraps }: KeyRow): readonly string[] => wraps.map(arnOf).sort();

/** A keyring of these keys, over the same store. */
function under({ dependencies, store }: RegionalKeyStore, regions: readonly WrappingKey[]): KeyWorkDependencies {
  const keyring = multiRegionKeyring({ regions, minimum: 1, proveWraps: "off", ...QUICK_KEYRING });
  return { ...dependencies, keySets: new KeySets(store.gate, parseKeySet(keyring, undefined, 1), null) };
}

async function made(dependencies: KeyWorkDependencies): Promise<KeyPlace> {
  const name = { kind: "subject", owner: randomUUID() } as const;
  const fresh = await new RegionWraps(dependencies).make(name, 1, undefined);
  fresh.key.wipe();
  await dependencies.store.keys.create([{ epoch: fresh.epoch, name: null, key: fresh.row }]);
  return { ...name, version: fresh.row.version };
}

/** Two keys in the nearest region, of which the first can be kept from wrapping. */
async function twoInOneRegion(t: TestContext): Promise<{
  readonly regional: RegionalKeyStore;
  readonly keys: readonly WrappingKey[];
  readonly away: { isAway: boolean };
}> {
  const regional = await regionalKeyStore(t);
  const [nearest, ...others] = regional.keys;
  if (nearest === undefined) throw new Error("the test's own regions are not there");
  const { client, region } = nearest;
  const away = { isAway: false };
  const refusing = <Answer>(call: () => Promise<Answer>): Promise<Answer> =>
    away.isAway ? Promise.reject(new Error("away")) : call();
  const first = overlaid<KmsClient>(client, {
    encrypt: (input, options) => refusing(() => client.encrypt(input, options)),
    generateDataKey: (input, options) => refusing(() => client.generateDataKey(input, options)),
  });
  const keyArn = (await client.createKey({})).KeyMetadata!.Arn!;
  return { regional, away, keys: [{ ...nearest, client: first }, { region, keyArn, client }, ...others] };
}

test("of two keys in one region, the one that gives no wrap this time keeps the wrap that it has", async (t) => {
  const { regional, keys, away } = await twoInOneRegion(t);
  await regional.kms.stopRegion("eu-central-1");
  const dependencies = under(regional, keys);
  const place = await made(dependencies);
  const before = await regional.row(place);
  assert.deepEqual(
    arnsOf(before),
    keys
      .slice(0, 3)
      .map(({ keyArn }) => keyArn)
      .sort(),
  );
  await regional.kms.startRegion("eu-central-1");
  away.isAway = true;
  const outcome = await addWraps(under(regional, keys), place, null);
  assert.deepEqual(outcome, { kind: "repaired", gained: ["eu-central-1"] });
  const after = await regional.row(place);
  assert.deepEqual([arnsOf(after), after.wrapSet?.missing], [keys.map(({ keyArn }) => keyArn).sort(), []]);
  const wrapOf = (row: KeyRow): KeyWrap | undefined => row.wraps.find((wrap) => arnOf(wrap) === keys[0]?.keyArn);
  assert.deepEqual(wrapOf(after), wrapOf(before));
});

test("a wrong wrap is made anew although its region has a right one under another key", async (t) => {
  const { regional, keys } = await twoInOneRegion(t);
  const { store } = regional;
  const dependencies = under(regional, keys);
  const [place, other] = [await made(dependencies), await made(dependencies)];
  const { wraps, wrapSet, stamp: seen } = await regional.row(place);
  const strange = (await regional.row(other)).wraps.find((wrap) => arnOf(wrap) === keys[0]?.keyArn);
  const wrong = wraps.map((wrap) => (arnOf(wrap) === keys[0]?.keyArn && strange !== undefined ? strange : wrap));
  const change = { epoch: (await store.gate.current()).epoch, moved: null, lease: null, at: new Date().toISOString() };
  await store.inventory.rewrap({ place, seen, ...change, wraps: wrong, wrapSet: wrapSet! });
  await addWraps(dependencies, place, null);
  const after = await regional.row(place);
  assert.equal(after.wraps.length, 4);
  assert.ok(after.wraps.every(({ ciphertext }) => ciphertext !== strange?.ciphertext));
  const ownWrap = { ...after, wraps: after.wraps.filter((wrap) => arnOf(wrap) === keys[0]?.keyArn) };
  (await new RegionWraps(dependencies).open(ownWrap)).key.wipe();
});

test("a repair takes no wrap away that lies in a region which the key set has left", async (t) => {
  const regional = await regionalKeyStore(t);
  await regional.kms.stopRegion("eu-west-2");
  const place = await regional.make();
  await regional.kms.startRegion("eu-west-2");
  const before = await regional.row(place);
  const kept = before.wraps.find((wrap) => arnOf(wrap).includes(":eu-central-1:"));
  const two = regional.keys.filter(({ region }) => region !== "eu-central-1");
  const outcome = await addWraps(under(regional, two), place, null);
  assert.deepEqual(outcome, { kind: "repaired", gained: ["eu-west-2"] });
  const after = await regional.row(place);
  assert.deepEqual(arnsOf(after), regional.keys.map(({ keyArn }) => keyArn).sort());
  assert.deepEqual(
    after.wraps.find((wrap) => arnOf(wrap).includes(":eu-central-1:")),
    kept,
  );
  assert.deepEqual([after.wrapSet?.target, after.wrapSet?.wraps.length], [2, 3]);
});

test("a key of an earlier generation moves although it owes nothing", async (t) => {
  const regional = await regionalKeyStore(t);
  const place = await regional.make();
  const before = await regional.row(place);
  const outcome = await addWraps(await ofNextGeneration(regional.dependencies), place, null);
  assert.equal(outcome.kind, "settled");
  const after = await regional.row(place);
  assert.deepEqual([after.generation, after.wraps.length], [2, 3]);
  assert.notDeepEqual([after.check, after.wraps], [before.check, before.wraps]);
  assert.equal(await regional.openedIn("eu-west-1", place), await regional.openedIn("eu-west-2", place));
});

test("the key is wiped, also where no region wraps it", async (t) => {
  const { dependencies, store } = await regionalKeyStore(t);
  const inner = aesKeyring();
  const given: SecretBytes[] = [];
  let isAway = false;
  const keyring: Keyring = {
    onEncrypt: (materials, call) => (isAway ? Promise.reject(new Error("away")) : inner.onEncrypt(materials, call)),
    onDecrypt: async (...args) => {
      const opened = await inner.onDecrypt(...args);
      if (opened.dataKey !== null) given.push(opened.dataKey);
      return opened;
    },
  };
  const watched = { ...dependencies, keySets: new KeySets(store.gate, parseKeySet(keyring, undefined, 1), null) };
  const place = await made(watched);
  assert.equal((await addWraps(watched, place, null)).kind, "settled");
  const { stamp: seen, wrapSet } = (await store.keys.version(place.owner, place.version)).key!;
  const missing = [{ region: "", keyArn: "k", reason: "timeout" }];
  const { epoch } = await store.gate.current();
  const owed = { place, seen, epoch, wraps: null, moved: null, wrapSet: { ...wrapSet!, missing }, lease: null };
  await store.inventory.rewrap({ ...owed, at: new Date().toISOString() });
  isAway = true;
  await assert.rejects(addWraps(watched, place, null));
  assert.deepEqual(
    given.map(({ wiped }) => wiped),
    [true, true],
  );
});

test("a row that is another kind's is refused, and a store without room is not written to", async (t) => {
  const regional = await regionalKeyStore(t);
  const { dependencies, store } = regional;
  const place = await regional.make("tenant", "acme");
  await rejectsWith("subject-key-tampered", () => addWraps(dependencies, { ...place, kind: "subject" }, null));
  const noRoom = new VaultError("store-full", "no room");
  const full = { ...dependencies, store: overlaid(store, { requireRoom: () => Promise.reject(noRoom) }) };
  await rejectsWith("store-full", () => addWraps(full, place, null));
});

/**
 * What lies under which key, counted and proven.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { keyInventory, probeKey } from "../../src/convergence/under-keys.ts";
import type { KeyProbe } from "../../src/convergence/view.ts";
import type { WrapSetId } from "@strongroom/vault";
import { arn, fakeStore, keySet, setOf, wrap } from "../support/converged.ts";
import type { FakeStore, Having } from "../support/converged.ts";

const [OLD, NEW, OTHER] = [arn("eu-west-1", "old"), arn("eu-west-1", "new"), arn("eu-west-2", "other")];
const sets = { current: keySet([OLD]), next: keySet([NEW]) };
const moved = (having: readonly Having[]): FakeStore =>
  fakeStore("records", { ...sets, inForce: sets.next.digest }, having);
const clock = (): Date => new Date("2027-01-01T00:00:00.000Z");
const probe = (store: FakeStore): Promise<KeyProbe> => probeKey([store], OLD, clock);

test("items are counted under each of their keys, by material, and kept messages with them", async () => {
  const store = moved([
    { set: setOf([wrap(OLD, "m1"), wrap(NEW)]), items: 5, kept: 2, oldest: "2026-05-01T00:00:00.000Z" },
    { set: setOf([wrap(NEW)]), items: 7, oldest: "2026-04-01T00:00:00.000Z" },
    { set: null, items: 1 },
    // A row that was written by hand has a wrap twice.
    { set: setOf([wrap("local\u0007"), wrap("local\u0007")]), items: 1 },
    { set: setOf([wrap(OTHER)]), items: 0 },
  ]);
  const lines = await keyInventory([store]);
  assert.deepEqual(
    lines.map(({ key, region, material, items, oldest, isInForce }) => [
      key.split("/").at(-1),
      region,
      material,
      items,
      oldest?.slice(5, 7) ?? null,
      isInForce,
    ]),
    [
      ["", null, null, 1, null, false],
      ["new", "eu-west-1", null, 14, "04", true],
      ["old", "eu-west-1", "m1", 7, "05", false],
      ["local\\u{7}", null, null, 1, null, false],
    ],
  );
});

interface Case {
  readonly of: string;
  readonly store: FakeStore;
  readonly has?: Partial<Pick<KeyProbe, "inForce" | "items" | "kept" | "unknown">>;
}

const RECORDS = ["records"] as const;
const done = { set: setOf([wrap(NEW)]), items: 9 };

const CASES: readonly Case[] = [
  { of: "nothing", store: moved([done, { set: setOf([wrap(OLD)]), items: 0 }]) },
  {
    of: "an item beside others",
    store: moved([done, { set: setOf([wrap(NEW), wrap(OLD)]), items: 1 }]),
    has: { items: RECORDS },
  },
  {
    of: "a row in another material",
    store: moved([{ set: setOf([wrap(OLD, "m1")]), items: 1 }]),
    has: { items: RECORDS },
  },
  { of: "a message that is kept", store: moved([done, { set: setOf([wrap(OLD)]), kept: 1 }]), has: { kept: true } },
  { of: "a damaged set", store: moved([done, { set: null, items: 1 }]), has: { unknown: RECORDS } },
  { of: "a damaged set that nothing has", store: moved([done, { set: null, items: 0 }]) },
  { of: "a kept message of a damaged set", store: moved([done, { set: null, kept: 1 }]), has: { unknown: RECORDS } },
  { of: "the set in force", store: fakeStore("records", sets, [done]), has: { inForce: RECORDS } },
  {
    of: "a set in force that nobody knows",
    store: fakeStore("records", { ...sets, inForce: "f".repeat(64) }, [done]),
    has: { unknown: RECORDS },
  },
  {
    of: "a set in force without names",
    store: fakeStore("records", { current: { ...sets.current, names: null } }, [done]),
    has: { unknown: RECORDS },
  },
];

for (const { of, store, has = {} } of CASES)
  test(`a probe finds ${of}`, async () => {
    const { inForce, items, kept, unknown, epochs } = await probe(store);
    assert.deepEqual({ inForce, items, kept, unknown }, { inForce: [], items: [], kept: false, unknown: [], ...has });
    assert.deepEqual(epochs, { records: 3 });
    // What began before has ended, before anything is looked at.
    assert.equal(store.asked[0], "drained");
  });

test("an item that moves to a set which comes after the sets were read is found", async () => {
  const store = moved([{ set: setOf([wrap(OLD)]), items: 1 }]);
  store.before.any = () => {
    if (store.rows.size > 1) return;
    // As adding a wrap does, which keeps the old one.
    store.rows.set(1 as WrapSetId, { set: setOf([wrap(OLD)]), items: 0 });
    store.rows.set(2 as WrapSetId, { set: setOf([wrap(OLD), wrap(NEW)]), items: 1 });
  };
  assert.deepEqual((await probe(store)).items, ["records"]);
});

test("a message that is kept when versions are looked at, and a version's when kept ones are, is found", async () => {
  const store = moved([{ set: setOf([wrap(OLD)]), kept: 1 }]);
  store.before["kept-any"] = () => store.rows.set(1 as WrapSetId, { set: setOf([wrap(OLD)]), items: 1 });
  assert.deepEqual((await probe(store)).items, ["records"]);
});

test("who makes new sets all the time has nothing proven to them", async () => {
  const store = moved([done]);
  store.before.any = () =>
    store.rows.set((store.rows.size + 1) as WrapSetId, {
      set: setOf([wrap(OLD), wrap(`${store.rows.size}`)]),
      items: 0,
    });
  store.before.sets = store.before.any;
  assert.deepEqual((await probe(store)).unknown, ["records"]);
});

for (const key of ["", "x".repeat(2_049)])
  test(`a key of ${key.length} characters is refused`, async () => {
    await assert.rejects(probeKey([moved([])], key, clock), { code: "vault-option-invalid" });
  });

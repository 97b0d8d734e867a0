/**
 * What a run takes, by arithmetic, case by case: calls exactly as they are made one by one.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { declaredKeys } from "../../src/convergence/declared.ts";
import { forecast, NO_MOVES, ROW_BYTES, WRAP_BYTES } from "../../src/convergence/forecast.ts";
import type { ForecastMoves } from "../../src/convergence/forecast.ts";
import { targetOf } from "../../src/convergence/in-force.ts";
import { wantOf } from "../../src/convergence/target.ts";
import type { ConvergeOptions, WrappedStore } from "../../src/convergence/view.ts";
import type { WrapSet } from "../../src/stores/wrap-set.ts";
import { arn, inRegion, keySet, setOf, wrap } from "../support/converged.ts";

const [A1, A2] = [arn("eu-west-1", "a"), arn("eu-west-2", "a")];
const [B1, B2, B3] = [arn("eu-west-1", "b"), arn("eu-west-2", "b"), arn("eu-central-1", "b")];
const inner = (provider: string): WrapSet => setOf([{ provider, key: "", material: null }]);

interface Case {
  readonly of: string;
  readonly store?: WrappedStore;
  readonly items?: number;
  readonly set: WrapSet;
  readonly declared: readonly string[];
  readonly before?: readonly string[];
  readonly options?: ConvergeOptions;
  readonly materials?: ReadonlyMap<string, string>;
  readonly moves?: Partial<ForecastMoves>;
  readonly calls: Readonly<Record<string, number>>;
}

const CASES: readonly Case[] = [
  {
    of: "another key in the same two regions: one ReEncrypt in each, proven",
    set: setOf([wrap(A1), wrap(A2)]),
    declared: [B1, B2],
    calls: {
      "eu-west-1 Decrypt": 100,
      "eu-west-1 ReEncrypt": 100,
      "eu-west-2 Decrypt": 100,
      "eu-west-2 ReEncrypt": 100,
    },
  },
  {
    of: "the same, without proofs",
    set: setOf([wrap(A1), wrap(A2)]),
    declared: [B1, B2],
    options: { verify: 0 },
    calls: { "eu-west-1 ReEncrypt": 100, "eu-west-2 ReEncrypt": 100 },
  },
  {
    of: "a third of the proofs",
    set: setOf([wrap(A1)]),
    declared: [B1],
    options: { verify: 1 / 3 },
    calls: { "eu-west-1 Decrypt": 33, "eu-west-1 ReEncrypt": 100 },
  },
  {
    of: "a new region: opened once in the nearest, wrapped in the new one",
    set: setOf([wrap(A1), wrap(A2)]),
    declared: [A1, A2, B3],
    options: { verify: 0 },
    calls: { "eu-central-1 Encrypt": 100, "eu-west-1 Decrypt": 100 },
  },
  {
    of: "two new regions, and another key in one that is there: opened once for both",
    set: setOf([wrap(A1)]),
    declared: [B1, B2, B3],
    before: [A1],
    options: { verify: 0 },
    calls: {
      "eu-central-1 Encrypt": 100,
      "eu-west-1 Decrypt": 100,
      "eu-west-1 ReEncrypt": 100,
      "eu-west-2 Encrypt": 100,
    },
  },
  {
    of: "from a key that lives in no region: nothing to open it with costs a call",
    set: setOf([{ provider: "local", key: "2026-01", material: null }]),
    declared: [B1],
    before: ["2026-01"],
    options: { verify: 0 },
    calls: { "eu-west-1 Encrypt": 100 },
  },
  {
    of: "to a key that lives in no region: opened once, and no other call",
    set: setOf([wrap(A1)]),
    declared: ["2027-01"],
    before: [A1],
    calls: { "eu-west-1 Decrypt": 100 },
  },
  { of: "what is as declared", set: setOf([wrap(A1), wrap(A2)]), declared: [A1, A2], calls: {} },
  {
    of: "a region that is left: what stays is opened first",
    set: setOf([wrap(A1), wrap(A2)]),
    declared: [A1],
    calls: { "eu-west-1 Decrypt": 100 },
  },
  {
    of: "the same without proofs: none",
    set: setOf([wrap(A1), wrap(A2)]),
    declared: [A1],
    options: { verify: 0 },
    calls: {},
  },
  {
    of: "a rotation that was done in one region: only what it had there already is opened before the drop",
    set: setOf([wrap(A1), wrap(A2), wrap(B1)]),
    declared: [B1, B2],
    calls: { "eu-west-1 Decrypt": 100, "eu-west-2 Decrypt": 100, "eu-west-2 ReEncrypt": 100 },
  },
  {
    of: "old wraps that are kept for now: none",
    set: setOf([wrap(A1), wrap(B1)]),
    declared: [B1],
    options: { keepOld: true },
    calls: {},
  },
  {
    of: "newer material of the same key",
    set: setOf([wrap(A1, "m1")]),
    declared: [A1],
    materials: new Map([[A1, "m2"]]),
    options: { verify: 0 },
    // Nothing else tells which material a new wrap is of.
    calls: { "eu-west-1 Decrypt": 100, "eu-west-1 ReEncrypt": 100 },
  },
  {
    of: "a record in record scope: opened, and sealed anew",
    store: "records",
    set: setOf([wrap(A1), wrap(A2)]),
    declared: [B1, B2],
    before: [A1, A2],
    options: { verify: 0 },
    calls: { "eu-west-1 Decrypt": 100, "eu-west-1 GenerateDataKey": 100, "eu-west-2 Encrypt": 100 },
  },
  {
    of: "the same, each message proven",
    store: "records",
    set: setOf([wrap(A1), wrap(A2)]),
    declared: [B1, B2],
    before: [A1, A2],
    calls: {
      "eu-west-1 Decrypt": 200,
      "eu-west-1 GenerateDataKey": 100,
      "eu-west-2 Decrypt": 100,
      "eu-west-2 Encrypt": 100,
    },
  },
  {
    of: "a record whose wraps are as declared, under a fresh data key",
    store: "records",
    set: setOf([wrap(A1)]),
    declared: [A1],
    options: { fresh: true, verify: 0 },
    calls: { "eu-west-1 Decrypt": 100, "eu-west-1 GenerateDataKey": 100 },
  },
  {
    of: "a record on a key of the key store",
    store: "records",
    set: inner("aws-kms-hierarchy"),
    declared: [B1],
    options: { fresh: true },
    calls: {},
  },
  { of: "a key under a tenant's", set: inner("strongroom-tenant"), declared: [B1], calls: {} },
  { of: "nothing", items: 0, set: setOf([wrap(A1)]), declared: [B1], calls: {} },
  {
    of: "records out of record scope, and keys under tenants",
    set: setOf([wrap(A1)]),
    store: "records",
    declared: [A1],
    moves: { outOfRecord: 7, intoRecord: 3 },
    options: { verify: 0 },
    calls: { "eu-west-1 Decrypt": 7, "eu-west-1 GenerateDataKey": 3 },
  },
  {
    of: "keys that change their kind",
    set: setOf([wrap(A1), wrap(A2)]),
    declared: [A1, A2],
    moves: { keysUnderTenants: 5, keysUnderRegions: 2 },
    calls: { "eu-west-1 Decrypt": 5, "eu-west-1 Encrypt": 2, "eu-west-2 Encrypt": 2 },
  },
];

for (const { of, store = "keys", items = 100, set, options = {}, materials = null, moves = {}, ...given } of CASES)
  test(`calls of ${of}`, () => {
    const declared = declaredKeys(ordered(given.declared));
    const sources = [declared, ...(given.before === undefined ? [] : [declaredKeys(ordered(given.before))])];
    const target = targetOf(ordered(given.declared), materials)!;
    const sets = [{ items, set, want: wantOf(set, target) }];
    const counted = { store, declared, target, options, sets, sources, reEncrypts: inRegion, messageBytes: 1_000 };
    const { calls, total, dollars } = forecast([counted], options, { ...NO_MOVES, ...moves });
    const named = Object.fromEntries(
      calls.map(({ region, operation, calls: made }) => [`${region} ${operation}`, made]),
    );
    assert.deepEqual(named, given.calls);
    assert.equal(
      total,
      Object.values(given.calls).reduce((sum, made) => sum + made, 0),
    );
    assert.equal(dollars, (total / 10_000) * 0.03);
  });

/** A set whose keyring prefers its keys in this order. */
function ordered(names: readonly string[]): ReturnType<typeof keySet> {
  const health = (): unknown => names.map((keyArn) => ({ keyArn, role: "preferred" }));
  return keySet(names, { health } as object);
}

test("the region with the most calls decides how long it takes, and every wrap is written", () => {
  const names = ordered([B1, B2]);
  const declared = declaredKeys(names);
  const target = targetOf(names, null)!;
  const set = setOf([wrap(A1), wrap(A2)]);
  const counted = { items: 1_000_000, set, want: wantOf(set, target) };
  const store = {
    store: "keys",
    declared,
    target,
    options: {},
    sets: [counted],
    sources: [declared],
    reEncrypts: inRegion,
    messageBytes: 0,
  } as const;
  const { seconds, rate, bytes, keptBytes } = forecast([store], { rate: 1_000 });
  assert.deepEqual([seconds, rate, keptBytes], [2_000, 1_000, 0]);
  // First with four wraps, then with the two that stay.
  assert.equal(bytes, 1_000_000 * (2 * ROW_BYTES + 6 * WRAP_BYTES));
});

test("a substitute is not wrapped under while the preferred keys answer", () => {
  const health = (): unknown => [
    { keyArn: B3, role: "substitute" },
    { keyArn: B2, role: "preferred" },
    { keyArn: B1, role: "preferred" },
  ];
  const names = keySet([B1, B2, B3], { health, target: 2 } as object);
  const declared = declaredKeys(names);
  assert.deepEqual([declared.keys, declared.target], [[B2, B1, B3], 2]);
  const target = targetOf(names, null)!;
  const set = setOf([wrap(A1)]);
  const sets = [{ items: 1, set, want: wantOf(set, target) }];
  const rules = { store: "keys", declared, target, options: {}, messageBytes: 0 } as const;
  const store = { ...rules, sets, sources: [declared], reEncrypts: inRegion };
  const { calls } = forecast([store], { verify: 0 });
  assert.deepEqual(
    calls.map(({ region, operation }) => `${region} ${operation}`),
    ["eu-west-1 Decrypt", "eu-west-1 ReEncrypt", "eu-west-2 Encrypt"],
  );
});

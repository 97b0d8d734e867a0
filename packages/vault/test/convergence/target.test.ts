/**
 * What a wrap set wants, case by case.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { regionOfKey, wantOf } from "../../src/convergence/target.ts";
import type { Target, Want } from "../../src/convergence/target.ts";
import type { MissingWrap, Wrap, WrapSet } from "../../src/stores/wrap-set.ts";

const arn = (region: string, key: string): string => `arn:aws:kms:${region}:111122223333:key/${key}`;
const [NORTH, SOUTH, WEST] = [arn("eu-north-1", "n"), arn("eu-south-1", "s"), arn("eu-west-1", "w")];
const OLD = arn("eu-north-1", "old");

const wrap = (key: string, material: string | null = null): Wrap => ({ provider: "aws-kms", key, material });
const owed = (keyArn: string): MissingWrap => ({ region: regionOfKey(keyArn), keyArn, reason: "timeout" });
const setOf = (wraps: readonly Wrap[], missing: readonly MissingWrap[] = []): WrapSet => ({
  wraps,
  target: wraps.length + missing.length,
  missing,
});

const target = (
  names: readonly string[],
  wanted: number = names.length,
  materials: Target["materials"] = null,
): Target => ({
  names: new Set(names),
  target: wanted,
  materials,
});

interface Case {
  readonly of: string;
  readonly set: WrapSet | null;
  readonly target: Target;
  readonly wants: "inner" | "unknown" | { lacks: readonly string[]; short: number; extra: readonly string[] };
}

const both = target([NORTH, SOUTH]);
const material = target([NORTH], 1, new Map([[NORTH, "m2"]]));

const CASES: readonly Case[] = [
  { of: "a damaged row", set: null, target: both, wants: "unknown" },
  {
    of: "a message on the key store",
    set: setOf([{ provider: "aws-kms-hierarchy", key: "", material: null }]),
    target: both,
    wants: "inner",
  },
  {
    of: "a key under a tenant's",
    set: setOf([{ provider: "strongroom-tenant", key: "acme", material: null }]),
    target: both,
    wants: "inner",
  },
  {
    of: "a key of the audit",
    set: setOf([{ provider: "strongroom-audit", key: "vault", material: null }]),
    target: both,
    wants: "inner",
  },
  {
    of: "what is as declared",
    set: setOf([wrap(NORTH), wrap(SOUTH)]),
    target: both,
    wants: { lacks: [], short: 0, extra: [] },
  },
  {
    of: "an owed wrap",
    set: setOf([wrap(NORTH)], [owed(SOUTH)]),
    target: both,
    wants: { lacks: [SOUTH], short: 1, extra: [] },
  },
  {
    of: "a wrap that is there and does not open",
    set: setOf([wrap(NORTH), wrap(SOUTH)], [owed(SOUTH)]),
    target: both,
    wants: { lacks: [SOUTH], short: 1, extra: [] },
  },
  {
    of: "another key of one region",
    set: setOf([wrap(OLD)]),
    target: target([NORTH]),
    wants: { lacks: [NORTH], short: 1, extra: [OLD] },
  },
  {
    of: "both keys of one region",
    set: setOf([wrap(OLD), wrap(NORTH)]),
    target: target([NORTH]),
    wants: { lacks: [], short: 0, extra: [OLD] },
  },
  {
    of: "a region that is left",
    set: setOf([wrap(NORTH), wrap(SOUTH)]),
    target: target([NORTH]),
    wants: { lacks: [], short: 0, extra: [SOUTH] },
  },
  {
    of: "a region that is new",
    set: setOf([wrap(NORTH)]),
    target: both,
    wants: { lacks: [SOUTH], short: 1, extra: [] },
  },
  {
    of: "two of three regions that do",
    set: setOf([wrap(NORTH), wrap(WEST)]),
    target: target([NORTH, SOUTH, WEST], 2),
    wants: { lacks: [], short: 0, extra: [] },
  },
  {
    of: "one of three, of which two do",
    set: setOf([wrap(WEST)]),
    target: target([NORTH, SOUTH, WEST], 2),
    wants: { lacks: [NORTH, SOUTH], short: 1, extra: [] },
  },
  {
    of: "what is owed under a key that is not in force",
    set: setOf([wrap(NORTH)], [owed(OLD)]),
    target: target([NORTH]),
    wants: { lacks: [], short: 0, extra: [] },
  },
  {
    of: "two wraps under one key",
    set: setOf([wrap(NORTH, "m1"), wrap(NORTH, "m2")]),
    target: both,
    wants: { lacks: [SOUTH], short: 1, extra: [] },
  },
  {
    of: "material that is current",
    set: setOf([wrap(NORTH, "m2")]),
    target: material,
    wants: { lacks: [], short: 0, extra: [] },
  },
  {
    of: "older material",
    set: setOf([wrap(NORTH, "m1")]),
    target: material,
    wants: { lacks: [NORTH], short: 1, extra: [NORTH] },
  },
  {
    of: "material that nobody told",
    set: setOf([wrap(NORTH)]),
    target: material,
    wants: { lacks: [NORTH], short: 1, extra: [NORTH] },
  },
  {
    of: "both materials",
    set: setOf([wrap(NORTH, "m2"), wrap(NORTH, "m1")]),
    target: material,
    wants: { lacks: [], short: 0, extra: [NORTH] },
  },
  {
    of: "keys without regions",
    set: setOf([wrap("old")]),
    target: target(["new"]),
    wants: { lacks: ["new"], short: 1, extra: ["old"] },
  },
  { of: "nothing at all", set: setOf([]), target: target([NORTH]), wants: { lacks: [NORTH], short: 1, extra: [] } },
];

for (const { of, set, target: declared, wants } of CASES)
  test(`what is wanted of ${of}`, () => {
    assert.deepEqual(plain(wantOf(set, declared)), wants);
  });

test("a key says by its ARN where it lives, and one that is no ARN lives nowhere", () => {
  assert.equal(regionOfKey(NORTH), "eu-north-1");
  assert.equal(regionOfKey("arn:aws-cn:kms:cn-north-1:111122223333:alias/x"), "cn-north-1");
  assert.deepEqual(["local", "arn:aws:s3:eu-north-1:x", ""].map(regionOfKey), ["", "", ""]);
});

function plain(want: Want): Case["wants"] {
  if (want.kind !== "wraps") return want.kind;
  for (const { region, key } of want.lacks) assert.equal(region, regionOfKey(key));
  return { lacks: want.lacks.map(({ key }) => key), short: want.short, extra: want.extra.map(({ key }) => key) };
}

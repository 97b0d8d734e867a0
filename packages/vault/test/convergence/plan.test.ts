/**
 * The plan over stores whose wrap sets a test wrote down: lines, problems, scopes, and what a hand in the database may
 * have left there.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf } from "../../src/convergence/plan.ts";
import type { PlanSources } from "../../src/convergence/plan.ts";
import type { ConvergeOptions, ConvergencePlan, FleetMember } from "../../src/convergence/view.ts";
import type { Scope, WrapSetId } from "@strongroom/vault";
import { arn, fakeStore, inRegion, keySet, setOf, wrap } from "../support/converged.ts";
import type { FakeStore, Having } from "../support/converged.ts";

const [A1, A2, B1, B2] = [arn("eu-west-1", "a"), arn("eu-west-2", "a"), arn("eu-west-1", "b"), arn("eu-west-2", "b")];
const [OLD, NEW] = [keySet([A1, A2]), keySet([B1, B2], { reEncrypts: (_, from, to) => inRegion(from, to) })];
const INNER = setOf([{ provider: "aws-kms-hierarchy", key: "", material: null }]);

function plan(
  stores: readonly FakeStore[],
  options?: ConvergeOptions,
  more: Partial<PlanSources> = {},
): Promise<ConvergencePlan> {
  const sources: PlanSources = {
    stores,
    scopes: null,
    messageBytes: () => Promise.resolve(1_000),
    fleet: () => Promise.resolve({ members: [], unknown: 0 }),
    isUnderWay: () => Promise.resolve(false),
    clock: () => new Date("2027-01-01T00:00:00.000Z"),
    ...more,
  };
  return planOf(sources, options);
}

const keysOf = (having: readonly Having[]): FakeStore => fakeStore("keys", { current: OLD, next: NEW }, having);
const lines = ({ stores }: ConvergencePlan): readonly string[] =>
  stores[0]!.lines.map(({ items, change, wraps }) => {
    const names = wraps.map((line) => `${line.change} ${line.key.slice(-1)}${line.region?.slice(-1) ?? ""}`);
    return `${items} ${change}: ${names.sort().join(", ")}`;
  });
const codes = ({ problems }: ConvergencePlan): readonly string[] =>
  problems.map(({ code, blocks }) => (blocks ? `${code} blocks` : code));

const both = setOf([wrap(A1), wrap(A2)]);

test("items that look the same and become the same are one line", async () => {
  const other = { ...both, target: 3 };
  const found = await plan([
    keysOf([
      { set: both, items: 700 },
      { set: other, items: 300 },
      { set: INNER, items: 5 },
    ]),
  ]);
  assert.deepEqual(lines(found), ["1000 add-and-drop: comes b1, comes b2, goes a1, goes a2", "5 inner: stays "]);
  assert.deepEqual([found.stores[0]!.flips, found.forecast.total], [true, 4_000]);
  assert.deepEqual(codes(found), []);
});

test("what was begun is planned on: two sets of old and new wraps, and what is done", async () => {
  const half = setOf([wrap(A1), wrap(A2), wrap(B1)]);
  const all = setOf([wrap(A1), wrap(A2), wrap(B1), wrap(B2)]);
  const done = setOf([wrap(B1), wrap(B2)]);
  const having = [
    { set: half, items: 30 },
    { set: all, items: 20 },
    { set: done, items: 10 },
  ];
  assert.deepEqual(lines(await plan([keysOf(having)])), [
    "30 add-and-drop: comes b2, goes a1, goes a2, stays b1",
    "20 drop: goes a1, goes a2, stays b1, stays b2",
    "10 none: stays b1, stays b2",
  ]);
  assert.deepEqual(lines(await plan([keysOf(having)], { keepOld: true })), [
    "30 add: comes b2, stays a1, stays a2, stays b1",
    "20 none: stays a1, stays a2, stays b1, stays b2",
    "10 none: stays b1, stays b2",
  ]);
});

test("messages are sealed anew where a wrap comes or goes, and those that are kept are counted", async () => {
  const store = fakeStore("records", { current: OLD, next: NEW }, [
    { set: both, items: 4, kept: 3 },
    { set: setOf([wrap(B1), wrap(B2), wrap(A1)]), items: 2 },
    { set: INNER, items: 9 },
  ]);
  const found = await plan([store]);
  assert.deepEqual(lines(found), [
    "9 inner: stays ",
    "4 seal-anew: comes b1, comes b2, goes a1, goes a2",
    "2 seal-anew: goes a1, stays b1, stays b2",
  ]);
  assert.equal(found.stores[0]!.kept, 3);
  assert.equal(found.forecast.keptBytes, 6_000);
  assert.match(lines(await plan([store], { fresh: true }))[0]!, /^9 seal-anew/);
});

test("only counts and lengths are asked for, once for each set", async () => {
  const store = keysOf([{ set: both, items: 1_000_000 }]);
  await plan([store]);
  assert.deepEqual(store.asked, ["sets", "counts", "sets", "kept-counts"]);
});

test("a set that comes while the others are counted is not missed", async () => {
  const store = keysOf([{ set: both, items: 10 }]);
  store.before.counts = () => {
    // As a writer that moved five items on.
    if (store.rows.size === 1) store.rows.set(2 as WrapSetId, { set: setOf([wrap(B1), wrap(B2)]), items: 5 });
  };
  assert.deepEqual(lines(await plan([store])), [
    "10 add-and-drop: comes b1, comes b2, goes a1, goes a2",
    "5 none: stays b1, stays b2",
  ]);
});

test("damaged sets are told, and those that a hand added and nothing has are not", async () => {
  const found = await plan([
    keysOf([
      { set: null, items: 3 },
      { set: setOf([wrap("planted")]), items: 0 },
    ]),
  ]);
  assert.deepEqual(lines(found), ["3 unknown: "]);
  assert.deepEqual(codes(found), ["sets-damaged"]);
});

test("names that steer a terminal or fill a page are cut and escaped, and two of them stay two lines", async () => {
  const long = (end: string): Having => ({ set: setOf([wrap(`\u001b[2J${"x".repeat(1_000_000)}${end}`)]), items: 1 });
  const found = await plan([keysOf([long("1"), long("2")])]);
  assert.equal(found.stores[0]!.lines.length, 2);
  const text = JSON.stringify(found);
  assert.ok(text.length < 10_000);
  assert.ok(!text.includes("\\u001b"));
});

test("names that objects have of themselves are names like others", async () => {
  const found = await plan([keysOf([{ set: setOf([wrap("__proto__"), wrap("constructor")]), items: 2 }])]);
  assert.deepEqual(
    found.stores[0]!.lines.map(({ items, wraps }) => [items, wraps.length]),
    [[2, 4]],
  );
});

const member = (process: string, more: Partial<FleetMember> = {}): FleetMember => ({
  process,
  seenAt: "2027-01-01T00:00:00.000Z",
  isAlive: true,
  knowsInForce: true,
  knowsDeclared: true,
  declaresScopes: true,
  works: false,
  ...more,
});

interface ProblemCase {
  readonly of: string;
  readonly sources?: Partial<PlanSources>;
  readonly options?: ConvergeOptions;
  readonly stores?: readonly FakeStore[];
  readonly codes: readonly string[];
}

const ignorant = member("b\u001b[1m", { knowsDeclared: false });
const fleetOf = (members: readonly FleetMember[], unknown = 0): Partial<PlanSources> => ({
  fleet: () => Promise.resolve({ members, unknown }),
});
const settled = (): FakeStore => fakeStore("keys", { current: OLD }, [{ set: both, items: 1 }]);

const NO_KEYS = {
  subject: 0,
  "tenant-subject": 0,
  collection: 0,
  tenant: 0,
  lookup: 0,
  names: 0,
  index: 0,
  audit: 0,
  mask: 0,
};
/** A collection whose versions in record scope go to another one, and nothing else to do. */
const moving: Partial<PlanSources>["scopes"] = {
  records: { collections: () => Promise.resolve([{ name: "people", records: 1 }]) },
  keys: { counts: () => Promise.resolve(NO_KEYS) },
  scopeOf: () => "subject",
  inventory: { list: () => Promise.resolve([]) },
};
const inRecordScope = (): FakeStore => fakeStore("records", { current: OLD }, [{ set: both, items: 1 }]);
const elsewhere = member("c", { declaresScopes: false });

const PROBLEMS: readonly ProblemCase[] = [
  { of: "a fleet that knows", sources: fleetOf([member("a")]), codes: [] },
  { of: "a process that does not know", sources: fleetOf([ignorant]), codes: ["fleet-differs blocks"] },
  { of: "the same, forced", sources: fleetOf([ignorant]), options: { force: true }, codes: ["fleet-differs"] },
  { of: "one that is dead", sources: fleetOf([{ ...ignorant, isAlive: false }]), codes: [] },
  { of: "notes that nobody can read", sources: fleetOf([], 1), codes: ["fleet-differs blocks"] },
  {
    of: "one that does not know, where nothing is put in force",
    sources: fleetOf([ignorant]),
    stores: [settled()],
    codes: ["nothing-to-do"],
  },
  {
    of: "one that declares other scopes, where records move",
    sources: { ...fleetOf([elsewhere]), scopes: moving },
    stores: [inRecordScope()],
    codes: ["fleet-differs blocks"],
  },
  {
    of: "the same, forced",
    sources: { ...fleetOf([elsewhere]), scopes: moving },
    options: { force: true },
    stores: [inRecordScope()],
    codes: ["fleet-differs"],
  },
  { of: "one that declares other scopes, where none move", sources: fleetOf([elsewhere]), codes: [] },
  { of: "a run under way", sources: { isUnderWay: () => Promise.resolve(true) }, codes: ["run-under-way blocks"] },
  {
    of: "a keyring without names",
    stores: [fakeStore("records", { current: { ...OLD, names: null } }, [{ set: both, items: 1 }])],
    codes: ["names-missing blocks", "nothing-to-do"],
  },
  {
    of: "old messages that are kept",
    stores: [fakeStore("records", { current: OLD }, [{ set: both, items: 1, kept: 1 }])],
    codes: [],
  },
];

for (const { of, sources, options, stores, codes: expected } of PROBLEMS)
  test(`problems: ${of}`, async () => {
    const found = await plan(stores ?? [keysOf([{ set: both, items: 1 }])], options, sources);
    assert.deepEqual(codes(found), expected);
    for (const { message } of found.problems) assert.match(message, /^[\x20-\x7e]+$/);
  });

test("material that is not the key's present one is replaced, where it is asked for and told", async () => {
  const told = keySet([A1, A2], {
    currentMaterials: () =>
      Promise.resolve([
        { key: A1, material: "m2" },
        { key: A2, material: null },
      ]),
  });
  const store = fakeStore("keys", { current: told }, [{ set: setOf([wrap(A1, "m1"), wrap(A2)]), items: 1 }]);
  assert.deepEqual(lines(await plan([store], { material: "current" })), [
    "1 add-and-drop: comes a1, goes a1, stays a2",
  ]);
  assert.deepEqual(lines(await plan([store])), ["1 none: stays a1, stays a2"]);
});

interface ScopeCase {
  readonly of: string;
  readonly collections: Readonly<Record<string, Scope>>;
  readonly record?: number;
  readonly inner?: number;
  /** Where the versions in each of the two are, one by one. */
  readonly listed?: Readonly<Record<string, readonly string[]>>;
  readonly keys?: { readonly subject?: number; readonly tenant?: number };
  readonly off: Readonly<Record<string, number | null>>;
}

const SCOPES: readonly ScopeCase[] = [
  { of: "all as declared", collections: { people: "subject" }, inner: 10, keys: { subject: 3 }, off: {} },
  { of: "one collection out of record scope", collections: { people: "subject" }, record: 10, off: { people: 10 } },
  {
    of: "one collection into it",
    collections: { people: "record" },
    inner: 10,
    keys: { subject: 2 },
    off: { people: 10 },
  },
  {
    of: "one of two, counted one by one",
    collections: { people: "subject", notes: "record" },
    record: 3,
    listed: { record: ["notes", "notes", "people"] },
    off: { people: 1 },
  },
  {
    of: "one of two, too many to count",
    collections: { people: "subject", notes: "record" },
    record: 1_000_000,
    off: { people: null },
  },
  {
    of: "subject to tenant: messages tell nothing",
    collections: { people: "tenant" },
    inner: 5,
    keys: { subject: 5 },
    off: { people: null },
  },
  {
    of: "both are declared and both are there",
    collections: { people: "tenant", staff: "subject" },
    inner: 5,
    keys: { subject: 5, tenant: 1 },
    off: {},
  },
];

for (const { of, collections, record = 0, inner = 0, listed, keys = {}, off } of SCOPES)
  test(`scopes: ${of}`, async () => {
    const store = fakeStore("records", { current: OLD }, [
      { set: both, items: record },
      { set: INNER, items: inner },
    ]);
    const found = await plan(
      [store],
      {},
      {
        scopes: {
          records: {
            collections: () => Promise.resolve(Object.keys(collections).map((name) => ({ name, records: 1 }))),
          },
          keys: {
            counts: () =>
              Promise.resolve({ ...NO_KEYS, subject: keys.subject ?? 0, "tenant-subject": keys.tenant ?? 0 }),
          },
          scopeOf: (collection) => collections[collection]!,
          inventory: {
            list: ({ sets }) =>
              Promise.resolve(
                (listed?.[sets.includes(1 as WrapSetId) ? "record" : "inner"] ?? []).map((collection, index) => ({
                  place: null,
                  collection,
                  id: `${index}`,
                  wrapSet: 1 as WrapSetId,
                  since: null,
                  failure: null,
                  position: `${index}`,
                })),
              ),
          },
        },
      },
    );
    assert.deepEqual(Object.fromEntries(found.scopes.map(({ collection, items }) => [collection, items])), off);
  });

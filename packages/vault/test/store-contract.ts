/**
 * The contract of a RecordStore. Every store runs it: `storeContract("sqlite", open)` in the store's own test file, where
 * `open` gives the store over the same storage each time it is called within one test.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { parseAddress, parseCollection, parseId, parseSubject, parseVersion } from "@strongroom/vault";
import type { Address, Change, ClaimRequest, Head, RecordStore, RemoveChange, RepairChange, VersionPlace, WriteChange } from "@strongroom/vault";
import { rejectsWith } from "./support/errors.ts";

export interface Storage {
  /** Another store over the same storage, as another process would open it. Closed by the caller. */
  open(): Promise<RecordStore>;
}

/** Empty storage that goes away after the test. */
export type NewStorage = (t: TestContext) => Promise<Storage>;

const at = (id: string, collection = "people"): Address => parseAddress({ collection, id });
const live = (version: number): Head => ({ version: parseVersion(version), state: "live" });
const removed = (version: number): Head => ({ version: parseVersion(version), state: "removed" });

function write(address: Address, base: Head | null, version: number, more: Partial<WriteChange["next"]> & Pick<Partial<WriteChange>, "missing"> = {}): WriteChange {
  const { missing = [], ...next } = more;
  return {
    kind: "write",
    address,
    base,
    next: {
      version: parseVersion(version),
      subject: parseSubject("subject"),
      createdAt: `2026-01-01T00:00:00.00${version % 10}Z`,
      wraps: { stored: 3, target: 3 },
      message: Buffer.from(`message ${version}`),
      ...next,
    },
    missing,
  };
}

function remove(address: Address, base: Head | null, tombstone: number): RemoveChange {
  return { kind: "remove", address, base, tombstone: parseVersion(tombstone), removedAt: "2026-02-02T00:00:00.000Z" };
}

const owed = (...regions: readonly string[]): WriteChange["missing"] => regions.map((region) => ({ region, keyArn: `arn:${region}`, reason: "refused" }));
const place = (id: string, version: number, collection = "people"): VersionPlace => ({ ...at(id, collection), version: parseVersion(version) });

/** A claim of everything that region r1 is owed at moment 1000, until moment 2000. */
async function claim(store: RecordStore, request: Partial<ClaimRequest> = {}): Promise<readonly string[]> {
  const claimed = await store.claimDebts({ holder: "h", region: "r1", limit: 100, now: 1000, until: 2000, ...request });
  return claimed.map(({ id, version }) => `${id}${version}`);
}

/** The repair of a version whose message is that of `write`: everything is paid unless it says otherwise. */
function repairOf(id: string, version: number, more: Partial<RepairChange> = {}): RepairChange {
  return {
    place: place(id, version),
    base: Buffer.from(`message ${version}`),
    message: Buffer.from(`repaired ${version}`),
    wraps: { stored: 3, target: 3 },
    missing: [],
    dueAt: 3000,
    at: "2026-03-03T00:00:00.000Z",
    ...more,
  };
}

async function commit(store: RecordStore, ...changes: readonly Change[]): Promise<void> {
  assert.deepEqual(await store.commit(changes), { kind: "committed" });
}

export function storeContract(name: string, newStorage: NewStorage): void {
  const contract = (behaviour: string, body: (store: RecordStore, storage: Storage) => Promise<void>): void => {
    test(`${name}: ${behaviour}`, async (t) => {
      const storage = await newStorage(t);
      const store = await storage.open();
      try {
        await body(store, storage);
      } finally {
        await store.close();
      }
    });
  };

  contract("an empty store has nothing", async (store) => {
    assert.deepEqual(await store.heads([at("a"), at("b")]), [
      { head: null, newestRow: null, subject: null },
      { head: null, newestRow: null, subject: null },
    ]);
    assert.deepEqual(await store.read(at("a"), null), { head: null, newestRow: null, stored: null });
    assert.deepEqual(await store.read(at("a"), parseVersion(1)), { head: null, newestRow: null, stored: null });
    assert.deepEqual(await store.versions(at("a")), { head: null, newestRow: null, versions: [] });
    assert.equal(await store.list(parseCollection("people"), { after: null, limit: 10 }), null);
    assert.deepEqual(await store.collections(), []);
    assert.deepEqual(await store.wrapDebt(), { items: 0, regions: [] });
    assert.deepEqual(await store.heads([]), []);
    assert.deepEqual(await store.commit([]), { kind: "committed" });
    await store.ping();
  });

  contract("a version reads back as it was written, byte for byte", async (store) => {
    const message = randomBytes(70_000);
    const first = write(at("søren 🔐"), null, 1, { message, subject: parseSubject("日本"), wraps: { stored: 2, target: 3 } });
    await commit(store, first);
    const read = await store.read(at("søren 🔐"), null);
    assert.deepEqual(read.head, live(1));
    assert.equal(read.newestRow, 1);
    assert.ok(read.stored !== null);
    assert.deepEqual({ ...read.stored, message: Buffer.from(read.stored.message) }, first.next);
    assert.deepEqual(await store.heads([at("søren 🔐")]), [{ head: live(1), newestRow: 1, subject: "日本" }]);
  });

  contract("every version stays, each with its own row, newest first", async (store) => {
    await commit(store, write(at("a"), null, 1));
    await commit(store, write(at("a"), live(1), 2));
    await commit(store, write(at("a"), live(2), 3));
    const { versions, ...rows } = await store.versions(at("a"));
    assert.deepEqual(rows, { head: live(3), newestRow: 3 });
    assert.deepEqual(versions.map(({ version, messageBytes }) => [version, messageBytes]), [[3, 9], [2, 9], [1, 9]]);
    assert.equal(Buffer.from((await store.read(at("a"), parseVersion(1))).stored!.message).toString(), "message 1");
    assert.equal(Buffer.from((await store.read(at("a"), null)).stored!.message).toString(), "message 3");
    assert.equal((await store.read(at("a"), parseVersion(4))).stored, null);
  });

  contract("records are apart by collection and by id, by every byte of them", async (store) => {
    const addresses = [at("a"), at("a", "pets"), at("A"), at("a "), at("ａ")];
    for (const [index, address] of addresses.entries()) await commit(store, write(address, null, 1, { message: Buffer.from([index]) }));
    for (const [index, address] of addresses.entries()) assert.deepEqual([...(await store.read(address, null)).stored!.message], [index]);
  });

  contract("a change on a head that has moved is a conflict, and nothing is made", async (store) => {
    await commit(store, write(at("a"), null, 1));
    const wrong: readonly Change[] = [
      write(at("a"), null, 1),
      write(at("a"), null, 2),
      write(at("a"), live(2), 3),
      write(at("a"), removed(1), 2),
      remove(at("a"), live(2), 2),
      remove(at("a"), removed(1), 1),
      remove(at("a"), null, 1),
      write(at("absent"), live(1), 2),
      remove(at("absent"), live(1), 1),
    ];
    for (const change of wrong) assert.deepEqual(await store.commit([change]), { kind: "conflict", conflicts: [0] });
    assert.deepEqual(await store.versions(at("a")).then(({ head, versions }) => [head, versions.length]), [live(1), 1]);
    assert.equal((await store.heads([at("absent")]))[0]!.head, null);
  });

  contract("a number whose row exists is never written over, whatever the head says", async (store) => {
    await commit(store, write(at("a"), null, 5, { message: Buffer.from("kept") }));
    assert.deepEqual(await store.commit([write(at("a"), live(5), 5, { message: Buffer.from("new") })]), { kind: "conflict", conflicts: [0] });
    assert.equal(Buffer.from((await store.read(at("a"), null)).stored!.message).toString(), "kept");
  });

  contract("all changes of one commit are made or none, and every conflict is named", async (store) => {
    await commit(store, write(at("a"), null, 1), write(at("b"), null, 1));
    const result = await store.commit([write(at("c"), null, 1), write(at("a"), null, 1), write(at("d"), null, 1), remove(at("b"), live(7), 7)]);
    assert.deepEqual(result, { kind: "conflict", conflicts: [1, 3] });
    for (const { head } of await store.heads([at("c"), at("d")])) assert.equal(head, null);
    assert.deepEqual((await store.heads([at("b")]))[0]!.head, live(1));
    await commit(store, write(at("c"), null, 1), write(at("a"), live(1), 2), remove(at("b"), live(1), 1));
    assert.deepEqual((await store.heads([at("a"), at("b"), at("c")])).map(({ head }) => head), [live(2), removed(1), live(1)]);
  });

  contract("a record may come several times in one commit, each change on top of the one before", async (store) => {
    await commit(store, write(at("a"), null, 1), write(at("a"), live(1), 2), remove(at("a"), live(2), 2), write(at("a"), removed(2), 3));
    assert.deepEqual((await store.versions(at("a"))).versions.map(({ version }) => version), [3]);
  });

  contract("a removal takes all versions and their debt, and keeps the number", async (store) => {
    const missing = [{ region: "eu-west-2", keyArn: "arn:2", reason: "timeout" }];
    await commit(store, write(at("a"), null, 1, { missing }), write(at("a"), live(1), 2, { missing }), write(at("b"), null, 1, { missing }));
    await commit(store, remove(at("a"), live(2), 2));
    assert.deepEqual(await store.versions(at("a")), { head: removed(2), newestRow: null, versions: [] });
    assert.equal((await store.read(at("a"), parseVersion(1))).stored, null);
    assert.equal((await store.wrapDebt()).items, 1);
    await commit(store, write(at("a"), removed(2), 3));
    assert.deepEqual((await store.read(at("a"), null)).stored?.version, 3);
  });

  contract("missing wraps are counted by version and by region", async (store) => {
    const wrap = (region: string): { region: string; keyArn: string; reason: string } => ({ region, keyArn: `arn:${region}`, reason: "refused" });
    await commit(store, write(at("a"), null, 1, { missing: [wrap("r1"), wrap("r2")], createdAt: "2026-01-03T00:00:00.000Z" }));
    await commit(store, write(at("a"), live(1), 2, { missing: [wrap("r2")], createdAt: "2026-01-02T00:00:00.000Z" }));
    await commit(store, write(at("b"), null, 1));
    assert.deepEqual(await store.wrapDebt(), {
      items: 2,
      regions: [
        { region: "r1", items: 1, oldest: "2026-01-03T00:00:00.000Z" },
        { region: "r2", items: 2, oldest: "2026-01-02T00:00:00.000Z" },
      ],
    });
    assert.deepEqual(await store.commit([write(at("b"), null, 1, { missing: [wrap("r1")] })]), { kind: "conflict", conflicts: [0] });
    assert.equal((await store.wrapDebt()).items, 2, "a change that was not made owes nothing");
  });

  contract("owed versions are listed in the order of collection, id and version, page by page", async (store) => {
    assert.deepEqual(await store.debts({ after: null, limit: 5 }), []);
    await commit(store, write(at("b"), null, 1, { missing: owed("r2", "r1") }), write(at("b"), live(1), 2), write(at("b"), live(2), 3, { missing: owed("r2") }));
    await commit(store, write(at("a", "pets"), null, 1, { missing: owed("r1") }), write(at("é"), null, 10, { missing: owed("r1") }), write(at("é"), live(10), 11, { missing: owed("r1") }));
    const [first] = await store.debts({ after: null, limit: 1 });
    assert.deepEqual(first, { ...place("b", 1), regions: [{ region: "r1", reason: "refused" }, { region: "r2", reason: "refused" }], since: "2026-01-01T00:00:00.001Z", attempts: 0, lastProblem: null });
    const ids: string[] = [];
    for (let after: VersionPlace | null = null; ; ) {
      const [one, second] = await store.debts({ after, limit: 2 });
      if (one === undefined) break;
      ids.push(`${one.collection}/${one.id}${one.version}`);
      assert.ok(second?.id !== one.id || second.version !== one.version);
      after = one;
    }
    assert.deepEqual(ids, ["people/b1", "people/b3", "people/é10", "people/é11", "pets/a1"]);
  });

  contract("what a region is owed is claimed once, in one region's name for all of them, until the claim runs out", async (store, storage) => {
    const other = await storage.open();
    await commit(store, write(at("a"), null, 1, { missing: owed("r1", "r2") }), write(at("b"), null, 1, { missing: owed("r1") }), write(at("c"), null, 1, { missing: owed("r2") }));
    assert.deepEqual(await store.dueRegions(0), ["r1", "r2"]);
    assert.deepEqual(await claim(store, { limit: 1 }), ["a1"]);
    assert.deepEqual(await claim(other, { holder: "other" }), ["b1"]);
    assert.deepEqual(await claim(other, { holder: "other" }), []);
    assert.deepEqual(await other.dueRegions(1000), ["r2"]);
    assert.deepEqual(await claim(other, { holder: "other", region: "r2" }), ["c1"]);
    assert.deepEqual(await claim(store, { region: "absent" }), []);
    assert.deepEqual(await store.dueRegions(1999), []);
    assert.deepEqual(await claim(store, { now: 1999 }), [], "its holder may be alive");
    assert.deepEqual(await store.dueRegions(2000), ["r1", "r2"]);
    assert.deepEqual(await claim(other, { holder: "third", now: 2000, until: 3000 }), ["a1", "b1"]);
    assert.deepEqual(await claim(store, { now: 2000 }), []);
    await other.close();
  });

  contract("of many claimers of the same debts each gets some, and none is given twice, also between two stores", async (store, storage) => {
    const other = await storage.open();
    const ids = Array.from({ length: 40 }, (_, n) => `id-${n}`);
    await commit(store, ...ids.map((id) => write(at(id), null, 1, { missing: owed("r1") })));
    const claims = await Promise.all(Array.from({ length: 20 }, (_, n) => claim(n % 2 === 0 ? store : other, { holder: `h${n}`, limit: 2 })));
    assert.deepEqual(claims.flat().sort(), ids.map((id) => `${id}1`).sort());
    await other.close();
  });

  contract("a claim given back is due when its holder says, and keeps why it failed and how often", async (store) => {
    await commit(store, write(at("a"), null, 1, { missing: owed("r1", "r2") }));
    const problem = { code: "record-tampered", at: "2026-02-02T00:00:00.000Z" };
    await claim(store);
    assert.equal(await store.releaseDebt({ holder: "somebody", place: place("a", 1), dueAt: 0, problem }), "gone");
    assert.deepEqual(await claim(store), [], "it is still the holder's");
    assert.equal(await store.releaseDebt({ holder: "h", place: place("a", 1), dueAt: 1500, problem: null }), "released");
    assert.equal(await store.releaseDebt({ holder: "h", place: place("a", 1), dueAt: 0, problem }), "gone", "it was given back");
    assert.deepEqual(await claim(store, { now: 1499 }), []);
    assert.deepEqual(await store.claimDebts({ holder: "h", region: "r2", limit: 1, now: 1500, until: 2000 }), [{ ...place("a", 1), attempts: 0 }]);
    await store.releaseDebt({ holder: "h", place: place("a", 1), dueAt: 1600, problem });
    assert.deepEqual((await store.debts({ after: null, limit: 1 })).map(({ attempts, lastProblem }) => [attempts, lastProblem]), [[1, problem]]);
    assert.deepEqual((await store.claimDebts({ holder: "h", region: "r1", limit: 1, now: 1600, until: 2000 })).map(({ attempts }) => attempts), [1]);
    await commit(store, remove(at("a"), live(1), 1));
    assert.equal(await store.releaseDebt({ holder: "h", place: place("a", 1), dueAt: 0, problem }), "gone");
  });

  contract("what was never tried is claimed before what failed", async (store) => {
    await commit(store, write(at("a"), null, 1, { missing: owed("r1") }));
    await claim(store);
    await store.releaseDebt({ holder: "h", place: place("a", 1), dueAt: 1001, problem: null });
    await commit(store, write(at("b"), null, 1, { missing: owed("r1") }));
    assert.deepEqual(await claim(store, { now: 5000, limit: 1 }), ["b1"]);
    assert.deepEqual(await claim(store, { now: 5000, limit: 1 }), ["a1"]);
  });

  contract("a repair replaces the message and pays the debt; everything else of the version stays", async (store) => {
    const first = write(at("a"), null, 1, { missing: owed("r1", "r2"), wraps: { stored: 1, target: 3 } });
    await commit(store, first, write(at("a"), live(1), 2, { missing: owed("r1") }));
    assert.equal(await store.repair(repairOf("a", 1)), "repaired");
    const { head, newestRow, stored } = await store.read(at("a"), parseVersion(1));
    assert.deepEqual([head, newestRow], [live(2), 2]);
    assert.deepEqual({ ...stored, message: Buffer.from(stored!.message).toString() }, { ...first.next, message: "repaired 1", wraps: { stored: 3, target: 3 } });
    assert.deepEqual((await store.debts({ after: null, limit: 5 })).map(({ version }) => version), [2]);
    assert.deepEqual((await store.list(parseCollection("people"), { after: null, limit: 5 })), [{ id: "a", version: 2, updatedAt: "2026-01-01T00:00:00.002Z" }]);
  });

  contract("a repair that got some wraps keeps the debt of the others, since when it is owed, and frees it at its time", async (store) => {
    await commit(store, write(at("a"), null, 1, { missing: owed("r1", "r2"), wraps: { stored: 1, target: 3 } }));
    await claim(store);
    await store.releaseDebt({ holder: "h", place: place("a", 1), dueAt: 1000, problem: { code: "x", at: "y" } });
    await claim(store);
    const missing = [...owed("r2").map((wrap) => ({ ...wrap, reason: "timeout" })), ...owed("r9")];
    assert.equal(await store.repair(repairOf("a", 1, { missing, wraps: { stored: 2, target: 4 } })), "repaired");
    assert.deepEqual(await store.debts({ after: null, limit: 5 }), [
      { ...place("a", 1), regions: [{ region: "r2", reason: "timeout" }, { region: "r9", reason: "refused" }], since: "2026-01-01T00:00:00.001Z", attempts: 0, lastProblem: null },
    ]);
    assert.deepEqual((await store.wrapDebt()).regions, [
      { region: "r2", items: 1, oldest: "2026-01-01T00:00:00.001Z" },
      { region: "r9", items: 1, oldest: "2026-03-03T00:00:00.000Z" },
    ]);
    assert.deepEqual([await claim(store, { region: "r2", now: 2999 }), await claim(store, { region: "r2", now: 3000, until: 4000 })], [[], ["a1"]]);
  });

  contract("a repair without a message corrects the account and leaves the message", async (store) => {
    await commit(store, write(at("a"), null, 1, { missing: owed("r1"), wraps: { stored: 2, target: 3 } }));
    assert.equal(await store.repair(repairOf("a", 1, { message: null, wraps: { stored: 2, target: 2 } })), "repaired");
    const { stored } = await store.read(at("a"), null);
    assert.deepEqual([Buffer.from(stored!.message).toString(), stored!.wraps], ["message 1", { stored: 2, target: 2 }]);
    assert.equal((await store.wrapDebt()).items, 0);
  });

  contract("a repair of a message that is another one by now changes nothing, whoever came first", async (store, storage) => {
    const other = await storage.open();
    await commit(store, write(at("a"), null, 1, { missing: owed("r1") }), write(at("b"), null, 1, { missing: owed("r1") }));
    const results = await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? store : other).repair(repairOf("a", 1, { message: Buffer.from(`by ${n}`) }))));
    assert.deepEqual(results.filter((result) => result === "repaired").length, 1);
    const winner = Buffer.from(`by ${results.indexOf("repaired")}`);
    assert.deepEqual(Buffer.from((await store.read(at("a"), null)).stored!.message), winner);
    for (const base of ["message 2", "message", "message 1 ", ""]) assert.equal(await store.repair(repairOf("b", 1, { base: Buffer.from(base) })), "overtaken");
    for (const absent of [repairOf("b", 2), repairOf("c", 1), { ...repairOf("b", 1), place: place("b", 1, "pets") }]) assert.equal(await store.repair(absent), "overtaken");
    await commit(store, remove(at("b"), live(1), 1));
    assert.equal(await store.repair(repairOf("b", 1)), "overtaken");
    await commit(store, write(at("b"), removed(1), 2));
    assert.equal(await store.repair(repairOf("b", 1)), "overtaken", "a removed version does not come back");
    assert.deepEqual((await store.versions(at("b"))).versions.map(({ version }) => version), [2]);
    await other.close();
  });

  contract("a list has live records in the order of their ids' bytes, after a place, up to a limit", async (store) => {
    const ids = ["Z", "a", "a b", "b", "é", "\uffee", "\u{10000}"];
    for (const id of [...ids].reverse()) await commit(store, write(at(id), null, 1, { createdAt: `at ${id}` }));
    await commit(store, write(at("other", "pets"), null, 1));
    await commit(store, remove(at("b"), live(1), 1));
    const expected = ids.filter((id) => id !== "b");
    const list = async (after: string | null, limit: number) => store.list(parseCollection("people"), { after: after === null ? null : parseId(after), limit });
    assert.deepEqual(await list(null, 100), expected.map((id) => ({ id, version: 1, updatedAt: `at ${id}` })));
    assert.deepEqual((await list(null, 2))?.map(({ id }) => id), expected.slice(0, 2));
    assert.deepEqual((await list("a", 2))?.map(({ id }) => id), expected.slice(2, 4));
    assert.deepEqual((await list("b", 1))?.map(({ id }) => id), ["é"], "a place need not be there any more");
    assert.deepEqual(await list("\u{10000}", 5), []);
    assert.equal(await store.list(parseCollection("absent"), { after: null, limit: 5 }), null);
  });

  contract("collections are counted, also when all their records are gone", async (store) => {
    await commit(store, write(at("a"), null, 1), write(at("b"), null, 1), write(at("x", "pets"), null, 1));
    await commit(store, remove(at("x", "pets"), live(1), 1));
    assert.deepEqual(await store.collections(), [
      { collection: "people", records: 2 },
      { collection: "pets", records: 0 },
    ]);
    assert.deepEqual(await store.list(parseCollection("pets"), { after: null, limit: 5 }), []);
  });

  contract("another store over the same storage sees what was committed, at once and after a restart", async (store, storage) => {
    const other = await storage.open();
    await commit(store, write(at("a"), null, 1));
    assert.deepEqual((await other.heads([at("a")]))[0]!.head, live(1));
    await commit(other, write(at("a"), live(1), 2));
    assert.deepEqual(await store.commit([write(at("a"), live(1), 2)]), { kind: "conflict", conflicts: [0] });
    await other.close();
    await store.close();
    const again = await storage.open();
    assert.deepEqual((await again.versions(at("a"))).versions.map(({ version }) => version), [2, 1]);
    await again.close();
  });

  contract("of many writers on one head exactly one wins, also between two stores", async (store, storage) => {
    const other = await storage.open();
    for (let round = 1; round <= 20; round++) {
      const base = round === 1 ? null : live(round - 1);
      const results = await Promise.all(Array.from({ length: 8 }, (_, writer) => (writer % 2 === 0 ? store : other).commit([write(at("a"), base, round)])));
      assert.equal(results.filter(({ kind }) => kind === "committed").length, 1);
    }
    assert.equal((await store.versions(at("a"))).versions.length, 20);
    await other.close();
  });

  contract("a closed store says so", async (store) => {
    await store.close();
    await store.close();
    await rejectsWith("store-closed", () => store.ping());
    await rejectsWith("store-closed", () => store.heads([at("a")]));
    await rejectsWith("store-closed", () => store.commit([write(at("a"), null, 1)]));
    await rejectsWith("store-closed", () => claim(store));
    await rejectsWith("store-closed", () => store.repair(repairOf("a", 1)));
  });
}

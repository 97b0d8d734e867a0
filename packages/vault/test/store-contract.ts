/**
 * The contract of a RecordStore. Every store runs it: `storeContract("sqlite", open)` in the store's own test file,
 * where `open` gives the store over the same storage each time it is called within one test.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { parseCollection, parseSubject, parseVersion } from "@strongroom/vault";
import type { Change } from "@strongroom/vault";
import { owedWrapsContract } from "./store-contract-owed-wraps.ts";
import type { Contract, Storage } from "./support/contract.ts";
import { rejectsWith } from "./support/errors.ts";
import { at, listed, live, removed, write, remove, claim, repairOf, commit } from "./support/store-changes.ts";

/** Empty storage that goes away after the test. */
export type NewStorage = (t: TestContext) => Promise<Storage>;

export function storeContract(name: string, newStorage: NewStorage): void {
  const contract: Contract = (behaviour, body) => {
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
      { head: null, newestRow: null },
      { head: null, newestRow: null },
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
    const first = write(at("søren 🔐"), null, 1, {
      message,
      subject: parseSubject("日本"),
      wraps: { stored: 2, target: 3 },
    });
    await commit(store, first);
    const read = await store.read(at("søren 🔐"), null);
    assert.deepEqual(read.head, live(1));
    assert.equal(read.newestRow, 1);
    assert.ok(read.stored !== null);
    assert.deepEqual({ ...read.stored, message: Buffer.from(read.stored.message) }, first.next);
    assert.deepEqual(await store.heads([at("søren 🔐")]), [{ head: live(1), newestRow: 1 }]);
  });

  contract("every version stays, each with its own row, newest first", async (store) => {
    await commit(store, write(at("a"), null, 1));
    await commit(store, write(at("a"), live(1), 2));
    await commit(store, write(at("a"), live(2), 3));
    const { versions, ...rows } = await store.versions(at("a"));
    assert.deepEqual(rows, { head: live(3), newestRow: 3 });
    assert.deepEqual(
      versions.map(({ version, messageBytes }) => [version, messageBytes]),
      [
        [3, 9],
        [2, 9],
        [1, 9],
      ],
    );
    assert.equal(Buffer.from((await store.read(at("a"), parseVersion(1))).stored!.message).toString(), "message 1");
    assert.equal(Buffer.from((await store.read(at("a"), null)).stored!.message).toString(), "message 3");
    assert.equal((await store.read(at("a"), parseVersion(4))).stored, null);
  });

  contract("records are apart by collection and by id, by every byte of them", async (store) => {
    const addresses = [at("a"), at("a", "pets"), at("A"), at("a "), at("ａ")];
    for (const [index, address] of addresses.entries())
      await commit(store, write(address, null, 1, { message: Buffer.from([index]) }));
    for (const [index, address] of addresses.entries())
      assert.deepEqual([...(await store.read(address, null)).stored!.message], [index]);
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
    assert.deepEqual(await store.commit([write(at("a"), live(5), 5, { message: Buffer.from("new") })]), {
      kind: "conflict",
      conflicts: [0],
    });
    assert.equal(Buffer.from((await store.read(at("a"), null)).stored!.message).toString(), "kept");
  });

  contract("all changes of one commit are made or none, and every conflict is named", async (store) => {
    await commit(store, write(at("a"), null, 1), write(at("b"), null, 1));
    const result = await store.commit([
      write(at("c"), null, 1),
      write(at("a"), null, 1),
      write(at("d"), null, 1),
      remove(at("b"), live(7), 7),
    ]);
    assert.deepEqual(result, { kind: "conflict", conflicts: [1, 3] });
    for (const { head } of await store.heads([at("c"), at("d")])) assert.equal(head, null);
    assert.deepEqual((await store.heads([at("b")]))[0]!.head, live(1));
    await commit(store, write(at("c"), null, 1), write(at("a"), live(1), 2), remove(at("b"), live(1), 1));
    assert.deepEqual(
      (await store.heads([at("a"), at("b"), at("c")])).map(({ head }) => head),
      [live(2), removed(1), live(1)],
    );
  });

  contract("a record may come several times in one commit, each change on top of the one before", async (store) => {
    await commit(
      store,
      write(at("a"), null, 1),
      write(at("a"), live(1), 2),
      remove(at("a"), live(2), 2),
      write(at("a"), removed(2), 3),
    );
    assert.deepEqual(
      (await store.versions(at("a"))).versions.map(({ version }) => version),
      [3],
    );
  });

  contract("a removal takes all versions and their debt, and keeps the number", async (store) => {
    const missing = [{ region: "eu-west-2", keyArn: "arn:2", reason: "timeout" }];
    await commit(
      store,
      write(at("a"), null, 1, { missing }),
      write(at("a"), live(1), 2, { missing }),
      write(at("b"), null, 1, { missing }),
    );
    await commit(store, remove(at("a"), live(2), 2));
    assert.deepEqual(await store.versions(at("a")), { head: removed(2), newestRow: null, versions: [] });
    assert.equal((await store.read(at("a"), parseVersion(1))).stored, null);
    assert.equal((await store.wrapDebt()).items, 1);
    await commit(store, write(at("a"), removed(2), 3));
    assert.deepEqual((await store.read(at("a"), null)).stored?.version, 3);
  });

  owedWrapsContract(contract);

  contract("a list has live records in the order of their ids' bytes, after a place, up to a limit", async (store) => {
    const DATE = "2026-05-05T00:00:00.000Z";
    const ids = ["Z", "a", "a b", "b", "é", "\uffee", "\u{10000}"];
    for (const id of [...ids].reverse()) await commit(store, write(at(id), null, 1, { createdAt: DATE }));
    await commit(store, write(at("other", "pets"), null, 1));
    await commit(store, remove(at("b"), live(1), 1));
    const expected = ids.filter((id) => id !== "b");
    const list = async (after: string | null, limit: number) =>
      store.list(parseCollection("people"), { after: after === null ? null : Buffer.from(after), limit });
    assert.deepEqual(
      listed(await list(null, 100)),
      expected.map((id) => ({ id, head: live(1), newestRow: 1, updatedAt: DATE })),
    );
    assert.deepEqual(
      (await list(null, 2))?.map(({ id }) => id),
      expected.slice(0, 2),
    );
    assert.deepEqual(
      (await list("a", 2))?.map(({ id }) => id),
      expected.slice(2, 4),
    );
    assert.deepEqual(
      (await list("b", 1))?.map(({ id }) => id),
      ["é"],
      "a place need not be there any more",
    );
    assert.deepEqual(await list("\u{10000}", 5), []);
    assert.equal(await store.list(parseCollection("absent"), { after: null, limit: 5 }), null);
  });

  contract("collections are counted, also when all their records are gone", async (store) => {
    await commit(store, write(at("a"), null, 1), write(at("b"), null, 1), write(at("x", "pets"), null, 1));
    await commit(store, remove(at("x", "pets"), live(1), 1));
    assert.deepEqual(await store.collections(), [
      { name: "people", records: 2 },
      { name: "pets", records: 0 },
    ]);
    assert.deepEqual(await store.list(parseCollection("pets"), { after: null, limit: 5 }), []);
  });

  contract(
    "another store over the same storage sees what was committed, at once and after a restart",
    async (store, storage) => {
      const other = await storage.open();
      await commit(store, write(at("a"), null, 1));
      assert.deepEqual((await other.heads([at("a")]))[0]!.head, live(1));
      await commit(other, write(at("a"), live(1), 2));
      assert.deepEqual(await store.commit([write(at("a"), live(1), 2)]), { kind: "conflict", conflicts: [0] });
      await other.close();
      await store.close();
      const again = await storage.open();
      assert.deepEqual(
        (await again.versions(at("a"))).versions.map(({ version }) => version),
        [2, 1],
      );
      await again.close();
    },
  );

  contract("of many writers on one head exactly one wins, also between two stores", async (store, storage) => {
    const other = await storage.open();
    for (let round = 1; round <= 20; round++) {
      const base = round === 1 ? null : live(round - 1);
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, writer) =>
          (writer % 2 === 0 ? store : other).commit([write(at("a"), base, round)]),
        ),
      );
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

  contract("closing lets what is under way end, wherever it has come to", async (_store, storage) => {
    for (let ticks = 0; ticks < 100; ticks += 5) {
      const closing = await storage.open();
      const id = `a${ticks}`;
      const [written, read] = [closing.commit([write(at(id), null, 1)]), closing.heads([at(id)])];
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      await Promise.all([closing.close(), closing.close()]);
      assert.equal((await written).kind, "committed");
      await read;
    }
  });
}

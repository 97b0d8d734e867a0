/**
 * The part of a store's contract that is about wraps which are missing: counted, listed, claimed, repaired.
 */
import assert from "node:assert/strict";
import { parseCollection, parseVersion } from "@strongroom/vault";
import type { DebtPosition } from "@strongroom/vault";
import type { Contract } from "./support/contract.ts";
import {
  at,
  live,
  listed,
  removed,
  write,
  remove,
  owed,
  place,
  claim,
  repairOf,
  commit,
  debtsOf,
} from "./support/store-changes.ts";

export function owedWrapsContract(contract: Contract): void {
  contract("missing wraps are counted by version and by region", async (store) => {
    const wrap = (region: string): { region: string; keyArn: string; reason: string } => ({
      region,
      keyArn: `arn:${region}`,
      reason: "refused",
    });
    await commit(
      store,
      write(at("a"), null, 1, { missing: [wrap("r1"), wrap("r2")], createdAt: "2026-01-03T00:00:00.000Z" }),
    );
    await commit(store, write(at("a"), live(1), 2, { missing: [wrap("r2")], createdAt: "2026-01-02T00:00:00.000Z" }));
    await commit(store, write(at("b"), null, 1));
    assert.deepEqual(await store.wrapDebt(), {
      items: 2,
      regions: [
        { region: "r1", items: 1, oldest: "2026-01-03T00:00:00.000Z" },
        { region: "r2", items: 2, oldest: "2026-01-02T00:00:00.000Z" },
      ],
    });
    assert.deepEqual(await store.commit([write(at("b"), null, 1, { missing: [wrap("r1")] })]), {
      kind: "conflict",
      conflicts: [0],
    });
    assert.equal((await store.wrapDebt()).items, 2, "a change that was not made owes nothing");
  });

  contract("owed versions are listed in the order of collection, id and version, page by page", async (store) => {
    assert.deepEqual(await debtsOf(store), []);
    await commit(
      store,
      write(at("b"), null, 1, { missing: owed("r2", "r1") }),
      write(at("b"), live(1), 2),
      write(at("b"), live(2), 3, { missing: owed("r2") }),
    );
    await commit(
      store,
      write(at("a", "pets"), null, 1, { missing: owed("r1") }),
      write(at("é"), null, 10, { missing: owed("r1") }),
      write(at("é"), live(10), 11, { missing: owed("r1") }),
    );
    const [first] = await debtsOf(store);
    assert.deepEqual(first, {
      ...place("b", 1),
      regions: [
        { region: "r1", reason: "refused" },
        { region: "r2", reason: "refused" },
      ],
      since: "2026-01-01T00:00:00.001Z",
      attempts: 0,
      lastProblem: null,
    });
    const ids: string[] = [];
    for (let after: DebtPosition | null = null; ;) {
      const [first, second] = await store.debts({ after, limit: 2 });
      if (first?.owed === undefined || first.owed === null) break;
      ids.push(`${first.collection}/${first.id}${first.owed.version}`);
      assert.ok(second?.id !== first.id || second.position.version !== first.position.version);
      after = first.position;
    }
    assert.deepEqual(ids, ["people/b1", "people/b3", "people/é10", "people/é11", "pets/a1"]);
  });

  contract(
    "what a region is owed is claimed once, in one region's name for all of them, until the claim runs out",
    async (store, storage) => {
      const other = await storage.open();
      await commit(
        store,
        write(at("a"), null, 1, { missing: owed("r1", "r2") }),
        write(at("b"), null, 1, { missing: owed("r1") }),
        write(at("c"), null, 1, { missing: owed("r2") }),
      );
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
    },
  );

  contract(
    "of many claimers of the same debts each gets some, and none is given twice, also between two stores",
    async (store, storage) => {
      const other = await storage.open();
      const ids = Array.from({ length: 40 }, (_, n) => `id-${n}`);
      await commit(store, ...ids.map((id) => write(at(id), null, 1, { missing: owed("r1") })));
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, n) => claim(n % 2 === 0 ? store : other, { holder: `h${n}`, limit: 2 })),
      );
      assert.deepEqual(claims.flat().sort(), ids.map((id) => `${id}1`).sort());
      await other.close();
    },
  );

  contract("a claim given back is due when its holder says, and keeps why it failed and how often", async (store) => {
    await commit(store, write(at("a"), null, 1, { missing: owed("r1", "r2") }));
    const problem = { code: "record-tampered", at: "2026-02-02T00:00:00.000Z" };
    await claim(store);
    assert.equal(await store.releaseDebt({ holder: "somebody", place: place("a", 1), dueAt: 0, problem }), "gone");
    assert.deepEqual(await claim(store), [], "it is still the holder's");
    assert.equal(
      await store.releaseDebt({ holder: "h", place: place("a", 1), dueAt: 1500, problem: null }),
      "released",
    );
    assert.equal(
      await store.releaseDebt({ holder: "h", place: place("a", 1), dueAt: 0, problem }),
      "gone",
      "it was given back",
    );
    assert.deepEqual(await claim(store, { now: 1499 }), []);
    assert.deepEqual(await store.claimDebts({ holder: "h", region: "r2", limit: 1, now: 1500, until: 2000 }), [
      { ...place("a", 1), attempts: 0 },
    ]);
    await store.releaseDebt({ holder: "h", place: place("a", 1), dueAt: 1600, problem });
    assert.deepEqual(
      (await debtsOf(store)).slice(0, 1).map((one) => [one?.attempts, one?.lastProblem]),
      [[1, problem]],
    );
    assert.deepEqual(
      (await store.claimDebts({ holder: "h", region: "r1", limit: 1, now: 1600, until: 2000 })).map(
        ({ attempts }) => attempts,
      ),
      [1],
    );
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
    assert.deepEqual(
      { ...stored, message: Buffer.from(stored!.message).toString() },
      { ...first.next, message: "repaired 1", wraps: { stored: 3, target: 3 } },
    );
    assert.deepEqual(
      (await debtsOf(store)).map((one) => one?.version),
      [2],
    );
    assert.deepEqual(listed(await store.list(parseCollection("people"), { after: null, limit: 5 })), [
      { id: "a", head: live(2), newestRow: 2, updatedAt: "2026-01-01T00:00:00.002Z" },
    ]);
  });

  contract(
    "a repair that got some wraps keeps the debt of the others, since when it is owed, and frees it at its time",
    async (store) => {
      await commit(store, write(at("a"), null, 1, { missing: owed("r1", "r2"), wraps: { stored: 1, target: 3 } }));
      await claim(store);
      await store.releaseDebt({ holder: "h", place: place("a", 1), dueAt: 1000, problem: { code: "x", at: "y" } });
      await claim(store);
      const missing = [...owed("r2").map((wrap) => ({ ...wrap, reason: "timeout" })), ...owed("r9")];
      assert.equal(await store.repair(repairOf("a", 1, { missing, wraps: { stored: 2, target: 4 } })), "repaired");
      assert.deepEqual(await debtsOf(store), [
        {
          ...place("a", 1),
          regions: [
            { region: "r2", reason: "timeout" },
            { region: "r9", reason: "refused" },
          ],
          since: "2026-01-01T00:00:00.001Z",
          attempts: 0,
          lastProblem: null,
        },
      ]);
      assert.deepEqual((await store.wrapDebt()).regions, [
        { region: "r2", items: 1, oldest: "2026-01-01T00:00:00.001Z" },
        { region: "r9", items: 1, oldest: "2026-03-03T00:00:00.000Z" },
      ]);
      assert.deepEqual(
        [await claim(store, { region: "r2", now: 2999 }), await claim(store, { region: "r2", now: 3000, until: 4000 })],
        [[], ["a1"]],
      );
    },
  );

  contract("a repair without a message corrects the account and leaves the message", async (store) => {
    await commit(store, write(at("a"), null, 1, { missing: owed("r1"), wraps: { stored: 2, target: 3 } }));
    assert.equal(await store.repair(repairOf("a", 1, { message: null, wraps: { stored: 2, target: 2 } })), "repaired");
    const { stored } = await store.read(at("a"), null);
    assert.deepEqual([Buffer.from(stored!.message).toString(), stored!.wraps], ["message 1", { stored: 2, target: 2 }]);
    assert.equal((await store.wrapDebt()).items, 0);
  });

  contract(
    "a repair of a message that is another one by now changes nothing, whoever came first",
    async (store, storage) => {
      const other = await storage.open();
      await commit(
        store,
        write(at("a"), null, 1, { missing: owed("r1") }),
        write(at("b"), null, 1, { missing: owed("r1") }),
      );
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          (n % 2 === 0 ? store : other).repair(repairOf("a", 1, { message: Buffer.from(`by ${n}`) })),
        ),
      );
      assert.deepEqual(results.filter((result) => result === "repaired").length, 1);
      const winner = Buffer.from(`by ${results.indexOf("repaired")}`);
      assert.deepEqual(Buffer.from((await store.read(at("a"), null)).stored!.message), winner);
      for (const base of ["message 2", "message", "message 1 ", ""])
        assert.equal(await store.repair(repairOf("b", 1, { base: Buffer.from(base) })), "overtaken");
      for (const absent of [repairOf("b", 2), repairOf("c", 1), { ...repairOf("b", 1), place: place("b", 1, "pets") }])
        assert.equal(await store.repair(absent), "overtaken");
      await commit(store, remove(at("b"), live(1), 1));
      assert.equal(await store.repair(repairOf("b", 1)), "overtaken");
      await commit(store, write(at("b"), removed(1), 2));
      assert.equal(await store.repair(repairOf("b", 1)), "overtaken", "a removed version does not come back");
      assert.deepEqual(
        (await store.versions(at("b"))).versions.map(({ version }) => version),
        [2],
      );
      await other.close();
    },
  );
}

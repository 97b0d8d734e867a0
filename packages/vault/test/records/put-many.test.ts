import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { OnExisting, PutManyItem, Vault } from "@strongroom/vault";
import { parseAddress } from "@strongroom/vault";
import { rejectsWith } from "../support/errors.ts";
import { alteredStore, storeWith } from "../support/store-with.ts";
import { testStorage } from "../support/storage.ts";
import { KINDS, testVault } from "../support/vault.ts";

const outcomes = async (vault: Vault, items: readonly PutManyItem[], onExisting: OnExisting): Promise<string[]> =>
  (await vault.putMany("people", items, { onExisting })).map(
    (result) => `${result.id}:${result.outcome}${"version" in result ? result.version : ""}`,
  );

for (const kind of KINDS)
  describe(kind.name, () => {
    test("a batch is written whole, and each item's outcome is told in order", async (t) => {
      const { vault } = await testVault(t, { kind });
      const results = await vault.putMany(
        "people",
        [
          { id: "a", document: { n: 1 } },
          { id: "b", document: { n: 2 }, subject: "s" },
        ],
        { onExisting: "compare" },
      );
      const wraps = { stored: 1, target: 1, missing: [] };
      assert.deepEqual(results, [
        { id: "a", outcome: "created", version: 1, wraps },
        { id: "b", outcome: "created", version: 1, wraps },
      ]);
      assert.equal((await vault.get({ collection: "people", id: "b" })).subject, "s");
      assert.deepEqual(await vault.putMany("people", [], { onExisting: "compare" }), []);
    });

    test("a record that is there is compared, kept or replaced", async (t) => {
      const { vault } = await testVault(t, { kind });
      await vault.put({ collection: "people", id: "a" }, { n: 1, deep: { x: [1, { y: null }] } });
      const same = [{ id: "a", document: { deep: { x: [1, { y: null }] }, n: 1 } }];
      const other = [{ id: "a", document: { n: 2 } }];
      assert.deepEqual(await outcomes(vault, same, "compare"), ["a:unchanged1"]);
      assert.deepEqual(await outcomes(vault, other, "keep"), ["a:kept1"]);
      assert.deepEqual(await outcomes(vault, same, "replace"), ["a:replaced2"]);
      assert.deepEqual(await outcomes(vault, other, "compare"), ["a:replaced3"]);
      assert.deepEqual(await outcomes(vault, other, "compare"), ["a:unchanged3"]);
      assert.deepEqual(
        await outcomes(vault, [{ ...other[0]!, subject: "new", repoint: true }], "compare"),
        ["a:replaced4"],
        "another subject is a change",
      );
      assert.deepEqual(await outcomes(vault, [{ ...other[0]!, subject: "new" }], "compare"), ["a:unchanged4"]);
      assert.deepEqual(await outcomes(vault, other, "compare"), ["a:unchanged4"], "no subject is no change of it");
      await vault.remove({ collection: "people", id: "a" });
      assert.deepEqual(await outcomes(vault, other, "keep"), ["a:created5"]);
    });

    test("minus zero, and objects without a prototype, are compared as they will read back", async (t) => {
      const { vault } = await testVault(t, { kind });
      const document = Object.assign(Object.create(null) as { n: number }, { n: -0 });
      assert.deepEqual(await outcomes(vault, [{ id: "a", document }], "compare"), ["a:created1"]);
      assert.deepEqual(await outcomes(vault, [{ id: "a", document }], "compare"), ["a:unchanged1"]);
      assert.deepEqual(await outcomes(vault, [{ id: "a", document: { n: 0 } }], "compare"), ["a:unchanged1"]);
    });

    test("what is wrong with one item refuses that item alone", async (t) => {
      const storage = await testStorage(t);
      const real = await storage.open();
      const other = parseAddress({ collection: "people", id: "other" });
      const store = alteredStore(real, async (stored, id) =>
        id === "moved" ? { ...stored, message: (await real.records.read(other, null)).stored!.message } : stored,
      );
      const { vault } = await testVault(t, { kind, storage, store });
      await vault.put({ collection: "people", id: "moved" }, { n: 1 }, { subject: "other" });
      await vault.put(other, { n: 1 });
      const results = await vault.putMany(
        "people",
        [
          { id: "good", document: { n: 1 } },
          { id: "a/b", document: { n: 1 } },
          { id: "nan", document: { n: Number.NaN } },
          { id: "large", document: { n: "x".repeat(2 ** 20) } },
          { id: "subject", document: {}, subject: ".." },
          { id: "moved", document: { n: 2 } },
          { id: "fine", document: { n: 1 } },
        ],
        { onExisting: "compare" },
      );
      assert.deepEqual(
        results.map((result) => (result.outcome === "refused" ? result.code : result.outcome)),
        [
          "created",
          "id-invalid",
          "document-invalid",
          "document-too-large",
          "subject-invalid",
          "record-moved",
          "created",
        ],
      );
      assert.ok(results.every((result) => result.outcome !== "refused" || result.detail.length > 10));
      assert.deepEqual(
        (await vault.list("people")).items.map(({ id }) => id),
        ["fine", "good", "moved", "other"],
      );
    });

    test("what is wrong with the keys or the store fails the batch, and nothing of it is stored", async (t) => {
      const { vault, store, keyring, another } = await testVault(t, { kind });
      await vault.put({ collection: "people", id: "a" }, { n: 1 });
      let calls = 0;
      const failing = {
        ...keyring,
        onEncrypt: () => {
          calls++;
          throw new Error("the keyring broke");
        },
      } as never;
      // In the other scopes it is the keys of people that it would fail to wrap.
      const broken = await another({ store, keyring: failing });
      if (kind.scope !== null && kind.scope !== "record") return;
      await rejectsWith("encryption-failed", () =>
        broken.putMany(
          "people",
          [
            { id: "b", document: {} },
            { id: "a/b", document: {} },
          ],
          { onExisting: "replace" },
        ),
      );
      assert.equal(calls, 1);
      assert.deepEqual(
        (await vault.list("people")).items.map(({ id }) => id),
        ["a"],
      );
      await rejectsWith("batch-too-large", () =>
        vault.putMany(
          "people",
          Array.from({ length: 1001 }, (_, n) => ({ id: String(n), document: {} })),
          { onExisting: "replace" },
        ),
      );
      await rejectsWith("collection-invalid", () => vault.putMany("People", [], { onExisting: "replace" }));
    });

    test("an id that comes twice is written twice, in order", async (t) => {
      const { vault } = await testVault(t, { kind });
      const items = [1, 1, 2, 2, 1].map((n) => ({ id: "a", document: { n } }));
      assert.deepEqual(await outcomes(vault, items, "compare"), [
        "a:created1",
        "a:unchanged1",
        "a:replaced2",
        "a:unchanged2",
        "a:replaced3",
      ]);
      assert.deepEqual(
        await outcomes(
          vault,
          items.slice(0, 2).map((item) => ({ ...item, id: "b" })),
          "keep",
        ),
        ["b:created1", "b:kept1"],
      );
      assert.deepEqual((await vault.history({ collection: "people", id: "a" })).length, 3);
    });

    test("a batch gives the same as its items one by one, wherever it is cut", async (t) => {
      const { vault } = await testVault(t, { kind });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ id: fc.constantFrom("a", "b", "c", ".."), n: fc.integer({ min: 0, max: 2 }) }), {
            maxLength: 12,
          }),
          fc.constantFrom<OnExisting>("compare", "keep", "replace"),
          fc.integer({ min: 1, max: 12 }),
          async (drawn, onExisting, size) => {
            const [whole, cut] = [`whole${run}`, `cut${run++}`];
            const items = drawn.map(({ id, n }) => ({ id, document: { n } }));
            const once = await vault.putMany(whole, items, { onExisting });
            const parts = [];
            for (let start = 0; start < items.length; start += size)
              parts.push(...(await vault.putMany(cut, items.slice(start, start + size), { onExisting })));
            assert.deepEqual(once, parts);
            for (const id of ["a", "b", "c"]) {
              const [inOne, inMany] = await Promise.all(
                [whole, cut].map((collection) =>
                  vault.get({ collection, id }).then(
                    ({ version, document }) => ({ version, document }),
                    () => null,
                  ),
                ),
              );
              assert.deepEqual(inOne, inMany);
            }
          },
        ),
        { numRuns: 40 },
      );
    });

    test("a batch that lost a race for some records encrypts only those anew and still commits whole", async (t) => {
      const { vault, storage, another } = await testVault(t, { kind });
      const other = await another();
      const store = await storage.open();
      let raced = false;
      let commits = 0;
      const racing = storeWith(store, {
        records: {
          async apply(units, options) {
            commits++;
            if (!raced) {
              raced = true;
              await other.put({ collection: "people", id: "b" }, { from: "other" });
            }
            return store.records.apply(units, options);
          },
        },
      });
      const racer = await another({ store: racing });
      assert.deepEqual(
        await outcomes(
          racer,
          ["a", "b", "c"].map((id) => ({ id, document: { from: "batch" } })),
          "compare",
        ),
        ["a:created1", "b:replaced2", "c:created1"],
      );
      assert.equal(commits, 2);
      assert.deepEqual((await vault.get({ collection: "people", id: "b" }, { version: 1 })).document, {
        from: "other",
      });
      assert.deepEqual((await vault.get({ collection: "people", id: "b" })).document, { from: "batch" });
    });
  });

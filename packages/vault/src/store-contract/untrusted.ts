/**
 * Part of a store's contract: whatever comes in by the interface, from a cursor that a stranger made up to a name that
 * looks like a statement, it is answered or refused by an error of the vault, and nobody else's record is touched.
 */
import assert from "node:assert/strict";
import type { WrapSetId } from "../stores/wrap-set.ts";
import {
  applyOne,
  at,
  day,
  vaultError,
  inventoryOf,
  live,
  make,
  messageOf,
  PEOPLE,
  rejects,
  write,
} from "./changes.ts";
import type { Contract } from "./contract.ts";

/** Texts that something else than a text could take for its own. */
export const NAMES: readonly string[] = [
  "'; drop table records; --",
  '"; delete from heads; --',
  "%",
  "_%",
  "$1",
  "?",
  ":id",
  "null",
  "{}",
  "__proto__",
  "constructor",
  "\u202egnp",
  "a\u0301".normalize("NFC"),
  "\u{1f511}",
  "x".repeat(256),
];

export function untrustedContract(contract: Contract): void {
  contract("names that look like something else are names", async ({ store }) => {
    for (const [index, id] of NAMES.entries())
      await make(store, write(at(id), null, 1, { message: Buffer.from([index]), createdAt: day(1) }));
    for (const [index, id] of NAMES.entries()) assert.deepEqual(await messageOf(store, id), Buffer.from([index]), id);
    const list = await store.records.list(PEOPLE, { after: null, limit: 100 });
    assert.deepEqual(list?.map(({ id }) => id).toSorted(), NAMES.toSorted());
    assert.deepEqual((await inventoryOf(store)).map(({ id }) => id).toSorted(), NAMES.toSorted());
    await store.jobs.add(NAMES[0]!, NAMES);
    assert.deepEqual((await store.jobs.list()).map(({ partition }) => partition).toSorted(), NAMES.toSorted());
  });

  contract("a set's texts are kept as they are", async ({ store }) => {
    const texts = [...NAMES, "", "a\u0000b", "\\", "\n", "x".repeat(5000)];
    const set = {
      wraps: texts.map((key) => ({ provider: "p'\"", key, material: key })),
      target: 99,
      missing: texts.map((reason) => ({ region: reason, keyArn: "k", reason })),
    };
    await make(store, write(at("a"), null, 1, { wrapSet: set }));
    const [known] = await store.inventory.sets();
    const keys = known?.set?.wraps.map(({ key }) => key);
    assert.deepEqual(keys?.toSorted(), texts.toSorted());
    assert.deepEqual(known?.set?.missing.map(({ reason }) => reason).toSorted(), texts.toSorted());
  });

  contract("a list goes on behind any bytes, whoever made them up", async ({ store }) => {
    for (const id of ["a", "b", "\u{10000}"]) await make(store, write(at(id), null, 1));
    const positions = [
      Buffer.alloc(0),
      Buffer.from([0]),
      Buffer.from([0xff]),
      Buffer.from([0x61, 0xff]),
      Buffer.from([0xf0, 0x90]),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.alloc(10_000, "a"),
      Buffer.from("a\u0000"),
    ];
    for (const position of positions) {
      const found = await store.records.list(PEOPLE, { after: position, limit: 9 });
      const expected = ["a", "b", "\u{10000}"].filter((id) => Buffer.compare(Buffer.from(id), position) > 0);
      assert.deepEqual(
        found?.map(({ id }) => id),
        expected,
        position.subarray(0, 8).toString("hex"),
      );
    }
  });

  contract("a position of the inventory that is none is refused as a cursor", async ({ store }) => {
    await make(store, write(at("a"), null, 1));
    const [item] = await inventoryOf(store);
    const positions = ["", "x", "null", "[]", "{}", "0", "1,2,3", "\u0000", "x".repeat(5000), "[1,2,3,4,5]", '"'];
    for (const after of [...positions, `${item!.position}x`, item!.position.slice(1)]) {
      if (after === item!.position) continue;
      await rejects("cursor-invalid", () => store.inventory.list({ sets: [item!.wrapSet], after, limit: 9 }));
    }
    assert.equal((await inventoryOf(store)).length, 1);
  });

  contract("numbers of sets that there are not count nothing", async ({ store }) => {
    await make(store, write(at("a"), null, 1));
    const sets = [0, -1, 1 << 30, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER] as readonly number[] as WrapSetId[];
    assert.equal(await store.inventory.any(sets), false);
    assert.deepEqual(await store.inventory.list({ sets, after: null, limit: 9 }), []);
    assert.deepEqual(
      await store.inventory.counts(sets, 9),
      sets.map((id) => ({ id, items: 0, oldest: null })),
    );
    const [known] = await inventoryOf(store);
    assert.equal(await store.inventory.any([...sets, known!.wrapSet, known!.wrapSet]), true);
    const twice = await store.inventory.list({ sets: [known!.wrapSet, known!.wrapSet], after: null, limit: 9 });
    assert.equal(twice.length, 1, "a set that comes twice is one");
  });

  contract(
    "a unit that holds what no vault writes is refused, or told as damage, and fails nobody else",
    async (given) => {
      const { store } = given;
      await make(store, write(at("bob"), null, 1));
      for (const [index, createdAt] of ["yesterday", "", "2026-13-01T00:00:00.000Z", "\u0000", "infinity"].entries()) {
        const id = `odd-${index}`;
        const unit = write(at(id), null, 1, { createdAt });
        let kind = "refused";
        try {
          kind = await applyOne(store, unit);
        } catch (error) {
          vaultError(error);
        }
        const read = await store.records.read(at(id), null);
        if (kind === "made") assert.ok(read.damage !== undefined && read.stored === null, createdAt);
        else assert.equal(read.head, null, createdAt);
      }
      assert.equal((await messageOf(store, "bob"))?.toString(), "message 1");
      assert.ok((await inventoryOf(store)).some(({ id }) => id === "bob"));
      assert.ok((await store.records.list(PEOPLE, { after: null, limit: 9 }))?.some(({ id }) => id === "bob"));
      assert.equal(await applyOne(store, write(at("bob"), live(1), 2)), "made");
    },
  );
}

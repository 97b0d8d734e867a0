/**
 * Part of the contract of the audit's log: what is over is let go of, while its leaf stays.
 */
import assert from "node:assert/strict";
import type { AuditLog } from "../stores/audit-log.ts";
import { add, addition, base64, foundIn, newLogEntries, newLogEntry, rowOf, shownRow } from "./additions.ts";
import { day, leaseOf, rejects } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { idsOf } from "./entries.ts";
import { ENTRIES } from "./log-queries.ts";

export function logForgetContract(contract: Contract<AuditLog>): void {
  contract("the texts of what is over go, and whom it was about; their leaves stay", async ({ store, another }) => {
    const lease = await leaseOf(store);
    const entries = ENTRIES.map((more) => newLogEntry(more));
    await add(store, lease, { entries });
    const log = await another();
    assert.equal(await log.forget({ before: day(1), keep: [], limit: 99 }), 0, "as old as that is not older");
    assert.equal(await log.forget({ before: day(4), keep: ["write"], limit: 99 }), 2);
    const rows = await store.entries({ from: 0, limit: 99 });
    assert.deepEqual(
      rows.map(shownRow),
      entries.map((entry, position) => shownRow({ ...rowOf(entry, position), ...(position < 2 && { text: null }) })),
    );
    assert.deepEqual(
      (await store.hashes({ height: 0, start: 0, end: 9 })).map(base64),
      entries.map((e) => base64(e.leaf)),
    );
    assert.deepEqual(
      [await foundIn(store, { people: ["k1"] }), await foundIn(store, { people: ["k2"] })],
      [[4], [2, 4]],
    );
    assert.deepEqual(await foundIn(store, { principal: "ada" }), [0, 2, 3, 5], "it is found by who did it");
    assert.deepEqual(await store.positions(idsOf(entries)), [...entries.keys()]);
    const { size, forgotten } = await store.state();
    assert.deepEqual([size, forgotten], [6, 2]);
    await rejects("store-failed", async () => {
      const base = await store.state();
      return store.integrate(base, addition(base, { entries: [newLogEntry({ id: entries[0]!.id })] }), lease);
    });
  });

  contract("as many texts go at once as are asked for, the first first, until none is left", async ({ store }) => {
    const lease = await leaseOf(store);
    await add(store, lease, { entries: newLogEntries(7, { at: day(1) }) });
    const left = async (): Promise<readonly number[]> =>
      (await store.entries({ from: 0, limit: 99 })).filter(({ text }) => text !== null).map(({ position }) => position);
    assert.equal(await store.forget({ before: day(2), keep: [], limit: 3 }), 3);
    assert.deepEqual([await left(), (await store.state()).forgotten], [[3, 4, 5, 6], 3]);
    assert.equal(await store.forget({ before: day(2), keep: [], limit: 3 }), 3);
    assert.equal(await store.forget({ before: day(2), keep: [], limit: 3 }), 1);
    assert.equal(await store.forget({ before: day(2), keep: [], limit: 3 }), 0);
    assert.deepEqual([await left(), (await store.state()).forgotten], [[], 7]);
  });

  contract(
    "what was forgotten only grows, also when something is added that knows less",
    async ({ store, another }) => {
      const other = await another();
      const lease = await leaseOf(store);
      const base = await add(store, lease, { entries: newLogEntries(4, { at: day(1) }) });
      assert.equal(await other.forget({ before: day(2), keep: [], limit: 3 }), 3);
      const entries = newLogEntries(1, { at: day(1) });
      assert.equal(await store.integrate(base, addition(base, { entries }), lease), "integrated");
      const { size, forgotten } = await store.state();
      assert.deepEqual([size, forgotten], [5, 3]);
      assert.equal(await other.forget({ before: day(2), keep: ["read"], limit: 3 }), 0);
      assert.equal((await store.state()).forgotten, 3);
    },
  );
}

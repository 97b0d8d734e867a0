/**
 * Part of the contract of the audit's log: what is over is let go of, while its leaf stays.
 */
import assert from "node:assert/strict";
import type { AuditLog } from "../stores/audit-log.ts";
import type { KeyVersion } from "../stores/key-store.ts";
import { add, addition, base64, foundIn, newLogEntries, newLogEntry, rowOf, shownRow } from "./additions.ts";
import { day, leaseOf, rejects } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { idsOf, newEntryId } from "./entries.ts";
import { ENTRIES } from "./log-queries.ts";

export function logForgetContract(contract: Contract<AuditLog>): void {
  contract("positions are told of what has its text, is over and is not to be kept", async ({ store, another }) => {
    const lease = await leaseOf(store);
    await add(store, lease, { entries: ENTRIES.map((more) => newLogEntry(more)) });
    const log = await another();
    const over = (before: string, keep: readonly string[]): Promise<readonly number[]> =>
      log.forgettable({ before, keep, from: 0, limit: 99 });
    assert.deepEqual(await over(day(1), []), [], "as old as that is not older");
    assert.deepEqual(await over(day(4), []), [0, 1, 2]);
    assert.deepEqual(await over(day(4), ["write", "open"]), [0, 1]);
    assert.deepEqual(await over(day(9), ["read"]), [2, 3]);
    await store.forget([{ from: 1, to: 2 }]);
    assert.deepEqual(await over(day(4), []), [0, 2]);
  });

  contract(
    "as many positions are told as are asked for, the first first, from where they are asked for",
    async ({ store }) => {
      const lease = await leaseOf(store);
      await add(store, lease, { entries: newLogEntries(7, { at: day(1) }) });
      const over = (from: number, limit: number): Promise<readonly number[]> =>
        store.forgettable({ before: day(2), keep: [], from, limit });
      assert.deepEqual(await over(0, 3), [0, 1, 2]);
      assert.deepEqual(await over(3, 3), [3, 4, 5]);
      assert.deepEqual(await over(6, 3), [6]);
      assert.deepEqual(await over(7, 3), []);
    },
  );

  contract("the texts of what is over go, and whom it was about; their leaves stay", async ({ store, another }) => {
    const lease = await leaseOf(store);
    const entries = ENTRIES.map((more) => newLogEntry(more));
    await add(store, lease, { entries });
    const log = await another();
    const ranges = [
      { from: 0, to: 2 },
      { from: 3, to: 4 },
    ];
    const gone = [0, 1, 3];
    assert.equal(await log.forget(ranges), 3);
    assert.equal(await log.forget(ranges), 0, "what has no text is not counted");
    assert.equal(await log.forget([]), 0);
    const rows = await store.entries({ from: 0, limit: 99 });
    assert.deepEqual(
      rows.map(shownRow),
      entries.map((entry, at) => shownRow({ ...rowOf(entry, at), ...(gone.includes(at) && { text: null }) })),
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
    assert.deepEqual([size, forgotten], [6, 4]);
    await rejects("store-failed", async () => {
      const base = await store.state();
      return store.integrate(base, addition(base, { entries: [newLogEntry({ id: entries[0]!.id })] }), lease);
    });
  });

  contract("keys of entries are told each once, in their order, as long as a text names them", async (given) => {
    const { store, another } = given;
    const lease = await leaseOf(store);
    const keys = Array.from({ length: 5 }, newEntryId).toSorted();
    const people = [[keys[3], keys[0], "vault"], [keys[1]], [keys[3], keys[4]], [keys[2]], ["vault"]] as string[][];
    await add(store, lease, { entries: people.map((some) => newLogEntry({ people: some })) });
    const log = await another();
    const named = async (after: string | null, limit: number): Promise<readonly string[]> =>
      log.namedKeys({ after: after as KeyVersion | null, limit });
    assert.deepEqual(await named(null, 99), keys);
    assert.deepEqual(await named(null, 2), keys.slice(0, 2));
    assert.deepEqual(await named(keys[1]!, 2), keys.slice(2, 4));
    assert.deepEqual(await named(keys[4]!, 2), []);
    await store.forget([{ from: 2, to: 4 }]);
    assert.deepEqual(await named(null, 99), [keys[0], keys[1], keys[3]]);
  });

  contract("ranges that are none, or reach beyond the log, are refused, and nothing goes", async ({ store }) => {
    const lease = await leaseOf(store);
    await add(store, lease, { entries: newLogEntries(4, { at: day(1) }) });
    for (const ranges of [
      [{ from: 0, to: 5 }],
      [
        { from: 0, to: 1 },
        { from: 4, to: 5 },
      ],
      [{ from: 1, to: 1 }],
      [{ from: -1, to: 1 }],
      [{ from: 0.5, to: 2 }],
      [
        { from: 2, to: 3 },
        { from: 0, to: 1 },
      ],
      [
        { from: 0, to: 2 },
        { from: 1, to: 3 },
      ],
      Array.from({ length: 10_001 }, (_, index) => ({ from: index, to: index + 1 })),
    ])
      await rejects("store-failed", () => store.forget(ranges));
    const rows = await store.entries({ from: 0, limit: 9 });
    assert.deepEqual(
      rows.map(({ text }) => text === null),
      [false, false, false, false],
    );
    assert.equal(await store.forget([{ from: 3, to: 4 }]), 1, "the last one is within the log");
  });

  contract(
    "what was forgotten only grows, also when something is added that knows less",
    async ({ store, another }) => {
      const other = await another();
      const lease = await leaseOf(store);
      const base = await add(store, lease, { entries: newLogEntries(4, { at: day(1) }) });
      assert.equal(await other.forget([{ from: 0, to: 3 }]), 3);
      const entries = newLogEntries(1, { at: day(1) });
      assert.equal(await store.integrate(base, addition(base, { entries }), lease), "integrated");
      const { size, forgotten } = await store.state();
      assert.deepEqual([size, forgotten], [5, 3]);
      assert.equal(await other.forget([{ from: 0, to: 1 }]), 0);
      assert.equal((await store.state()).forgotten, 3);
    },
  );
}

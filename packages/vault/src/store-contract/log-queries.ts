/**
 * Part of the contract of the audit's log: entries are found by whom they are about, who did what to what, and when.
 */
import assert from "node:assert/strict";
import type { AuditLog, LogQuery, NewLogEntry } from "../stores/audit-log.ts";
import type { AddressTag, EntryId, StreamId } from "../stores/outbox.ts";
import { add, assertEntries, foundIn, newHead, newLogEntries, newLogEntry, rowOf, shownRow } from "./additions.ts";
import { day, leaseOf, vaultError } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { newTag } from "./entries.ts";
import { NAMES } from "./untrusted.ts";

/** Their places in this list are their positions. */
export const ENTRIES: readonly Partial<NewLogEntry>[] = [
  { at: day(1), principal: "ada", action: "read", collection: "people", people: ["k1"] },
  { at: day(3), principal: "ben", action: "read", collection: "orders", people: ["k1", "k2"] },
  { at: day(2), principal: "ada", action: "write", collection: "people", people: ["k2", "k3"] },
  { at: day(4), principal: "ada", action: "open", collection: null, people: [] },
  { at: day(4), principal: "cy", action: "read", collection: "people", people: ["k3", "k1", "k2"] },
  { at: day(5), principal: "ada", action: "read", collection: "people", people: ["vault"] },
];

/** What is asked -> positions, the oldest first. */
const QUERIES: readonly (readonly [LogQuery, readonly number[]])[] = [
  [{}, [0, 1, 2, 3, 4, 5]],
  [{ people: ["k1"] }, [0, 1, 4]],
  [{ people: ["k2", "k3"] }, [1, 2, 4]],
  [{ people: ["k1", "k2", "k3", "k1", "none"] }, [0, 1, 2, 4]],
  [{ people: ["none"] }, []],
  [{ people: [] }, []],
  [{ principal: "ada" }, [0, 2, 3, 5]],
  [{ principal: "Ada" }, []],
  [{ principal: "ad" }, []],
  [{ action: "read" }, [0, 1, 4, 5]],
  [{ collection: "people" }, [0, 2, 4, 5]],
  [{ collection: "" }, []],
  [{ since: day(3) }, [1, 3, 4, 5]],
  [{ until: day(3) }, [0, 2]],
  [{ since: day(2), until: day(4) }, [1, 2]],
  [{ since: day(4), until: day(4) }, []],
  [{ since: day(9) }, []],
  [{ principal: "ada", action: "read" }, [0, 5]],
  [{ people: ["k1", "k3"], collection: "people", since: day(2) }, [2, 4]],
  [{ people: ["k2"], principal: "ada", action: "write", collection: "people", since: day(1), until: day(9) }, [2]],
  [{ people: ["k2"], principal: "ada", action: "read" }, []],
];

export function logQueriesContract(contract: Contract<AuditLog>): void {
  contract("entries are found by everything that is asked at once, either way round", async ({ store, another }) => {
    const lease = await leaseOf(store);
    const entries = ENTRIES.map((more) => newLogEntry(more));
    await add(store, lease, { entries: entries.slice(0, 3) });
    await add(store, lease, { entries: entries.slice(3) });
    const log = await another();
    for (const [query, wanted] of QUERIES) {
      const what = JSON.stringify(query);
      assert.deepEqual(await foundIn(log, query), wanted, what);
      assert.deepEqual(await foundIn(log, query, { order: "newest" }), wanted.toReversed(), `${what}, newest first`);
    }
    const rows = await log.find({ people: ["k2"] }, { order: "newest", after: null, limit: 9 });
    assert.deepEqual(
      rows.map(shownRow),
      [4, 2, 1].map((position) => shownRow(rowOf(entries[position]!, position))),
      "they are whole, each once",
    );
  });

  contract("pages of every size have each entry once, either way round, and end", async ({ store }) => {
    const lease = await leaseOf(store);
    const entries = Array.from({ length: 24 }, (_, index) =>
      newLogEntry({ people: index % 3 === 0 ? ["k1", "k2"] : ["k2"], principal: `p${index % 2}`, at: day(index + 1) }),
    );
    await add(store, lease, { entries });
    const all = [...entries.keys()];
    for (const [query, wanted] of [
      [{}, all],
      [{ people: ["k1", "k2"] }, all],
      [{ people: ["k1"] }, all.filter((index) => index % 3 === 0)],
      [{ principal: "p1", people: ["k2"] }, all.filter((index) => index % 2 === 1)],
      [{ since: day(5), until: day(20) }, all.slice(4, 19)],
    ] as const)
      for (const limit of [1, 2, 5, 8, 24, 1000]) {
        assert.deepEqual(await foundIn(store, query, { limit }), wanted, `pages of ${limit}`);
        assert.deepEqual(await foundIn(store, query, { order: "newest", limit }), wanted.toReversed());
      }
    for (const after of [-5, 24, 1e9]) {
      assert.equal((await store.find({}, { order: "oldest", after, limit: 99 })).length, after < 0 ? 24 : 0);
      assert.equal((await store.find({}, { order: "newest", after, limit: 99 })).length, after < 0 ? 0 : 24);
    }
  });

  contract("texts that look like something else are found as what they are", async ({ store }) => {
    const lease = await leaseOf(store);
    const names = NAMES.map((name) => name.slice(0, 200));
    const entries = names.map((name) =>
      newLogEntry({ principal: name, action: name, collection: name, people: [name], text: Buffer.from(name) }),
    );
    await add(store, lease, { entries, state: { checkpoint: NAMES.join("\n") } });
    for (const [position, name] of names.entries()) {
      const queries: readonly LogQuery[] = [
        { principal: name },
        { action: name },
        { collection: name },
        { people: [name] },
        { principal: name, action: name, collection: name, people: [name] },
      ];
      for (const query of queries) assert.deepEqual(await foundIn(store, query), [position], name);
    }
    assert.equal((await store.state()).checkpoint, NAMES.join("\n"));
    await assertEntries(store, entries);
  });

  contract("what is asked for that cannot be is absent or refused, and the log is as it was", async ({ store }) => {
    const lease = await leaseOf(store);
    const entries = newLogEntries(2, { people: ["k1"] });
    await add(store, lease, { entries, heads: [newHead(newTag(), 1)] });
    for (const odd of ["", "\u0000", "\ud800", "x".repeat(5000), "k1\u0000", "'; drop table entries; --"]) {
      const queries: readonly LogQuery[] = [
        { people: [odd] },
        { principal: odd },
        { action: odd },
        { collection: odd },
        { since: day(9), until: odd },
      ];
      for (const query of queries) assert.deepEqual(await foundIn(store, query).catch(refusedOnly), [], odd);
      const positions = await store.positions([odd as EntryId]).catch(refusedOnly);
      const latest = await store.latest([{ tag: odd as AddressTag, message: null }]).catch(refusedOnly);
      assert.ok(
        positions.every((position) => position === null),
        odd,
      );
      assert.ok(
        latest.every(({ head }) => head === null),
        odd,
      );
      await store.streams("records", { after: odd as StreamId, limit: 9 }).catch(refusedOnly);
      await store.heads({ only: "live", after: odd as AddressTag, limit: 9 }).catch(refusedOnly);
    }
    for (const [start, end] of [
      [-1, 2],
      [5, 2],
      [2 ** 50, 2 ** 50 + 2],
    ] as const)
      assert.deepEqual(await store.hashes({ height: 0, start, end }).catch(refusedOnly), [], `${start} to ${end}`);
    await assertEntries(store, entries);
  });
}

/** Refused by an error of the vault, as good as absent. */
function refusedOnly(error: unknown): never[] {
  assert.equal(vaultError(error).code, "store-failed");
  return [];
}

/**
 * Part of a store's contract: the audit entry of a unit is written with the unit, or not at all, and the head names it.
 */
import assert from "node:assert/strict";
import { parseVersion } from "../records/address.ts";
import type { EntryId } from "../stores/outbox.ts";
import type { RecordRows } from "../stores/rows.ts";
import type { Store } from "../stores/store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { Unit } from "../stores/units.ts";
import { applyEach, applyOne, at, epoch, headsOf, live, make, PEOPLE, rejects } from "./changes.ts";
import { remove, removed, rewrapOf, turn, write } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { append, drained, idsIn, idsOf, lastOf, newEntry, newEntryId, newStream, newTag } from "./entries.ts";
import { shownEntry, waitingIn, withEntry } from "./entries.ts";
import { aboutAll, newPeople, setState, writeAbout } from "./people.ts";

export function unitEntriesContract(contract: Contract): void {
  contract("the entry of a unit waits when it is made, and every read of the record names it", async (given) => {
    const { store, another } = given;
    const stream = newStream();
    const tag = newTag();
    const first = withEntry(write(at("a"), null, 1), stream, 1, { tag });
    await make(store, first);
    const other = await another();
    assert.deepEqual((await waitingIn(other)).map(shownEntry), [shownEntry(first.entry)]);
    assert.deepEqual(await entriesOf(other, "a"), first.entry.id);
    const second = withEntry(write(at("a"), live(1), 2), stream, 2, { tag, ends: true, previous: first.entry.id });
    await make(other, second);
    assert.deepEqual(idsOf(await store.outbox.pending([tag])), idsOf([first.entry, second.entry]));
    assert.deepEqual(
      (await waitingIn(store)).map(shownEntry),
      [first, second].map(({ entry }) => shownEntry(entry)),
    );
    assert.deepEqual([await entriesOf(store, "a"), await lastOf(store, stream)], [second.entry.id, [2]]);
    await drained(store);
    assert.deepEqual(await entriesOf(store, "a"), second.entry.id, "the head keeps its name when it was delivered");
  });

  contract("a head without an entry names none, and no version has the entry of another", async (given) => {
    const { store } = given;
    await make(store, write(at("a"), null, 1));
    assert.deepEqual(await entriesOf(store, "a"), undefined);
    const second = withEntry(write(at("a"), live(1), 2), newStream(), 1);
    await make(store, second);
    assert.deepEqual(await entriesOf(store, "a"), second.entry.id);
    await make(store, write(at("a"), live(2), 3));
    assert.deepEqual(await entriesOf(store, "a"), undefined);
    assert.deepEqual(await idsIn(store), [second.entry.id]);
  });

  contract("a removal has an entry too, and the tombstone names it", async ({ store }) => {
    const stream = newStream();
    const written = withEntry(write(at("a"), null, 1), stream, 1);
    const gone = withEntry(remove(at("a"), live(1), 1), stream, 2, { previous: written.entry.id });
    await make(store, written, gone);
    const [rows] = await store.records.heads([at("a")]);
    assert.deepEqual([rows?.head, rows?.entry], [removed(1), gone.entry.id]);
    assert.equal(await applyOne(store, withEntry(write(at("a"), removed(1), 2), stream, 3)), "conflict");
    const again = withEntry(write(at("a"), removed(1), 2), stream, 3, { previous: gone.entry.id });
    await make(store, again);
    assert.deepEqual(await idsIn(store), idsOf([written.entry, gone.entry, again.entry]));
  });

  contract("a rewrap leaves the head's entry as it is", async ({ store }) => {
    const unit = withEntry(write(at("a"), null, 1), newStream(), 1);
    await make(store, unit);
    assert.deepEqual(await store.inventory.rewrap(await rewrapOf(store, "a", 1)), { kind: "made" });
    assert.deepEqual([await entriesOf(store, "a"), await idsIn(store)], [unit.entry.id, [unit.entry.id]]);
  });

  contract("on a head that has another entry nothing is made", async ({ store }) => {
    const stream = newStream();
    const first = withEntry(write(at("a"), null, 1), stream, 1);
    await make(store, first, write(at("plain"), null, 1));
    for (const [id, previous] of [
      ["a", null],
      ["a", newEntryId()],
      ["plain", newEntryId()],
      ["plain", first.entry.id],
      ["absent", newEntryId()],
    ] as const) {
      const base = id === "absent" ? null : live(1);
      const kinds = [
        await applyOne(store, withEntry(write(at(id), base, 2), stream, 2, { previous })),
        base && (await applyOne(store, withEntry(remove(at(id), base, 1), stream, 2, { previous }))),
      ];
      for (const kind of kinds) assert.ok(kind === "conflict" || kind === null, `${id} on ${previous}: ${kind}`);
    }
    assert.deepEqual(await headsOf(store, "a", "plain", "absent"), [live(1), live(1), null]);
    assert.deepEqual([await idsIn(store), await lastOf(store, stream)], [[first.entry.id], [1]]);
  });

  contract("a unit that is not made writes no entry and uses no number", async ({ store }) => {
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    await make(store, write(at("a"), null, 1), write(at("b"), null, 1, aboutAll([ben], { ordinal: 4 })));
    await setState(store, ada, "restricted");
    const never = write(at("never"), null, 1);
    assert.deepEqual(await store.records.outcome([never]), ["void"]);
    const stream = newStream();
    const units: Readonly<Record<string, Unit>> = {
      "another head": withEntry(write(at("a"), null, 1), stream, 1),
      "a removal of another head": withEntry(remove(at("a"), live(7), 7), stream, 1),
      "a number that was used": withEntry(write(at("a"), live(1), 1), stream, 1),
      "another key set": withEntry(write(at("c"), null, 1, { at: epoch(9) }), stream, 1),
      "somebody who is closed": withEntry(writeAbout(ada, at("c"), null, 1), stream, 1),
      "a key that was left": withEntry(writeAbout(ben, at("c"), null, 1), stream, 1),
      "a write that is void": withEntry(never, stream, 1),
    };
    for (const [what, unit] of Object.entries(units)) {
      assert.notEqual(await applyOne(store, unit), "made", what);
      assert.deepEqual([await idsIn(store), await lastOf(store, stream)], [[], [null]], what);
    }
    const made = withEntry(write(at("c"), null, 1), stream, 1);
    await make(store, made);
    assert.deepEqual(await idsIn(store), [made.entry.id]);
  });

  contract("a unit whose number is not the next of its stream is not made", async ({ store, another }) => {
    const stream = newStream();
    await append(store, newEntry(stream, 1));
    await make(store, write(at("old"), null, 1));
    const other = await another();
    for (const number of [1, 3, Number.MAX_SAFE_INTEGER]) {
      assert.equal(await applyOne(other, withEntry(write(at("a"), null, 1), stream, number)), "stream-moved");
      assert.equal(await applyOne(other, withEntry(remove(at("old"), live(1), 1), stream, number)), "stream-moved");
    }
    assert.equal(await applyOne(other, withEntry(write(at("a"), null, 1), newStream(), 2)), "stream-moved");
    assert.deepEqual(await headsOf(store, "a", "old"), [null, live(1)]);
    assert.deepEqual([(await idsIn(store)).length, await lastOf(store, stream)], [1, [1]]);
    const unit = withEntry(write(at("a"), null, 1), stream, 2);
    await make(other, unit);
    assert.deepEqual(await store.records.outcome([unit]), ["made"]);
  });

  contract("what was told of a number leaves the unit free to be made with another", async ({ store }) => {
    const stream = newStream();
    const unit = write(at("a"), null, 1);
    assert.equal(await applyOne(store, withEntry(unit, stream, 2)), "stream-moved");
    await make(store, withEntry(unit, stream, 1));
    assert.deepEqual(await headsOf(store, "a"), [live(1)]);
  });

  contract("units that are no transaction have a stream each, and one that moved is nobody else's", async (given) => {
    const { store } = given;
    await make(store, write(at("taken"), null, 1));
    const streams = Array.from({ length: 4 }, newStream);
    const units = [
      withEntry(write(at("a"), null, 1), streams[0]!, 1),
      withEntry(write(at("b"), null, 1), streams[1]!, 2),
      withEntry(write(at("taken"), null, 1), streams[2]!, 1),
      withEntry(write(at("c"), null, 1), streams[3]!, 1),
    ];
    assert.deepEqual(await applyEach(store, ...units), ["made", "stream-moved", "conflict", "made"]);
    assert.deepEqual(await lastOf(store, ...streams), [1, null, null, 1]);
    assert.deepEqual((await idsIn(store)).toSorted(), idsOf([units[0]!.entry, units[3]!.entry]).toSorted());
  });

  contract("asked while it is under way, a unit is made with its entry, or neither ever is", async (given) => {
    const { store, another, rounds } = given;
    const asking = await another();
    for (let round = 0; round < 20 * rounds; round++) {
      const unit = withEntry(write(at(`id-${round}`), null, 1), newStream(), 1);
      const ask = async (): Promise<unknown> => {
        for (let turns = 0; turns < round % 6; turns++) await turn();
        return asking.records.outcome([unit]);
      };
      const [kind, outcomes] = await Promise.all([applyOne(store, unit), ask()]);
      assert.deepEqual(outcomes, [kind === "made" ? "made" : "void"]);
      assert.equal((await idsIn(store)).includes(unit.entry.id), kind === "made");
      assert.deepEqual(await lastOf(store, unit.entry.stream), [kind === "made" ? 1 : null]);
    }
  });

  contract("entries of a record wait in the order of its versions, whoever writes", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another()];
    const tag = newTag();
    const each = 3 * rounds;
    const writer = async (own: Store): Promise<void> => {
      const stream = newStream();
      for (let written = 0; written < each;) {
        const [rows] = await own.records.heads([at("a")]);
        const unit = withEntry(write(at("a"), rows!.head, (rows!.head?.version ?? 0) + 1), stream, written + 1, {
          tag,
          previous: rows!.entry ?? null,
        });
        const kind = await applyOne(own, unit);
        assert.ok(kind === "made" || kind === "conflict", kind);
        if (kind === "made") made.set(unit.entry.id, rows!.entry ?? null);
        if (kind === "made") written += 1;
      }
    };
    const made = new Map<EntryId, EntryId | null>();
    await Promise.all(Array.from({ length: 8 }, (_, index) => writer(stores[index % 2]!)));
    const waiting = idsOf(await store.outbox.pending([tag]));
    assert.equal(waiting.length, 8 * each);
    assert.deepEqual(
      waiting.map((id) => made.get(id)),
      [null, ...waiting.slice(0, -1)],
      "each goes on from the one before it",
    );
    assert.deepEqual(await idsIn(store), waiting);
  });

  contract("a unit with an entry that is none is refused, and nothing is written", async ({ store }) => {
    const good = withEntry(write(at("a"), null, 1), newStream(), 1);
    const { entry } = good;
    const odd = [
      { ...entry, id: newEntryId() },
      { ...entry, number: 0 },
      { ...entry, mac: Buffer.alloc(31) },
      { ...entry, text: Buffer.alloc(0) },
      { ...entry, previous: "1" as EntryId },
    ];
    for (const other of odd) await rejects("store-failed", () => applyOne(store, { ...good, entry: other }));
    assert.deepEqual([await headsOf(store, "a"), await idsIn(store)], [[null], []]);
    await make(store, good);
  });
}

/** What every read of a live record says of its head's entry: all the same. */
export async function entriesOf(store: Store, id: string): Promise<EntryId | undefined> {
  const [heads] = await store.records.heads([at(id)]);
  const version = parseVersion(1);
  const rows: readonly (RecordRows | undefined)[] = [
    await store.records.read(at(id), null),
    await store.records.read(at(id), version),
    await store.records.versions(at(id), { before: null, limit: 9 }),
    (await store.records.list(PEOPLE, { after: null, limit: 10_000 }))?.find((row) => row.id === id),
  ];
  for (const row of rows) {
    assert.equal(row?.entry, heads!.entry);
    assert.equal("entry" in row!, heads!.entry !== undefined, "it is left out when there is none");
  }
  return heads!.entry;
}

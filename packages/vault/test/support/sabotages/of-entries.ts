/**
 * Stores that break a promise about the audit entries of units.
 */
import type { EntryId, StreamId } from "../../../src/stores/outbox.ts";
import type { ApplyOptions, Store } from "../../../src/stores/store.ts";
import type { Unit, UnitResult } from "../../../src/stores/units.ts";
import { breaks, turn } from "./sabotage.ts";
import type { Sabotage } from "./sabotage.ts";

type Apply = (units: readonly Unit[], options: ApplyOptions) => Promise<readonly UnitResult[]>;

/** A store that makes units in another way. */
const applying = (foundBy: string, change: (apply: Apply, store: Store) => Apply): Sabotage =>
  breaks(foundBy, (store) => ({
    records: { apply: change((units, options) => store.records.apply(units, options), store) },
  }));

const withoutEntry = ({ entry: _none, ...unit }: Unit): Unit => unit;
const isMade = ({ kind }: UnitResult): boolean => kind === "made";

/** Writes entries of units by themselves, whatever their numbers. */
async function appendAlone({ outbox }: Store, units: readonly Unit[]): Promise<void> {
  for (const { entry } of units) {
    if (entry === undefined) continue;
    const [row] = await outbox.streams([entry.stream]);
    await outbox.append([{ ...entry, number: (row?.last ?? 0) + 1 }], []);
  }
}

/** Entries in a stream that nobody knows. */
const elsewhere = (units: readonly Unit[]): readonly Unit[] =>
  units.map((unit) => ({
    ...unit,
    ...(unit.entry && { entry: { ...unit.entry, stream: crypto.randomUUID() as string as StreamId } }),
  }));

/** What is broken -> who finds it, and how it is broken. */
export const OF_ENTRIES: Readonly<Record<string, Sabotage>> = {
  "makes units without their entries": applying(
    "the entry of a unit waits when it is made, and every read of the record names it",
    (apply) => (units, options) => apply(units.map(withoutEntry), options),
  ),
  "writes the entry of a unit, and its head without it": applying(
    "the entry of a unit waits when it is made, and every read of the record names it",
    (apply, store) => async (units, options) => {
      const results = await apply(units.map(withoutEntry), options);
      await appendAlone(
        store,
        units.filter((_, index) => isMade(results[index]!)),
      );
      return results;
    },
  ),
  "lists records without their entries": breaks(
    "the entry of a unit waits when it is made, and every read of the record names it",
    (store) => ({
      records: {
        list: async (collection, page) =>
          (await store.records.list(collection, page))?.map(({ entry: _none, ...row }) => row) ?? null,
      },
    }),
  ),
  "has the entry of a version before": (() => {
    let last: EntryId | undefined;
    return breaks("a head without an entry names none, and no version has the entry of another", (store) => ({
      records: {
        heads: async (addresses) =>
          (await store.records.heads(addresses)).map((rows) => {
            last = rows.entry ?? last;
            return last === undefined ? rows : { ...rows, entry: last };
          }),
      },
    }));
  })(),
  "removes without an entry": applying(
    "a removal has an entry too, and the tombstone names it",
    (apply) => (units, options) =>
      apply(
        units.map((unit) => (unit.change.kind === "remove" ? withoutEntry(unit) : unit)),
        options,
      ),
  ),
  "forgets the entry of what is rewrapped": (() => {
    const rewrapped = new Set<string>();
    return breaks("a rewrap leaves the head's entry as it is", (store) => ({
      inventory: {
        rewrap: (change) => {
          rewrapped.add(change.place.id);
          return store.inventory.rewrap(change);
        },
      },
      records: {
        heads: async (addresses) =>
          (await store.records.heads(addresses)).map(({ entry, ...rows }, index) =>
            entry === undefined || rewrapped.has(addresses[index]!.id) ? rows : { ...rows, entry },
          ),
      },
    }));
  })(),
  "makes units whatever entry the head has": applying(
    "on a head that has another entry nothing is made",
    (apply, store) => async (units, options) => {
      const heads = await store.records.heads(units.map(({ address }) => address));
      const own = units.map((unit, index) => ({
        ...unit,
        ...(unit.entry && { entry: { ...unit.entry, previous: heads[index]!.entry ?? null } }),
      }));
      return apply(own, options);
    },
  ),
  "uses the numbers of units that are not made": applying(
    "a unit that is not made writes no entry and uses no number",
    (apply, store) => async (units, options) => {
      const results = await apply(units, options);
      await appendAlone(
        store,
        units.filter((_, index) => !isMade(results[index]!)),
      );
      return results;
    },
  ),
  "makes units whatever their numbers": applying(
    "a unit whose number is not the next of its stream is not made",
    (apply) => async (units, options) => {
      const results = await apply(units, options);
      return results.some(({ kind }) => kind === "stream-moved") ? apply(units.map(withoutEntry), options) : results;
    },
  ),
  "settles what has moved": applying(
    "what was told of a number leaves the unit free to be made with another",
    (apply, store) => async (units, options) => {
      const results = await apply(units, options);
      await store.records.outcome(units.filter((_, index) => results[index]!.kind === "stream-moved"));
      return results;
    },
  ),
  "makes units together that are no transaction": applying(
    "units that are no transaction have a stream each, and one that moved is nobody else's",
    (apply) => (units) => apply(units, { atomic: true }),
  ),
  "writes the entry of a unit before the unit": applying(
    "asked while it is under way, a unit is made with its entry, or neither ever is",
    (apply, store) => async (units, options) => {
      await appendAlone(store, units);
      await turn();
      return apply(units.map(withoutEntry), options);
    },
  ),
  "has what waits of an address in another order": breaks(
    "entries of a record wait in the order of its versions, whoever writes",
    (store) => ({
      outbox: {
        pending: async (tags) => (await store.outbox.pending(tags)).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      },
    }),
  ),
  "takes the entry of another write": applying(
    "a unit with an entry that is none is refused, and nothing is written",
    (apply) => (units, options) =>
      apply(
        units.map((unit) => ({
          ...unit,
          ...(unit.entry && { entry: { ...unit.entry, id: unit.writeId as string as EntryId } }),
        })),
        options,
      ),
  ),
  "writes the entries of a transaction in another order": breaks(
    "the entries of a transaction stand in one stream, in the order of its units",
    (store) => ({ outbox: { take: async (limit) => (await store.outbox.take(limit)).toReversed() } }),
  ),
  "writes the entries of those that could be made": applying(
    "when one unit is in the way no entry is written, and all numbers are free",
    (apply, store) => async (units, options) => {
      const results = await apply(units, options);
      await appendAlone(
        store,
        units.filter((_, index) => results[index]!.kind === "not-made"),
      );
      return results;
    },
  ),
  "makes a transaction in another stream": applying(
    "when the stream has moved nothing of the transaction is made",
    (apply) => async (units, options) => {
      const results = await apply(units, options);
      return results.some(({ kind }) => kind === "stream-moved") ? apply(units.map(withoutEntry), options) : results;
    },
  ),
  "wants an entry of all units or of none": applying(
    "units with and without entries are one transaction",
    (apply) => async (units, options) =>
      new Set(units.map(({ entry }) => entry === undefined)).size > 1
        ? units.map(() => ({ kind: "conflict" }))
        : apply(units, options),
  ),
  "looks at a stream first and writes later": applying(
    "transactions of one stream are made one after the other, each whole",
    (apply, store) => async (units, options) => {
      const { entry } = units[0]!;
      const [row] = await store.outbox.streams([entry!.stream]);
      if ((row?.last ?? 0) !== entry!.number - 1) return units.map(() => ({ kind: "stream-moved" }));
      await turn();
      const results = await apply(units.map(withoutEntry), options);
      await appendAlone(store, units);
      return results;
    },
  ),
  "writes the entries of a caller's transaction at once": breaks(
    "entries of a caller's transaction wait when he commits, and not before",
    (store) => ({
      transaction: async (client) => {
        const own = await store.transaction!(client);
        return {
          apply: async (units) => {
            await appendAlone(store, elsewhere(units));
            return own.apply(units);
          },
        };
      },
    }),
  ),
  "keeps the entries of what was rolled back": breaks(
    "of a transaction that is rolled back no entry waits, and its numbers are free",
    (store) => ({
      transaction: async (client) => {
        const own = await store.transaction!(client);
        return {
          apply: async (units) => {
            await appendAlone(store, units);
            return own.apply(units.map(withoutEntry));
          },
        };
      },
    }),
  ),
  "uses a number in a caller's transaction for what was not made": breaks(
    "a number that is not the next is an answer: the transaction goes on",
    (store) => ({
      transaction: async (client) => {
        const own = await store.transaction!(client);
        let isBroken = false;
        return {
          apply: async (units) => {
            if (isBroken) return units.map(() => ({ kind: "stream-moved" }));
            const results = await own.apply(units);
            isBroken = results.some(({ kind }) => kind === "conflict");
            return results;
          },
        };
      },
    }),
  ),
  "audits readers when a caller's transaction has ended": breaks(
    "readers are audited while a transaction is open, also about its people",
    (store) => ({
      outbox: {
        append: async (entries, active) => {
          await store.gate.drained();
          return store.outbox.append(entries, active);
        },
      },
    }),
  ),
};

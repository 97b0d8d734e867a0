/**
 * Stores that break a promise about indexes or tags.
 */
import type { Indexes, IndexRow, Tag } from "../../../src/stores/indexes.ts";
import type { Store } from "../../../src/stores/store.ts";
import type { Unit, WriteChange } from "../../../src/stores/units.ts";
import { atEpoch, breaks, prepared, turn } from "./sabotage.ts";
import type { Sabotage } from "./sabotage.ts";

const indexes = (foundBy: string, parts: (indexes: Indexes, store: Store) => Partial<Indexes>): Sabotage =>
  breaks(foundBy, (store) => ({ indexes: parts(store.indexes, store) }));

/** A store that is given units with other tags, or another change, than they have. */
const units = (foundBy: string, alter: (unit: Unit, store: Store) => Unit | Promise<Unit>): Sabotage =>
  breaks(foundBy, (store) => ({
    records: {
      apply: async (all, options) =>
        store.records.apply(await Promise.all(all.map(async (unit) => alter(unit, store))), options),
    },
  }));

const writing = (unit: Unit, change: (change: WriteChange) => Partial<WriteChange>): Unit =>
  unit.change.kind === "write" ? { ...unit, change: { ...unit.change, ...change(unit.change) } } : unit;

/** The rows, none of which is unique. */
const plain = (rows: readonly IndexRow[]): readonly IndexRow[] => rows.map((row) => ({ ...row, isUnique: false }));

const INSTEAD = "a unit's tags are there instead of all that the record had";
const UNIQUE = "a tag of a unique index that another record has is told, and nothing of the unit is made";
const OVERTAKEN = "a filling is overtaken by a write and by a removal, and changes nothing then";
const LATE = "after a change no write, no rewrap and no filling of before is made, and all are told";

/** Keeps the tags of units, and tells them of whoever is gone. */
function remembering(store: Store): {
  readonly records: Partial<Store["records"]>;
  readonly indexes: Partial<Indexes>;
} {
  const kept = new Map<string, readonly Tag[]>();
  return {
    records: {
      apply: async (all, options) => {
        for (const { address, change } of all) if (change.kind === "write") kept.set(address.id, change.tags ?? []);
        return store.records.apply(all, options);
      },
    },
    indexes: { tagsOf: async (address) => (await store.indexes.tagsOf(address)) ?? kept.get(address.id) ?? null },
  };
}

/** What is broken -> who finds it, and how it is broken. */
export const OF_TAGS: Readonly<Record<string, Sabotage>> = {
  "adds a unit's tags to those that were there": units(INSTEAD, async (unit, store) => {
    const before = (await store.indexes.tagsOf(unit.address)) ?? [];
    return writing(unit, ({ tags }) => ({ tags: tags === undefined ? undefined : [...tags, ...before] }));
  }),
  "takes tags away that a unit does not speak of": units(INSTEAD, (unit) =>
    writing(unit, ({ tags = [] }) => ({ tags })),
  ),
  "does not check that a tag is unique": indexes(UNIQUE, (own) => ({
    change: ({ from, set }) => own.change({ from, set: plain(set) }),
  })),
  "writes what it can of a unit whose tag is taken": breaks(UNIQUE, (store) => ({
    records: {
      apply: async (all, options) => {
        const results = await store.records.apply(all, options);
        if (results.some(({ kind }) => kind === "taken"))
          await store.records.apply(
            all.map((unit) => writing(unit, () => ({ tags: [] }))),
            options,
          );
        return results;
      },
    },
  })),
  "looks for a unique tag first, and writes later": breaks(
    "of many writers that want one tag exactly one is made, in whichever store",
    (store) => ({
      records: {
        apply: async ([unit], options) => {
          const { change, address } = unit!;
          const [tag] = change.kind === "write" ? (change.tags ?? []) : [];
          if (tag === undefined) return store.records.apply([unit!], options);
          const query = { collection: address.collection, terms: [[tag]], after: null, limit: 1 };
          const [holder] = await store.indexes.find(query);
          if (holder !== undefined) return [{ kind: "taken", index: tag.index }];
          await turn();
          const results = await store.records.apply([unit!], options);
          return results.map((result) => (result.kind === "taken" ? { kind: "made" } : result));
        },
      },
    }),
  ),
  "tells of a taken tag before all else": breaks(
    "whatever else is in the way of a unit is told before that a tag is taken",
    (store) => ({
      records: {
        apply: async (all, options) => {
          const results = await store.records.apply(all, options);
          const { indexes: rows } = await store.indexes.list();
          return results.map((result, at) => {
            const { change } = all[at]!;
            const tags = change.kind === "write" ? (change.tags ?? []) : [];
            const index = rows.find(({ id, isUnique }) => isUnique && tags.some((tag) => tag.index === id));
            return result.kind === "made" || index === undefined ? result : { kind: "taken", index: index.id };
          });
        },
      },
    }),
  ),
  "leaves the tags of what was removed": breaks(
    "what is removed has no tags, and its unique ones are free",
    remembering,
  ),
  "gives a tag away that another unit of the call gives up": breaks(
    "a tag that another record has as the call begins is taken, also if a unit gives it up",
    (store) => ({
      records: {
        apply: async (all, { atomic }) => {
          if (atomic && all.length > 1) {
            const given = all.filter(({ base }) => base !== null).map(({ address }) => address);
            await store.indexes.forget(given);
          }
          return store.records.apply(all, { atomic });
        },
      },
    }),
  ),
  "keeps tags of whatever length": units(
    "more tags than a record has, and what is no tag, are refused, and nothing is made",
    (unit) =>
      writing(unit, ({ tags }) => ({
        tags: tags?.map(({ index, tag }) => ({ index, tag: Buffer.concat([tag, Buffer.alloc(32)]).subarray(0, 32) })),
      })),
  ),
  "cuts a record's tags at the most that there are": units(
    "more tags than a record has, and what is no tag, are refused, and nothing is made",
    (unit) => writing(unit, ({ tags }) => ({ tags: tags?.slice(0, 512) })),
  ),
  "changes indexes and leaves the epoch": indexes(
    "a change puts rows in the place of those of their ids, and moves the epoch on by one",
    (own, { gate }) => ({
      change: async (change) => own.change({ ...change, from: (await gate.current()).epoch }),
    }),
  ),
  "makes units of before a change": breaks(LATE, (store) => ({
    records: { apply: async (all, options) => store.records.apply(await atEpoch(store, all), options) },
  })),
  "answers a change, and makes what comes late": breaks(
    "once a change is answered, all that is made has the tags of the new indexes",
    (store) => ({
      records: {
        apply: async ([unit], options) => {
          const { epoch } = await store.gate.current();
          if (unit!.change.kind === "write" && unit!.change.epoch !== epoch) return [{ kind: "gate-moved", epoch }];
          for (let passed = 0; passed < 3; passed++) await turn();
          return store.records.apply(await atEpoch(store, [unit!]), options);
        },
      },
    }),
  ),
  "changes what an index is": indexes(
    "what is no index, or another one than before, is refused, and the epoch stays",
    (own) => ({
      change: async ({ from, set }) => {
        const { indexes: rows } = await own.list();
        const before = new Map(rows.map((row) => [row.id, row]));
        return own.change({ from, set: set.map((row) => before.get(row.id) ?? row) });
      },
    }),
  ),
  "fills whatever the head is": indexes(OVERTAKEN, (own, store) => ({
    fill: async (fillings, lease) => {
      const heads = await store.records.heads(fillings.map(({ address }) => address));
      return own.fill(
        fillings.map((one, at) => ({ ...one, seen: heads[at]!.head?.version ?? one.seen })),
        lease,
      );
    },
  })),
  "fills at every epoch": indexes(LATE, (own, { gate }) => ({
    fill: async (fillings, lease) => {
      const { epoch } = await gate.current();
      return own.fill(
        fillings.map((one) => ({ ...one, epoch })),
        lease,
      );
    },
  })),
  "fills without a lease": indexes("a filling of another epoch, or under a lease that is lost, is not made", (own) => ({
    fill: (fillings) => own.fill(fillings, null),
  })),
  "fills all or none": indexes(
    "of a unique index a filling is told that another record has a tag, each for itself",
    (own) => ({
      fill: async (fillings, lease) => {
        for (const one of fillings) {
          const [result] = await own.fill([one], lease);
          if (result === "taken") return fillings.map(() => "taken" as const);
        }
        return fillings.map(() => "filled" as const);
      },
    }),
  ),
  "fills the head that there is when it is asked, and later": breaks(
    "who fills and who writes at once leave each record with the tags of its newest version",
    (store) => ({
      indexes: {
        fill: async (fillings) => {
          await turn();
          for (const { address, index, tags } of fillings) {
            const { head } = (await store.records.heads([address]))[0]!;
            if (head?.state !== "live") continue;
            await store.indexes.fill(
              [{ address, index, tags, seen: head.version, epoch: (await store.gate.current()).epoch }],
              null,
            );
          }
          return fillings.map(() => "filled" as const);
        },
      },
    }),
  ),
  "finds what has one of the terms": indexes("a record is found that has, of each term, one tag at least", (own) => ({
    find: ({ terms, ...query }) => own.find({ ...query, terms: [terms.flat().slice(0, 64)] }),
  })),
  "has the last of a page on the next one too": indexes(
    "pages of every size have each once, in one order, and end",
    (own) => ({
      find: async ({ after, limit, ...query }) => {
        const all = await own.find({ ...query, after: null, limit: 1000 });
        return all.filter(({ position }) => after === null || Buffer.compare(position, after) >= 0).slice(0, limit);
      },
    }),
  ),
  "finds by what was dropped": (() => {
    return indexes("nothing is found by an index that was dropped", (own) => ({
      change: ({ from, set }) =>
        own.change({ from, set: set.map((row) => (row.state === "dropped" ? { ...row, state: "building" } : row)) }),
    }));
  })(),
  "forgets only what is live": indexes(
    "tags of records are forgotten whatever their heads are, and those of others stay",
    (own, { records }) => ({
      forget: async (addresses) => {
        const heads = await records.heads(addresses);
        await own.forget(addresses.filter((_, at) => heads[at]!.head?.version === 1));
      },
    }),
  ),
  "purges what is not dropped": indexes(
    "tags of a dropped index go in steps, then its row, and nothing else",
    (own) => ({
      purge: async (index, limit) => {
        const { indexes: rows } = await own.list();
        return rows.some(({ id, state }) => id === index && state !== "dropped") ? 0 : own.purge(index, limit);
      },
    }),
  ),
  "purges all at once": indexes("tags of a dropped index go in steps, then its row, and nothing else", (own) => ({
    purge: (index) => own.purge(index, 10_000),
  })),
  "counts what a record has twice": indexes("how often tags come is counted, of live records only", (own) => ({
    frequencies: async (index) =>
      (await own.frequencies(index)).map(({ records, tags }) => ({ records: records + 1, tags })),
  })),
  "tells of a tag that is taken by an error": breaks(
    "a tag that is taken is an answer, and the caller's transaction goes on",
    (store) => ({
      transaction: async (client) => {
        const units = await store.transaction!(client);
        let isBroken = false;
        return {
          apply: async (all) => {
            const results = isBroken ? all.map(() => ({ kind: "conflict" }) as const) : await units.apply(all);
            isBroken ||= results.some(({ kind }) => kind === "taken");
            return results;
          },
        };
      },
    }),
  ),
  "keeps the caller's tag": (() => {
    const given = new Map<string, readonly Tag[]>();
    return breaks("what a caller does with a tag after the call changes nothing that is kept", (store) => ({
      records: {
        apply: async (all, options) => {
          for (const { address, change } of all)
            if (change.kind === "write" && change.tags !== undefined) given.set(address.id, change.tags);
          return store.records.apply(await prepared(store, all), options);
        },
      },
      indexes: { tagsOf: async (address) => given.get(address.id) ?? store.indexes.tagsOf(address) },
    }));
  })(),
};

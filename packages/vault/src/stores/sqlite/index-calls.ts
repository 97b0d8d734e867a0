/**
 * The indexes of a store in SQLite, over its file.
 */
import { checkFill, takeAddresses, takeIndexRows, takeMost, takePurge, takeQuery, takeTerms } from "../index-limits.ts";
import type { Indexes } from "../indexes.ts";
import { countTagged, findTagged, tagFrequencies, tagsOfRecord } from "./find-tagged.ts";
import { listIndexes } from "./index-rows.ts";
import type { OpenStore } from "./open-store.ts";
import type { RecordOperations } from "./operations.ts";
import { takenTags } from "./tags-taken.ts";

export function indexesOf(store: Pick<OpenStore<RecordOperations>, "read" | "reduce" | "change">): Indexes {
  return {
    list: () => store.read(listIndexes),
    change: async ({ from, set }) => store.reduce("changeIndexes", [{ from, set: takeIndexRows(set) }]),
    find: async (query) => {
      const own = takeQuery(query);
      return store.read((db) => findTagged(db, own));
    },
    count: async (terms, most) => {
      const [own, atMost] = [takeTerms(terms), takeMost(most)];
      return store.read((db) => countTagged(db, own, atMost));
    },
    fill: async (all, under) => {
      const { fillings, lease } = checkFill({ fillings: all, lease: under });
      const tags = takenTags(fillings.map(({ index, tags: own }) => own.map((tag) => ({ index, tag }))));
      const plain = fillings.map(({ tags: _tags, ...filling }) => filling);
      return store.change("fillTags", [{ fillings: plain, lease }, tags], [tags.bytes]);
    },
    forget: async (addresses) => store.reduce("forgetTags", [takeAddresses(addresses)]),
    purge: async (index, limit) => store.reduce("purgeTags", [takePurge({ index, limit })]),
    tagsOf: (address) => store.read((db) => tagsOfRecord(db, address)),
    frequencies: (index) => store.read((db) => tagFrequencies(db, index)),
  };
}

/**
 * Stores that break a promise about kept messages or notes, and key stores that break one about keys that move.
 */
import { VaultError } from "../../../src/errors.ts";
import type { Restore } from "../../../src/stores/kept-limits.ts";
import type { KeptMessages } from "../../../src/stores/kept.ts";
import type { Notes } from "../../../src/stores/notes.ts";
import type { Store } from "../../../src/stores/store.ts";
import type { WrapSetId } from "../../../src/stores/wrap-set.ts";
import { breaks as breaksKeys } from "./of-keys.ts";
import type { KeySabotage } from "./of-keys.ts";
import { breaks, turn } from "./sabotage.ts";
import type { Sabotage } from "./sabotage.ts";

const notes = (foundBy: string, parts: (notes: Notes) => Partial<Notes>): Sabotage =>
  breaks(foundBy, (store) => ({ notes: parts(store.notes) }));

const kept = (foundBy: string, parts: (store: Store) => Partial<KeptMessages>): Sabotage =>
  breaks(foundBy, (store) => ({ kept: parts(store) }));

const GOES = "what is kept goes with its version, also when a new one has its number's place";
const BACK = "what is put back is the version's message again, byte for byte, and is kept no more";
const SEEN = "what is another version by now, or gone, or of another epoch gets nothing back";

/** As it is now, whatever was seen. */
async function seenNow(store: Store, change: Restore): Promise<Restore> {
  const { stored } = await store.records.read(change.place, change.place.version);
  return { ...change, seen: stored?.stamp ?? change.seen };
}

/** What is broken -> who finds it, and how it is broken. */
export const OF_KEPT_AND_NOTES: Readonly<Record<string, Sabotage>> = {
  "replaces a note for whoever has seen another": notes(
    "a note is replaced, or goes, only by whoever has seen it",
    (own) => ({
      replace: async (name, text, seen) =>
        own.replace(name, text, (await own.list(name)).find((note) => note.name === name)?.text ?? seen),
    }),
  ),
  "looks at a note, and then replaces it": notes(
    "of many that replace, begin or remove one note exactly one does",
    (own) => ({
      replace: async (name, text, seen) => {
        const [now = null] = (await own.list(name)).filter((note) => note.name === name).map((note) => note.text);
        await turn();
        if (now !== seen) return "overtaken";
        const [then = null] = (await own.list(name)).map((note) => note.text);
        return own.replace(name, text, then);
      },
    }),
  ),
  "finds notes by a pattern": notes(
    "notes are found by the beginning of their names, in the order of bytes",
    (own) => ({
      list: async (prefix) => {
        const pattern = new RegExp(
          `^${prefix
            .replaceAll(/[.*/\0]/g, "\\$&")
            .replaceAll("_", ".")
            .replaceAll("%", ".*")}`,
        );
        return (await own.list("")).filter(({ name }) => pattern.test(name));
      },
    }),
  ),
  "cuts notes that are too long": notes(
    "a note is as long as one may be, and what is longer or none is refused",
    (own) => ({
      replace: (name, text, seen) => own.replace(name, text?.slice(0, 16_384 / 3) ?? null, seen),
    }),
  ),
  "keeps whatever is replaced": breaks("nothing is kept of what nobody asked to keep", (store) => ({
    inventory: { rewrap: (change) => store.inventory.rewrap({ ...change, keeps: true }) },
  })),
  "keeps the newest message": breaks(
    "the second message that a rewrap keeps is not kept: the oldest stays",
    (store) => ({
      inventory: {
        rewrap: async (change) => {
          if (change.keeps === true && change.message !== null) await store.kept.drop([change.place], null);
          return store.inventory.rewrap(change);
        },
      },
    }),
  ),
  "keeps what was removed": breaks(GOES, (store) => {
    const places = new Set<string>();
    return {
      inventory: {
        rewrap: (change) => {
          places.add(JSON.stringify(change.place));
          return store.inventory.rewrap(change);
        },
      },
      kept: {
        read: async (place) =>
          (await store.kept.read(place)) ??
          (places.has(JSON.stringify(place)) ? { message: Buffer.from("x"), wrapSet: 1 as WrapSetId } : null),
      },
    };
  }),
  "counts beyond the limit": kept("kept messages are counted by set, up to a limit for each", (store) => ({
    counts: () => store.kept.counts(1000),
  })),
  "proves by the versions": kept(
    "a message that a rewrap keeps is there byte for byte, under the set it had",
    (store) => ({ any: async (sets) => (await store.inventory.any(sets)) && sets.length === 1 }),
  ),
  "takes shares of kept messages for others than they are": kept(
    "pages of every size and share have each kept message once, in one order",
    (store) => ({
      list: ({ buckets, ...page }) =>
        store.kept.list({ ...page, ...(buckets && { buckets: { from: buckets.from, to: buckets.to + 1 } }) }),
    }),
  ),
  "puts a message back and keeps it": kept(BACK, (store) => ({
    restore: async (change) => {
      const message = await store.kept.read(change.place);
      const set = (await store.inventory.sets()).find(({ id }) => id === message?.wrapSet)?.set;
      return message === null || set === null || set === undefined
        ? { kind: "overtaken" }
        : store.inventory.rewrap({ ...change, message: message.message, wrapSet: set });
    },
  })),
  "puts a message back whatever was seen": kept(SEEN, (store) => ({
    restore: async (change) => store.kept.restore(await seenNow(store, change)),
  })),
  "puts a message back at any epoch": kept(SEEN, (store) => ({
    restore: async (change) => store.kept.restore({ ...change, epoch: (await store.gate.current()).epoch }),
  })),
  "puts a message back for whoever was taken over": kept(SEEN, (store) => ({
    restore: (change) => store.kept.restore({ ...change, lease: null }),
  })),
  "lets go for whoever was taken over": kept(
    "kept messages are let go of by their versions, under a lease that is held",
    (store) => ({ drop: (items) => store.kept.drop(items, null) }),
  ),
  "lets go only of what has a version": kept(
    "kept messages are let go of by their versions, under a lease that is held",
    (store) => ({
      drop: (items, lease) =>
        store.kept.drop(
          items.filter((item) => !("position" in item)),
          lease,
        ),
    }),
  ),
};

const MOVES = "a key that becomes one of another kind is found as that, and as nothing else";

/** The same of key stores. */
export const OF_MOVED_KEYS: Readonly<Record<string, KeySabotage>> = {
  "moves no key to another kind": breaksKeys(MOVES, ({ inventory }) => ({
    inventory: {
      rewrap: ({ moved, ...change }) =>
        inventory.rewrap({ ...change, moved: moved && { generation: moved.generation, check: moved.check } }),
    },
  })),
  "counts a key as it was made": breaksKeys(MOVES, ({ keys }) => ({
    keys: {
      counts: async () => {
        const counts = await keys.counts();
        return { ...counts, subject: counts.subject + counts["tenant-subject"], "tenant-subject": 0 };
      },
    },
  })),
  "fails where a key is in the way": breaksKeys(
    "where the owner has a key of that kind and ordinal nothing moves, and it is no error",
    ({ inventory }) => ({
      inventory: {
        rewrap: async (change) => {
          const result = await inventory.rewrap(change);
          if (result.kind === "overtaken") throw new VaultError("store-failed", "There is one");
          return result;
        },
      },
    }),
  ),
  "moves keys whatever was read": breaksKeys(
    "a move that is not of what was read, or under no lease, or of another epoch, moves nothing",
    ({ inventory, keys }) => ({
      inventory: {
        rewrap: async (change) => {
          const { key } = await keys.version(change.place.owner, change.place.version);
          return inventory.rewrap({ ...change, seen: key?.stamp ?? change.seen });
        },
      },
    }),
  ),
};

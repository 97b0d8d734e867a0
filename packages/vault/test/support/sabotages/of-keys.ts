/**
 * Key stores that break one promise each.
 */
import { VaultError } from "../../../src/errors.ts";
import type { CreationResult, KeyRows, KeyStore } from "../../../src/stores/key-store.ts";
import type { SubjectId } from "../../../src/stores/subjects.ts";

/** One promise that is broken. */
export interface KeySabotage {
  /** The behaviour, as the contract states it. */
  readonly foundBy: string;
  readonly alter: (store: KeyStore) => KeyStore;
}

interface Parts {
  readonly keys?: Partial<KeyRows>;
  readonly inventory?: Partial<KeyStore["inventory"]>;
  readonly outbox?: Partial<KeyStore["outbox"]>;
  readonly checkpoint?: Partial<KeyStore["checkpoint"]>;
  readonly close?: () => Promise<void>;
}

/** A key store some of whose methods are other ones. */
export const breaks = (foundBy: string, parts: (store: KeyStore) => Parts): KeySabotage => ({
  foundBy,
  alter: (store) => {
    const { keys, inventory, outbox, checkpoint, close } = parts(store);
    return {
      keys: { ...store.keys, ...keys },
      gate: store.gate,
      inventory: { ...store.inventory, ...inventory },
      jobs: store.jobs,
      outbox: { ...store.outbox, ...outbox },
      checkpoint: { ...store.checkpoint, ...checkpoint },
      requireRoom: () => store.requireRoom(),
      ping: () => store.ping(),
      close: close ?? (() => store.close()),
    };
  },
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const made: CreationResult = { kind: "made" };

/** What is broken -> who finds it, and how it is broken. */
export const OF_KEYS: Readonly<Record<string, KeySabotage>> = {
  "tells who comes second that they were first": breaks(
    "of those that make one person at once one wins, and all are told whom",
    ({ keys }) => ({
      keys: {
        create: async (all) =>
          (await keys.create(all)).map(({ kind }) => (kind === "exists" ? made : ({ kind } as CreationResult))),
      },
    }),
  ),
  "tells who comes second their own id": breaks(
    "whose name somebody has already is told who, and nothing of it is made",
    ({ keys }) => ({
      keys: {
        create: async (all) =>
          (await keys.create(all)).map((result, index) =>
            result.kind === "exists" ? { ...result, id: all[index]?.name?.id ?? null } : result,
          ),
      },
    }),
  ),
  "makes the key of who comes second": breaks(
    "whose name somebody has already is told who, and nothing of it is made",
    ({ keys }) => ({
      keys: {
        create: async (all) => {
          const results = await keys.create(all);
          const rest = all.filter(({ key }, index) => key !== null && results[index]?.kind === "exists");
          await keys.create(rest.map((creation) => ({ ...creation, name: null })));
          return results;
        },
      },
    }),
  ),
  "makes the name of who has a key already": breaks(
    "whose key is there already is told so, and nothing of it is made",
    ({ keys }) => ({
      keys: {
        create: async (all) => {
          const results = await keys.create(all);
          const rest = all.filter(({ name }, index) => name !== null && results[index]?.kind === "exists");
          await keys.create(rest.map((creation) => ({ ...creation, key: null })));
          return results;
        },
      },
    }),
  ),
  "makes all creations of a call or none": breaks(
    "each creation is made for itself, answered in its place, and finds those before it",
    ({ keys }) => ({
      keys: {
        create: async (all) => {
          const results = await keys.create(all);
          return results.every(({ kind }) => kind === "made")
            ? results
            : results.map(() => ({ kind: "exists", id: null }));
        },
      },
    }),
  ),
  "takes any number at once": breaks("1,000 creations are made at once, and more are refused", ({ keys }) => ({
    keys: {
      create: async (all) => [...(await keys.create(all.slice(0, 1000))), ...(await keys.create(all.slice(1000)))],
    },
  })),
  "takes the first version for the active one": breaks(
    "the active version is that of the highest ordinal, in whatever order they came",
    ({ keys }) => ({
      keys: {
        active: async (names) =>
          Promise.all(names.map(async (name) => (await keys.versions(name)).at(-1) ?? { key: null })),
      },
    }),
  ),
  "takes the version of the last date for the active one": breaks(
    "the active version is that of the highest ordinal, in whatever order they came",
    ({ keys }) => ({
      keys: {
        active: async (names) =>
          Promise.all(
            names.map(async (name) => {
              const all = await keys.versions(name);
              return all.toSorted((a, b) => (a.key!.createdAt > b.key!.createdAt ? -1 : 1))[0] ?? { key: null };
            }),
          ),
      },
    }),
  ),
  "takes owners for the same whatever their case": breaks(
    "kinds and owners are apart, by every byte of them",
    ({ keys }) => ({
      keys: { active: (names) => keys.active(names.map((name) => ({ ...name, owner: name.owner.toLowerCase() }))) },
    }),
  ),
  "gives a key to whoever asks for its version": breaks(
    "the active version is that of the highest ordinal, in whatever order they came",
    ({ keys }) => {
      const owners = new Map<string, string>();
      return {
        keys: {
          create: async (all) => {
            for (const { key } of all) if (key !== null) owners.set(key.version, key.owner);
            return keys.create(all);
          },
          version: (owner, version) => keys.version(owners.get(version) ?? owner, version),
        },
      };
    },
  ),
  "keeps no more than 8 wraps": breaks(
    "a person and a key read back as they were made, byte for byte, in every store",
    ({ keys }) => ({
      keys: {
        create: (all) =>
          keys.create(
            all.map((creation) =>
              creation.key === null
                ? creation
                : { ...creation, key: { ...creation.key, wraps: creation.key.wraps.slice(0, 8) } },
            ),
          ),
      },
    }),
  ),
  "keeps the caller's bytes": breaks(
    "what callers do with their bytes afterwards changes nothing that is stored",
    ({ keys }) => {
      const kept = new Map<string, Uint8Array>();
      return {
        keys: {
          create: async (all) => {
            for (const { key } of all) if (key !== null) kept.set(key.version, key.check);
            return keys.create(all);
          },
          version: async (owner, version) => {
            const { key } = await keys.version(owner, version);
            return { key: key === null ? null : { ...key, check: kept.get(version) ?? key.check } };
          },
        },
      };
    },
  ),
  "has no one among its people who has a key alone": breaks(
    "people are listed in their order, page by page, with a name or a key",
    ({ keys }) => ({
      keys: {
        people: async (page) => {
          const ids = await keys.people(page);
          const names = await keys.names(ids);
          return ids.filter((_, index) => names[index] !== null);
        },
      },
    }),
  ),
  "has the oldest version first": breaks("no more than 1,000 versions of a key are told, the newest", ({ keys }) => ({
    keys: { versions: async (name) => (await keys.versions(name)).toReversed() },
  })),
  "makes keys at every epoch": breaks("no key is made under a key set that was left, a name is", ({ keys, gate }) => ({
    keys: {
      create: async (all) => {
        const { epoch } = await gate.current();
        return keys.create(all.map((creation) => ({ ...creation, epoch })));
      },
    },
  })),
  "makes names at one epoch only": breaks(
    "no key is made under a key set that was left, a name is",
    ({ keys, gate }) => ({
      keys: {
        create: async (all) => {
          const { epoch } = await gate.current();
          const results = await keys.create(all);
          return results.map((result, index) => (all[index]?.epoch === epoch ? result : { kind: "gate-moved", epoch }));
        },
      },
    }),
  ),
  "looks for the name before the gate": breaks(
    "where more than one thing is in the way, the first of one order is told",
    ({ keys }) => ({
      keys: {
        create: async (all) => {
          const found = await keys.resolve(all.map(({ name }) => name?.tag ?? Buffer.alloc(32)));
          const results = await keys.create(all);
          return results.map((result, index) =>
            result.kind !== "made" && found[index] ? { kind: "exists", id: found[index] } : result,
          );
        },
      },
    }),
  ),
  "takes whatever it is given": breaks(
    "what no vault writes is refused, and nothing of the call is made",
    ({ keys }) => ({
      keys: { create: async (all) => keys.create(all).catch(() => all.map(() => made)) },
    }),
  ),
  "finds who was erased by name": breaks("all keys and the name of who is erased go, and nobody else's", ({ keys }) => {
    const kept = new Map<string, SubjectId>();
    return {
      keys: {
        create: async (all) => {
          for (const { name } of all) if (name !== null) kept.set(hex(name.tag), name.id);
          return keys.create(all);
        },
        resolve: async (tags) => tags.map((tag) => kept.get(hex(tag)) ?? null),
      },
    };
  }),
  "keeps older versions of who was erased": (() => {
    const kept = new Map<string, Awaited<ReturnType<KeyRows["version"]>>>();
    return breaks("all keys and the name of who is erased go, and nobody else's", ({ keys }) => ({
      keys: {
        erase: async (ids, at) => {
          for (const owner of ids)
            for (const read of (await keys.versions({ kind: "subject", owner })).slice(1))
              kept.set(`${owner}/${read.key?.version}`, read);
          return keys.erase(ids, at);
        },
        version: async (owner, version) => kept.get(`${owner}/${version}`) ?? keys.version(owner, version),
      },
    }));
  })(),
  "forgets who was erased": breaks(
    "who was erased gets no key and no name, and who returns is somebody new",
    ({ keys }) => ({
      keys: {
        create: async (all) => (await keys.create(all)).map((result) => (result.kind === "erased" ? made : result)),
      },
    }),
  ),
  "fails when it erases somebody twice": breaks(
    "who was erased gets no key and no name, and who returns is somebody new",
    ({ keys }) => ({
      keys: {
        erase: async (ids, at) => {
          if ((await keys.erased(ids)).some(Boolean)) throw new VaultError("store-failed", "erased before");
          return keys.erase(ids, at);
        },
      },
    }),
  ),
  "erases the first of those it is given": breaks(
    "many are erased in one call, also who comes twice, and nobody for what is no id",
    ({ keys }) => ({ keys: { erase: (ids, at) => keys.erase(ids.slice(0, ids.length > 2 ? 1 : 2), at) } }),
  ),
  "answers an erasure before it is done": breaks(
    "an erasure that meets creations and rewraps leaves nothing",
    ({ keys }) => ({
      keys: {
        erase: async (ids, at) => {
          setTimeout(() => void keys.erase(ids, at).catch(() => undefined), 2);
        },
      },
    }),
  ),
  "rewraps whatever is there by now": breaks(
    "a rewrap without wraps corrects the account, one to the same set is told from it",
    ({ keys, inventory }) => ({
      inventory: {
        rewrap: async (change) => {
          const { key } = await keys.version(change.place.owner, change.place.version);
          return inventory.rewrap({ ...change, seen: key?.stamp ?? change.seen });
        },
      },
    }),
  ),
  "moves the wraps to another generation and not the row": breaks(
    "a key moves to another generation with its wraps and its check, or not at all",
    ({ inventory }) => ({ inventory: { rewrap: (change) => inventory.rewrap({ ...change, moved: null }) } }),
  ),
  "rewraps under a set that was left": breaks(
    "after a flip no rewrap of before is made, and it is told the epoch",
    ({ inventory, gate }) => ({
      inventory: { rewrap: async (change) => inventory.rewrap({ ...change, epoch: (await gate.current()).epoch }) },
    }),
  ),
  "rewraps for whoever held the lease once": breaks(
    "nobody whose lease is another's rewraps a key",
    ({ inventory }) => ({
      inventory: { rewrap: (change) => inventory.rewrap({ ...change, lease: null }) },
    }),
  ),
  "rewraps a key of another kind": breaks(
    "a rewrap of another key than was read, or of none, changes nothing",
    ({ inventory }) => ({
      inventory: { rewrap: (change) => inventory.rewrap({ ...change, place: { ...change.place, kind: "subject" } }) },
    }),
  ),
  "has what is to wait on its list of what is due": breaks(
    "why a repair failed is kept with its key, which is not due for a while",
    ({ inventory }) => ({
      inventory: { list: ({ sets, after, limit }) => inventory.list({ sets, after, limit }) },
    }),
  ),
  "goes to the first page for a position that it does not know": breaks(
    "a position that is none is refused as a cursor",
    ({ inventory }) => ({
      inventory: { list: async (page) => inventory.list(page).catch(() => inventory.list({ ...page, after: null })) },
    }),
  ),
  "goes on when it is closed": breaks("a closed key store says so, however often it is closed", () => ({
    close: async () => undefined,
  })),
};

/**
 * Stores that break a promise about records, units, outcomes or the gate.
 */
import type { RecordStore } from "../../../src/stores/store.ts";
import type { Unit } from "../../../src/stores/units.ts";
import { atEpoch, breaks, keyOf, prepared, turn, writing } from "./sabotage.ts";
import type { Sabotage } from "./sabotage.ts";

/** What is broken -> who finds it, and how it is broken. */
export const OF_RECORDS: Readonly<Record<string, Sabotage>> = {
  "drops the compare-and-swap": breaks(
    "on a head that is another one in any of its fields nothing is made",
    (store) => ({
      records: { apply: async (units, options) => store.records.apply(await prepared(store, units), options) },
    }),
  ),
  "compares the head's version and not its state": breaks(
    "on a head that is another one in any of its fields nothing is made",
    (store) => ({
      records: {
        apply: async (units, options) => {
          const current = await prepared(store, units);
          const versionOf = ({ base }: Unit): unknown => (base === "damaged" ? base : base?.version);
          return store.records.apply(
            units.map((unit, index) => (versionOf(unit) === versionOf(current[index]!) ? current[index]! : unit)),
            options,
          );
        },
      },
    }),
  ),
  "answers made for a conflict": breaks(
    "on a head that is another one in any of its fields nothing is made",
    (store) => ({
      records: {
        apply: async (units, options) =>
          (await store.records.apply(units, options)).map((result) =>
            result.kind === "conflict" ? { kind: "made" } : result,
          ),
      },
    }),
  ),
  "writes some versions of a unit only": breaks("a unit of several versions is made whole, 1 MiB each", (store) => ({
    records: {
      apply: (units, options) =>
        store.records.apply(
          units.map((unit) => writing(unit, (versions) => versions.slice(-1))),
          options,
        ),
    },
  })),
  "makes units of one transaction each by itself": breaks(
    "all units of a transaction are made or none, and each that is in the way is named",
    (store) => ({ records: { apply: (units) => store.records.apply(units, { atomic: false }) } }),
  ),
  "takes a record twice in one call": breaks(
    "a record that is in two units of one call is refused, and nothing is made",
    (store) => ({
      records: {
        apply: async (units, options) => {
          const first = units.filter((unit, index) => units.findIndex((one) => keyOf(one) === keyOf(unit)) === index);
          return store.records.apply(first, options);
        },
      },
    }),
  ),
  "takes no notice of its own limits": breaks(
    "what is beyond the store's capabilities is refused, and nothing is made",
    (store) => ({
      records: {
        apply: (units, options) => store.records.apply(units.slice(0, store.capabilities.atomicUnits), options),
      },
    }),
  ),
  "keeps the caller's Buffer": breaks(
    "what callers do with their bytes afterwards changes nothing that is stored",
    (store) => {
      const kept = new Map<string, Uint8Array>();
      return {
        records: {
          apply: async (units, options) => {
            for (const unit of units)
              if (unit.change.kind === "write")
                for (const { version, message } of unit.change.versions) kept.set(`${keyOf(unit)}/${version}`, message);
            return store.records.apply(units, options);
          },
          read: async (address, version) => {
            const read = await store.records.read(address, version);
            const message = kept.get(`${keyOf({ address })}/${read.stored?.version}`);
            return { ...read, stored: read.stored === null ? null : { ...read.stored, message: message! } };
          },
        },
      };
    },
  ),
  "hands out its own Buffer": breaks(
    "what callers do with their bytes afterwards changes nothing that is stored",
    (store) => {
      const given = new Map<string, Uint8Array>();
      return {
        records: {
          read: async (address, version) => {
            const read = await store.records.read(address, version);
            if (read.stored === null) return read;
            const key = `${keyOf({ address })}/${read.stored.version}/${read.stored.stamp.revision}`;
            given.set(key, given.get(key) ?? read.stored.message);
            return { ...read, stored: { ...read.stored, message: given.get(key)! } };
          },
        },
      };
    },
  ),
  "cuts messages of more than 1 MiB": breaks(
    "a version reads back as it was written, byte for byte, also one of 1 MiB",
    (store) => ({
      records: {
        apply: (units, options) =>
          store.records.apply(
            units.map((unit) =>
              writing(unit, (versions) =>
                versions.map((version) => ({ ...version, message: version.message.subarray(0, 1024 * 1024) })),
              ),
            ),
            options,
          ),
      },
    }),
  ),
  "reads head and message at two moments": breaks(
    "a reader sees a record of one moment, whatever is written meanwhile",
    (store) => ({
      records: {
        read: async (address, version) => {
          const { head, newestRow } = await store.records.read(address, version);
          await turn();
          return { ...(await store.records.read(address, version)), head, newestRow };
        },
      },
    }),
  ),
  "has the oldest version first": breaks(
    "every version stays, each with its own row, the newest first, page by page",
    (store) => ({
      records: {
        versions: async (address, page) => {
          const found = await store.records.versions(address, page);
          return { ...found, versions: found.versions.toReversed() };
        },
      },
    }),
  ),
  "has the version at which a page begins once more": breaks(
    "every version stays, each with its own row, the newest first, page by page",
    (store) => ({
      records: {
        versions: (address, { before, limit }) =>
          store.records.versions(address, { before: before === null ? null : ((before + 1) as typeof before), limit }),
      },
    }),
  ),
  "answers once for a record that is asked for twice": breaks(
    "heads answer in their order, also one that comes twice",
    (store) => ({
      records: {
        heads: (addresses) =>
          store.records.heads([...new Map(addresses.map((address) => [keyOf({ address }), address])).values()]),
      },
    }),
  ),
  "forgets the number of what was removed": breaks("a removal takes all versions and keeps the number", (store) => ({
    records: {
      versions: async (address, page) => {
        const found = await store.records.versions(address, page);
        return found.head?.state === "removed" ? { ...found, head: null } : found;
      },
    },
  })),
  "lists in the order of UTF-16": breaks(
    "a list has the records in the order of their ids' bytes, also beyond the BMP",
    (store) => ({
      records: {
        list: async (collection, { after, limit }) => {
          const all = await store.records.list(collection, { after: null, limit: 10_000 });
          const behind = after === null ? "" : Buffer.from(after).toString();
          const sorted = all?.toSorted((a, b) => (a.id < b.id ? -1 : 1)).filter(({ id }) => id > behind);
          return sorted?.slice(0, limit) ?? null;
        },
      },
    }),
  ),
  "has the last record of a page on the next one too": breaks(
    "pages of every size have each record once, and end",
    (store) => ({
      records: {
        list: async (collection, { after, limit }) => {
          const all = await store.records.list(collection, { after: null, limit: 10_000 });
          if (after === null) return all?.slice(0, limit) ?? null;
          return all?.filter(({ position }) => Buffer.compare(position, after) >= 0).slice(0, limit) ?? null;
        },
      },
    }),
  ),
  "lists what was there a moment ago": breaks(
    "a list has what another store wrote a moment ago, and nothing that it removed",
    (store) => {
      let before: Awaited<ReturnType<RecordStore["list"]>> = null;
      return {
        records: {
          list: async (collection, page) => {
            const [told, now] = [before, await store.records.list(collection, page)];
            before = now;
            return told;
          },
        },
      };
    },
  ),
  "forgets collections that are empty": breaks(
    "collections are counted, also when all their records are gone",
    (store) => ({
      records: {
        collections: async () => (await store.records.collections()).filter(({ records }) => records > 0),
      },
    }),
  ),
  "tells an outcome and does not settle it": (() => {
    const made = new Set<string>();
    return breaks("what was told to be void is never made, however it is tried", (store) => ({
      records: {
        apply: async (units, options) => {
          const results = await store.records.apply(units, options);
          for (const [index, { kind }] of results.entries()) if (kind === "made") made.add(units[index]!.writeId);
          return results;
        },
        outcome: async (units) => units.map(({ writeId }) => (made.has(writeId) ? "made" : "void")),
      },
    }));
  })(),
  "tells an outcome by the record, which another has removed": breaks(
    "what was made stays made for a day, also when another removed the record",
    (store) => ({
      records: {
        outcome: async (units) => {
          const heads = await store.records.heads(units.map(({ address }) => address));
          return heads.map(({ head }) => (head?.state === "live" ? "made" : "void"));
        },
      },
    }),
  ),
  "makes a write again under the same name": breaks("what was made is not made again under its name", (store) => ({
    records: {
      apply: (units, options) =>
        store.records.apply(
          units.map((unit) => ({ ...unit, writeId: crypto.randomUUID() as Unit["writeId"] })),
          options,
        ),
    },
  })),
  "checks the epoch and writes later": breaks(
    "writes that are under way when the key set changes are made before the answer, or not",
    (store) => ({
      records: {
        apply: async (units, options) => {
          const results = await Promise.all(
            units.map(async ({ change }) => {
              const { epoch } = await store.gate.current();
              return change.kind === "write" && change.epoch !== epoch
                ? ({ kind: "gate-moved", epoch } as const)
                : null;
            }),
          );
          if (results.some((result) => result !== null)) return results.map((result) => result ?? { kind: "not-made" });
          await turn();
          return store.records.apply(await atEpoch(store, units), options);
        },
      },
    }),
  ),
  "checks the epoch, writes later and is drained at once": breaks(
    "once drained, nothing of before is made, also when whoever flipped has no answer yet",
    (store) => ({
      records: {
        apply: async (units, options) => {
          const results = await Promise.all(
            units.map(async ({ change }) => {
              const { epoch } = await store.gate.current();
              return change.kind === "write" && change.epoch !== epoch
                ? ({ kind: "gate-moved", epoch } as const)
                : null;
            }),
          );
          if (results.some((result) => result !== null)) return results.map((result) => result ?? { kind: "not-made" });
          await turn();
          return store.records.apply(await atEpoch(store, units), options);
        },
      },
    }),
  ),
  "checks the epoch and writes later, under eight writers": breaks(
    "once a flip is answered, nothing of before is made any more, whoever is writing",
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
  "rewraps at every epoch": breaks(
    "after a flip no write and no rewrap of before is made, and both are told the epoch",
    (store) => ({
      inventory: {
        rewrap: async (change) => store.inventory.rewrap({ ...change, epoch: (await store.gate.current()).epoch }),
      },
    }),
  ),
  "flips from whatever epoch there is": breaks(
    "a flip goes one on from the epoch that it names, and from no other",
    (store) => ({
      gate: {
        flip: async ({ digest }) => store.gate.flip({ from: (await store.gate.current()).epoch, digest }),
      },
    }),
  ),
  "keeps the digest of before": breaks(
    "a flip goes one on from the epoch that it names, and from no other",
    (store) => ({
      gate: { current: async () => ({ ...(await store.gate.current()), digest: "the first key set" }) },
    }),
  ),
  "refuses removals of an older epoch's records": breaks(
    "a removal is made at every epoch, a write only at that in force",
    (store) => ({
      records: {
        apply: async (units, options) => {
          const { epoch } = await store.gate.current();
          return units[0]?.change.kind === "remove" && epoch > 1
            ? [{ kind: "gate-moved", epoch }]
            : store.records.apply(units, options);
        },
      },
    }),
  ),
  "looks at the head first and writes afterwards": breaks(
    "16 writers that read and write one record get every number once, and no gap",
    (store) => ({
      records: {
        apply: async ([unit], options) => {
          const [now] = await prepared(store, [unit!]);
          if (JSON.stringify(now!.base) !== JSON.stringify(unit!.base)) return [{ kind: "conflict" }];
          await turn();
          const results = await store.records.apply([unit!], options);
          return results.map(() => ({ kind: "made" }));
        },
      },
    }),
  ),
  "tells of what is under way that it was never made": (() => {
    const made = new Set<string>();
    return breaks("asked while it is under way, a write is made or never will be", (store) => ({
      records: {
        apply: async ([unit], options) => {
          for (let passed = 0; passed < 3; passed++) await turn();
          const results = await store.records.apply([unit!], options);
          if (results[0]?.kind === "made") made.add(unit!.writeId);
          return results;
        },
        outcome: async (units) => units.map(({ writeId }) => (made.has(writeId) ? "made" : "void")),
      },
    }));
  })(),
  "drops what is under way when it is closed": breaks(
    "closing lets what is under way end, wherever it has come to",
    (store) => ({
      records: {
        apply: async (units, options) => {
          await turn();
          return store.records.apply(units, options);
        },
      },
    }),
  ),
  "answers a flip before it has waited": breaks(
    "a flip waits for a caller's transaction that wrote, and the next one is refused the old set",
    (store) => ({
      gate: {
        flip: async (change) => {
          if (change.from === 0) return store.gate.flip(change);
          void store.gate.flip(change);
          return "flipped";
        },
      },
    }),
  ),
};

/**
 * Stores that break a promise about people, links, sealed ids or the peer.
 */
import { VaultError } from "../../../src/errors.ts";
import type { SubjectId, SubjectRecord, SubjectRow } from "../../../src/stores/subjects.ts";
import type { Unit, UnitResult } from "../../../src/stores/units.ts";
import { breaks, keyOf, turn } from "./sabotage.ts";
import type { Sabotage } from "./sabotage.ts";

const made: UnitResult = { kind: "made" };
const peopleOf = ({ change }: Unit): readonly SubjectId[] =>
  change.kind === "write" ? change.subjects.map(({ id }) => id) : [];

/** A store that answers `made` for units that it was not to make. */
const passing = (kind: UnitResult["kind"], foundBy: string): Sabotage =>
  breaks(foundBy, (store) => ({
    records: {
      apply: async (units, options) =>
        (await store.records.apply(units, options)).map((result) => (result.kind === kind ? made : result)),
    },
  }));

/** What is broken -> who finds it, and how it is broken. */
export const OF_PEOPLE: Readonly<Record<string, Sabotage>> = {
  "writes about who is closed": passing(
    "subject-closed",
    "a unit about somebody who is closed is not made, and says who and why",
  ),
  "seals under keys that were left": passing(
    "key-set-back",
    "a unit under an older key of somebody than has sealed before is not made",
  ),
  "has a row of the subject only": breaks(
    "nobody has a row before a unit is about them, and then everybody it is about",
    (store) => ({
      subjects: {
        get: async (ids) => (await store.subjects.get(ids)).map((row) => (row?.ordinals.subject === 0 ? null : row)),
      },
    }),
  ),
  "raises ordinals before it looks at anything else": breaks("what was not made has raised no ordinal", (store) => {
    const highest = new Map<string, number>();
    return {
      records: {
        apply: (units, options) => {
          for (const { change } of units)
            if (change.kind === "write")
              for (const { id, ordinal } of change.subjects) highest.set(id, Math.max(ordinal, highest.get(id) ?? 0));
          return store.records.apply(units, options);
        },
      },
      subjects: {
        get: async (ids) =>
          (await store.subjects.get(ids)).map((row) =>
            row === null ? null : { ...row, ordinals: { ...row.ordinals, subject: highest.get(row.id) ?? 0 } },
          ),
      },
    };
  }),
  "asks for people before it looks at the head": breaks(
    "where more than one thing is in the way, the first of one order is told",
    (store) => ({
      records: {
        apply: async (units, options) => {
          const rows = await store.subjects.get(units.flatMap(peopleOf));
          const closed = rows.find((row) => row !== null && row.state !== "active");
          const results = await store.records.apply(units, options);
          return results.map((result) =>
            result.kind === "made" || closed === undefined || closed === null
              ? result
              : { kind: "subject-closed", id: closed.id, state: closed.state as "restricted" },
          );
        },
      },
    }),
  ),
  "makes the rest of a transaction": breaks(
    "of a transaction that one closed person stops, nothing is made",
    (store) => ({
      records: {
        apply: async (units, { atomic }) => {
          const results = await store.records.apply(units, { atomic });
          if (!atomic || units.length === 1) return results;
          const free = units.filter((_, index) => results[index]?.kind === "not-made");
          await store.records.apply(free, { atomic });
          return results;
        },
      },
    }),
  ),
  "joins the people of another moment": breaks(
    "a reader sees a version and the people it is about of one moment",
    (store) => ({
      records: {
        read: async (address, version) => {
          const { subjects } = await store.records.read(address, version);
          await turn();
          return { ...(await store.records.read(address, version)), subjects };
        },
      },
    }),
  ),
  "joins the people of the newest version": breaks(
    "a version reads back with whom it is about, and with their rows",
    (store) => ({
      records: {
        read: async (address, version) => ({
          ...(await store.records.read(address, version)),
          subjects: (await store.records.read(address, null)).subjects,
        }),
      },
    }),
  ),
  "joins states as they were when it first saw them": breaks(
    "a version reads back with whom it is about, and with their rows",
    (store) => ({
      records: {
        read: async (address, version) => {
          const read = await store.records.read(address, version);
          return { ...read, subjects: read.subjects.map((row): SubjectRow => ({ ...row, state: "active" })) };
        },
      },
    }),
  ),
  "loses further people of a version": breaks(
    "a version reads back with whom it is about, and with their rows",
    (store) => ({
      records: {
        versions: async (address, page) => {
          const found = await store.records.versions(address, page);
          return { ...found, versions: found.versions.map((row) => ({ ...row, about: [] })) };
        },
      },
    }),
  ),
  "changes a state whatever it is": breaks(
    "a state changes from those that are named, and is told as it is then",
    (store) => ({
      subjects: {
        setState: ({ id, to }) =>
          store.subjects.setState({ id, to, from: ["active", "restricted", "erasing", "erased"] }),
      },
    }),
  ),
  "tells each who changes a state what they asked for": breaks(
    "of many changes of one state exactly one is made, and all are told it",
    (store) => ({
      subjects: {
        setState: async (change) => {
          await store.subjects.setState(change);
          return change.to;
        },
      },
    }),
  ),
  "closes a person without waiting for units under way": breaks(
    "a person is closed when a transaction that wrote about them has ended, and not before",
    (store) => ({
      subjects: {
        setState: async (change) => {
          void store.subjects.setState(change);
          return change.to;
        },
      },
    }),
  ),
  "closes a person some time after it was answered": breaks(
    "once a person is closed nothing about them is made, whoever is writing",
    (store) => ({
      subjects: {
        setState: async (change) => {
          setTimeout(() => void store.subjects.setState(change).catch(() => undefined), 5);
          return change.to;
        },
      },
    }),
  ),
  "lists people in the order in which they came": breaks(
    "people are listed in the order of ids, page by page, each once",
    (store) => ({
      subjects: { list: async ({ limit }) => (await store.subjects.newest(limit)).toReversed() },
    }),
  ),
  "takes the highest ids for the newest": breaks(
    "the newest people are those whose rows were made last, whatever became of them since",
    (store) => ({
      subjects: {
        newest: async (limit) => (await store.subjects.list({ after: null, limit: 1000 })).toReversed().slice(0, limit),
      },
    }),
  ),
  "forgets who a record was about before": breaks(
    "somebody's records are found, each once, until they are removed",
    (store) => ({
      subjects: {
        records: async (id, page) => {
          const found = await store.subjects.records(id, page);
          const reads = await Promise.all(
            found.map(({ collection, id: record }) =>
              store.records.read({ collection, id: record } as Unit["address"], null),
            ),
          );
          return found.filter((_, index) => reads[index]!.subjects.some((row) => row.id === id));
        },
      },
    }),
  ),
  "keeps links to what was removed": breaks(
    "somebody's records are found, each once, until they are removed",
    (store) => {
      const links = new Map<string, Map<string, SubjectRecord>>();
      return {
        records: {
          apply: async (units, options) => {
            for (const unit of units)
              for (const id of peopleOf(unit)) {
                const own = links.get(id) ?? new Map<string, SubjectRecord>();
                links.set(
                  id,
                  own.set(keyOf(unit), { ...unit.address, sealedId: null, position: Buffer.from(keyOf(unit)) }),
                );
              }
            return store.records.apply(units, options);
          },
        },
        subjects: { records: async (id) => [...(links.get(id)?.values() ?? [])] },
      };
    },
  ),
  "has the record at which a page begins once more": (() => {
    const next = new Map<string, Uint8Array | null>();
    return breaks("pages of every size have each of somebody's records once", (store) => ({
      subjects: {
        records: async (id, { after, limit }) => {
          const key = after === null ? "" : Buffer.from(after).toString("hex");
          const page = await store.subjects.records(id, {
            after: after === null ? null : (next.get(key) ?? after),
            limit,
          });
          for (const [index, { position }] of page.entries())
            next.set(Buffer.from(position).toString("hex"), page[index - 1]?.position ?? null);
          return page;
        },
      },
    }));
  })(),
  "puts people in order itself": breaks(
    "what a unit may not say of people is refused, and nothing is made",
    (store) => ({
      records: {
        apply: (units, options) =>
          store.records.apply(
            units.map((unit) => {
              if (unit.change.kind !== "write") return unit;
              const subjects = unit.change.subjects.toSorted((a, b) => (a.id < b.id ? -1 : 1));
              return { ...unit, change: { ...unit.change, subjects } };
            }),
            options,
          ),
      },
    }),
  ),
  "keeps the first sealed id": breaks(
    "a sealed id is kept at the head, until another is or the record goes",
    (store) => {
      const first = new Map<string, Uint8Array | null>();
      return {
        records: {
          list: async (collection, page) =>
            (await store.records.list(collection, page))?.map((record) => {
              const sealedId = first.get(record.id) ?? record.sealedId;
              first.set(record.id, sealedId);
              return { ...record, sealedId };
            }) ?? null,
        },
      };
    },
  ),
  "tells somebody's records without their sealed ids": breaks(
    "somebody's records are told with the sealed ids of their heads",
    (store) => ({
      subjects: {
        records: async (id, page) =>
          (await store.subjects.records(id, page)).map((record) => ({ ...record, sealedId: null })),
      },
    }),
  ),
  "rewraps away whom a version is about": (() => {
    const rewrapped = new Set<string>();
    return breaks("a rewrap leaves whom a version is about", (store) => ({
      records: {
        read: async (address, version) => {
          const read = await store.records.read(address, version);
          return rewrapped.has(address.id) ? { ...read, subjects: [] } : read;
        },
      },
      inventory: {
        rewrap: (change) => {
          rewrapped.add(change.place.id);
          return store.inventory.rewrap(change);
        },
      },
    }));
  })(),
  "tells each peer that it is the one": breaks(
    "the first peer that is noted is the peer, for good, whoever asks later",
    (store) => ({
      gate: {
        bind: async (peer) => {
          await store.gate.bind(peer);
          return peer;
        },
      },
    }),
  ),
  "forgets the peer with a flip": breaks("a peer outlasts a flip", (store) => ({
    gate: {
      current: async () => {
        const state = await store.gate.current();
        return state.epoch > 1 ? { ...state, peer: null } : state;
      },
    },
  })),
  "fails a caller's transaction for a closed person": breaks(
    "a closed person, and a key that was left, are answers: the transaction goes on",
    (store) => ({
      transaction: async (client) => {
        const units = await store.transaction!(client);
        return {
          apply: async (given) => {
            const results = await units.apply(given);
            if (results.some(({ kind }) => kind === "subject-closed")) throw new VaultError("store-failed", "closed");
            return results;
          },
        };
      },
    }),
  ),
};

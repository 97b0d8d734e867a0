/**
 * Keys and names of what is in memory. The rules of a creation are in `make`, in the order in which they are asked.
 * Bytes are copied out: what a reader does with them changes nothing that is kept.
 */
import type {
  Creation,
  CreationResult,
  KeyKind,
  KeyPlace,
  KeyRead,
  KeyRewrap,
  KeyRow,
  KeyRows,
  NameRow,
} from "../key-store.ts";
import { KEY_KINDS } from "../key-store.ts";
import { isSubjectId } from "../subjects.ts";
import { parseWrapSet } from "../wrap-set.ts";
import { internWrapSet } from "./common-tables.ts";
import type { WrappedRows } from "./inventory.ts";
import { tagKey } from "./key-tables.ts";
import type { KeptKey, KeyTables } from "./key-tables.ts";

/** The calls of keys and names, each done at once. */
export type KeyCalls = {
  readonly [Name in keyof KeyRows]: (...args: Parameters<KeyRows[Name]>) => Awaited<ReturnType<KeyRows[Name]>>;
};

/** Most versions of a key that are told. */
const MOST_VERSIONS = 1000;

export function memoryKeys(tables: KeyTables): KeyCalls {
  const { keys, names, tags, tombstones } = tables;
  return {
    resolve: (wanted) => wanted.map((tag) => tags.get(tagKey(tag)) ?? null),
    names: (ids) => ids.map((id) => shownName(names.get(id))),
    active: (wanted) => wanted.map((name) => shownKey(tables, tables.versionsOf(name)[0])),
    version: (owner, version) => shownKey(tables, tables.find(owner, version)),
    versions: (name) =>
      tables
        .versionsOf(name)
        .slice(0, MOST_VERSIONS)
        .map((key) => shownKey(tables, key)),
    owners: (versions) => {
      const all = [...keys.values()].flat();
      return versions.map((version) => {
        const found = all.find((key) => key.version === version);
        return found === undefined ? null : { kind: found.kind, owner: found.owner };
      });
    },
    create: (creations) => creations.map((creation) => make(tables, creation)),
    erase: (ids, at) => {
      for (const id of ids) {
        if (!tombstones.has(id)) tombstones.set(id, at);
        const name = names.get(id);
        if (name !== undefined) tags.delete(tagKey(name.tag));
        names.delete(id);
        keys.delete(id);
      }
    },
    drop: ({ place: { kind, owner, version }, seen, epoch }) => {
      if (epoch !== tables.gate.epoch) return { kind: "gate-moved", epoch: tables.gate.epoch };
      const all = keys.get(owner) ?? [];
      const found = all.find((key) => key.kind === kind && key.version === version);
      if (found?.wrapSet !== seen.wrapSet || found.revision !== seen.revision) return { kind: "overtaken" };
      keys.set(
        owner,
        all.filter((key) => key !== found),
      );
      return { kind: "made" };
    },
    retag: ({ id, seen, tag, epoch }) => {
      if (epoch !== tables.gate.epoch) return { kind: "gate-moved", epoch: tables.gate.epoch };
      const name = names.get(id);
      if (name === undefined || tagKey(name.tag) !== tagKey(seen) || tags.has(tagKey(tag)))
        return { kind: "overtaken" };
      tags.delete(tagKey(seen));
      tags.set(tagKey(tag), id);
      names.set(id, { ...name, tag });
      return { kind: "made" };
    },
    erased: (ids) => ids.map((id) => tombstones.has(id)),
    people: ({ after, limit }) =>
      [...new Set([...names.keys(), ...[...keys.keys()].filter(isSubjectId)])]
        .filter((id) => after === null || id > after)
        .sort()
        .slice(0, limit),
    counts: () => {
      const all = [...keys.values()].flat();
      const count = (wanted: KeyKind): number => all.filter(({ kind }) => kind === wanted).length;
      return Object.fromEntries(KEY_KINDS.map((kind) => [kind, count(kind)])) as Record<KeyKind, number>;
    },
  };
}

function make(tables: KeyTables, { epoch, name, key }: Creation): CreationResult {
  const { keys, names, tags, tombstones, gate } = tables;
  if (key !== null && epoch !== gate.epoch) return { kind: "gate-moved", epoch: gate.epoch };
  const owner = name?.id ?? key?.owner ?? "";
  if (tombstones.has(owner)) return { kind: "erased" };
  if (name !== null) {
    const id = tags.get(tagKey(name.tag)) ?? names.get(name.id)?.id;
    if (id !== undefined) return { kind: "exists", id };
  }
  const before = keys.get(owner) ?? [];
  if (key !== null && before.some((other) => isSameKey(other, key))) return { kind: "exists", id: null };
  if (name !== null) {
    names.set(name.id, name);
    tags.set(tagKey(name.tag), name.id);
  }
  if (key !== null) {
    const wrapSet = internWrapSet(tables, key.wrapSet);
    keys.set(owner, [...before, { ...key, wrapSet, since: key.createdAt, revision: 0, failure: null }]);
  }
  return { kind: "made" };
}

type Numbered = Pick<KeptKey, "kind" | "ordinal" | "version">;

function isSameKey(a: Numbered, b: Numbered): boolean {
  return a.version === b.version || (a.kind === b.kind && a.ordinal === b.ordinal);
}

function shownName(row: NameRow | undefined): NameRow | null {
  return row === undefined ? null : { id: row.id, tag: Buffer.from(row.tag), sealed: Buffer.from(row.sealed) };
}

function shownKey(tables: KeyTables, kept: KeptKey | null | undefined): KeyRead {
  if (kept === null || kept === undefined) return { key: null };
  const { kind, owner, version, ordinal, generation, createdAt, check, wraps, wrapSet, revision } = kept;
  const form = [...tables.wrapSets.values()].find(({ id }) => id === wrapSet)?.form;
  const key: KeyRow = {
    ...{ kind, owner, version, ordinal, generation, createdAt },
    check: Buffer.from(check),
    wraps: wraps.map(({ provider, info, ciphertext }) => ({
      provider,
      info: Buffer.from(info),
      ciphertext: Buffer.from(ciphertext),
    })),
    stamp: { wrapSet, revision },
    wrapSet: form === undefined ? null : parseWrapSet(form),
  };
  return { key };
}

/** Keys as the inventory finds and changes them. */
export function wrappedKeys(tables: KeyTables): WrappedRows<KeyPlace, KeyRewrap, KeptKey> {
  const { keys } = tables;
  return {
    *all() {
      for (const row of [...keys.values()].flat()) {
        const { kind, owner, version } = row;
        yield { row, place: { kind, owner, version }, collection: kind, id: owner, version };
      }
    },
    replace: ({ kind, owner, version }, replace) => {
      const all = keys.get(owner) ?? [];
      const index = all.findIndex((key) => key.kind === kind && key.version === version);
      const before = all[index];
      const row = before === undefined ? null : replace(before);
      if (row === null || all.some((other) => other !== before && isSameKey(other, row))) return false;
      keys.set(owner, all.with(index, row));
      return true;
    },
    rewrapped: (row, { wraps, moved, wrapSet }) => ({
      ...row,
      ...(moved !== null && { generation: moved.generation, check: moved.check, ...moved.as }),
      wraps: wraps ?? row.wraps,
      revision: wraps === null ? row.revision : row.revision + 1,
      wrapSet: internWrapSet(tables, wrapSet),
    }),
  };
}

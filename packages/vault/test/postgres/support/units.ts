/**
 * Single writes on a store, as short as a test wants them.
 */
import { randomUUID } from "node:crypto";
import assert from "node:assert/strict";
import { parseAddress, parseSubject, parseVersion } from "@strongroom/vault";
import type { Store } from "@strongroom/vault";
import type { Epoch } from "../../../src/stores/gate.ts";
import type { AddressTag, EntryId, OutboxEntry, StreamId } from "../../../src/stores/outbox.ts";
import type { SubjectId, UnitSubject } from "../../../src/stores/subjects.ts";
import type { Unit, WriteId } from "../../../src/stores/units.ts";

/** What a test may choose of a write. */
export interface UnitOptions {
  readonly epoch?: number;
  readonly message?: Uint8Array;
  /** Whom it is about, under whose keys. Left out: it names somebody, as programs did that knew of no people. */
  readonly subjects?: readonly UnitSubject[];
}

/** A new person, and what a unit says of them. */
export function person(ordinal = 1, id: string = randomUUID()): UnitSubject {
  return { id: id as SubjectId, scope: "subject", ordinal };
}

const DATE = "2026-01-01T00:00:00.000Z";

/** A write of version `next` on top of `base`; null: there was none. */
export function writeUnit(id: string, base: number | null, next: number, options: UnitOptions = {}): Unit {
  const { epoch = 0, message = Buffer.from(`message ${next}`), subjects = [] } = options;
  const wrapSet = { wraps: [{ provider: "aws-kms", key: "arn:1", material: null }], target: 1, missing: [] };
  const [first, ...more] = subjects.map(({ id }) => id);
  const about =
    first === undefined
      ? ({ scheme: 1, subject: parseSubject("ada"), about: [] } as const)
      : ({ scheme: 2, subject: parseSubject(first), about: more.sort() } as const);
  const version = { version: parseVersion(next), ...about, createdAt: DATE, wrapSet, message };
  return {
    writeId: randomUUID() as string as WriteId,
    address: parseAddress({ collection: "people", id }),
    base: base === null ? null : { version: parseVersion(base), state: "live" },
    change: { kind: "write", epoch: epoch as Epoch, versions: [version], subjects: sorted(subjects), sealedId: null },
  };
}

/** What a test may choose of an entry. */
export interface EntryOptions {
  readonly number: number;
  /** Left out: one of its own. */
  readonly stream?: string;
  readonly tag?: string | null;
  readonly text?: Uint8Array;
  readonly ends?: boolean;
}

/** An entry of an outbox. */
export function entry(options: EntryOptions, id: string = randomUUID()): OutboxEntry {
  const { number, stream = randomUUID(), tag = null, text = Buffer.from(`entry ${id}`), ends = false } = options;
  return {
    id: id as EntryId,
    stream: stream as StreamId,
    number,
    ends,
    tag: tag as AddressTag | null,
    text,
    mac: Buffer.alloc(32, 7),
  };
}

/** A unit with an entry. `previous`: the one that the head must have. */
export function withEntry(unit: Unit, options: EntryOptions & { readonly previous: string | null }): Unit {
  const previous = options.previous as EntryId | null;
  return { ...unit, entry: { ...entry(options, unit.writeId), previous } };
}

const sorted = (subjects: readonly UnitSubject[]): readonly UnitSubject[] =>
  subjects.toSorted((a, b) => (a.id < b.id ? -1 : 1));

export async function put(
  store: Store,
  id: string,
  base: number | null,
  next: number,
  options?: UnitOptions,
): Promise<void> {
  assert.deepEqual(await store.records.apply([writeUnit(id, base, next, options)], { atomic: true }), [
    { kind: "made" },
  ]);
}

export async function remove(store: Store, id: string, base: number): Promise<void> {
  const unit: Unit = {
    writeId: randomUUID() as string as WriteId,
    address: parseAddress({ collection: "people", id }),
    base: { version: parseVersion(base), state: "live" },
    change: { kind: "remove", tombstone: parseVersion(base), removedAt: DATE },
  };
  assert.deepEqual(await store.records.apply([unit], { atomic: true }), [{ kind: "made" }]);
}

/** The newest message as text; null: there is none. */
export async function get(store: Store, id: string): Promise<string | null> {
  const { stored } = await store.records.read(parseAddress({ collection: "people", id }), null);
  return stored === null ? null : Buffer.from(stored.message).toString();
}

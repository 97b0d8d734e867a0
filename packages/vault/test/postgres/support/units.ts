/**
 * Single writes on a store, as short as a test wants them.
 */
import { randomUUID } from "node:crypto";
import assert from "node:assert/strict";
import { parseAddress, parseSubject, parseVersion } from "@strongroom/vault";
import type { Store } from "@strongroom/vault";
import type { Epoch } from "../../../src/stores/gate.ts";
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

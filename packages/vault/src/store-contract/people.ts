/**
 * Short forms for what a store's contract says of people.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { parseSubject } from "../records/address.ts";
import type { Address } from "../records/address.ts";
import type { Head } from "../stores/rows.ts";
import type { Store } from "../stores/store.ts";
import type { SubjectId, SubjectRow, SubjectState, UnitSubject } from "../stores/subjects.ts";
import { write } from "./changes.ts";
import type { WriteOptions, WriteUnit } from "./changes.ts";

/** States in which nobody is written about. */
export const CLOSED = ["restricted", "erasing", "erased"] as const;

/** So many people that there were not before, in the order of their ids. */
export function newPeople(count: number): readonly SubjectId[] {
  return Array.from({ length: count }, () => randomUUID() as string as SubjectId).sort();
}

/** Somebody that there was not before. */
export function newPerson(): SubjectId {
  return randomUUID() as string as SubjectId;
}

/** Somebody under whose first key a unit was sealed. */
export const sealedFor = (id: SubjectId, more: Partial<UnitSubject> = {}): UnitSubject => ({
  id,
  scope: "subject",
  ordinal: 1,
  ...more,
});

/** Somebody under none of whose keys a unit was sealed. */
export const mentioned = (id: SubjectId): UnitSubject => ({ id, scope: "record", ordinal: 0 });

/** What a write says of the first of these people, whose key seals it, and of the others, who are mentioned. */
export function aboutAll(
  [first, ...others]: readonly SubjectId[],
  sealing: Partial<UnitSubject> = {},
): Pick<WriteUnit["change"], "subjects"> & Required<Pick<WriteOptions, "scheme" | "subject" | "about">> {
  assert.ok(first !== undefined);
  const subjects = [sealedFor(first, sealing), ...others.map(mentioned)];
  return {
    scheme: 2,
    subject: parseSubject(first),
    about: [...others].sort(),
    subjects: subjects.sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

/** A write of one version about somebody. */
export const writeAbout = (
  id: SubjectId,
  address: Address,
  base: Head | null,
  number: number,
  more: WriteOptions = {},
): WriteUnit => write(address, base, number, { ...aboutAll([id]), ...more });

/** A row as it should be. */
export const row = (id: SubjectId, state: SubjectState, [subject, tenant]: readonly [number, number]): SubjectRow => ({
  id,
  state,
  ordinals: { subject, tenant },
});

/** Changes somebody's state, whatever it is. */
export async function setState(store: Store, id: SubjectId, to: SubjectState): Promise<void> {
  const from = ["active", "restricted", "erasing", "erased"] as const;
  assert.equal(await store.subjects.setState({ id, from, to }), to);
}

/** The records of somebody, in the order of collection and id, whatever the store's is. */
export async function recordsOf(store: Store, id: SubjectId, limit = 1000): Promise<readonly string[]> {
  const found = await store.subjects.records(id, { after: null, limit });
  return found.map((record) => `${record.collection}/${record.id}`).sort();
}

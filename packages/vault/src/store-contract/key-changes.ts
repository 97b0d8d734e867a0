/**
 * Short forms for the contract of a key store: names, keys, creations, rewraps, and what is asserted of them.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import type { Epoch } from "../stores/gate.ts";
import type { InventoryItem } from "../stores/inventory.ts";
import type {
  Creation,
  CreationResult,
  KeyKind,
  KeyName,
  KeyPlace,
  KeyRead,
  KeyRewrap,
  KeyRow,
  KeyStore,
  KeyVersion,
  KeyWrap,
  NameRow,
  NewKey,
} from "../stores/key-store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { day, EPOCH, sorted, wrapSet } from "./changes.ts";
import { newPerson } from "./people.ts";

/** A version that no key has. */
export const newKeyVersion = (): KeyVersion => randomUUID() as string as KeyVersion;

/** A wrap of a key, as many bytes as one of AWS KMS. */
export const newWrap = (more: Partial<KeyWrap> = {}): KeyWrap => ({
  provider: "aws-kms",
  info: Buffer.from("arn:aws:kms:eu-central-1:111122223333:key/mrk-1"),
  ciphertext: randomBytes(184),
  ...more,
});

/** A key of somebody, whose first it is. */
export function newKey(owner: string, more: Partial<NewKey> = {}): NewKey {
  return {
    kind: "subject",
    owner,
    version: newKeyVersion(),
    ordinal: 1,
    generation: 1,
    createdAt: day(1),
    check: randomBytes(32),
    wraps: [newWrap(), newWrap({ info: Buffer.from("arn:2") })],
    wrapSet: wrapSet(),
    ...more,
  };
}

export const newName = (id: SubjectId, more: Partial<NameRow> = {}): NameRow => ({
  id,
  tag: randomBytes(32),
  sealed: randomBytes(90),
  ...more,
});

/** A person with their first key. */
export const newcomer = (
  id: SubjectId = newPerson(),
  more: Partial<NewKey> = {},
): Creation & { readonly name: NameRow; readonly key: NewKey } => ({
  epoch: EPOCH.first,
  name: newName(id),
  key: newKey(id, more),
});

/** A key alone. */
export const keyOnly = (key: NewKey, epoch: Epoch = EPOCH.first): Creation => ({ epoch, name: null, key });

export const placeOf = ({ kind, owner, version }: KeyPlace): KeyPlace => ({ kind, owner, version });
export const nameOf = ({ kind, owner }: KeyName): KeyName => ({ kind, owner });
export const vaultKey = (kind: KeyKind): KeyName => ({ kind, owner: "vault" });

/** What becomes of one creation. */
export async function createOne(store: KeyStore, creation: Creation): Promise<CreationResult> {
  const results = await store.keys.create([creation]);
  assert.equal(results.length, 1);
  return results[0]!;
}

/** Makes each creation, one after the other. */
export async function makeKeys(store: KeyStore, ...creations: readonly Creation[]): Promise<void> {
  for (const creation of creations) assert.deepEqual(await createOne(store, creation), { kind: "made" });
}

/** A key that is there, whole. */
export function whole({ key, damage }: KeyRead): KeyRow {
  assert.equal(damage, undefined);
  assert.ok(key !== null);
  return key;
}

/** The row of a key that is there, whole. */
export async function keyOf(store: KeyStore, { owner, version }: KeyPlace): Promise<KeyRow> {
  return whole(await store.keys.version(owner, version));
}

/** A key as two that are alike are equal, whatever kind of bytes they hold. */
export function columns({ check, wraps, wrapSet: set, ...key }: NewKey | KeyRow): unknown {
  const { kind, owner, version, ordinal, generation, createdAt } = key;
  return {
    ...{ kind, owner, version, ordinal, generation, createdAt },
    check: hex(check),
    wraps: wraps.map(({ provider, info, ciphertext }) => [provider, hex(info), hex(ciphertext)]),
    wrapSet: set === null ? null : sorted(set),
  };
}

/** A name as two that are alike are equal. */
export const nameColumns = (row: NameRow | null): unknown =>
  row === null ? null : { id: row.id, tag: hex(row.tag), sealed: hex(row.sealed) };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The rewrap of a key as it is now: nothing is owed any more. */
export async function keyRewrapOf(store: KeyStore, place: KeyPlace, more: Partial<KeyRewrap> = {}): Promise<KeyRewrap> {
  return {
    place: placeOf(place),
    seen: (await keyOf(store, place)).stamp,
    epoch: EPOCH.first,
    wraps: [newWrap(), newWrap(), newWrap()],
    moved: null,
    wrapSet: wrapSet(["key-1", "key-2", "key-3"]),
    at: day(27),
    lease: null,
    ...more,
  };
}

/** Every key that has one of all sets there are, in the store's order. */
export async function keysOf(store: KeyStore): Promise<readonly InventoryItem<KeyPlace>[]> {
  const sets = (await store.inventory.sets()).map(({ id }) => id);
  return store.inventory.list({ sets, after: null, limit: 10_000 });
}

/**
 * Keys and names as the writer is given them: checked and copied at the call, in plain values that another thread can
 * be sent.
 */
import { VaultError } from "../../errors.ts";
import type { Address } from "../../records/address.ts";
import { bucketOf } from "../bucket.ts";
import type { Epoch } from "../gate.ts";
import { KEY_KINDS } from "../key-store.ts";
import type { Creation, KeyName, KeyPlace, KeyRewrap, KeyVersion, KeyWrap, NameRow, NewKey } from "../key-store.ts";
import { isSubjectId } from "../subjects.ts";
import type { SubjectId } from "../subjects.ts";
import { MAX_SEALED_BYTES, moment } from "./columns.ts";
import { DIGEST_BYTES, encodeWraps } from "./key-columns.ts";
import type { Rewrapped } from "./write-inventory.ts";
import { wrapSetRow } from "./wrap-set-rows.ts";
import type { WrapSetRow } from "./wrap-set-rows.ts";

export interface TakenKey extends KeyPlace {
  readonly ordinal: number;
  readonly generation: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly bucket: number;
  readonly check: Uint8Array;
  readonly wraps: Uint8Array;
  readonly wrapSet: WrapSetRow;
}

export interface TakenCreation {
  readonly epoch: Epoch;
  readonly name: NameRow | null;
  readonly key: TakenKey | null;
}

export interface TakenKeyRewrap extends Rewrapped {
  readonly place: KeyPlace;
  readonly wraps: Uint8Array | null;
  readonly moved: KeyRewrap["moved"];
  readonly wrapSet: WrapSetRow;
  readonly since: number;
}

/** @throws VaultError `store-failed`: they are no creations */
export function takeCreations(creations: readonly Creation[]): readonly TakenCreation[] {
  return creations.map((creation) => taken(() => takeCreation(creation)));
}

function takeCreation({ epoch, name, key }: Creation): TakenCreation {
  if (name === null && key === null) throw new RangeError("nothing is to be made");
  if (name !== null && key !== null && name.id !== key.owner)
    throw new RangeError("the key is somebody else's than the name");
  return { epoch, name: name === null ? null : takeName(name), key: key === null ? null : takeKey(key) };
}

function takeName({ id, tag, sealed }: NameRow): NameRow {
  if (sealed.length === 0 || sealed.length > MAX_SEALED_BYTES)
    throw new RangeError(`a sealed name has 1 to ${MAX_SEALED_BYTES} bytes`);
  return { id: takeId(id), tag: takeDigest(tag), sealed: new Uint8Array(sealed) };
}

function takeKey({ ordinal, generation, createdAt, check, wraps, wrapSet, ...place }: NewKey): TakenKey {
  const own = takePlace(place);
  if (!Number.isSafeInteger(ordinal) || ordinal < 1) throw new RangeError("an ordinal is a whole number from 1");
  return {
    ...own,
    ordinal,
    generation: takeGeneration(generation),
    createdAt: takeMoment(createdAt),
    bucket: bucketOfKey(own),
    check: takeDigest(check),
    wraps: takeWraps(wraps),
    wrapSet: wrapSetRow(wrapSet),
  };
}

/** @throws VaultError `store-failed` */
export function takeKeyRewrap({ place, seen, epoch, wraps, moved, wrapSet, at, lease }: KeyRewrap): TakenKeyRewrap {
  return taken(() => ({
    place: takePlace(place),
    seen: { wrapSet: seen.wrapSet, revision: seen.revision },
    epoch,
    wraps: wraps === null ? null : takeWraps(wraps),
    moved: moved === null ? null : { generation: takeGeneration(moved.generation), check: takeDigest(moved.check) },
    wrapSet: wrapSetRow(wrapSet),
    since: takeMoment(at),
    lease: lease === null ? null : { job: lease.job, partition: lease.partition, fence: lease.fence },
  }));
}

/** @throws VaultError `store-failed` */
export function takeIds(ids: readonly SubjectId[]): readonly SubjectId[] {
  return ids.map((id) => taken(() => takeId(id)));
}

/** @throws VaultError `store-failed` */
export function takeMomentText(at: string): string {
  taken(() => takeMoment(at));
  return at;
}

/** In which bucket a key is: all versions of one are in the same. */
export const bucketOfKey = ({ kind, owner }: KeyName): number =>
  bucketOf({ collection: kind, id: owner } as unknown as Address);

const MOST_OWNER_BYTES = 256;

function takePlace({ kind, owner, version }: KeyPlace): KeyPlace {
  const bytes = Buffer.byteLength(owner, "utf8");
  if (!KEY_KINDS.includes(kind)) throw new RangeError("that is no kind of key");
  if (bytes < 1 || bytes > MOST_OWNER_BYTES || !owner.isWellFormed())
    throw new RangeError(`an owner has 1 to ${MOST_OWNER_BYTES} bytes of UTF-8`);
  return { kind, owner, version: takeId(version) };
}

function takeId<Id extends SubjectId | KeyVersion>(id: Id): Id {
  if (!isSubjectId(id)) throw new RangeError("an id is a random UUID in lower case");
  return id;
}

function takeDigest(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== DIGEST_BYTES) throw new RangeError(`a tag or a check has ${DIGEST_BYTES} bytes`);
  return new Uint8Array(bytes);
}

function takeGeneration(generation: number): number {
  if (!Number.isSafeInteger(generation) || generation < 0) throw new RangeError("a generation is a whole number");
  return generation;
}

function takeWraps(wraps: readonly KeyWrap[]): Uint8Array {
  if (wraps.length === 0) throw new RangeError("a key has at least one wrap");
  return encodeWraps(wraps);
}

function takeMoment(text: string): number {
  if (moment(text) === null) throw new RangeError("a moment is written as toISOString writes it");
  return Date.parse(text);
}

function taken<Taken>(take: () => Taken): Taken {
  try {
    return take();
  } catch (cause) {
    const why = cause instanceof Error ? ` (${cause.message})` : "";
    throw new VaultError("store-failed", `The store does not take this: it is nothing that a vault writes${why}`, {
      cause,
    });
  }
}

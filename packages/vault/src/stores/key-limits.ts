/**
 * What a key store takes, the same on every one: checked and copied at the call, so that nothing that a caller does to
 * its objects and buffers afterwards changes what is stored.
 */
import { bytes, randomId, refused, text, whole, wholeNumber } from "./checked.ts";
import { KEY_KINDS } from "./key-store.ts";
import type { Creation, KeyDrop, KeyKind, KeyPlace, KeyRewrap, KeyVersion, KeyWrap } from "./key-store.ts";
import type { NameRetag, NameRow, NewKey } from "./key-store.ts";
import { parseMoment } from "./moment.ts";
import type { SubjectId } from "./subjects.ts";
import { MAX_SEALED_BYTES } from "./unit-people.ts";

/** Most creations of one call. */
export const MAX_CREATIONS = 1000;
/** Most versions whose owners are asked for in one call. */
export const MAX_VERSIONS = 1000;
/** Most wraps of one key. */
export const MAX_KEY_WRAPS = 64;
/** Most bytes of a wrap's ciphertext. */
export const MAX_WRAP_BYTES: number = 8 * 1024;
/** Most bytes of an owner, of a provider, and of a wrapping key's name as its provider writes it. */
const MAX_OWNER_BYTES = 256;
const MAX_PROVIDER_BYTES = 256;
const MAX_INFO_BYTES = 2048;
/** Of a tag and of a key check: SHA-256. */
const DIGEST_BYTES = 32;

/** @throws VaultError `store-failed`: they are more than one call takes, or hold what no vault writes */
export function takeCreations(creations: readonly Creation[]): readonly Creation[] {
  if (creations.length > MAX_CREATIONS)
    throw refused(`one call has at most ${MAX_CREATIONS} creations, not ${creations.length}`);
  return whole(() => creations.map(takeCreation));
}

/** @throws VaultError `store-failed` */
export function takeKeyRewrap({ place, seen, epoch, wraps, moved, wrapSet, at, lease }: KeyRewrap): KeyRewrap {
  if (wraps === null && moved !== null) throw refused("a generation changes with new wraps only");
  return whole(() => ({
    place: takePlace(place),
    seen: { wrapSet: seen.wrapSet, revision: seen.revision },
    epoch,
    wraps: wraps === null ? null : takeWraps(wraps),
    moved:
      moved === null
        ? null
        : {
            generation: wholeNumber(moved.generation, 0),
            check: bytes(moved.check, DIGEST_BYTES, DIGEST_BYTES),
            ...(moved.as !== undefined && { as: takeNumbered(moved.as) }),
          },
    wrapSet: structuredClone(wrapSet),
    at: parseMoment(at),
    lease: lease === null ? null : { job: lease.job, partition: lease.partition, fence: lease.fence },
  }));
}

/** People that are to be erased, each once. @throws VaultError `store-failed` */
export function takeErasure(ids: readonly SubjectId[], at: string): { readonly ids: SubjectId[]; readonly at: string } {
  return whole(() => ({ ids: [...new Set(ids.map(personId))], at: parseMoment(at) }));
}

/** A version that goes. People's keys go with the person (`erase`). @throws VaultError `store-failed` */
export function takeDrop({ place, seen, epoch }: KeyDrop): KeyDrop {
  return whole(() => ({ place: takePlace(place), seen: { wrapSet: seen.wrapSet, revision: seen.revision }, epoch }));
}

/** @throws VaultError `store-failed` */
export function takeRetag({ id, seen, tag, epoch }: NameRetag): NameRetag {
  return whole(() => ({
    ...{ id: personId(id), epoch },
    seen: bytes(seen, DIGEST_BYTES, DIGEST_BYTES),
    tag: bytes(tag, DIGEST_BYTES, DIGEST_BYTES),
  }));
}

/** Versions of keys whose owners are asked for. @throws VaultError `store-failed` */
export function takeVersions(versions: readonly KeyVersion[]): readonly KeyVersion[] {
  if (versions.length > MAX_VERSIONS)
    throw refused(`one call has at most ${MAX_VERSIONS} versions, not ${versions.length}`);
  return whole(() => versions.map((version) => randomId(version, "a key's version")));
}

function takeCreation({ epoch, name, key }: Creation): Creation {
  if (name === null && key === null) throw new RangeError("a creation makes something");
  const own = { epoch, name: name === null ? null : takeName(name), key: key === null ? null : takeKey(key) };
  if (own.name !== null && own.key !== null && own.name.id !== own.key.owner)
    throw new RangeError("a person is made with a key of their own");
  return own;
}

function takeName({ id, tag, sealed }: NameRow): NameRow {
  return {
    id: personId(id),
    tag: bytes(tag, DIGEST_BYTES, DIGEST_BYTES),
    sealed: bytes(sealed, 1, MAX_SEALED_BYTES),
  };
}

function takeKey(key: NewKey): NewKey {
  return {
    ...takePlace(key),
    ordinal: wholeNumber(key.ordinal, 1),
    generation: wholeNumber(key.generation, 0),
    createdAt: parseMoment(key.createdAt),
    check: bytes(key.check, DIGEST_BYTES, DIGEST_BYTES),
    wraps: takeWraps(key.wraps),
    wrapSet: structuredClone(key.wrapSet),
  };
}

function takeNumbered({ kind, ordinal }: Pick<NewKey, "kind" | "ordinal">): Pick<NewKey, "kind" | "ordinal"> {
  return { kind: takeKind(kind), ordinal: wholeNumber(ordinal, 1) };
}

function takeKind(kind: KeyKind): KeyKind {
  if (KEY_KINDS.includes(kind)) return kind;
  throw new RangeError("there is no such kind of key");
}

function takePlace({ kind, owner, version }: KeyPlace): KeyPlace {
  return {
    kind: takeKind(kind),
    owner: text(owner, MAX_OWNER_BYTES),
    version: randomId(version, "a key's version"),
  };
}

function takeWraps(wraps: readonly KeyWrap[]): readonly KeyWrap[] {
  if (wraps.length === 0 || wraps.length > MAX_KEY_WRAPS) throw new RangeError(`a key has 1 to ${MAX_KEY_WRAPS} wraps`);
  return wraps.map(({ provider, info, ciphertext }) => ({
    provider: text(provider, MAX_PROVIDER_BYTES),
    info: bytes(info, 0, MAX_INFO_BYTES),
    ciphertext: bytes(ciphertext, 1, MAX_WRAP_BYTES),
  }));
}

const personId = (id: SubjectId): SubjectId => randomId(id, "a person's id");

/**
 * What a unit may say of people, the same on every store: checked at the call, before anything is written or locked.
 */
import { VaultError } from "../errors.ts";
import { isSubjectId } from "./subjects.ts";
import type { SubjectId, UnitSubject } from "./subjects.ts";
import type { NewVersion, WriteChange } from "./units.ts";

/** Most people of one unit. */
export const MAX_UNIT_SUBJECTS = 64;
/** Most bytes of a record's own id, sealed. */
export const MAX_SEALED_BYTES = 1024;

const SCHEMES: readonly unknown[] = [1, 2];
const SCOPES: readonly unknown[] = ["record", "subject", "tenant"];

/** What of a unit is about people, as it was at the call. */
export type PeopleOfWrite = Pick<WriteChange, "subjects" | "sealedId">;
/** What of a version is about people, as it was at the call. */
export type PeopleOfVersion = Pick<NewVersion, "scheme" | "about">;

/**
 * A copy of what a write says of people, checked.
 *
 * @throws VaultError `store-failed`
 */
export function takePeople({ subjects, sealedId, versions }: WriteChange): PeopleOfWrite {
  if (subjects.length > MAX_UNIT_SUBJECTS) throw refused(`it is about more than ${MAX_UNIT_SUBJECTS} people`);
  const own = subjects.map(({ id, scope, ordinal }) => ({ id, scope, ordinal }));
  for (const subject of own) requireSubject(subject);
  requireSorted(own.map(({ id }) => id));
  if (sealedId !== null && (!(sealedId instanceof Uint8Array) || sealedId.length > MAX_SEALED_BYTES))
    throw refused(`a sealed id has at most ${MAX_SEALED_BYTES} bytes`);
  const known = new Set<string>(own.map(({ id }) => id));
  for (const { scheme, subject, about } of versions)
    if (scheme === 2)
      for (const id of [subject, ...about])
        if (isSubjectId(id) && !known.has(id)) throw refused("a version is about somebody whom the unit does not name");
  return { subjects: own, sealedId: sealedId === null ? null : new Uint8Array(sealedId) };
}

/**
 * A copy of what a version says of people, checked.
 *
 * @throws VaultError `store-failed`
 */
export function takePeopleOf({ scheme, subject, about }: NewVersion): PeopleOfVersion {
  if (!SCHEMES.includes(scheme)) throw refused("a version has a scheme that there is not");
  if (about.length > (scheme === 1 ? 0 : MAX_UNIT_SUBJECTS - 1)) throw refused("a version is about too many people");
  if (!about.every(isSubjectId)) throw refused("a version is about somebody without an id");
  requireSorted(about);
  if ((about as readonly string[]).includes(subject)) throw refused("a version is about its subject twice");
  return { scheme, about: [...about] };
}

/**
 * An id as it was at the call.
 *
 * @throws VaultError `store-failed`
 */
export function takeSubjectId(id: SubjectId): SubjectId {
  if (isSubjectId(id)) return id;
  throw refused("it is about somebody without an id");
}

function requireSubject({ id, scope, ordinal }: UnitSubject): void {
  takeSubjectId(id);
  if (!SCOPES.includes(scope)) throw refused("a scope is none");
  // In `record` scope no key of theirs has sealed; in the others one has, and the first is 1.
  if (!Number.isSafeInteger(ordinal) || (scope === "record" ? ordinal !== 0 : ordinal < 1))
    throw refused("a key's ordinal is none");
}

function requireSorted(ids: readonly SubjectId[]): void {
  if (ids.some((id, index) => index > 0 && id <= (ids[index - 1] ?? "")))
    throw refused("people are not in order, each once");
}

function refused(why: string): VaultError {
  return new VaultError("store-failed", `The store does not take this: ${why}`);
}

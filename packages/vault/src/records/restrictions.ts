/**
 * For what somebody who is restricted may be read all the same: a note of the store, which every process reads with
 * each such read. That somebody is restricted their row says, and the note adds to it: where it is missing, or holds
 * what nobody writes, they are read for nothing.
 */
import { isPurpose, MAX_PURPOSES } from "../collections/purposes.ts";
import { VaultError } from "../errors.ts";
import type { Notes } from "../stores/notes.ts";
import type { SubjectId } from "../stores/subjects.ts";

const nameOf = (id: SubjectId): string => `restriction/${id}`;

/** Most tries against other processes that change the same note. */
const ATTEMPTS = 32;

/** For what somebody is read although they are restricted; empty: for nothing. */
export async function exceptedPurposes(notes: Notes, id: SubjectId): Promise<readonly string[]> {
  return parsed(await textOf(notes, id));
}

/**
 * Says for what somebody is read from now on while they are restricted.
 *
 * @throws VaultError `record-contended`; the store's
 */
export async function exceptPurposes(notes: Notes, id: SubjectId, purposes: readonly string[]): Promise<void> {
  const wanted = purposes.length === 0 ? null : JSON.stringify({ v: 1, except: purposes });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const seen = await textOf(notes, id);
    if (seen === wanted || (await notes.replace(nameOf(id), wanted, seen)) === "replaced") return;
  }
  throw new VaultError("record-contended", "Others kept changing for what a person may be read; nothing was changed");
}

async function textOf(notes: Notes, id: SubjectId): Promise<string | null> {
  const found = await notes.list(nameOf(id));
  return found.find(({ name }) => name === nameOf(id))?.text ?? null;
}

function parsed(text: string | null): readonly string[] {
  if (text === null) return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  if (typeof value !== "object" || value === null || !("except" in value)) return [];
  const { except } = value;
  return Array.isArray(except) && except.length <= MAX_PURPOSES && except.every(isPurpose) ? except : [];
}

/** @throws VaultError `vault-option-invalid` */
export function parseExcept(given: unknown): readonly string[] {
  if (given === undefined) return [];
  if (Array.isArray(given) && given.length <= MAX_EXCEPTED && given.every(isPurpose)) return [...new Set(given)].sort();
  throw new VaultError(
    "vault-option-invalid",
    `except is a list of at most ${MAX_EXCEPTED} purposes (up to 64 of a-z, 0-9, '.', '-')`,
  );
}

/** So that an entry of the audit can name them all. */
const MAX_EXCEPTED = 8;

/**
 * What notes a store takes, the same on every one, and which rows it shows.
 */
import { refused, text as wholeText, whole } from "./checked.ts";
import { MAX_NOTE_BYTES, MAX_NOTE_NAME } from "./notes.ts";
import type { Note } from "./notes.ts";

/** Most notes of one list. */
export const MOST_NOTES = 1000;

const NAME_CHARACTERS = /^[a-z0-9/._-]*$/;

/** A change of a note, checked. `seen` is compared and never kept: what no note can be is no note. */
export interface NoteChange {
  readonly name: string;
  readonly text: string | null;
  readonly seen: string | null;
}

/** @throws VaultError `store-failed` */
export function takeNote({ name, text, seen }: NoteChange): NoteChange {
  if (!isNoteName(name)) throw refused(`a note's name has 1 to ${MAX_NOTE_NAME} characters of a-z0-9/._-`);
  return { name, text: text === null ? null : whole(() => wholeText(text, MAX_NOTE_BYTES)), seen };
}

/** The prefix, where any note's name can begin so; null: none can. */
export function takePrefix(prefix: string): string | null {
  return typeof (prefix as unknown) === "string" && prefix.length <= MAX_NOTE_NAME && NAME_CHARACTERS.test(prefix)
    ? prefix
    : null;
}

/**
 * The first text behind all that begin so, in the order of bytes: no character of a name is as high as this one. Names
 * are compared with it and never matched with a pattern, in which `_` would be any character.
 */
export const behindPrefix = (prefix: string): string => `${prefix}\u007f`;

/** Whether anybody writes that. */
export function isNote(row: { readonly name: unknown; readonly text: unknown }): row is Note {
  return isNoteName(row.name) && isNoteText(row.text);
}

/** The text, if anybody writes it. */
export function isNoteText(value: unknown): value is string {
  if (typeof value !== "string" || value.length > MAX_NOTE_BYTES) return false;
  try {
    wholeText(value, MAX_NOTE_BYTES);
    return true;
  } catch {
    return false;
  }
}

function isNoteName(name: unknown): name is string {
  return typeof name === "string" && name.length > 0 && takePrefix(name) !== null;
}

/**
 * What a process that writes about new people is told, and how it tells what it did.
 */
import type { KeyedPlace } from "./keyed-place.ts";
import type { TestKey } from "./keys.ts";

/** What the process is to do. */
export interface NewcomersTask {
  readonly place: KeyedPlace;
  readonly key: TestKey;
  /** Records are called after it, so that no two processes write one record. */
  readonly writer: string;
  /** People are called after it: processes that have the same one make the same people. */
  readonly names: string;
  /** Where its lines go. */
  readonly log: string;
}

/** A record, whom it is about, and what makes it unlike every other. */
export interface NewRecord {
  readonly id: string;
  readonly subject: string;
  readonly token: string;
}

/** A write begins, or has ended: `acknowledged`, or with an error's code. */
export type NewcomersLine =
  | { readonly call: string; readonly records: readonly NewRecord[] }
  | { readonly call: string; readonly answer: string };

export const PEOPLE = "people";

/**
 * The people of a record store: one row for each, which says whether they may be written about and read. Every write
 * locks the rows of its people in its own transaction and every read joins them in the same statement, so that what is
 * revoked is revoked in all processes at once, whatever keys they hold in memory.
 */
declare const brand: unique symbol;

/** A person's opaque id: a random version 4 UUID in lower case. It says nothing of them; the key store has the name. */
export type SubjectId = string & { readonly [brand]: "subject-id" };

/**
 * `restricted`: what is held of them stays, and nobody reads or writes it. `erasing`: their keys are being destroyed.
 * `erased`: nothing of them is left but this row.
 */
export type SubjectState = "active" | "restricted" | "erasing" | "erased";

/** Which tree of keys a message hangs in (docs/architecture.md). */
export type Scope = "record" | "subject" | "tenant";

/** Scopes in which a person has a key. */
export type SubjectScope = Exclude<Scope, "record">;

/** A person's row. */
export interface SubjectRow {
  readonly id: SubjectId;
  readonly state: SubjectState;
  /**
   * The highest ordinal of a subject key that has sealed a version of theirs, of each scope; 0: none has. A key store
   * that was set back, or whose newest key was deleted, would have writers seal under a key that was retired.
   */
  readonly ordinals: Readonly<Record<SubjectScope, number>>;
}

/** A person that a unit is about: the row is locked, and made if there is none. */
export interface UnitSubject {
  readonly id: SubjectId;
  /** Of the keys that sealed; of a person who is only mentioned, and in `record` scope, `record` and 0. */
  readonly scope: Scope;
  readonly ordinal: number;
}

/** Which people. In the order of their ids. */
export interface SubjectsPage {
  /** Only ids behind this one; null: from the first. */
  readonly after: SubjectId | null;
  readonly limit: number;
}

/** A record of a person, as the link table has it. */
export interface SubjectRecord {
  readonly collection: string;
  /** The row's id: in a collection with sealed ids, not the record's own. */
  readonly id: string;
  /** The record's own id, sealed, as its head has it; null where the row's id is it. */
  readonly sealedId: Uint8Array | null;
  /** Where the list goes on behind it. */
  readonly position: Uint8Array;
}

const SUBJECT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * Whether a text is a person's opaque id.
 *
 * @example
 * ```ts
 * import { isSubjectId } from "@strongroom/vault";
 *
 * console.log(isSubjectId("0d6b2c1e-6f0a-4b7e-9c57-0f3a8a1b2c3d")); // prints: true
 * console.log(isSubjectId("ada@example.org")); // prints: false
 * ```
 */
export function isSubjectId(value: unknown): value is SubjectId {
  return typeof value === "string" && SUBJECT_ID.test(value);
}

/**
 * What the records ask of the audit, on behalf of one caller: the only face of this folder that `records/`, `subjects/`
 * and `convergence/` know. Nothing is read, written or refused without an entry: where the audit cannot take one, the
 * call fails with `audit-unavailable`, and nothing is released.
 */
import type { Address, RecordId, Subject, Version } from "../records/address.ts";
import type { EntryId, UnitEntry } from "../stores/outbox.ts";
import type { RecordRows, Scheme } from "../stores/rows.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { WriteId } from "../stores/units.ts";
import type { AuditAction, EntryKmsCall } from "./entry.ts";

/** On whose behalf, and why. */
export interface Actor {
  /**
   * Who: an id that never changes and tells no name, such as a token's. 1 to 128 characters of `A-Za-z0-9._:@/+=-`.
   */
  readonly principal: string;
  /** Why: a code that the collection declares. 1 to 64 characters of `a-z0-9.-`. */
  readonly purpose?: string | undefined;
  /** What it is done for, in another system: 1 to 64 characters of `A-Za-z0-9._#/-`. It lies sealed. */
  readonly ticket?: string | undefined;
  /** The export that reads are a part of: a UUID. With the option `erasure.fourEyes` somebody else has approved it. */
  readonly export?: string | undefined;
}

/** Which record something is about, and whom. */
export interface Concerned {
  /** Of its row. */
  readonly row: Address;
  /** The record's own id; null: it is not known (a sealed id that was not opened). */
  readonly id: RecordId | null;
  readonly version: Version | null;
  /** Of the version: of scheme 1 the subject is a name, and nobody has a row or a key. Null: it is not known. */
  readonly scheme: Scheme | null;
  /** As its row says: an opaque id, `collection:NAME`, or a name (scheme 1); null: it is not known. */
  readonly subject: Subject | null;
  readonly about: readonly SubjectId[];
}

/** A version that is about to be given out. */
export interface ReleasedRead extends Concerned {
  /** The record's rows, as they were read with it: they must be what the log knows. */
  readonly rows: RecordRows;
  /** The message that was opened; null: none was (a list). */
  readonly message: Uint8Array | null;
  /** Calls of a KMS that opening it took. */
  readonly kms: readonly EntryKmsCall[];
}

/** What a unit will change. */
export interface ChangeFacts {
  /** The unit's write id, which becomes the entry's. */
  readonly writeId: WriteId;
  readonly action: "write" | "remove";
  readonly row: Address;
  readonly id: RecordId | null;
  /** The head's entry before it; null: none. */
  readonly previous: EntryId | null;
  /** Of a write, each new version; of a removal, one: the tombstone, with the people whom the record was about. */
  readonly versions: readonly {
    readonly version: Version;
    readonly scheme: Scheme;
    readonly subject: Subject | null;
    readonly about: readonly SubjectId[];
    /** Null: of a removal. */
    readonly message: Uint8Array | null;
  }[];
  readonly kms: readonly EntryKmsCall[];
}

/** An entry that only lacks its number: what it tells of people is sealed. */
export interface EntryDraft {
  readonly id: EntryId;
}

/** What is not about records, or not about known ones. */
export interface ActFacts {
  readonly collection?: string | undefined;
  readonly people?: readonly SubjectId[];
  /** Of a refusal: the record that was asked for. */
  readonly concerned?: readonly Concerned[];
  /** A name for a person to read; sealed under the vault's own key. */
  readonly label?: string;
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** What became of numbered entries. `moved`: a number was not the next one; they are numbered anew. */
export type NumberedOutcome = "made" | "not-made" | "moved";

/** The audit, for one caller. */
export interface Auditor {
  readonly actor: Actor;
  /** The same audit for another caller. @throws VaultError `audit-actor-invalid` */
  as(actor: Actor): Auditor;
  /**
   * That the collection may be used for this purpose. @throws VaultError `purpose-missing`, `purpose-refused`
   */
  requirePurpose(collection: string): void;
  /**
   * Resolves when it is durable that these are given out, everybody whom they are about is active, and each record is
   * as the log knows it. `overtaken`: a record has changed since it was read, and is to be read again; nothing was
   * written.
   *
   * @param exempt people who may be restricted: whoever asks has looked whether this is what they are read for, and
   *   looks again when this resolves
   * @throws VaultError `audit-unavailable`; `record-rolled-back`, `record-tampered`: the rows are not those that the
   *   log knows; `subject-restricted`, `subject-erased`
   */
  released(
    action: "read" | "list" | "history",
    reads: readonly ReleasedRead[],
    exempt?: ReadonlySet<SubjectId>,
  ): Promise<"released" | "overtaken">;
  /**
   * That records are as the log knows them: what a write builds on, and what is told to be absent. `overtaken` as
   * above.
   *
   * @throws VaultError `audit-unavailable`, `record-rolled-back`, `record-tampered`
   */
  requireNewest(
    records: readonly (Pick<ReleasedRead, "row" | "rows" | "message"> & { readonly version: Version | null })[],
  ): Promise<"newest" | "overtaken">;
  /** The entry of a change that is being prepared. @throws VaultError `audit-unavailable` */
  draft(facts: ChangeFacts): Promise<EntryDraft>;
  /**
   * Numbers the entries of units of one transaction, and has them made; again with other numbers when it is told
   * `moved`. What `make` throws goes through.
   */
  numbered(
    drafts: readonly EntryDraft[],
    make: (entries: readonly UnitEntry[]) => Promise<NumberedOutcome>,
  ): Promise<void>;
  /** Numbers entries of a transaction of which nobody tells what became: in a stream of their own, which they end. */
  alone(drafts: readonly EntryDraft[]): readonly UnitEntry[];
  /**
   * One entry in the records' outbox, or the key store's, durable when it resolves: of a refusal (`result` is the
   * error's code), or of what was done. @throws VaultError `audit-unavailable`
   */
  tell(action: AuditAction, result: string, facts?: ActFacts, outbox?: "records" | "keys"): Promise<void>;
  /** An entry `begun`, the work, and one of what it came to. Nothing is done without the first. */
  act<Result>(action: AuditAction, facts: ActFacts, work: () => Promise<Result>): Promise<Result>;
  /**
   * Before a message is put in the place of another one of the same version: from then on both are known.
   * @throws VaultError `audit-unavailable`
   */
  rewrap(facts: Omit<ReleasedRead, "rows" | "kms">): Promise<void>;
  /** Keys that were made, in the key store's outbox. @throws VaultError `audit-unavailable` */
  keysMade(
    keys: readonly { readonly kind: string; readonly version: string; readonly person: SubjectId | null }[],
  ): Promise<void>;
}

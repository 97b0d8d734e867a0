/**
 * What a verification is asked for, what it tells while it goes on, and what it comes to. Nothing of it is anybody's
 * data: a place is a collection with the id of the row (where ids are sealed, a keyed hash), a person an opaque id.
 */
import type { VaultErrorCode } from "../errors.ts";
import type { KeyKind } from "../stores/key-store.ts";

/** What only a verification finds, beside the codes with which reads refuse. */
export const VERIFY_CODES = {
  "version-missing": "a version of the record that was written is not there",
  "record-missing": "the audit knows the record as live, and the records have no rows of it",
  "link-missing": "a record is about a person, and is not among those that the store has of them",
  "link-left": "a record is among those of a person, and no version of it is about them",
  "tag-missing": "a record is not found by a value that it has: the tag is gone, or is another record's",
  "tag-left": "a record is found by a value that it does not have",
  "person-missing": "a record is about a person who has no row",
  "person-keyless": "a person of the records has no key and no name in the key store",
  "person-returned": "a person was erased, and their row says that they were not",
  "keys-left": "a person was erased, and keys of theirs are there",
  "state-differs": "whether a person is restricted is not what was last done in the audit",
  "key-missing": "a version of a key is not there, and ones after it, messages under it or entries that name it are",
  "wrap-does-not-open": "a wrap of a key does not open, or to another key, beside others that do",
  "wraps-miscounted": "the account of a key's wraps is not what its wraps are",
  "wrap-not-configured": "a wrap is under a wrapping key that is not configured",
  "key-of-nobody": "a key or a name belongs to nobody whom a record is or was about",
} as const;

/** What a verification finds. */
export type VerifyCode = VaultErrorCode | keyof typeof VERIFY_CODES;

/** What harms nobody: told, and no reason to call anything damaged. */
export const NOTES: ReadonlySet<VerifyCode> = new Set<VerifyCode>(["key-of-nobody", "wrap-not-configured"]);

/** Where something is. */
export type VerifyPlace =
  | {
      readonly kind: "record";
      /** Null: of a record without rows, as far as its entry in the audit is not readable any more. */
      readonly collection: string | null;
      /** Of its row. */
      readonly id: string | null;
      readonly version: number | null;
      /** Where it is about one wrap. */
      readonly region?: string;
    }
  | { readonly kind: "person"; readonly person: string; readonly collection?: string; readonly id?: string }
  | {
      readonly kind: "key";
      /** Null: its row holds what nobody writes. */
      readonly key: KeyKind | null;
      /** Null: its row is gone, and nothing else says whose it was. */
      readonly owner: string | null;
      readonly version: string | null;
      readonly region?: string;
    };

/** Something that was found. */
export interface VerifyFinding {
  readonly code: VerifyCode;
  /** Nothing of a document, a key or a name. */
  readonly message: string;
  readonly place: VerifyPlace;
  /** Whether a wrap was made owed, for the repair to pay. */
  readonly owed?: true;
}

/** The parts of a verification, in their order. */
export const VERIFY_PARTS = ["keys", "people", "records", "missing"] as const;
export type VerifyPart = (typeof VERIFY_PARTS)[number];

/** How far it is. */
export interface VerifyProgress {
  readonly part: VerifyPart;
  /** Keys, people, records, or heads of the audit's log. */
  readonly done: number;
  /** Null: it is not known. Of a moving vault it is what there was at the beginning. */
  readonly of: number | null;
  /** Of this part, at the pace so far; null: it is not known. */
  readonly remainingMs: number | null;
  readonly problems: number;
  /** Where another verification goes on that is told `after` it; null: there is no such place (of a sample). */
  readonly cursor: string | null;
}

/** How a verification is done. */
export interface VerifyOptions {
  /** Only this collection's records; left out: everything. */
  readonly collection?: string;
  /** So many records, people and keys at random, each record with all of its versions; left out: all. */
  readonly sample?: number;
  /** Which they are: 1 to 64 characters. The same seed takes the same ones. Left out: a random one. */
  readonly seed?: string;
  /** `each`: every wrap is opened in its own region; `any` (left out): each key by the first that opens. */
  readonly regions?: "any" | "each";
  /** Wraps that do not open beside others that do are made owed, so that the repair makes new ones. Left out: not. */
  readonly repairWraps?: boolean;
  /** Records, people and keys a second, at most. */
  readonly rate?: number;
  /** The cursor of an earlier verification: what is before it is not looked at. */
  readonly after?: string;
  /** Findings that the report names; 100 when left out. All are counted, and all are given to `onFinding`. */
  readonly named?: number;
  readonly signal?: AbortSignal;
  readonly onFinding?: (finding: VerifyFinding) => void;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/** What was looked at. */
export interface VerifyCounts {
  readonly records: number;
  readonly versions: number;
  readonly people: number;
  readonly keys: number;
  /** Wraps that were opened, each alone. */
  readonly wraps: number;
  /** Live addresses of the audit's log that were looked for among the records. */
  readonly heads: number;
  /** Versions about people who were erased: there is nothing to open. */
  readonly erased: number;
}

/** What a verification came to. */
export interface VerifyReport {
  /** Everything that was to be looked at was, and nothing is wrong with it. */
  readonly verdict: "whole" | "problems" | "incomplete";
  readonly looked: VerifyCounts;
  /** Code -> how many. Empty: nothing is wrong. */
  readonly problems: Readonly<Partial<Record<VerifyCode, number>>>;
  /** The same of what harms nobody. */
  readonly notes: Readonly<Partial<Record<VerifyCode, number>>>;
  /** The first of them. */
  readonly findings: readonly VerifyFinding[];
  /** What could not be opened now, by the region that did not answer or the error's code -> how often. */
  readonly unopened: Readonly<Record<string, number>>;
  /** Records that were written again and again while they were looked at. */
  readonly unsettled: number;
  /** Wraps that were made owed. */
  readonly owed: number;
  readonly sample: { readonly size: number; readonly seed: string } | null;
  readonly seconds: number;
}

// A witness: something apart from the data folder that remembers how far the log was. The database commits first and
// tells the witness after, so that a witness may be behind, and never ahead, whenever the process dies.

import type { KeyObject } from "node:crypto";
import type { Kysely } from "kysely";
import type { CheckedLog } from "../audit/check.ts";
import type { Schema } from "../store/schema.ts";

/**
 * Where the newest checkpoint is kept as well: a file on another disk or in another folder; or a service that speaks
 * c2sp.org/tlog-witness, whose verifier key may follow the address after a `#`.
 */
export type WitnessSource =
  { readonly kind: "file"; readonly path: string } | { readonly kind: "url"; readonly url: string };

/** A log that is whole in itself, to be held against a witness. */
export interface WitnessedLog extends Pick<CheckedLog, "note" | "checkpoint" | "accepted"> {
  readonly db: Kysely<Schema>;
  readonly key: KeyObject;
}

/** What a witness says of a log. */
export type Seen =
  /** The log goes on from the `size` entries that it has seen. */
  | { readonly kind: "seen"; readonly size: number }
  /** It has seen nothing yet. */
  | { readonly kind: "nothing" }
  /** It cannot be asked. */
  | { readonly kind: "away"; readonly reason: string };

/** A newest state of the log, to be remembered. */
export type NewHead = Pick<WitnessedLog, "db" | "note"> & { readonly size: number };

/** One witness. */
export interface Witness {
  /** As errors and reports name it. */
  readonly name: string;
  /**
   * Holds a log against what was seen.
   * @throws KmsError `audit-set-back` if the log does not go on from it.
   */
  examine(log: WitnessedLog): Promise<Seen>;
  /** Remembers a newer state. @throws Error if it is not remembered. */
  record(head: NewHead): Promise<void>;
  /** What it has, as signed, where it gives that out; null where there is nothing. */
  read(): Promise<string | null>;
}

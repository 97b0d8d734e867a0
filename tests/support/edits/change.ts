/**
 * What a hand changes in the stores of a vault, as data: which rows of which store go, and which come.
 */
import type { RowEdit } from "../swaps/hand.ts";
import type { Place } from "./site.ts";

/** Rows of one of the stores. */
export interface Edit extends RowEdit {
  readonly place: Place;
}

/** One change. */
export interface Change {
  /** What the results count it as. */
  readonly kind: string;
  readonly edits: readonly Edit[];
}

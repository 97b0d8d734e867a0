/**
 * What a collection declares of fields of its documents: what they are found by, and who sees what of them.
 */
import type { MaskKind } from "../masks/masks.ts";
import type { Normaliser } from "../normalisers/normaliser.ts";

/** One field, by its path: `email`, `address.postcode`; of a list, each of its members. */
export interface FieldOptions {
  /** Records are found by the values of this normaliser. Left out: by none. */
  readonly find?: Normaliser;
  /** No two records of one tenant have the same value. Only with `find`. */
  readonly unique?: boolean;
  /** Also found by the first so many characters of their forms, 1 to 32. Only with `find`. */
  readonly prefix?: number;
  /** Also found by ranges, of numbers so wide or of dates so long. Only with `find`. */
  readonly buckets?: number | "day" | "month" | "year";
  /**
   * About how many different values there are. With few of them, whoever has the database sees which is which by how
   * often each comes: below 1,000 the field is refused unless `leaks` is `accepted`.
   */
  readonly values?: number;
  readonly leaks?: "accepted";
  /** What is shown of it to whoever may read it masked alone. Left out: nothing. */
  readonly mask?: MaskKind;
  /** Documents with it are refused: what must not be stored at all, such as the code on the back of a card. */
  readonly never?: true;
}

/** An index of several fields together. */
export interface CompoundIndexOptions {
  /** 2 to 8 paths, each of a field with `find`. */
  readonly fields: readonly string[];
  readonly unique?: boolean;
  readonly leaks?: "accepted";
}

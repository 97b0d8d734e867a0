/**
 * What of a record is read, and as what.
 */
import type { GetOptions } from "../records/read.ts";
import type { FindOptions } from "../search/find.ts";

/** How a record is read by somebody. */
export interface ReadOptions extends GetOptions {
  /** 1 to 64 paths: `name`, `address.postcode`. Left out: all that the caller may see. */
  readonly fields?: readonly string[];
  /** Whether the values of declared fields come as `Sealed`, which nothing prints by accident. */
  readonly sealed?: boolean;
}

/** How records are found by somebody. */
export interface ShownFindOptions extends FindOptions {
  /** 1 to 64 paths of what is shown of each. Left out: all that the caller may see. */
  readonly fields?: readonly string[];
}

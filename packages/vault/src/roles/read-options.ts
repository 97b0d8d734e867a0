/**
 * What of a record is read, and as what.
 */
import type { GetOptions } from "../records/read.ts";

/** How a record is read by somebody. */
export interface ReadOptions extends GetOptions {
  /** 1 to 64 paths: `name`, `address.postcode`. Left out: all that the caller may see. */
  readonly fields?: readonly string[];
  /** Whether the values of declared fields come as `Sealed`, which nothing prints by accident. */
  readonly sealed?: boolean;
}

/**
 * In which bucket a record's versions are: a hash of its address, so that every store spreads them alike.
 */
import { createHash } from "node:crypto";
import type { Address } from "../records/address.ts";
import { BUCKETS } from "./inventory.ts";

/**
 * From 0 up to, and without, {@link BUCKETS}.
 *
 * @example
 * ```ts
 * import { bucketOf, parseAddress } from "@strongroom/vault";
 *
 * console.log(bucketOf(parseAddress({ collection: "people", id: "C000127" }))); // prints: 220
 * ```
 */
export function bucketOf({ collection, id }: Address): number {
  return createHash("sha256").update(`${collection}/${id}`, "utf8").digest().readUInt16BE(0) % BUCKETS;
}

/**
 * In which bucket a record's versions are, or an owner's keys (`collection`: the kind): a hash of the address, so that
 * every store spreads them alike.
 */
import { createHash } from "node:crypto";
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
export function bucketOf({ collection, id }: { readonly collection: string; readonly id: string }): number {
  return createHash("sha256").update(`${collection}/${id}`, "utf8").digest().readUInt16BE(0) % BUCKETS;
}

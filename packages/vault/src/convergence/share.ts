/**
 * Which items of a share are looked at: the same ones in every process and after every restart, and others in the next
 * run.
 */
import { createHash } from "node:crypto";

/**
 * Whether an item is among those that are opened to prove its new wraps.
 *
 * @param share from 0 (none) to 1 (all)
 * @param salt of the run
 */
export function isInShare(share: number, salt: string, item: string): boolean {
  if (share >= 1) return true;
  const drawn = createHash("sha256").update(`${salt} ${item}`, "utf8").digest().readUInt32BE(0);
  return drawn < share * 2 ** 32;
}

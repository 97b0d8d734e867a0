// A Merkle tree as its definition reads (RFC 9162, section 2.1.1): slow, and plainly right.

import { createHash } from "node:crypto";

/** The root over these leaf hashes. */
export function plainRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) return createHash("sha256").digest();
  if (leaves.length === 1) return only;
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return createHash("sha256")
    .update(Buffer.of(1))
    .update(plainRoot(leaves.slice(0, left)))
    .update(plainRoot(leaves.slice(left)))
    .digest();
}

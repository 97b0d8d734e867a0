// Constraints of grants compared with each other. Source: KMS API Reference, API_CreateGrant, on Constraints: a grant
// that is made by a constrained grant must be constrained alike or more strictly.

import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { GrantRecord } from "../keys/key-record.ts";

type Constraints = GrantRecord["constraints"];

/** Whether `context` has all of `pairs`. */
export const includes = (context: EncryptionContext, pairs: EncryptionContext): boolean =>
  Object.entries(pairs).every(([key, value]) => Object.hasOwn(context, key) && context[key] === value);

/** Whether two contexts have the same pairs, in whatever order. */
export const samePairs = (one: EncryptionContext, other: EncryptionContext): boolean =>
  Object.keys(one).length === Object.keys(other).length && includes(one, other);

const sameOrNone = (one: EncryptionContext | undefined, other: EncryptionContext | undefined): boolean =>
  one === undefined || other === undefined ? one === other : samePairs(one, other);

/** Whether two grants are constrained in the same way. */
export const sameConstraints = (one: Constraints, other: Constraints): boolean =>
  sameOrNone(one.subset, other.subset) && sameOrNone(one.equals, other.equals) && one.sourceArn === other.sourceArn;

/** Whether each encryption context that `inner` lets through is one that `outer` lets through too. */
export function asStrictAs(inner: Constraints, outer: Constraints): boolean {
  if (outer.equals !== undefined && (inner.equals === undefined || !samePairs(inner.equals, outer.equals)))
    return false;
  const { subset } = outer;
  return subset === undefined || [inner.equals, inner.subset].some((pairs) => pairs && includes(pairs, subset));
}

/**
 * Which kind of store a pool serves. Records, keys and the audit's log have pools of their own: while callers hold
 * every connection of the one in transactions that wait for a key, nobody could get the key.
 */
import { VaultError } from "../../errors.ts";

interface Claim {
  readonly what: string;
  stores: number;
}

const claims = new WeakMap<object, Claim>();

/**
 * Takes a pool for stores of one kind, until what is returned is called.
 *
 * @throws VaultError `vault-option-invalid`
 */
export function claimPool(pool: object, what: string): () => void {
  const claim = claims.get(pool) ?? { what, stores: 0 };
  if (claim.stores > 0 && claim.what !== what)
    throw new VaultError(
      "vault-option-invalid",
      "The pool is that of the records, the keys or the audit log: each needs its own, or they wait for each other",
    );
  const own = claim.what === what ? claim : { what, stores: 0 };
  own.stores += 1;
  claims.set(pool, own);
  let isReleased = false;
  return () => {
    if (isReleased) return;
    isReleased = true;
    own.stores -= 1;
  };
}

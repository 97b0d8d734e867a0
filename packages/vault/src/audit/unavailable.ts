/**
 * The one error of an audit that cannot take an entry, whatever the reason is: it is the caller's to wait, and nothing
 * was given out.
 */
import { isVaultError, VaultError } from "../errors.ts";

/** @param cause what a store or a key store threw; what says `audit-unavailable` itself is left as it is */
export function unavailable(what: string, cause?: unknown): VaultError {
  if (isVaultError(cause) && PASSED_ON.has(cause.code)) return cause;
  return new VaultError("audit-unavailable", what, cause === undefined ? {} : { cause });
}

/** What says more than that there was no entry. */
const PASSED_ON: ReadonlySet<VaultError["code"]> = new Set<VaultError["code"]>([
  "audit-unavailable",
  "store-rolled-back",
  "store-closed",
]);

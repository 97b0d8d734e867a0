// From an operation's input to what it asks of a key.

import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { KeyOperation } from "../keys/key-state.ts";
import type { KeyRequest } from "./call.ts";

/** The request for a cryptographic operation: its context and grant tokens count for the permission. */
export function keyRequest(
  operation: KeyOperation,
  input: { readonly EncryptionContext?: EncryptionContext; readonly GrantTokens?: readonly string[] },
): KeyRequest {
  return {
    operation,
    ...(input.EncryptionContext !== undefined && { context: input.EncryptionContext }),
    ...(input.GrantTokens !== undefined && { grantTokens: input.GrantTokens }),
  };
}

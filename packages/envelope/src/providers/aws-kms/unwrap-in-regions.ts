/**
 * Unwraps a data key in the first region that can: every failure, wrong answers included, goes on to the next region.
 */
import type { SecretBytes } from "../../crypto/secret.ts";
import type { RegionAttempt } from "../../errors/attempts.ts";
import { EnvelopeError } from "../../errors/envelope-error.ts";
import type { EncryptedDataKey } from "../../format/encrypted-data-key.ts";
import { unopenedError } from "../../keyrings/unopened.ts";
import type { Outcome } from "../../keyrings/unopened.ts";
import type { Deadline } from "./deadline.ts";
import type { RegionCaller } from "./region-caller.ts";

export interface UnwrapRequest {
  /** One per encrypted data key that a configured key may open, in the order to try them. */
  readonly candidates: readonly { readonly caller: RegionCaller; readonly key: EncryptedDataKey }[];
  /** All of the message's, for the error. */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly keyLength: number;
  readonly context: Record<string, string>;
  readonly accepts: (candidate: Uint8Array) => boolean;
  readonly deadline: Deadline;
}

/** @throws EnvelopeError `no-matching-key`, `regions-unavailable`, `decryption-failed`, `deadline-exceeded`, `aborted` */
export async function unwrapInRegions(request: UnwrapRequest): Promise<SecretBytes> {
  const { deadline } = request;
  const attempts: RegionAttempt[] = [];
  const outcomes = new Map<EncryptedDataKey, Outcome>();
  const suspects: RegionCaller[] = [];
  for (const { caller, key } of request.candidates) {
    if (deadline.cutShort !== null) break;
    const result = await caller.decrypt(key.ciphertext, request.keyLength, request.context, request.accepts, deadline);
    if (result.kind === "done") {
      // Another region gave the right key for the same message: those that gave a wrong one lied.
      for (const suspect of suspects) suspect.health.lied("wrong-data-key", new Date());
      return result.value;
    }
    attempts.push(result.attempt);
    outcomes.set(key, result.attempt.reason);
    if (result.attempt.reason === "wrong-data-key") suspects.push(caller);
  }
  throw failure(request, outcomes, attempts);
}

function failure(request: UnwrapRequest, outcomes: ReadonlyMap<EncryptedDataKey, Outcome>, attempts: readonly RegionAttempt[]): EnvelopeError {
  const { cutShort } = request.deadline;
  if (cutShort === "aborted") return new EnvelopeError("aborted", "The operation was aborted", { attempts });
  const unopened = unopenedError(request.encryptedDataKeys, outcomes, attempts);
  if (cutShort === null) return unopened;
  const { encryptedDataKeys } = unopened;
  return new EnvelopeError("deadline-exceeded", `The deadline passed before a region unwrapped the data key. ${unopened.message}`, {
    attempts,
    ...(encryptedDataKeys === undefined ? {} : { encryptedDataKeys }),
  });
}

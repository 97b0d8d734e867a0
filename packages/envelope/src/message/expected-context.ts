/**
 * Holds a message's context against the one the caller expects, before any key is asked for. Threat answered: a
 * genuine message put in another's place. The format only authenticates the context; comparing it is the reader's part.
 */
import { EnvelopeError } from "../errors/envelope-error.ts";
import { canonicalPairs, differingKeys, PUBLIC_KEY_FIELD } from "../format/encryption-context.ts";
import type { CanonicalContext } from "../format/encryption-context.ts";
import { FORMAT_LIMITS } from "../format/limits.ts";

export interface MatchedContext {
  /** Stored and required entries together: what keyrings authenticate. */
  readonly full: CanonicalContext;
  /** Serialized entries that the header does not store. */
  readonly authenticatedOnly: Buffer;
  /** Keys of those entries. */
  readonly requiredKeys: readonly string[];
}

const NOTHING = Buffer.alloc(0);

/**
 * @param stored the message's context; @param expected the caller's; @param requiredKeys keys of the caller's context
 *   that the message need not store (framework/required-encryption-context-cmm.md).
 * @throws EnvelopeError `context-mismatch` with the keys that differ, never their values.
 */
export function matchContext(
  stored: CanonicalContext,
  expected: CanonicalContext,
  requiredKeys: readonly string[],
): MatchedContext {
  if (requiredKeys.length === 0 && (stored === expected || stored.bytes.equals(expected.bytes))) {
    return { full: stored, authenticatedOnly: NOTHING, requiredKeys };
  }
  const found = new Map(stored.pairs);
  const notStored = new Set(requiredKeys.filter((key) => !found.has(key)));
  const own = stored.pairs.filter(([key]) => key !== PUBLIC_KEY_FIELD);
  const wanted = expected.pairs.filter(([key]) => !notStored.has(key));
  const differing = differingKeys(canonicalPairs(wanted, FORMAT_LIMITS), canonicalPairs(own, FORMAT_LIMITS));
  if (differing.length > 0) {
    const names = differing.map((key) => JSON.stringify(key)).join(", ");
    throw new EnvelopeError(
      "context-mismatch",
      `The message was made for another encryption context; keys that differ: ${names}`,
      {
        contextKeys: differing,
      },
    );
  }
  const required = expected.pairs.filter(([key]) => notStored.has(key));
  return {
    full: required.length === 0 ? stored : canonicalPairs([...stored.pairs, ...required], FORMAT_LIMITS),
    authenticatedOnly: canonicalPairs(required, FORMAT_LIMITS).bytes,
    requiredKeys: [...notStored],
  };
}

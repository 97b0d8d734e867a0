/**
 * What is done with a header before a body is opened: may it be read here, is it for this context, which key opens it.
 */
import { sharedBytes } from "../crypto/secret.ts";
import { messageVerifier } from "../crypto/signature.ts";
import type { MessageVerifier } from "../crypto/signature.ts";
import { EnvelopeError, shown, shownList } from "../errors.ts";
import { canonicalPairs, differingKeys, PUBLIC_KEY_FIELD } from "../format/encryption-context.ts";
import type { CanonicalContext } from "../format/encryption-context.ts";
import type { MessageHeader } from "../format/header.ts";
import { FORMAT_LIMITS } from "../format/suites.ts";
import type { AlgorithmSuite } from "../format/suites.ts";
import type { CompleteDecryptionMaterials, OpeningKey } from "../keyrings/keyring.ts";
import { requireDecryptAllowed } from "../materials/materials-manager.ts";
import type { DecryptionMaterialsRequest } from "../materials/materials-manager.ts";
import type { ResolvedDecryptOptions, ResolvedOptions } from "./options.ts";
import { MessageOpener } from "./sealing.ts";

/** @throws EnvelopeError `commitment-policy`, `signature-required` */
export function requireReadable(
  suite: AlgorithmSuite,
  { commitmentPolicy, signatureRequired }: Pick<ResolvedDecryptOptions, "commitmentPolicy" | "signatureRequired">,
): void {
  requireDecryptAllowed(commitmentPolicy, suite);
  if (signatureRequired && suite.signature === null)
    throw new EnvelopeError("signature-required", `The message is not signed (${suite.name})`);
}

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
 * Holds a message's context against the one the caller expects, before any key is asked for. Threat answered: a genuine
 * message put in another's place. The format only authenticates the context; comparing it is the reader's part.
 *
 * @param stored the message's context; @param expected the caller's, null for whatever is stored; @param requiredKeys
 *   keys of the caller's context that the message need not store (framework/required-encryption-context-cmm.md).
 * @throws EnvelopeError `context-mismatch` with the keys that differ, never their values.
 */
export function matchContext(
  stored: CanonicalContext,
  expected: CanonicalContext | null,
  requiredKeys: readonly string[],
): MatchedContext {
  if (
    expected === null ||
    (requiredKeys.length === 0 && (stored === expected || stored.bytes.equals(expected.bytes)))
  ) {
    return { full: stored, authenticatedOnly: NOTHING, requiredKeys };
  }
  const found = new Map(stored.pairs);
  const notStored = new Set(requiredKeys.filter((key) => !found.has(key)));
  const own = stored.pairs.filter(([key]) => key !== PUBLIC_KEY_FIELD);
  const wanted = expected.pairs.filter(([key]) => !notStored.has(key));
  const differing = differingKeys(canonicalPairs(wanted, FORMAT_LIMITS), canonicalPairs(own, FORMAT_LIMITS));
  if (differing.length > 0) {
    const names = shownList(differing.map((key) => `"${shown(key)}"`));
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

export interface OpenedHeader {
  readonly opener: MessageOpener;
  readonly openedBy: OpeningKey | null;
}

/** The header verified under a key that is there already; null when it has to be asked for. */
export function headerAtHand(
  header: MessageHeader,
  context: MatchedContext,
  options: ResolvedOptions,
): OpenedHeader | null {
  const { manager } = options;
  const known = manager.headers?.recall(header, context.authenticatedOnly);
  if (known !== undefined)
    return { opener: MessageOpener.resume(header, known.cipherKey), openedBy: known.openedBy ?? null };
  const { request, openWith } = keyFor(header, context, options);
  const materials = manager.decryptionAtHand?.(request) ?? null;
  return materials === null ? null : openWith(materials);
}

/** Gets the data key and verifies the header under it, candidate by candidate, inside the keyring's own attempts. */
export async function openHeader(
  header: MessageHeader,
  context: MatchedContext,
  options: ResolvedOptions,
): Promise<OpenedHeader> {
  const { request, openWith } = keyFor(header, context, options);
  const { manager, signal, onCall } = options;
  return openWith(await manager.decryptMaterials(request, { signal, onCall }));
}

interface KeySearch {
  readonly request: DecryptionMaterialsRequest;
  /** The data key is wiped. @throws EnvelopeError `decryption-failed` */
  readonly openWith: (materials: CompleteDecryptionMaterials) => OpenedHeader;
}

function keyFor(header: MessageHeader, context: MatchedContext, { commitmentPolicy }: ResolvedOptions): KeySearch {
  const { full, authenticatedOnly, requiredKeys } = context;
  let opener: MessageOpener | null = null;
  const accepts = (candidate: Uint8Array): boolean => {
    opener = MessageOpener.open(header, authenticatedOnly, candidate);
    return opener !== null;
  };
  return {
    request: {
      suite: header.suite,
      commitmentPolicy,
      encryptionContext: full,
      requiredContextKeys: requiredKeys,
      encryptedDataKeys: header.encryptedDataKeys,
      accepts,
    },
    openWith({ dataKey, openedBy, remember }) {
      try {
        // A manager that did not ask (a cache, a keyring of someone else's) is asked for here: nothing goes unverified.
        const opened = opener ?? MessageOpener.open(header, authenticatedOnly, sharedBytes(dataKey));
        if (opened === null) throw new EnvelopeError("decryption-failed", "The message does not authenticate");
        remember?.(header, authenticatedOnly, opened.frameKey.key);
        return { opener: opened, openedBy: openedBy ?? null };
      } finally {
        dataKey.wipe();
      }
    },
  };
}

/** Verifies a signed message with the key that its header carries; null for an unsigned one. */
export function headerVerifier({ suite, context }: MessageHeader): MessageVerifier | null {
  if (suite.signature === null) return null;
  const publicKey = context.pairs.find(([key]) => key === PUBLIC_KEY_FIELD)?.[1];
  return messageVerifier(suite.signature, publicKey ?? "");
}

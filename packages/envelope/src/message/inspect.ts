/**
 * Shows what a message says about itself, without any key. Nothing here is authenticated: it is for people, tools and
 * routing, never for a decision about trust.
 */
import { EnvelopeError, isEnvelopeError } from "../errors.ts";
import { readBodyLayout, readFooter } from "../format/body.ts";
import { callersContext } from "../format/encryption-context.ts";
import type { EncryptionContext } from "../format/encryption-context.ts";
import { parseHeader } from "../format/header.ts";
import type { ContentType, MessageHeader } from "../format/header.ts";
import { DEFAULT_LIMITS, limitsOption } from "../format/suites.ts";
import type { AlgorithmSuiteName, MessageLimits } from "../format/suites.ts";
import { namedKey } from "../keyrings/data-keys.ts";
import { objectOf, readOptions, requireBytes } from "../options.ts";
import type { RowsFor } from "../options.ts";

export interface InspectedDataKey {
  readonly providerId: string;
  /** The key's name or ARN, as far as it is text. */
  readonly keyInfo: string;
  readonly region: string | null;
  readonly ciphertextLength: number;
}

export interface MessageInspection {
  /** Message format version. */
  readonly version: 1 | 2;
  readonly suite: AlgorithmSuiteName;
  /** The suite's id as the specification writes it, `0x0478`. */
  readonly suiteId: string;
  readonly committing: boolean;
  readonly signed: boolean;
  /** Hex. */
  readonly messageId: string;
  /** As stored, without the public signing key. Not authenticated. */
  readonly encryptionContext: EncryptionContext;
  readonly encryptedDataKeys: readonly InspectedDataKey[];
  readonly contentType: ContentType;
  readonly frameLength: number;
  readonly headerLength: number;
  readonly messageLength: number;
  /** null when the body is incomplete, malformed or followed by other bytes; `problem` then says which. */
  readonly body: { readonly frames: number; readonly plaintextLength: number } | null;
  readonly problem: EnvelopeError | null;
}

export interface InspectOptions {
  readonly limits?: Partial<MessageLimits>;
}

const readInspect = objectOf({ limits: limitsOption(DEFAULT_LIMITS) } satisfies RowsFor<InspectOptions>);

/**
 * Parses the header and, as far as it is there, the shape of the body. What it answers with is data, exact to the
 * character: whoever prints it escapes it (as `strongroom inspect` does), since a message's writer may have put
 * anything in.
 *
 * @throws EnvelopeError `option-invalid`, `message-malformed`, `message-truncated`, `suite-unsupported`,
 *   `limit-exceeded` for the header.
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { encrypt, inspect, rawAesKeyring } from "@strongroom/envelope";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const { message } = await encrypt(Buffer.from("hello"), { keyring, encryptionContext: { id: "42" } });
 *
 * const { suiteId, encryptedDataKeys, body } = inspect(message);
 * console.log(suiteId, encryptedDataKeys[0]?.keyInfo, body?.plaintextLength); // prints: 0x0478 2026-01 5
 * ```
 */
export function inspect(message: Uint8Array, options: InspectOptions = {}): MessageInspection {
  requireBytes(message, "message");
  const { limits } = readOptions(readInspect, options);
  const header = parseHeader(message, limits);
  const { suite, context } = header;
  return {
    version: suite.messageVersion,
    suite: suite.name,
    suiteId: `0x${suite.id.toString(16).padStart(4, "0")}`,
    committing: suite.committing,
    signed: suite.signature !== null,
    messageId: header.messageId.toString("hex"),
    encryptionContext: callersContext(context),
    encryptedDataKeys: header.encryptedDataKeys.map((stored) => {
      const { providerId, key, region } = namedKey(stored);
      return { providerId, keyInfo: key, region, ciphertextLength: stored.ciphertext.length };
    }),
    contentType: header.contentType,
    frameLength: header.frameLength,
    headerLength: header.length,
    messageLength: message.length,
    ...inspectBody(message, header, limits),
  };
}

function inspectBody(
  message: Uint8Array,
  header: MessageHeader,
  limits: MessageLimits,
): Pick<MessageInspection, "body" | "problem"> {
  try {
    const { last, plaintextLength } = readBodyLayout(message, header, limits);
    const end = header.suite.signature === null ? last.end : readFooter(message, last.end, header.suite).end;
    if (end !== message.length) {
      throw new EnvelopeError("message-trailing-bytes", `${message.length - end} bytes follow the end of the message`);
    }
    return { body: { frames: last.sequence, plaintextLength }, problem: null };
  } catch (error) {
    if (isEnvelopeError(error)) return { body: null, problem: error };
    throw error;
  }
}

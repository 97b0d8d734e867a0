/**
 * Upper bounds on what a message may ask for. Each is checked before memory is taken for it and before any key is
 * asked for. Threat answered: a hostile message that costs memory, KMS calls or time.
 */
import { EnvelopeError } from "../errors/envelope-error.ts";

export interface MessageLimits {
  /** Encrypted data keys in one message (client-apis/client.md, "Maximum Number Of Encrypted Data Keys"). */
  readonly encryptedDataKeys: number;
  /** Bytes of the serialized encryption context. AWS KMS takes no more than 8,192 characters. */
  readonly contextBytes: number;
  /** Bytes of one frame's content; also of the one block of an unframed message. */
  readonly frameBytes: number;
  /** Bytes of plaintext in one message. Streams have no such limit unless given one. */
  readonly plaintextBytes: number;
  /** Bytes of plaintext that a decrypt stream keeps until a signed message's signature is verified. */
  readonly heldBackBytes: number;
}

export const DEFAULT_LIMITS: MessageLimits = {
  encryptedDataKeys: 16,
  contextBytes: 8_192,
  frameBytes: 16 * 1024 * 1024,
  plaintextBytes: 1024 * 1024 * 1024,
  heldBackBytes: 64 * 1024 * 1024,
};

/** What the format itself can express (data-format/message-header.md, data-format/message-body.md). */
export const FORMAT_LIMITS: MessageLimits = {
  encryptedDataKeys: 0xffff,
  contextBytes: 0xffff,
  frameBytes: 0xffff_ffff,
  plaintextBytes: Number.MAX_SAFE_INTEGER,
  heldBackBytes: Number.MAX_SAFE_INTEGER,
};

/** Fills in defaults and refuses, all at once, whatever is no whole number within the format's own bounds. */
export function resolveLimits(limits: Partial<MessageLimits> | undefined): MessageLimits {
  if (limits === undefined) return DEFAULT_LIMITS;
  const problems: string[] = [];
  for (const [name, value] of Object.entries(limits) as [keyof MessageLimits, number][]) {
    const most = FORMAT_LIMITS[name] as number | undefined;
    if (most === undefined) problems.push(`limits.${name} is not a limit`);
    else if (!Number.isSafeInteger(value) || value < 1 || value > most) {
      problems.push(`limits.${name} must be a whole number from 1 to ${most}`);
    }
  }
  if (problems.length > 0) throw new EnvelopeError("option-invalid", problems.join("; "));
  return { ...DEFAULT_LIMITS, ...limits };
}

/** Throws `limit-exceeded` naming the limit, what was found and what is allowed. */
export function enforceLimit(limits: MessageLimits, name: keyof MessageLimits, found: number): void {
  if (found > limits[name]) {
    throw new EnvelopeError("limit-exceeded", `${name}: ${found} is more than the limit of ${limits[name]}`);
  }
}

/**
 * The envelope's errors as the vault's. What the envelope says of keys and regions stays on the cause; the vault's own
 * message names regions and reasons, no ARN.
 */
import { EnvelopeError } from "@strongroom/envelope";
import type { EnvelopeErrorCode } from "@strongroom/envelope";
import { VaultError } from "./errors.ts";
import type { RegionReason, VaultErrorCode } from "./errors.ts";

interface Meaning {
  readonly code: VaultErrorCode;
  readonly says: string;
}

const TAMPERED: Meaning = {
  code: "record-tampered",
  says: "The stored message does not authenticate or is not a whole message",
};
const FAILED: Meaning = { code: "encryption-failed", says: "The envelope refused to work" };

/**
 * Envelope code -> what it means while a stored message is opened or a new one is made. Every other one is a fault of
 * the set-up.
 */
const MEANINGS: Readonly<Partial<Record<EnvelopeErrorCode, Meaning>>> = {
  "message-malformed": TAMPERED,
  "message-truncated": TAMPERED,
  "message-trailing-bytes": TAMPERED,
  "suite-unsupported": TAMPERED,
  "commitment-policy": TAMPERED,
  "limit-exceeded": TAMPERED,
  "context-mismatch": TAMPERED,
  "decryption-failed": TAMPERED,
  "no-matching-key": { code: "key-not-configured", says: "None of the configured keys belongs to the stored message" },
  "regions-unavailable": { code: "regions-unavailable", says: "No region could open the data key" },
  "wraps-below-minimum": { code: "wraps-below-minimum", says: "Too few regions could wrap the data key" },
  "deadline-exceeded": { code: "deadline-exceeded", says: "The deadline passed before enough regions answered" },
  aborted: { code: "aborted", says: "The caller gave up" },
};

/** Makes a VaultError of whatever encrypt, decrypt or inspect threw; a VaultError stays what it is. */
export function envelopeFailure(error: unknown): VaultError {
  if (error instanceof VaultError) return error;
  if (!(error instanceof EnvelopeError)) return new VaultError(FAILED.code, FAILED.says, { cause: error });
  const { code, says } = MEANINGS[error.code] ?? FAILED;
  const regions = (error.attempts ?? []).map(({ region, reason }): RegionReason => ({ region, reason }));
  if (regions.length === 0) return new VaultError(code, says, { cause: error });
  const listed = regions.map(({ region, reason }) => `${region}: ${reason}`).join(", ");
  return new VaultError(code, `${says} (${listed})`, { cause: error, regions });
}

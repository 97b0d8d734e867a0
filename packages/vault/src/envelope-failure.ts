/**
 * The envelope's errors as the vault's. What the envelope says of keys and regions stays on the cause; the vault's own
 * message names regions and reasons, no ARN.
 */
import { isEnvelopeError } from "@strongroom/envelope";
import type { EnvelopeErrorCode, Keyring } from "@strongroom/envelope";
import { isVaultError, VaultError } from "./errors.ts";
import type { RegionReason, VaultErrorCode } from "./errors.ts";

interface Meaning {
  readonly code: VaultErrorCode;
  readonly message: string;
}

const TAMPERED: Meaning = {
  code: "record-tampered",
  message: "The stored message does not authenticate or is not a whole message",
};
const FAILED: Meaning = { code: "encryption-failed", message: "The envelope refused to work" };

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
  "no-matching-key": {
    code: "key-not-configured",
    message: "None of the configured keys belongs to the stored message",
  },
  "regions-unavailable": { code: "regions-unavailable", message: "No region could open the data key" },
  "wraps-below-minimum": { code: "wraps-below-minimum", message: "Too few regions could wrap the data key" },
  "deadline-exceeded": { code: "deadline-exceeded", message: "The deadline passed before enough regions answered" },
  "keyring-overloaded": { code: "keyring-overloaded", message: "Too many operations are under way in the keyring" },
  // A failure of the key store's own is its cause, and says more.
  "branch-key-unavailable": { code: "subject-key-absent", message: "The key that the message hangs on is not there" },
  aborted: { code: "aborted", message: "The caller gave up" },
};

/** Makes a VaultError of whatever encrypt, decrypt or inspect threw; a VaultError stays what it is. */
export function envelopeFailure(error: unknown): VaultError {
  if (isVaultError(error)) return error;
  if (!isEnvelopeError(error)) return new VaultError(FAILED.code, FAILED.message, { cause: error });
  if (error.code === "branch-key-unavailable" && isVaultError(error.cause)) return error.cause;
  const { code, message } = MEANINGS[error.code] ?? FAILED;
  const regions = (error.attempts ?? []).map(({ region, reason }): RegionReason => ({ region, reason }));
  if (regions.length === 0) return new VaultError(code, message, { cause: error });
  const listed = regions.map(({ region, reason }) => `${region}: ${reason}`).join(", ");
  return new VaultError(code, `${message} (${listed})`, { cause: error, regions });
}

/** Failures that another keyring would meet too. */
const NOT_OF_THE_KEYS: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>(["aborted", "keyring-overloaded"]);

/** Failures that are no news when another keyring, which may have the message's keys, could not ask them. */
const SAYS_LITTLE: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>([
  "key-not-configured",
  "record-tampered",
  "subject-key-tampered",
]);

/**
 * Opens with the next keyring what the one before could not. None calls a KMS for keys that are not its own, so that
 * nothing is asked in vain. When all fail, what a keyring said that has keys of the message is told.
 *
 * @throws VaultError
 */
export async function openByOthers<Opened>(
  keyrings: readonly Keyring[],
  open: (keyring: Keyring) => Promise<Opened>,
  before: VaultError,
): Promise<Opened> {
  let told = before;
  for (const keyring of keyrings) {
    if (NOT_OF_THE_KEYS.has(told.code)) break;
    try {
      return await open(keyring);
    } catch (error) {
      const failure = envelopeFailure(error);
      if (failure.code !== "key-not-configured" && (SAYS_LITTLE.has(told.code) || NOT_OF_THE_KEYS.has(failure.code)))
        told = failure;
    }
  }
  throw told;
}

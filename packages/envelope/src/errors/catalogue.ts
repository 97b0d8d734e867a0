/**
 * Every code an EnvelopeError can carry, with its title and what to do about it. docs/errors.md is held to this table.
 */

/** The closed union of codes. */
export type EnvelopeErrorCode =
  | "message-malformed"
  | "message-truncated"
  | "message-trailing-bytes"
  | "suite-unsupported"
  | "commitment-policy"
  | "limit-exceeded"
  | "option-invalid"
  | "context-mismatch"
  | "decryption-failed"
  | "no-matching-key"
  | "wrap-failed"
  | "keyring-unsuitable"
  | "branch-key-unavailable"
  | "regions-unavailable"
  | "wraps-below-minimum"
  | "deadline-exceeded"
  | "aborted"
  | "worker-failed"
  | "secret-wiped";

interface EnvelopeErrorRow {
  readonly title: string;
  readonly remedy: string;
}

export const ENVELOPE_ERRORS: Readonly<Record<EnvelopeErrorCode, EnvelopeErrorRow>> = {
  "message-malformed": {
    title: "The bytes are not a valid message",
    remedy:
      "Check that the whole message was stored and read as bytes (not as text or base64) and that nothing rewrote " +
      "it.",
  },
  "message-truncated": {
    title: "The message ends too early",
    remedy: "Read the message again from its source; its end is missing.",
  },
  "message-trailing-bytes": {
    title: "Bytes follow the end of the message",
    remedy: "Store and pass each message by itself; something was appended to it.",
  },
  "suite-unsupported": {
    title: "The message names an unknown algorithm suite",
    remedy: "Check that the bytes are an AWS Encryption SDK message; if so, update this library.",
  },
  "commitment-policy": {
    title: "The commitment policy forbids this algorithm suite",
    remedy: "To read old messages without key commitment set commitmentPolicy to 'require-encrypt-allow-decrypt'.",
  },
  "limit-exceeded": {
    title: "The message or the input is larger than a configured limit",
    remedy: "If the size is legitimate, raise the limit named in the message through the `limits` option.",
  },
  "option-invalid": {
    title: "An option has a value that cannot work",
    remedy: "Correct the options named in the message.",
  },
  "context-mismatch": {
    title: "The message was made for another encryption context",
    remedy:
      "Compare the context keys listed on the error with what the writer used. A moved or swapped message ends here " +
      "too.",
  },
  "decryption-failed": {
    title: "The message does not authenticate",
    remedy:
      "The message was changed, or its data key is not the one it was made with. Restore the message from a trusted " +
      "copy.",
  },
  "no-matching-key": {
    title: "No configured key belongs to this message",
    remedy: "The error lists the keys the message is encrypted for: configure one of them.",
  },
  "wrap-failed": {
    title: "A key could not wrap or make the data key",
    remedy: "Read the cause: the wrapping key refused. Nothing was encrypted.",
  },
  "keyring-unsuitable": {
    title: "The keyring cannot do what it was asked for",
    remedy:
      "Some keyrings only encrypt, only decrypt, or refuse some suites: use the keyring, key or suite that the " +
      "message names.",
  },
  "branch-key-unavailable": {
    title: "A branch key could not be had from its key store",
    remedy: "Read the cause, which is the key store's own error. A branch key that was erased cannot be had again.",
  },
  "regions-unavailable": {
    title: "No region could unwrap the data key",
    remedy: "The attempts say what each region answered; bring one of them back or restore access to its key.",
  },
  "wraps-below-minimum": {
    title: "Fewer regions than the minimum wrapped the data key",
    remedy: "Nothing was encrypted. The attempts say what each region answered; retry when enough of them are back.",
  },
  "deadline-exceeded": {
    title: "The overall deadline passed",
    remedy: "The attempts say which regions were slow. Retry, or raise deadlineMs if the regions are that far away.",
  },
  aborted: {
    title: "The caller aborted the operation",
    remedy: "Nothing to do: the AbortSignal passed in was triggered.",
  },
  "worker-failed": {
    title: "A worker thread could not do its part",
    remedy:
      "Nothing was released. Use framing workers only until they are closed; read the cause if a thread ended by " +
      "itself.",
  },
  "secret-wiped": {
    title: "A key was used after it was wiped",
    remedy: "Do not use a keyring or a secret after disposing of it.",
  },
};

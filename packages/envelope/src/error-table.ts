/**
 * Every code that an error of this package can carry, and what it stands for. Cryptographic failure is one opaque code
 * on purpose: telling apart *why* something does not authenticate is an oracle. The page docs/errors.md is held to it.
 */

/** What an error can be: a closed list, so that callers can decide by it. */
export type EnvelopeErrorCode =
  | "message-malformed"
  | "message-truncated"
  | "message-trailing-bytes"
  | "suite-unsupported"
  | "commitment-policy"
  | "limit-exceeded"
  | "option-invalid"
  | "context-mismatch"
  | "signature-required"
  | "decryption-failed"
  | "no-matching-key"
  | "wrap-failed"
  | "keyring-unsuitable"
  | "branch-key-unavailable"
  | "regions-unavailable"
  | "wraps-below-minimum"
  | "deadline-exceeded"
  | "keyring-overloaded"
  | "aborted"
  | "worker-failed"
  | "secret-wiped";

/**
 * What a code stands for. `outcome` says how it ends a command and `status` with which HTTP status a service would
 * answer: 500 where the state of what is stored or configured is wrong, which no caller can change.
 */
export interface EnvelopeErrorRow {
  /** What happened, in a few words that never change with the input. */
  readonly title: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  readonly outcome:
    "failure" | "usage" | "absent" | "conflict" | "refused" | "not-allowed" | "unavailable" | "interrupted";
  readonly status: number;
}

/** Code -> what it stands for. */
export const ENVELOPE_ERRORS: Readonly<Record<EnvelopeErrorCode, EnvelopeErrorRow>> = {
  "message-malformed": {
    title: "The bytes are not a valid message",
    remedy:
      "Check that the whole message was stored and read as bytes (not as text or base64) and that nothing rewrote " +
      "it.",
    outcome: "refused",
    status: 500,
  },
  "message-truncated": {
    title: "The message ends too early",
    remedy: "Read the message again from its source; its end is missing.",
    outcome: "refused",
    status: 500,
  },
  "message-trailing-bytes": {
    title: "Bytes follow the end of the message",
    remedy: "Store and pass each message by itself; something was appended to it.",
    outcome: "refused",
    status: 500,
  },
  "suite-unsupported": {
    title: "The message names an unknown algorithm suite",
    remedy: "Check that the bytes are an AWS Encryption SDK message; if so, update this library.",
    outcome: "refused",
    status: 500,
  },
  "commitment-policy": {
    title: "The commitment policy forbids this algorithm suite",
    remedy: "To read old messages without key commitment set commitmentPolicy to 'require-encrypt-allow-decrypt'.",
    outcome: "refused",
    status: 500,
  },
  "limit-exceeded": {
    title: "The message or the input is larger than a configured limit",
    remedy: "If the size is legitimate, raise the limit named in the message through the `limits` option.",
    outcome: "usage",
    status: 413,
  },
  "option-invalid": {
    title: "An option has a value that cannot work",
    remedy: "Correct the options named in the message.",
    outcome: "usage",
    status: 500,
  },
  "context-mismatch": {
    title: "The message was made for another encryption context",
    remedy:
      "Compare the context keys listed on the error with what the writer used. A moved or swapped message ends here " +
      "too.",
    outcome: "refused",
    status: 500,
  },
  "signature-required": {
    title: "The message is not signed",
    remedy:
      "signedMessages is 'require': only messages of a signed suite are read. A message that ought to be signed may " +
      "have been put in another's place.",
    outcome: "refused",
    status: 500,
  },
  "decryption-failed": {
    title: "The message does not authenticate",
    remedy:
      "The message was changed, or its data key is not the one it was made with. Restore the message from a trusted " +
      "copy.",
    outcome: "refused",
    status: 500,
  },
  "no-matching-key": {
    title: "No configured key belongs to this message",
    remedy: "The error lists the keys the message is encrypted for: configure one of them.",
    outcome: "usage",
    status: 500,
  },
  "wrap-failed": {
    title: "A key could not wrap or make the data key",
    remedy: "Read the cause: the wrapping key refused. Nothing was encrypted.",
    outcome: "failure",
    status: 500,
  },
  "keyring-unsuitable": {
    title: "The keyring cannot do what it was asked for",
    remedy:
      "Some keyrings only encrypt, only decrypt, or refuse some suites: use the keyring, key or suite that the " +
      "message names.",
    outcome: "usage",
    status: 500,
  },
  "branch-key-unavailable": {
    title: "A branch key could not be had from its key store",
    remedy: "Read the cause, which is the key store's own error. A branch key that was erased cannot be had again.",
    outcome: "unavailable",
    status: 503,
  },
  "regions-unavailable": {
    title: "No region could unwrap the data key",
    remedy: "The attempts say what each region answered; bring one of them back or restore access to its key.",
    outcome: "unavailable",
    status: 503,
  },
  "wraps-below-minimum": {
    title: "Fewer regions than the minimum wrapped the data key",
    remedy: "Nothing was encrypted. The attempts say what each region answered; retry when enough of them are back.",
    outcome: "unavailable",
    status: 503,
  },
  "deadline-exceeded": {
    title: "The overall deadline passed",
    remedy: "The attempts say which regions were slow. Retry, or raise deadlineMs if the regions are that far away.",
    outcome: "unavailable",
    status: 503,
  },
  "keyring-overloaded": {
    title: "More is asked of the keyring than it can do at once",
    remedy:
      "Ask for less at once, or retry after a moment: no region is at fault. operationsAtOnce and operationsWaiting " +
      "say how much is taken.",
    outcome: "unavailable",
    status: 503,
  },
  aborted: {
    title: "The caller aborted the operation",
    remedy: "Nothing to do: the AbortSignal passed in was triggered.",
    outcome: "interrupted",
    status: 499,
  },
  "worker-failed": {
    title: "A worker thread could not do its part",
    remedy:
      "Nothing was released. Use framing workers only until they are closed; read the cause if a thread ended by " +
      "itself. A bundler must leave this package outside (external): threads start from a file of it.",
    outcome: "failure",
    status: 500,
  },
  "secret-wiped": {
    title: "A key was used after it was wiped",
    remedy: "Do not use a keyring or a secret after disposing of it.",
    outcome: "failure",
    status: 500,
  },
};

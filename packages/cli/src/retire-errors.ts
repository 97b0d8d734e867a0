// The errors of rotations and of the retirement of a key: rows of the command's table.
import type { ErrorTable } from "@strongroom/base/errors";

/** A code of {@link RETIRE_ERRORS}. */
export type RetireErrorCode =
  "rotation-begun" | "key-in-force" | "key-still-needed" | "key-not-retired" | "report-refused";

export const RETIRE_ERRORS: ErrorTable<RetireErrorCode> = {
  "rotation-begun": {
    title: "Another rotation has begun",
    remedy: "End it first: strongroom keys rotate goes on with it, strongroom keys rotate --give-up drops it.",
    outcome: "conflict",
    status: 409,
  },
  "key-in-force": {
    title: "The key is in force: everything new is wrapped under it",
    remedy:
      "Put another key set in force and bring everything to it first: strongroom keys rotate for an installation " +
      "that makes its own keys, keys.next and strongroom keys apply for others.",
    outcome: "conflict",
    status: 409,
  },
  "key-still-needed": {
    title: "Something is wrapped under the key still",
    remedy: "strongroom keys plan shows what, strongroom keys apply brings it to the key set in force. Then try again.",
    outcome: "conflict",
    status: 409,
  },
  "key-not-retired": {
    title: "The key was not retired",
    remedy:
      "The KMS needs GetKeyPolicy, PutKeyPolicy, GetKeyLastUsage, DescribeKey and DisableKey of whoever retires a " +
      "key: --credentials FILE names them. What was done stays, and running it again goes on.",
    outcome: "unavailable",
    status: 503,
  },
  "report-refused": {
    title: "The report is refused",
    remedy: "Take it from where it was first kept, and the verifier key from elsewhere. Do not rely on this one.",
    outcome: "refused",
    status: 400,
  },
};

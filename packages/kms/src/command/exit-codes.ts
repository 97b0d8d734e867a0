// The exit codes of the command. Scripts branch on them: a number never changes its meaning, and it means here what it
// means to the command `strongroom`, which starts the same server.

import type { KmsErrorCode } from "../errors.ts";

/** Outcome -> process exit code and what it means to the caller. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: "done" },
  failure: { code: 1, meaning: "failed" },
  usage: {
    code: 2,
    meaning:
      "wrong usage, input or configuration; a port or data folder in use; a root key that is missing or another one",
  },
  absent: { code: 3, meaning: "no such database, region or key" },
  conflict: { code: 4, meaning: "there is something already where this would go" },
  refused: { code: 5, meaning: "stored data was refused: damaged or tampered with" },
  "not-allowed": { code: 6, meaning: "policy test: the request would be denied" },
  unavailable: { code: 7, meaning: "a region cannot be reached" },
  interrupted: { code: 130, meaning: "interrupted (Ctrl-C)" },
} as const;

/** The name of an outcome in {@link EXIT_CODES}. */
export type Outcome = keyof typeof EXIT_CODES;

/**
 * How each error of the server ends a command. What a person sets right by starting it otherwise (another port, the
 * right root key) is a matter of usage.
 */
export const OUTCOMES: Readonly<Record<KmsErrorCode, Outcome>> = {
  "option-invalid": "usage",
  "data-dir-in-use": "usage",
  "file-permissions": "usage",
  "root-key-missing": "usage",
  "root-key-wrong": "usage",
  "root-key-malformed": "usage",
  "store-absent": "absent",
  "store-newer": "usage",
  "store-corrupt": "refused",
  "store-failed": "failure",
  "credentials-malformed": "usage",
  "seed-malformed": "usage",
  "seed-conflict": "conflict",
  "port-in-use": "usage",
  "region-unknown": "absent",
  "key-unknown": "absent",
  "audit-broken": "refused",
  "backup-failed": "failure",
  "would-overwrite": "conflict",
};

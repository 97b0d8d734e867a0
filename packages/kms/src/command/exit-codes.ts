// The exit codes of the command. Scripts branch on them: a number never changes its meaning.

import type { KmsErrorCode } from "../errors.ts";

/** Outcome -> process exit code and what it means to the caller. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: "done" },
  failure: { code: 1, meaning: "failed" },
  usage: { code: 2, meaning: "wrong usage, file or configuration" },
  absent: { code: 3, meaning: "no such database, key or file" },
  conflict: { code: 4, meaning: "something is there already, or in use" },
  refused: { code: 5, meaning: "stored data was refused: damaged, tampered with, or sealed under another root key" },
  "not-allowed": { code: 6, meaning: "policy test: the request would be denied" },
  unavailable: { code: 7, meaning: "a region cannot be reached" },
  interrupted: { code: 130, meaning: "interrupted (Ctrl-C)" },
} as const;

/** The name of an outcome in {@link EXIT_CODES}. */
export type Outcome = keyof typeof EXIT_CODES;

/** How each error of the server ends the command. */
export const OUTCOMES: Readonly<Record<KmsErrorCode, Outcome>> = {
  "option-invalid": "usage",
  "data-dir-in-use": "conflict",
  "file-permissions": "usage",
  "root-key-missing": "absent",
  "root-key-wrong": "refused",
  "root-key-malformed": "usage",
  "store-absent": "absent",
  "store-newer": "usage",
  "store-corrupt": "refused",
  "store-failed": "failure",
  "credentials-malformed": "usage",
  "seed-malformed": "usage",
  "seed-conflict": "conflict",
  "port-in-use": "conflict",
  "region-unknown": "absent",
  "key-unknown": "absent",
  "audit-broken": "refused",
  "backup-failed": "failure",
  "would-overwrite": "conflict",
};

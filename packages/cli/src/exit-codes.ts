// The exit codes of the command. They are part of its interface: scripts branch on them, so a number never changes its
// meaning.

/** Name of an outcome -> process exit code and what it means to the caller. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: "done" },
  failure: { code: 1, meaning: "failed, or a check did not pass" },
  usage: { code: 2, meaning: "wrong usage, input or configuration" },
  absent: { code: 3, meaning: "no such record, version or collection" },
  conflict: { code: 4, meaning: "the record is not in the expected version" },
  refused: { code: 5, meaning: "stored data was refused: moved, rolled back or tampered with" },
  "not-allowed": { code: 6, meaning: "no token, a wrong token, or a scope is missing" },
  unavailable: { code: 7, meaning: "the service or too many regions can not be reached" },
  interrupted: { code: 130, meaning: "interrupted (Ctrl-C)" },
} as const;

/** The name of an outcome in {@link EXIT_CODES}. */
export type Outcome = keyof typeof EXIT_CODES;

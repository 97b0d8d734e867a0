/**
 * The outcomes that an error can have, with the exit code of each. Scripts branch on the numbers: a number never
 * changes its meaning, and it means the same in every command.
 */

/** Outcome -> process exit code and what it means to the caller. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: "done" },
  failure: { code: 1, meaning: "failed, or a check did not pass" },
  usage: { code: 2, meaning: "wrong usage, input or configuration" },
  absent: { code: 3, meaning: "no such record, version, collection, database, region or key" },
  conflict: {
    code: 4,
    meaning: "it is not in the expected version, or there is something already where this would go",
  },
  refused: { code: 5, meaning: "stored data was refused: moved, rolled back, damaged or tampered with" },
  "not-allowed": { code: 6, meaning: "no token, a wrong token, or a permission is missing" },
  unavailable: { code: 7, meaning: "the service or too many regions cannot be reached" },
  interrupted: { code: 130, meaning: "interrupted (Ctrl-C)" },
} as const;

/** The name of an outcome in {@link EXIT_CODES}. */
export type Outcome = keyof typeof EXIT_CODES;

/** What an error's code stands for: one row of a package's table. */
export interface ErrorRow {
  /** What happened, in a few words that never change with the input. */
  readonly title: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  /** How it ends a command. */
  readonly outcome: Outcome;
  /** HTTP status of the answer that a service gives when a request ends with it. */
  readonly status: number;
}

/** A package's closed table of errors. */
export type ErrorTable<Code extends string> = Readonly<Record<Code, ErrorRow>>;

/**
 * @strongroom/base/errors: what a row of a table of errors says, the exit code of each outcome, and what is shown of an
 * error. Each published package carries a copy of this one, so an error is recognised by its shape, a `code` and the
 * `row` of its package's table, and never by its class.
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

/** An error from a package's table, as every package throws it. */
export interface TableError extends Error {
  readonly code: string;
  /** The code's row, or one made for this case. */
  readonly row: ErrorRow;
  /** What happened in this case, where the title does not say all. Never a secret and never a document's content. */
  readonly detail?: string | null;
  /** One entry per problem, where there are several. */
  readonly problems?: readonly string[];
  /** The code that another program gave; shown instead of `code`. */
  readonly reportedCode?: string;
}

/** What a person or a program is told of an error. */
export interface ErrorReport {
  readonly code: string;
  readonly title: string;
  readonly detail: string | null;
  readonly problems: readonly string[];
  readonly remedy: string;
  readonly outcome: ErrorRow["outcome"];
}

/** The errors that any command can end with, whatever it does. */
export const COMMAND_ERRORS: ErrorTable<"usage" | "unexpected" | "interrupted"> = {
  usage: {
    title: "The command was not understood",
    remedy: "Run the command with --help: it lists arguments, options and examples.",
    outcome: "usage",
    status: 400,
  },
  unexpected: {
    title: "Something unexpected went wrong",
    remedy: "This is a defect of Strongroom: please report it with the command that you ran (not the data).",
    outcome: "failure",
    status: 500,
  },
  interrupted: {
    title: "Interrupted",
    remedy: "Run the same command again; what is stored stays stored.",
    outcome: "interrupted",
    status: 499,
  },
};

/** Whether an error comes from a package's table. */
export function isTableError(error: unknown): error is TableError {
  if (!(error instanceof Error) || !("code" in error) || !("row" in error)) return false;
  const { code, row } = error;
  return typeof code === "string" && isRow(row);
}

function isRow(row: unknown): row is ErrorRow {
  if (typeof row !== "object" || row === null) return false;
  const { title, remedy, outcome } = row as Partial<Record<keyof ErrorRow, unknown>>;
  return (
    typeof title === "string" &&
    typeof remedy === "string" &&
    typeof outcome === "string" &&
    Object.hasOwn(EXIT_CODES, outcome)
  );
}

/**
 * The report of whatever was thrown. Of a defect its name and message are shown, never its stack, cause or properties,
 * which could hold a document.
 */
export function reportOf(error: unknown): ErrorReport {
  if (isTableError(error)) {
    const { code, row, detail = null, problems = [], reportedCode = code } = error;
    return { code: reportedCode, title: row.title, detail, problems, remedy: row.remedy, outcome: row.outcome };
  }
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : "a value that is not an Error was thrown";
  return commandReport("unexpected", { detail });
}

/** The report of an error of {@link COMMAND_ERRORS}. */
export function commandReport(
  code: keyof typeof COMMAND_ERRORS,
  more: Partial<Pick<ErrorReport, "detail" | "problems" | "remedy">> = {},
): ErrorReport {
  const { title, remedy, outcome } = COMMAND_ERRORS[code];
  return { code, title, detail: null, problems: [], remedy, outcome, ...more };
}

/** A command line that was not understood, found by a program's own parsing. */
export class UsageError extends Error implements TableError {
  override readonly name: string = "UsageError";
  readonly code: string = "usage";
  readonly row: ErrorRow;
  readonly detail: string | null;
  readonly problems: readonly string[];

  constructor({ detail, problems, remedy }: Partial<Pick<ErrorReport, "detail" | "problems" | "remedy">>) {
    super(detail ?? problems?.join("; ") ?? COMMAND_ERRORS.usage.title);
    this.row = { ...COMMAND_ERRORS.usage, ...(remedy !== undefined && { remedy }) };
    this.detail = detail ?? null;
    this.problems = problems ?? [];
  }
}

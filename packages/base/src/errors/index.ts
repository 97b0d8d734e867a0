/**
 * @strongroom/base/errors: what a row of a table of errors says, which exit code each outcome has, and what is shown of
 * an error.
 */
export { EXIT_CODES } from "./outcomes.ts";
export type { ErrorRow, ErrorTable, Outcome } from "./outcomes.ts";
export { COMMAND_ERRORS, commandReport, isTableError, reportOf } from "./report.ts";
export type { ErrorReport, TableError } from "./report.ts";

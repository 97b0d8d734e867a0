/**
 * @strongroom/base/errors: what a row of a table of errors says, and which exit code each outcome has.
 */
export { EXIT_CODES } from "./outcomes.ts";
export type { ErrorRow, ErrorTable, Outcome } from "./outcomes.ts";

/**
 * @strongroom/base/terminal: where a command writes, and tables. The progress bar is @strongroom/base/terminal/progress.
 */
export { createTerminal } from "./terminal.ts";
export type { OutputMode, Streams, Style, Terminal } from "./terminal.ts";
export { printable, renderTable } from "./table.ts";
export type { Column } from "./table.ts";

/**
 * @strongroom/base/terminal: where a command writes, and tables. The progress bar and the log are entry points of their
 * own: @strongroom/base/terminal/progress and @strongroom/base/terminal/log.
 */
export { createTerminal } from "./terminal.ts";
export type { OutputMode, Streams, Style, Terminal } from "./terminal.ts";
export { printable, renderTable } from "./table.ts";
export type { Column } from "./table.ts";

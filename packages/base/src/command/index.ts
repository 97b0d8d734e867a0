/**
 * @strongroom/base/command: what a command is, and the program that tables of commands make.
 */
export { mount, option, repeatedOption } from "./spec.ts";
export type {
  CommandContext,
  CommandGroup,
  CommandSpec,
  CommandTable,
  Example,
  Invocation,
  Mount,
  OptionSpec,
  OptionTable,
  OptionValues,
  ProgramSpec,
  SettingsGiven,
  SettingsSource,
} from "./spec.ts";
export { given, oneOf, oneOfOr, someOf, text, wholeNumber, wholeNumberOr } from "./option-types.ts";
export { runProgram } from "./program.ts";
export type { ProgramIo } from "./program.ts";
export { runProcess } from "./process.ts";

/**
 * @strongroom/base/command: what a command is, and the program that tables of commands make.
 */
export { mount } from "./spec.ts";
export type {
  CommandContext,
  CommandGroup,
  CommandSpec,
  CommandTable,
  Example,
  Invocation,
  Mount,
  ProgramSpec,
  SettingsGiven,
  SettingsSource,
} from "./spec.ts";
export {
  given,
  oneOf,
  oneOfOr,
  option,
  repeatedOption,
  someOf,
  text,
  texts,
  wholeNumber,
  wholeNumberOr,
} from "./options.ts";
export type { OptionSpec, OptionTable, OptionValues } from "./options.ts";
export { runProcess, runProgram } from "./run.ts";
export type { ProgramIo } from "./run.ts";

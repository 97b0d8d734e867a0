/**
 * @strongroom/base/settings: what a table of settings is, and what comes from it: schema, flags, variables, problems,
 * documentation.
 */
export { asBoolean, asInteger, asListOf, asPath, asText } from "./reading.ts";
export type { Reading } from "./reading.ts";
export { defaultText, settingsIn } from "./setting.ts";
export type { AnySetting, PlacedSetting, Setting, SettingGroup, SettingTable, Way } from "./setting.ts";
export { flagDescription, givenByEnvironment, givenByFlags, mistypedVariables, settingFlags } from "./given.ts";
export type { Environment, FlagText, GivenValue, KnownVariables, SettingFlag } from "./given.ts";
export { originOf, problemLine, settingsSchema, settle } from "./settle.ts";
export type { SettingProblem, SettingSources, SettledSettings } from "./settle.ts";
export { absolutePaths } from "./paths.ts";
export { settingsTable } from "./documentation.ts";

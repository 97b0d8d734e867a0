/**
 * @strongroom/base/settings: what a table of settings is, and what comes from it: schema, flags, variables, problems,
 * documentation.
 */
export {
  asBoolean,
  asInteger,
  asListOf,
  asPath,
  asPathOrUrl,
  asText,
  defaultText,
  isUrl,
  settingsIn,
  settingsTable,
} from "./setting.ts";
export type { AnySetting, PlacedSetting, Reading, Setting, SettingGroup, SettingTable, Way } from "./setting.ts";
export {
  absolutePaths,
  flagDescription,
  givenByEnvironment,
  givenByFlags,
  mistypedVariables,
  nearest,
  settingFlags,
} from "./given.ts";
export type { Environment, FlagText, GivenValue, KnownVariables, SettingFlag } from "./given.ts";
export { originOf, problemLine, settingsSchema, settle } from "./settle.ts";
export type { SettingProblem, SettingSources, SettledSettings } from "./settle.ts";

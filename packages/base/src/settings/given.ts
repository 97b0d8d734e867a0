/**
 * What is given outside of a configuration file: by variables of the environment, and by flags.
 */
import { nearest } from "../words/nearest.ts";
import { defaultText, type PlacedSetting, type SettingTable, settingsIn, type Way } from "./setting.ts";

/** The variables of the process, or those of a test. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A value that was given for a setting, already read. */
export interface GivenValue {
  /** The setting's dotted path. */
  readonly path: string;
  /** The flag (`--port`) or the variable that gave it. */
  readonly origin: string;
  readonly value: unknown;
}

/** A setting's flag, and all that help and completion need of it. */
export interface SettingFlag extends PlacedSetting {
  readonly way: Way;
  /** As commander reads it: `--port <n>`. */
  readonly flag: string;
}

/** The flags of the settings that belong to one of the groups. */
export function settingFlags(table: SettingTable, groups: readonly string[]): readonly SettingFlag[] {
  return settingsIn(table).flatMap(({ path, setting }) =>
    setting.group !== undefined && groups.includes(setting.group)
      ? setting.ways.flatMap((way) => (way.flag === undefined ? [] : [{ path, setting, way, flag: way.flag }]))
      : [],
  );
}

/** What help says of a setting's flag. */
export function flagDescription({ setting, way }: SettingFlag): string {
  if (way.meaning !== undefined) return way.meaning;
  const standard = defaultText(setting);
  return standard === null ? setting.meaning : `${setting.meaning} (default: ${standard})`;
}

/** The values that the environment gives. */
export function givenByEnvironment(table: SettingTable, env: Environment, cwd: string): readonly GivenValue[] {
  return settingsIn(table).flatMap(({ path, setting }) =>
    setting.ways.flatMap((way) => {
      const text = env[way.env];
      return text === undefined ? [] : [{ path, origin: way.env, value: way.reading(text, cwd) }];
    }),
  );
}

/** What commander collects for a flag: its text, all its texts where it is repeatable, or that a switch was given. */
export type FlagText = string | boolean | readonly string[];

/** The values that flags give; `textOf` is what commander collected for one. */
export function givenByFlags(
  flags: readonly SettingFlag[],
  textOf: (flag: SettingFlag) => FlagText | undefined,
  cwd: string,
): readonly GivenValue[] {
  return flags.flatMap((one) => {
    const given = textOf(one);
    if (given === undefined) return [];
    const text = typeof given === "object" ? given.join(",") : String(given);
    return [{ path: one.path, origin: one.flag.split(" ")[0] ?? one.flag, value: one.way.reading(text, cwd) }];
  });
}

/** Variables of one prefix that are known: those of settings, and others that are none. */
export interface KnownVariables {
  /** `STRONGROOM_`. */
  readonly prefix: string;
  readonly table: SettingTable;
  readonly others: readonly string[];
}

/**
 * Variables that are nearly a setting's name: STRONGROOM_PROT=8300 must not silently leave the default in place.
 * @returns one problem for each
 */
export function mistypedVariables({ prefix, table, others }: KnownVariables, env: Environment): readonly string[] {
  const known = [...settingsIn(table).flatMap(({ setting }) => setting.ways.map((way) => way.env)), ...others];
  const names = known.map((name) => name.slice(prefix.length));
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.includes(name))
    .flatMap((name) => {
      const meant = nearest(name.slice(prefix.length), names);
      return meant === null ? [] : [`${name} (environment): is no setting; did you mean ${prefix}${meant}?`];
    });
}

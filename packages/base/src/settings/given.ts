/**
 * What is given: by variables of the environment, by flags, and by a configuration file, whose paths are relative to
 * itself; and the names that were nearly a setting's.
 */
import { closestMatch } from "leven";
import {
  asPath,
  asPathOrUrl,
  defaultText,
  type PlacedSetting,
  type SettingTable,
  settingsIn,
  type Way,
} from "./setting.ts";

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

/**
 * The value of a configuration file with every path of the table's settings made absolute. They are relative to the
 * file, in `folder`, and not to the folder that a command is run in.
 */
export function absolutePaths(table: SettingTable, value: unknown, folder: string): unknown {
  const places = settingsIn(table).flatMap(({ path, setting }) =>
    (setting.paths ?? []).map((inside) => ({
      at: [...path.split("."), ...inside],
      reading: setting.urls === true ? asPathOrUrl : asPath,
    })),
  );
  return places.reduce(
    (current, { at, reading }) => changedAt(current, at, (text) => String(reading(text, folder))),
    value,
  );
}

/** `*` stands for every item of a list. */
function changedAt(value: unknown, [head, ...rest]: readonly string[], change: (text: string) => string): unknown {
  if (head === undefined) return typeof value === "string" ? change(value) : value;
  if (Array.isArray(value)) return head === "*" ? value.map((item: unknown) => changedAt(item, rest, change)) : value;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, head)) return value;
  return { ...value, [head]: changedAt((value as Readonly<Record<string, unknown>>)[head], rest, change) };
}

/**
 * "Did you mean": the candidate within a third of the word's length in edits (at least 2), or null.
 * @param word - what was typed
 * @param candidates - the names that exist
 */
export function nearest(word: string, candidates: readonly string[]): string | null {
  return closestMatch(word, candidates, { maxDistance: Math.max(2, Math.floor(word.length / 3)) }) ?? null;
}

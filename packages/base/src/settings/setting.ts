/**
 * A setting is one row: from it come its place in the schema of a configuration file, its flag, its environment
 * variable, its line in the documentation and its words in a shell's completion.
 */
import type { z } from "zod";
import type { Reading } from "./reading.ts";

/** One way of giving a setting outside of a configuration file. */
export interface Way {
  /** The environment variable. */
  readonly env: string;
  /** The flag as commander reads it, `--port <n>`; absent where a setting has none. */
  readonly flag?: string;
  /** How the text is read. Text that cannot be read stays text, so that the schema refuses it by name. */
  readonly reading: Reading;
  /** What this way gives, where a setting has several. */
  readonly meaning?: string;
  /** The flag may be given several times; its texts are joined with commas, as the variable has them. */
  readonly times?: "many";
}

interface SettingBase<Value> {
  /** The form of a given value; what is said of a wrong one. */
  readonly schema: z.ZodType<Value>;
  /** What it is, as help and documentation say it, without a full stop. */
  readonly meaning: string;
  /** What help and documentation say of the default, where the value itself does not say it. */
  readonly standard?: string;
  /** The commands that name this group take the setting as a flag. */
  readonly group?: string;
  readonly ways: readonly Way[];
  /** Where in the value paths are, which a configuration file gives relative to itself; `[]` is the value. */
  readonly paths?: readonly (readonly string[])[];
}

/** One setting. A value that may be absent has no default; every other has one. */
export type Setting<Value> = SettingBase<Exclude<Value, undefined>> &
  (undefined extends Value ? { readonly default?: undefined } : { readonly default: Value });

/** The settings of a group, each by its name. */
export type SettingGroup<Values> = { readonly [Name in keyof Values]-?: Setting<Values[Name]> };

/** A setting whose value's type is forgotten. */
export type AnySetting = SettingBase<unknown> & { readonly default?: unknown };

/** Settings by their names, in groups or not: the shape of a configuration file. */
export interface SettingTable {
  readonly [name: string]: AnySetting | SettingTable;
}

/** A setting and its dotted path. */
export interface PlacedSetting {
  readonly path: string;
  readonly setting: AnySetting;
}

/** Whether a member of a table is a setting; else it is a group. */
export function isSetting(node: AnySetting | SettingTable): node is AnySetting {
  return "ways" in node && Array.isArray(node.ways);
}

/** Every setting of a table, in its order. */
export function settingsIn(table: SettingTable, prefix = ""): readonly PlacedSetting[] {
  return Object.entries(table).flatMap(([name, node]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    return isSetting(node) ? [{ path, setting: node }] : settingsIn(node, path);
  });
}

/** The default as help and documentation say it; null for a switch that is off and for what has none. */
export function defaultText({ standard, default: value }: AnySetting): string | null {
  if (standard !== undefined) return standard;
  if (typeof value === "string" || typeof value === "number") return String(value);
  return value === true ? "true" : null;
}

/**
 * A setting is one row: from it come its place in the schema of a configuration file, its flag, its environment
 * variable, its line in the documentation and its words in a shell's completion.
 */
import { resolve } from "node:path";
import type { z } from "zod";

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
  readonly repeatable?: boolean;
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
  /**
   * It may come from a configuration file that nobody named and nobody trusted, because it can neither run a program,
   * nor say where a secret or a record comes from or goes, nor weaken what is promised. Left out: it may not.
   */
  readonly harmless?: boolean;
  /** Where in the value paths are, which a configuration file gives relative to itself; `[]` is the value. */
  readonly paths?: readonly (readonly string[])[];
  /** Such a path may be a URL, which stays as it is. */
  readonly urls?: boolean;
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

/**
 * How the text of a variable or a flag becomes a setting's value; relative paths in it are relative to `cwd`. Text that
 * cannot be read stays text: the schema then refuses it and names where it came from.
 */
export type Reading = (text: string, cwd: string) => unknown;

/** The text as it is. */
export const asText: Reading = (text) => text;

/** An absolute path; an empty text stays empty. */
export const asPath: Reading = (text, cwd) => (text === "" ? text : resolve(cwd, text));

/** Whether a text is a URL and not a path. One letter and a colon are a drive of Windows. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(text);
}

/** A URL as it is; anything else as {@link asPath}. */
export const asPathOrUrl: Reading = (text, cwd) => (isUrl(text) ? text : asPath(text, cwd));

/** A whole number. */
export const asInteger: Reading = (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text);

/** 1, true, yes; 0, false, no. */
export const asBoolean: Reading = (text) => BOOLEANS.get(text.toLowerCase()) ?? text;

/** A list, its items separated by commas, each read by itself. */
export function asListOf(item: Reading): Reading {
  return (text, cwd) => text.split(",").map((part) => item(part.trim(), cwd));
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["1", true],
  ["true", true],
  ["yes", true],
  ["0", false],
  ["false", false],
  ["no", false],
]);

/** One line for each setting: path, variables, flags, default, meaning. */
export function settingsTable(table: SettingTable): readonly string[] {
  const rows = settingsIn(table).map(({ path, setting }) => {
    const { ways, meaning } = setting;
    const several = ways.flatMap((way) =>
      way.meaning === undefined ? [] : [`${code(way.flag ?? way.env)}: ${way.meaning}`],
    );
    return [
      code(path),
      ways.map((way) => code(way.env)).join("<br>"),
      ways.flatMap((way) => (way.flag === undefined ? [] : [code(way.flag)])).join("<br>"),
      cell(defaultText(setting) ?? (typeof setting.default === "boolean" ? String(setting.default) : "")),
      cell([meaning, ...several].join("; ")),
    ];
  });
  return [
    "| setting | variable | flag | default | meaning |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
  ];
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

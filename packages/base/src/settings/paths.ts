/**
 * Paths in a configuration file are relative to the file, and not to the folder that a command is run in.
 */
import { resolve } from "node:path";
import { type SettingTable, settingsIn } from "./setting.ts";

/** The file's value with every path of the table's settings made absolute; `folder` is the file's own. */
export function absolutePaths(table: SettingTable, value: unknown, folder: string): unknown {
  const places = settingsIn(table).flatMap(({ path, setting }) =>
    (setting.paths ?? []).map((inside) => [...path.split("."), ...inside]),
  );
  return places.reduce(
    (current, place) => changedAt(current, place, (text) => (text === "" ? text : resolve(folder, text))),
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

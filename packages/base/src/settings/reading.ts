/**
 * How the text of a variable or a flag becomes a setting's value. Text that cannot be read stays text: the schema then
 * refuses it and names where it came from.
 */
import { resolve } from "node:path";

/** Reads a text; relative paths in it are relative to `cwd`. */
export type Reading = (text: string, cwd: string) => unknown;

/** The text as it is. */
export const asText: Reading = (text) => text;

/** An absolute path; an empty text stays empty. */
export const asPath: Reading = (text, cwd) => (text === "" ? text : resolve(cwd, text));

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

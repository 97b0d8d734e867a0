/**
 * Paths of fields: `email`, `address.postcode`; through a list, the same of each of its members. Compared code unit by
 * code unit, as keys of documents are: a path that only looks like another is another.
 */

/** Most characters of a path. */
const LONGEST_PATH = 256;
/** Most names in a path. */
const MOST_NAMES = 16;
const NAME = /^[^\u0000-\u001f\u007f*.,]{1,128}$/u;

/** All fields, also those that nobody declares. */
export const EVERYTHING = "*";

/** Whether a text names one field. */
export function isPath(text: unknown): text is string {
  if (typeof text !== "string" || text.length > LONGEST_PATH || !text.isWellFormed()) return false;
  const names = text.split(".");
  return names.length <= MOST_NAMES && names.every((name) => NAME.test(name));
}

/** Whether the first is the second, or what the second lies in. */
export const covers = (outer: string, path: string): boolean =>
  outer === EVERYTHING || outer === path || path.startsWith(`${outer}.`);

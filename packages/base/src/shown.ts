/**
 * Text out of a database, as an error or a report may show it: cut, and nothing in it but printable ASCII, so that
 * whoever wrote the database steers neither a terminal nor a log.
 */

/** Characters that are shown of a text. */
const LONGEST = 200;

/** The text cut, with everything but printable ASCII as `\u{…}`. */
export const shown = (text: string): string =>
  text.slice(0, LONGEST).replace(/[^\x20-\x7e]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);

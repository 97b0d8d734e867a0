/**
 * What a request has given: a member that is undefined is none.
 */

/** The same without members that are undefined. */
export function given<Options extends object>(
  options: Options,
): { [Name in keyof Options]: Exclude<Options[Name], undefined> } {
  const found = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(found) as { [Name in keyof Options]: Exclude<Options[Name], undefined> };
}

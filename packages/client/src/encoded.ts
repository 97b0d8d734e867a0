/**
 * What goes into headers and queries: text as ASCII, and members that are there.
 */
import { ClientError, type ClientErrorCode } from "./errors.ts";

/** Percent-encoded UTF-8: a header field holds ASCII (RFC 9110, section 5.5), and so does a path. */
export function encoded(text: string, code: Extract<ClientErrorCode, `${string}-invalid`>): string {
  if (text.isWellFormed()) return encodeURIComponent(text);
  throw new ClientError(code, { detail: "It is not well-formed text." });
}

/** The members that are not undefined. */
export function present<Options extends object>(
  options: Options,
): { [Name in keyof Options]?: NonNullable<Options[Name]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Options]?: NonNullable<Options[Name]>;
  };
}

// Patterns of policies: wildcards, and policy variables that take their value from the request. Source: IAM User
// Guide, "IAM JSON policy elements: Variables and tags" (where they may stand, `${*}`, default values, variables
// without a value) and "Condition operators" (wildcards).

import type { Facts } from "./facts.ts";

const MANY: unique symbol = Symbol("*");
const ONE: unique symbol = Symbol("?");

/** One UTF-16 unit as it is, or a wildcard. */
type Token = string | typeof MANY | typeof ONE;

/** A pattern of a policy, its variables replaced: what they stand for is never a wildcard. */
export type Pattern = readonly Token[];

const tokenOf = (unit: string): Token => (unit === "*" ? MANY : unit === "?" ? ONE : unit);
const unitOf = (token: Token): string => (token === MANY ? "*" : token === ONE ? "?" : token);

/** The pattern of a text in which `*` and `?` are wildcards and nothing else is special. */
export const patternOf = (text: string): Pattern => text.split("").map(tokenOf);

/** The text of a pattern, for operators to which a star is a star. */
export const textOf = (pattern: Pattern): string => pattern.map(unitOf).join("");

/** `${*}`, `${?}`, `${$}`, `${name}` or `${name, 'default'}`. No part can take what the next one begins with. */
const VARIABLE = /\$\{(?:([*?$])|([^{}',]+)(?:,\s*'([^']*)'\s*)?)\}/g;

/**
 * The pattern of a text with policy variables.
 * @returns null if a variable has no value: such a pattern fits nothing.
 */
export function resolved(text: string, facts: Facts): Pattern | null {
  const tokens: Token[] = [];
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    const [whole, escaped, name = "", preset] = match;
    const fact = facts.get(name.trim().toLowerCase());
    // Only a key with one value can stand for it.
    const value = escaped ?? (fact?.kind === "single" && fact.values.length === 1 ? fact.values[0] : preset);
    if (value === undefined) return null;
    for (const token of patternOf(text.slice(end, match.index))) tokens.push(token);
    for (const unit of value.split("")) tokens.push(unit);
    end = match.index + whole.length;
  }
  return [...tokens, ...patternOf(text.slice(end))];
}

/** Whether `text` fits a pattern, given as such or as a text with `*` and `?`. */
export function like(text: string, given: string | Pattern): boolean {
  const pattern = typeof given === "string" ? patternOf(given) : given;
  // Two pointers and a mark at the last star: linear in practice, and no regular expression that could run away.
  let [t, p, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === MANY) [star, mark, p] = [p, t, p + 1];
    else if (p < pattern.length && (pattern[p] === ONE || pattern[p] === text[t])) [t, p] = [t + 1, p + 1];
    else if (star >= 0) [mark, t, p] = [mark + 1, mark + 1, star + 1];
    else return false;
  }
  while (pattern[p] === MANY) p += 1;
  return p === pattern.length;
}

/** Whether an ARN fits a pattern: each of its six parts fits by itself, so that a star does not reach over a colon. */
export function arnLike(arn: string, pattern: Pattern): boolean {
  const [parts, wanted] = [arnParts(arn.split("")), arnParts(pattern)];
  return parts.length === wanted.length && parts.every((part, i) => like(part.join(""), wanted[i] ?? []));
}

/** The five parts before the resource, which may itself have colons, and the resource. */
function arnParts<T>(units: readonly T[]): readonly (readonly T[])[] {
  const parts: T[][] = [[]];
  for (const unit of units)
    if (unit === ":" && parts.length < 6) parts.push([]);
    else parts.at(-1)?.push(unit);
  return parts;
}

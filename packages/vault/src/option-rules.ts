/**
 * How a table of options is read: own properties, each once, and nothing beside what is in the table; and the rules
 * that many tables share.
 */
import { hasMethods, ruledOptions } from "@strongroom/base/options";
import type { OptionRule } from "@strongroom/base/options";
import { VaultError } from "./errors.ts";

/** Option -> what its value must be. */
export type Rules<Options> = Readonly<Record<keyof Options & string, OptionRule>>;

/** Parsed where it is used, with an error of its own. */
export const ANYTHING: OptionRule = [() => true, "anything"];
export const A_FUNCTION: OptionRule = [(value) => typeof value === "function", "a function"];
export const SIGNAL: OptionRule = [
  (value) =>
    hasMethods(value, "addEventListener", "removeEventListener") &&
    typeof Reflect.get(value as object, "aborted") === "boolean",
  "an AbortSignal",
];
export const YES_OR_NO: OptionRule = [(value) => typeof value === "boolean", "true or false"];

export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

export function isText(value: unknown, most: number): boolean {
  return typeof value === "string" && value.trim() !== "" && value.length <= most && value.isWellFormed();
}

/**
 * Of a call's options a copy, which nobody else can change.
 *
 * @param what they are, for the error
 * @throws VaultError `vault-option-invalid`: all that is wrong with them; thrown by what is returned
 */
export function reader<Options extends object>(
  rules: Rules<Options>,
  what: string,
  needed: readonly (keyof Options & string)[] = [],
): (given: unknown) => Options {
  return (given) => {
    const { values, problems } = ruledOptions(given, rules, { what, needed });
    if (problems.length > 0) throw new VaultError("vault-option-invalid", `${what}: ${problems.join("; ")}`);
    return values as Options;
  };
}

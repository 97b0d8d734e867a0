/**
 * @strongroom/base/options: the options that a caller hands to a function of a package, before each is checked. Threats
 * answered: an option that is misspelt and therefore not in force; one that a polluted `Object.prototype` supplies.
 */
import { types } from "node:util";

/** What was read, and what is wrong with it as a whole. */
export interface OwnOptions {
  /** Own properties that are not undefined, in an object that inherits nothing. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
}

/**
 * Reads options: own properties of a plain object, each once; `undefined` is left out.
 *
 * @param names the options there are; @param what how messages call them all
 */
export function ownOptions(given: unknown, names: readonly string[], what = "options"): OwnOptions {
  const values = Object.create(null) as Record<string, unknown>;
  if (!isPlain(given)) return { values, problems: [`${what} must be a plain object`] };
  const problems: string[] = [];
  for (const name of Reflect.ownKeys(given)) {
    const value: unknown = Reflect.get(given, name);
    if (value === undefined) continue;
    if (typeof name === "string" && names.includes(name)) values[name] = value;
    else problems.push(`${JSON.stringify(String(name).slice(0, 64))} is not one of ${what}: ${names.join(", ")}`);
  }
  return { values, problems };
}

/** Whether a value will do, and what it must be. */
export type OptionRule = readonly [is: (value: unknown) => boolean, mustBe: string];

/**
 * Reads options by a table: each that is there must do, each that is needed must be there.
 *
 * @param needed names of those; @param what how messages call all options
 */
export function ruledOptions(
  given: unknown,
  rules: Readonly<Record<string, OptionRule>>,
  { what, needed }: { readonly what: string; readonly needed: readonly string[] },
): OwnOptions {
  const { values, problems: found } = ownOptions(given, Object.keys(rules), what);
  const problems = [...found];
  for (const [name, [isRight, mustBe]] of Object.entries(rules)) {
    if (name in values ? !isRight(values[name]) : needed.includes(name)) problems.push(`${name} must be ${mustBe}`);
  }
  return { values, problems };
}

/** Made by `{}` in any realm, or without a prototype; a Proxy may answer differently each time. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  const above: unknown = Object.getPrototypeOf(value);
  const isRoot = typeof above === "object" && above !== null && Object.getPrototypeOf(above) === null;
  return above === null || (isRoot && Object.hasOwn(above, "isPrototypeOf"));
}

/**
 * Whole numbers from 1 over their defaults, as limits are given. Every problem is added to `problems`.
 *
 * @param what how messages call them all; @param kind how they call one of them
 */
export function wholeNumbers<Numbers extends object>(
  given: unknown,
  defaults: Numbers,
  { what, kind, problems }: { readonly what: string; readonly kind: string; readonly problems: string[] },
): Numbers {
  if (given === undefined) return defaults;
  const names = Object.keys(defaults);
  const { values, problems: found } = ownOptions(given, names, what);
  const unknown = found.map((problem) => problem.replace(/^"(.*?)" is not one of .*/, `$1 is not ${kind}`));
  const wrong = Object.entries(values).filter(([, value]) => !Number.isSafeInteger(value) || (value as number) < 1);
  for (const [name] of wrong) problems.push(`${name} must be a whole number from 1`);
  for (const problem of unknown) problems.push(problem);
  return { ...defaults, ...values };
}

/** Whether this object, of a class or not, has these methods. */
export function hasMethods(value: unknown, ...methods: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  return methods.every((method) => typeof Reflect.get(value, method) === "function");
}

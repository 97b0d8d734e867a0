/**
 * What callers hand in, read once: a table of options for each public function, and the bytes. Threats answered: an
 * option that is misspelt or of a wrong kind and therefore silently not in force; a policy loosened by a polluted
 * `Object.prototype`; an object that answers twice differently. So only own properties of plain objects count, each is
 * read once, `undefined` is the same as left out, and what the table does not name is refused.
 */
import { types } from "node:util";
import { EnvelopeError, isEnvelopeError, shown } from "./errors.ts";
import type { OnCall } from "./errors.ts";

/**
 * Reads one value that is not undefined. What is wrong goes to `problems`; the answer is only good for finding more
 * problems then, and undefined where nothing could be read.
 */
export type Reader<T> = (value: unknown, name: string, problems: string[]) => T;

/** One row of a table of options. */
export interface Option<T> {
  readonly read: Reader<unknown>;
  readonly needed: boolean;
  /** What it is when it is left out. */
  readonly absent: T;
}

/** An option that may be left out, and what it is then. */
export function option<T>(read: Reader<T>): Option<T | undefined>;
export function option<T>(read: Reader<T>, absent: NoInfer<T>): Option<T>;
export function option<T>(read: Reader<T>, absent?: T): Option<T | undefined> {
  return { read, needed: false, absent };
}

/** An option that must be given. */
export function needed<T>(read: Reader<T>): Option<T> {
  return { read, needed: true, absent: undefined as T };
}

/** A table that is read into these values. */
export type Rows<Values> = { readonly [Name in keyof Values]: Option<Values[Name]> };

/** A table has a row for every option of these types: the compiler names the one that was forgotten. */
export type RowsFor<Options> = Readonly<Record<NamesOf<Options>, Option<unknown>>>;

type NamesOf<Options> = Options extends unknown ? keyof Options : never;

/** Reads an object of options by its table. The answer has every name of the table as a property of its own. */
export function objectOf<Values extends object>(table: Rows<Values>): Reader<Values> {
  const rows = new Map<string, Option<unknown>>(Object.entries<Option<unknown>>(table));
  const must = [...rows].flatMap(([name, row]) => (row.needed ? [name] : []));
  const absent = Object.fromEntries([...rows].map(([name, row]) => [name, row.absent]));
  return (given, path, problems) => {
    const values: Record<string, unknown> = { ...absent };
    if (!isPlainObject(given)) {
      problems.push(`${path === "" ? "options" : path} must be a plain object`);
      return values as Values;
    }
    const prefix = path === "" ? "" : `${path}.`;
    const refused: unknown[] = [];
    // Not Reflect.ownKeys, which costs ten times as much.
    for (const name of Object.getOwnPropertyNames(given)) {
      const value = given[name];
      if (value === undefined) continue;
      const row = rows.get(name);
      const read = row?.read(value, prefix === "" ? name : `${prefix}${name}`, problems);
      if (read !== undefined) values[name] = read;
      else if (row === undefined) problems.push(unknownOption(prefix, name, rows));
      else refused.push(name);
    }
    for (const name of Object.getOwnPropertySymbols(given)) problems.push(unknownOption(prefix, name, rows));
    for (const name of must) {
      if (values[name] === undefined && !refused.includes(name)) problems.push(`${prefix}${name} is missing`);
    }
    return values as Values;
  };
}

function unknownOption(prefix: string, name: PropertyKey, rows: ReadonlyMap<string, unknown>): string {
  return `${prefix}${shown(String(name))} is no option here; there are: ${[...rows.keys()].join(", ")}`;
}

/**
 * The options of a call by their table.
 *
 * @throws EnvelopeError `option-invalid`, with every problem listed
 */
export function readOptions<T>(read: Reader<T>, given: unknown): T {
  const problems: string[] = [];
  const values = guarded(() => read(given, "", problems));
  requireNone(problems);
  return values;
}

/** @throws EnvelopeError `option-invalid`, when there is any */
export function requireNone(problems: readonly string[]): void {
  if (problems.length > 0) throw new EnvelopeError("option-invalid", problems.join("; "));
}

/** An object of the caller's may throw when it is looked at. */
export function guarded<T>(look: () => T): T {
  try {
    return look();
  } catch (cause) {
    if (isEnvelopeError(cause)) throw cause;
    throw new EnvelopeError("option-invalid", "The options cannot be read", { cause });
  }
}

/**
 * `{}` of any realm, or an object without a prototype; no Map, Promise, array, class instance, or Proxy, which may
 * answer differently each time.
 */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype) return true;
  if (prototype === null) return !types.isModuleNamespaceObject(value);
  // Another realm's Object.prototype: nothing above it, and the methods that it alone has.
  return (
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "isPrototypeOf") &&
    Object.hasOwn(prototype, "hasOwnProperty")
  );
}

/**
 * A Uint8Array, Buffers among them, of any realm. No other view and no bare ArrayBuffer: whether its bytes or its
 * elements are meant is not for this library to guess. One whose memory was handed to another thread, or cut off, is
 * none any more: it would read as empty.
 */
export function isBytes(value: unknown): value is Uint8Array {
  return types.isUint8Array(value) && (value.length > 0 || isThere(value));
}

/** Every method of a typed array refuses one that is out of bounds; only its length is 0. */
function isThere(bytes: Uint8Array): boolean {
  try {
    Uint8Array.prototype.at.call(bytes, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether another thread may change them while they are worked on. */
export function isShared(bytes: Uint8Array): bytes is Uint8Array<SharedArrayBuffer> {
  return types.isSharedArrayBuffer(bytes.buffer);
}

/** @throws EnvelopeError `option-invalid` */
export function requireBytes(value: unknown, name: string): Uint8Array {
  if (isBytes(value)) return value;
  throw new EnvelopeError("option-invalid", `${name} must be a Uint8Array`);
}

/** An object whose `kind` says by which table it is read. */
export function byKind<T>(kinds: Readonly<Record<string, Reader<T>>>): Reader<T> {
  return (value, name, problems) => {
    const kind = isPlainObject(value) && Object.hasOwn(value, "kind") ? value["kind"] : undefined;
    if (typeof kind === "string" && Object.hasOwn(kinds, kind)) return kinds[kind]?.(value, name, problems) as T;
    problems.push(`${name}.kind must be one of ${Object.keys(kinds).join(", ")}`);
    return undefined as T;
  };
}

// Readers of the kinds of values that options have.

/** Whatever `is` says yes to. */
export function thatIs<T>(is: (value: unknown) => value is T, mustBe: string): Reader<T> {
  return (value, name, problems) => {
    if (is(value)) return value;
    problems.push(`${name} must be ${mustBe}`);
    return undefined as T;
  };
}

/** Read later, by whoever knows more. */
export const anything: Reader<unknown> = (value) => value;

/** A whole number within bounds. */
export function wholeNumber(least: number, most: number, unit = ""): Reader<number> {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  return thatIs(
    (value): value is number => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most,
    `a whole number ${range}${unit}`,
  );
}

/** Longest time that a timer of node takes. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** For {@link milliseconds} that are counted by a clock, not by one timer. */
export const FOR_EVER: number = Number.MAX_VALUE;

/** A time that is not over at once. */
export function milliseconds(most: number = LONGEST_TIMER): Reader<number> {
  return thatIs(
    (value): value is number => typeof value === "number" && value > 0 && value <= most,
    "a positive number of milliseconds",
  );
}

export const text: Reader<string> = thatIs(
  (value): value is string => typeof value === "string" && value !== "" && value.isWellFormed(),
  "a non-empty string",
);

/** Any string, the empty one too. */
export const anyText: Reader<string> = thatIs((value): value is string => typeof value === "string", "a string");

/** One of a few words. */
export function oneOf<const Word extends string>(words: readonly Word[]): Reader<Word> {
  return thatIs((value): value is Word => (words as readonly unknown[]).includes(value), `one of ${words.join(", ")}`);
}

/** A list, copied, each of its items read by `item`. */
export function listOf<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, name, problems) => {
    if (Array.isArray(value))
      return Array.from(value as unknown[], (one, index) => item(one, `${name}[${index}]`, problems));
    problems.push(`${name} must be a list`);
    return [];
  };
}

/** Such a list with something in it. */
export function nonEmpty<T>(list: Reader<readonly T[]>): Reader<readonly T[]> {
  return (value, name, problems) => {
    const items = list(value, name, problems);
    if (Array.isArray(value) && items.length === 0) problems.push(`${name} is empty`);
    return items;
  };
}

/** A function that is told of calls to a KMS. */
export const toldOfCalls: Reader<OnCall> = thatIs(
  (value): value is OnCall => typeof value === "function",
  "a function",
);

/** An object, of a class or not, that has these methods. */
export function having<T>(kind: string, ...methods: readonly (keyof T & string)[]): Reader<T> {
  return (value, name, problems) => {
    if (methods.every((method) => hasMethod(value, method))) return value as T;
    const absent = methods.filter((method) => !hasMethod(value, method));
    problems.push(`${name} must be ${kind}: it has no method ${absent.join(", ")}`);
    return undefined as T;
  };
}

function hasMethod(value: unknown, method: string): boolean {
  const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
  return isObject && typeof (value as Readonly<Record<string, unknown>>)[method] === "function";
}

export const abortSignal: Reader<AbortSignal> = thatIs(
  (value): value is AbortSignal =>
    hasMethod(value, "addEventListener") &&
    hasMethod(value, "removeEventListener") &&
    typeof (value as Partial<AbortSignal>).aborted === "boolean",
  "an AbortSignal",
);

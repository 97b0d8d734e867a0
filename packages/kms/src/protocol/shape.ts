// The description of an operation's input, from which its parsing, its type and what AWS says of a broken constraint
// (constraints.ts) come. Limits and patterns are those of the KMS service model (API version 2014-11-01).

import { serializationError, validationError } from "./aws-error.ts";
import { decodeBase64 } from "./base64.ts";
import { checkLength, checkValue, messageOf } from "./constraints.ts";
import type { Limits, Problem } from "./constraints.ts";

/** A parsed JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One kind of value. `T` is what it becomes once read. */
export interface Shape<T> {
  /** Reads `raw`. A wrong type throws a SerializationException; a broken constraint is added to `problems`. */
  read(raw: Json, path: string, problems: Problem[]): T;
  /** What the audit may show of a value that was read; undefined: nothing. */
  audit(value: T): Json | undefined;
}

/** A member that must be there. */
export interface Required<T> {
  readonly required: true;
  readonly shape: Shape<T>;
}

type Member = Shape<unknown> | Required<unknown>;
type Members = Readonly<Record<string, Member>>;
type RequiredNames<M> = { [K in keyof M]: M[K] extends Required<unknown> ? K : never }[keyof M];
type ValueOf<M> = M extends Required<infer T> ? T : M extends Shape<infer T> ? T : never;

/** The TypeScript type of a structure's value. */
export type ValuesOf<M> = { readonly [K in RequiredNames<M>]: ValueOf<M[K]> } & {
  readonly [K in Exclude<keyof M, RequiredNames<M>>]?: ValueOf<M[K]>;
};

/** The value type of a shape. */
export type Infer<S> = S extends Shape<infer T> ? T : never;

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
const join = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

function tokenOf(raw: Json): string {
  if (raw === null) return "NULL_VALUE";
  if (Array.isArray(raw)) return "START_ARRAY";
  switch (typeof raw) {
    case "boolean":
      return raw ? "TRUE_VALUE" : "FALSE_VALUE";
    case "number":
      return Number.isInteger(raw) ? "NUMBER_VALUE" : "DECIMAL_VALUE";
    case "string":
      return "STRING_VALUE";
    default:
      return "START_OBJECT";
  }
}

const wrongType = (raw: Json, wanted: string): Error =>
  serializationError(`${tokenOf(raw)} can not be converted to ${wanted}`);

/**
 * Reads a string. Half of a surrogate pair is no character: written as UTF-8 every such half becomes U+FFFD, and two
 * encryption contexts would be one. @throws AwsError SerializationException.
 */
function stringOf(raw: Json): string {
  if (typeof raw !== "string") throw wrongType(raw, "a String");
  if (!raw.isWellFormed()) throw serializationError("A string is not valid Unicode.");
  return raw;
}

/** Makes a member required. */
export const required = <T>(shape: Shape<T>): Required<T> => ({ required: true, shape });

/** What a string must be like. A pattern is the service model's: messages cite it, and it must fit the whole. */
interface TextLimits extends Limits {
  readonly pattern?: string;
  readonly secret?: boolean;
}

/** A string, its length counted in UTF-16 units, as Java counts it. */
export function text({ pattern, secret = false, ...limits }: TextLimits = {}): Shape<string> {
  const fits = pattern === undefined ? null : new RegExp(`^(?:${pattern})$`);
  return {
    read(raw, path, problems) {
      const value = stringOf(raw);
      const echo = secret ? null : value;
      checkLength(value.length, limits, path, echo, problems);
      if (fits?.test(value) === false) {
        const constraint = `Member must satisfy regular expression pattern: ${String(pattern)}`;
        problems.push({ path, value: echo, constraint });
      }
      return value;
    },
    audit: (value) => (secret ? undefined : value),
  };
}

/** A string that must be one of `values`; AWS names them all in the message. */
export function oneOf<const V extends string>(values: readonly V[]): Shape<V> {
  return {
    read(raw, path, problems) {
      const value = stringOf(raw);
      if (!(values as readonly string[]).includes(value))
        problems.push({ path, value, constraint: `Member must satisfy enum value set: [${values.join(", ")}]` });
      return value as V;
    },
    audit: (value) => value,
  };
}

/** A 32-bit integer. */
export function integer(limits: Limits = {}): Shape<number> {
  return {
    read(raw, path, problems) {
      if (typeof raw !== "number" || !Number.isInteger(raw) || Math.abs(raw) > 0x7fff_ffff)
        throw wrongType(raw, "an Integer");
      checkValue(raw, limits, path, problems);
      return raw;
    },
    audit: (value) => value,
  };
}

/** A boolean. */
export function flag(): Shape<boolean> {
  return {
    read(raw) {
      if (typeof raw !== "boolean") throw wrongType(raw, "a Boolean");
      return raw;
    },
    audit: (value) => value,
  };
}

/** A point in time, in the protocol a number of seconds since 1970; here milliseconds. */
export function timestamp(): Shape<number> {
  return {
    read(raw) {
      if (typeof raw !== "number" || !Number.isFinite(raw) || Math.abs(raw) > 8.64e12)
        throw wrongType(raw, "a Timestamp");
      return Math.round(raw * 1000);
    },
    audit: (value) => new Date(value).toISOString(),
  };
}

/** Bytes, in the protocol as base64. Never shown in the audit; a secret one is not echoed in messages either. */
export function blob(limits: Limits & { readonly secret?: boolean } = {}): Shape<Buffer> {
  return {
    read(raw, path, problems) {
      if (typeof raw !== "string") throw wrongType(raw, "a Blob");
      const bytes = decodeBase64(raw);
      if (bytes === null) throw serializationError("The value of a blob is not valid base64");
      checkLength(
        bytes.length,
        limits,
        path,
        limits.secret !== true ? `java.nio.HeapByteBuffer[pos=0 lim=${bytes.length} cap=${bytes.length}]` : null,
        problems,
      );
      return bytes;
    },
    audit: () => undefined,
  };
}

/** A list; AWS counts its members from 1 in paths (`tags.1.member.tagKey`). */
export function list<T>(
  member: Shape<T>,
  { secret = false, ...limits }: Limits & { readonly secret?: boolean } = {},
): Shape<readonly T[]> {
  return {
    read(raw, path, problems) {
      if (!Array.isArray(raw)) throw wrongType(raw, "a List");
      // Of strings alone: anything else was not looked at yet and may be nested without end.
      const shown = (item: Json): string => (typeof item === "string" ? item : tokenOf(item));
      checkLength(raw.length, limits, path, secret ? null : `[${raw.map(shown).join(", ")}]`, problems);
      // What lies beyond the limit is refused already; reading it would only make the message longer.
      return raw
        .slice(0, limits.max ?? raw.length)
        .map((item: Json, index) => member.read(item, `${path}.${index + 1}.member`, problems));
    },
    audit: (value) => value.map((item) => member.audit(item) ?? null),
  };
}

/** A map of strings, kept as an object without a prototype so that no key has a meaning of its own. */
export function map(): Shape<Readonly<Record<string, string>>> {
  return {
    read(raw) {
      if (raw === null || typeof raw !== "object" || Array.isArray(raw)) throw wrongType(raw, "a Map");
      const read = Object.create(null) as Record<string, string>;
      for (const [key, value] of Object.entries(raw as Record<string, Json>)) read[stringOf(key)] = stringOf(value);
      return read;
    },
    audit: (value) => value,
  };
}

/** An object with named members. Members it does not know are ignored, as AWS does. */
export function structure<const M extends Members>(members: M): Shape<ValuesOf<M>> & { readonly members: M } {
  const known = Object.entries(members).map(([name, member]) => {
    const shape = "required" in member ? member.shape : member;
    return { name, required: "required" in member, shape };
  });
  return {
    members,
    read(raw, path, problems) {
      if (raw === null || typeof raw !== "object" || Array.isArray(raw)) throw wrongType(raw, "a Structure");
      const read: Record<string, unknown> = {};
      for (const { name, required: mustBe, shape } of known) {
        const value = Object.hasOwn(raw, name) ? (raw as Record<string, Json>)[name] : undefined;
        const at = join(path, lowerFirst(name));
        if (value !== undefined && value !== null) read[name] = shape.read(value, at, problems);
        else if (mustBe) problems.push({ path: at, value: "null", constraint: "Member must not be null" });
      }
      return read as ValuesOf<M>;
    },
    audit(value) {
      const shown: Record<string, Json> = {};
      for (const { name, shape } of known) {
        const member = (value as Record<string, unknown>)[name];
        const visible = member === undefined ? undefined : shape.audit(member);
        if (visible !== undefined) shown[lowerFirst(name)] = visible;
      }
      return shown;
    },
  };
}

/** Reads an operation's whole input; every broken constraint is named in one ValidationException. */
export function readInput<T>(shape: Shape<T>, raw: Json): T {
  const problems: Problem[] = [];
  const value = shape.read(raw, "", problems);
  if (problems.length === 0) return value;
  throw validationError(messageOf(problems));
}

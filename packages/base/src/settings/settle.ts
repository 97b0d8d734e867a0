/**
 * Merges what a configuration file, the environment and flags give, later ones winning, and validates the result once.
 * A mistake is never replaced by a default: every problem is listed with where its value came from.
 */
import { z } from "zod";
import { isPlain } from "../options.ts";
import { type GivenValue, nearest } from "./given.ts";
import { isSetting, type SettingTable } from "./setting.ts";

/** A problem, and the path of the setting it is about. */
export interface SettingProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The sources of one set of settings. */
export interface SettingSources<Values> {
  readonly schema: z.ZodType<Values>;
  /** What a configuration file holds, or other values to begin with. */
  readonly raw: unknown;
  /** Where these came from: the file's path. */
  readonly rawOrigin?: string | undefined;
  /** The environment's values, then those of flags. */
  readonly given: readonly GivenValue[];
}

/** What came of it. */
export interface SettledSettings<Values> {
  /** Null if there are problems. */
  readonly values: Values | null;
  readonly problems: readonly SettingProblem[];
  /** The merged values before they were validated. */
  readonly raw: unknown;
  /** Dotted path -> the file, variable or flag it came from. Settings at their default are absent. */
  readonly origins: ReadonlyMap<string, string>;
}

/** The schema of a whole table, every default filled in and unknown settings refused. */
export function settingsSchema<Values>(table: SettingTable): z.ZodType<Values> {
  return groupSchema(table) as unknown as z.ZodType<Values>;
}

function groupSchema(table: SettingTable): z.ZodObject {
  const members = Object.entries(table).map(([name, node]): [string, z.ZodType] => {
    if (!isSetting(node)) return [name, groupSchema(node).prefault({})];
    return [name, node.default === undefined ? node.schema.optional() : node.schema.default(node.default)];
  });
  return z.strictObject(Object.fromEntries(members));
}

/** Merges and validates. */
export function settle<Values>({
  schema,
  raw: file,
  rawOrigin = "",
  given,
}: SettingSources<Values>): SettledSettings<Values> {
  const origins = new Map<string, string>();
  let raw = file;
  for (const path of leafPaths(raw)) origins.set(path, rawOrigin);
  for (const { path, origin, value } of given) {
    raw = withValue(raw, path.split("."), value);
    origins.set(path, origin);
  }
  const parsed = schema.safeParse(raw);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, schema))),
    ...contradictions(given),
  ];
  return { values: parsed.data ?? null, problems, raw, origins };
}

/** A setting that can be given in several ways is given in one of them, by flags and by the environment. */
function contradictions(given: readonly GivenValue[]): SettingProblem[] {
  return given.flatMap(({ path, origin }, index) => {
    const first = given.find((one) => one.path === path && isFlag(one.origin) === isFlag(origin));
    if (first === undefined || first === given[index]) return [];
    return [{ path: path.split("."), message: `is given by ${first.origin} and by ${origin}: give one of them` }];
  });
}

function isFlag(origin: string): boolean {
  return origin.startsWith("--");
}

/** The file, variable or flag that a problem's value came from, or null. */
export function originOf({ path }: SettingProblem, origins: ReadonlyMap<string, string>): string | null {
  const dotted = path.join(".");
  const found = [...origins].find(
    ([known]) => known === dotted || dotted.startsWith(`${known}.`) || known.startsWith(`${dotted}.`),
  )?.[1];
  return found === undefined || found === "" ? null : found;
}

/** A problem as one line: `service.port (STRONGROOM_PORT): must be a whole number`. */
export function problemLine(problem: SettingProblem, origins: ReadonlyMap<string, string>): string {
  const dotted = problem.path.join(".");
  const origin = originOf(problem, origins);
  return `${dotted === "" ? "the configuration" : dotted}${origin === null ? "" : ` (${origin})`}: ${problem.message}`;
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodType): SettingProblem[] {
  const path = issue.path.map((segment) => (typeof segment === "number" ? segment : String(segment)));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const meant = nearest(key, knownNames(schema, path));
      const hint = meant === null ? "" : `; did you mean ${meant}?`;
      return { path: [...path, key], message: `is no setting${hint}` };
    });
  }
  // What a row says of a wrong value goes before what can be said of its type alone.
  if (!issue.message.startsWith("Invalid ")) return [{ path, message: issue.message }];
  if (issue.code === "invalid_type")
    return [{ path, message: `must be ${ARTICLES[issue.expected] ?? issue.expected}` }];
  if (issue.code === "invalid_value") return [{ path, message: `must be one of ${issue.values.join(", ")}` }];
  return [{ path, message: issue.message }];
}

const ARTICLES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a group of settings ({ … })",
  array: "a list",
};

/** The names allowed at a path of the schema, found by walking it. */
function knownNames(schema: z.ZodType, path: SettingProblem["path"]): readonly string[] {
  let current: unknown = schema;
  for (const segment of path) current = memberOf(unwrapped(current), segment);
  const found = unwrapped(current);
  return hasShape(found) ? Object.keys(found.shape) : [];
}

function memberOf(schema: unknown, segment: string | number): unknown {
  if (hasShape(schema)) return schema.shape[segment];
  if (typeof schema === "object" && schema !== null && "element" in schema) return schema.element;
  return undefined;
}

function unwrapped(schema: unknown): unknown {
  let current = schema;
  while (
    typeof current === "object" &&
    current !== null &&
    "unwrap" in current &&
    typeof current.unwrap === "function" &&
    !("element" in current)
  ) {
    current = (current.unwrap as () => unknown)();
  }
  return current;
}

function hasShape(schema: unknown): schema is { readonly shape: Readonly<Record<string, unknown>> } {
  return typeof schema === "object" && schema !== null && "shape" in schema && typeof schema.shape === "object";
}

/** What a library has made, such as a schema, is one value: it may be as large as it likes, and contain itself. */
function leafPaths(value: unknown, prefix = ""): string[] {
  if (!isPlain(value)) return prefix === "" ? [] : [prefix];
  return Object.entries(value).flatMap(([key, inner]) => leafPaths(inner, prefix === "" ? key : `${prefix}.${key}`));
}

function withValue(target: unknown, [head = "", ...rest]: readonly string[], value: unknown): unknown {
  const group =
    typeof target === "object" && target !== null && !Array.isArray(target) ? (target as Record<string, unknown>) : {};
  return { ...group, [head]: rest.length === 0 ? value : withValue(group[head], rest, value) };
}

/**
 * What a collection declares of fields of its documents: what they are found by, and who sees what of them.
 */
import { ownOptions, ruledOptions } from "@strongroom/base/options";
import type { OptionRule } from "@strongroom/base/options";
import { MASK_KINDS } from "../masks/masks.ts";
import type { MaskKind } from "../masks/masks.ts";
import type { Normaliser } from "../normalisers/normaliser.ts";
import { fewValues } from "./few-values.ts";

/** One field, by its path: `email`, `address.postcode`; of a list, each of its members. */
export interface FieldOptions {
  /** Records are found by the values of this normaliser. Left out: by none. */
  readonly find?: Normaliser;
  /** Not found by itself: only by indexes that it is one of several fields of. Only with `find`. */
  readonly alone?: false;
  /** No two records of one tenant have the same value. Only with `find`. */
  readonly unique?: boolean;
  /** Also found by the first so many characters of their forms, 1 to 32. Only with `find`. */
  readonly prefix?: number;
  /** Also found by ranges, of numbers so wide or of dates so long. Only with `find`. */
  readonly buckets?: number | "day" | "month" | "year";
  /**
   * About how many different values there are. With few of them, whoever has the database sees which is which by how
   * often each comes: below 1,000 the field is refused unless `leaks` is `accepted`.
   */
  readonly values?: number;
  readonly leaks?: "accepted";
  /** What is shown of it to whoever may read it masked alone. Left out: nothing. */
  readonly mask?: MaskKind;
  /** Documents with it are refused: what must not be stored at all, such as the code on the back of a card. */
  readonly never?: true;
}

/** An index of several fields together. */
export interface CompoundIndexOptions {
  /** 2 to 8 paths, each of a field with `find`. */
  readonly fields: readonly string[];
  readonly unique?: boolean;
  readonly leaks?: "accepted";
}

/** What a collection declares of its fields, and of several together. */
export interface DeclaredFields {
  /** By their paths. */
  readonly fields: ReadonlyMap<string, FieldOptions>;
  /** By their names. */
  readonly indexes: ReadonlyMap<string, CompoundIndexOptions>;
}

/** Most fields, and most indexes of several, of a collection. */
const MAX_FIELDS = 64;
const MAX_COMPOUND_FIELDS = 8;
const MAX_PREFIX = 32;

/** Levels of a path. */
const MAX_SEGMENTS = 16;
/** Characters: a store takes the name of an index of up to 128, and what it is of comes behind the path. */
const MAX_PATH = 112;
const SEGMENT = /^[^.:\p{C}]{1,64}$/u;
const INDEX_NAME = /^[a-z][a-z0-9_-]{0,62}$/;

/** Unit of dates -> how a range of it is cut. */
const DATE_BUCKETS: ReadonlySet<unknown> = new Set(["day", "month", "year"]);

const isWhole = (value: unknown, most: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most;

const LEAKS: OptionRule = [(value) => value === "accepted", '"accepted", or left out'];
const UNIQUE: OptionRule = [(value) => typeof value === "boolean", "true or false"];

const FIELD: Readonly<Record<keyof FieldOptions, OptionRule>> = {
  find: [isNormaliser, "a normaliser, such as email() of @strongroom/vault/normalisers"],
  alone: [(value) => value === false, "false, or left out"],
  unique: UNIQUE,
  prefix: [(value) => isWhole(value, MAX_PREFIX), `a whole number from 1 to ${MAX_PREFIX}`],
  buckets: [
    (value) => DATE_BUCKETS.has(value) || (typeof value === "number" && Number.isFinite(value) && value > 0),
    'how wide each is, a number above 0, or "day", "month", "year"',
  ],
  values: [(value) => isWhole(value, Number.MAX_SAFE_INTEGER), "a whole number from 1"],
  leaks: LEAKS,
  mask: [(value) => MASK_KINDS.includes(value as MaskKind), `one of ${MASK_KINDS.join(", ")}`],
  never: [(value) => value === true, "true, or left out"],
};

const COMPOUND: Readonly<Record<keyof CompoundIndexOptions, OptionRule>> = {
  fields: [
    (value) =>
      Array.isArray(value) &&
      value.length >= 2 &&
      value.length <= MAX_COMPOUND_FIELDS &&
      new Set(value).size === value.length &&
      value.every((path) => typeof path === "string"),
    `a list of 2 to ${MAX_COMPOUND_FIELDS} paths, each once`,
  ],
  unique: UNIQUE,
  leaks: LEAKS,
};

function isNormaliser(value: unknown): value is Normaliser {
  if (typeof value !== "object" || value === null) return false;
  const { kind, version, options, normalise } = value as Readonly<Record<string, unknown>>;
  return (
    typeof kind === "string" &&
    /^[a-z0-9-]{1,64}$/.test(kind) &&
    isWhole(version, Number.MAX_SAFE_INTEGER) &&
    typeof options === "string" &&
    options.length <= 1_024 &&
    options.isWellFormed() &&
    typeof normalise === "function"
  );
}

/** Whether a text is the path of a field. */
export function isPath(path: string): boolean {
  const segments = path.split(".");
  return path.length <= MAX_PATH && segments.length <= MAX_SEGMENTS && path.isWellFormed() && segments.every(isSegment);
}

const isSegment = (segment: string): boolean => SEGMENT.test(segment);

/** A text as a message shows it. */
const quoted = (name: string): string => JSON.stringify(name.slice(0, 64));

/**
 * Reads what a collection declares of its fields.
 *
 * @param problems everything that is wrong is added to it
 */
export function parseFields(
  { fields: given, indexes: several }: { readonly fields?: unknown; readonly indexes?: unknown },
  problems: string[],
): DeclaredFields {
  const fields = new Map<string, FieldOptions>();
  for (const [path, value] of entriesOf(given, "fields", problems)) {
    if (!isPath(path))
      problems.push(
        `${quoted(path)} is no path of a field: names with dots between, up to ${MAX_PATH} characters, without ":"`,
      );
    const read = ruledOptions(value, FIELD, { what: `what the field ${quoted(path)} declares`, needed: [] });
    for (const problem of [...read.problems, ...(read.problems.length > 0 ? [] : contradictions(read.values))])
      problems.push(`field ${quoted(path)}: ${problem}`);
    fields.set(path, read.values);
  }
  const indexes = new Map<string, CompoundIndexOptions>();
  for (const [name, value] of entriesOf(several, "indexes", problems)) {
    const read = ruledOptions(value, COMPOUND, { what: `what the index ${quoted(name)} declares`, needed: ["fields"] });
    const own = read.values as unknown as CompoundIndexOptions;
    const index = read.problems.length > 0 ? null : { ...own, fields: [...own.fields] };
    const wrong = [
      ...(INDEX_NAME.test(name) ? [] : ["a name is a small letter, then small letters, digits, - or _"]),
      ...(fields.has(name) ? ["a field has that name"] : []),
      ...read.problems,
      ...(index === null ? [] : compoundContradictions(index, fields)),
    ];
    for (const problem of wrong) problems.push(`index ${quoted(name)}: ${problem}`);
    if (index !== null) indexes.set(name, index);
  }
  for (const [path, { alone }] of fields)
    if (alone === false && ![...indexes.values()].some((index) => index.fields.includes(path)))
      problems.push(`field ${quoted(path)}: alone is false, and no index of several fields has it`);
  return { fields, indexes };
}

/**
 * What is wrong with what a collection declares of its fields, for whoever reads declarations out of a file.
 *
 * @returns none: a vault takes it
 * @example
 * ```ts
 * import { fieldProblems } from "@strongroom/vault";
 *
 * const [problem] = fieldProblems({ fields: { email: { unique: true } } });
 * console.log(problem); // prints: field "email": without find it has no unique
 * ```
 */
export function fieldProblems(declared: { readonly fields?: unknown; readonly indexes?: unknown }): readonly string[] {
  const problems: string[] = [];
  parseFields(declared, problems);
  return problems;
}

function entriesOf(given: unknown, what: string, problems: string[]): readonly (readonly [string, unknown])[] {
  if (given === undefined) return [];
  const names = typeof given === "object" && given !== null ? Object.keys(given) : [];
  const read = ownOptions(given, names, what);
  for (const problem of read.problems) problems.push(problem);
  if (names.length > MAX_FIELDS) problems.push(`${what}: at most ${MAX_FIELDS}`);
  return Object.entries(read.values).slice(0, MAX_FIELDS);
}

/** What is of no use without `find`. */
const OF_FIND = ["alone", "unique", "prefix", "buckets", "values", "leaks"] as const;

function contradictions(field: FieldOptions): readonly string[] {
  const { find, alone, unique = false, prefix, buckets, never } = field;
  if (never === true) {
    const others = Object.keys(field).filter((name) => name !== "never");
    return others.length === 0 ? [] : [`what is never stored has no ${others.join(", ")}`];
  }
  if (find === undefined) {
    const idle = OF_FIND.filter((name) => field[name] !== undefined);
    return idle.length === 0 ? [] : [`without find it has no ${idle.join(", ")}`];
  }
  const problems: string[] = [];
  if (alone === false && (unique || prefix !== undefined || buckets !== undefined))
    problems.push("what is not found alone is not unique, and has no prefix and no buckets");
  if (unique && find.kind === TELLS_NOBODY_APART)
    problems.push("folded names tell nobody apart: two people of one name would be one, so they are not unique");
  if (typeof buckets === "number" && find.kind !== "exact")
    problems.push('buckets that are so wide are of numbers: find must be "exact"');
  if (typeof buckets === "string" && find.kind !== "date")
    problems.push('buckets of days, months or years are of dates: find must be "date"');
  return [...problems, ...fewValues(field)];
}

const TELLS_NOBODY_APART = "folded-name";

function compoundContradictions(
  { fields: paths, unique = false, leaks }: CompoundIndexOptions,
  fields: ReadonlyMap<string, FieldOptions>,
): readonly string[] {
  const declared = paths.map((path) => fields.get(path));
  const unknown = paths.filter((_, index) => declared[index]?.find === undefined);
  if (unknown.length > 0) return [`${unknown.map(quoted).join(", ")}: no field with find`];
  if (unique && declared.every((field) => field?.find?.kind === TELLS_NOBODY_APART))
    return ["folded names tell nobody apart, so they are not unique"];
  return fewValues({ together: declared.flatMap((field) => field ?? []), unique, ...(leaks && { leaks }) });
}

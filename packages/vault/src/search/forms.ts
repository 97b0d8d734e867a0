/**
 * What documents are found by: the forms of their values at the paths of an index, cut as the index cuts them.
 */
import { VaultError } from "../errors.ts";
import type { Normaliser } from "../normalisers/normaliser.ts";
import type { JsonObject, JsonValue } from "../records/json.ts";
import { MAX_TAGS } from "../stores/indexes.ts";
import type { Cut, IndexDefinition } from "./definitions.ts";

/** The values at a path: of lists on the way, of each of their members. */
export function valuesAt(document: JsonObject, path: string): readonly JsonValue[] {
  let found: readonly JsonValue[] = [document];
  for (const name of path.split(".")) found = membersOf(found).flatMap((value) => memberOf(value, name));
  return membersOf(found);
}

/** The members of lists, and of lists in them, in their place. */
function membersOf(values: readonly JsonValue[]): readonly JsonValue[] {
  if (!values.some((value) => Array.isArray(value))) return values;
  const found: JsonValue[] = [];
  const left = [...values].reverse();
  for (let value = left.pop(); value !== undefined; value = left.pop())
    if (isList(value)) for (let index = value.length - 1; index >= 0; index--) left.push(value[index] ?? null);
    else found.push(value);
  return found;
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

function memberOf(value: JsonValue, name: string): readonly JsonValue[] {
  if (typeof value !== "object" || value === null || isList(value) || !Object.hasOwn(value, name)) return [];
  return [value[name] ?? null];
}

/** The form of one value; null: there is nothing to find. */
export function formOf(normaliser: Normaliser, value: unknown): string | null {
  if (typeof value === "string" && value.trim() === "") return null;
  return normaliser.normalise(value);
}

/** The different forms of a document's values at a path. */
export function formsAt(document: JsonObject, path: string, normaliser: Normaliser): readonly string[] {
  return [...new Set(valuesAt(document, path).flatMap((value) => formOf(normaliser, value) ?? []))];
}

/**
 * What a document is found by under an index: for each tag, a form for each of its fields.
 *
 * @throws VaultError `document-unfit`: there are more than a record may have tags
 */
export function tagForms(document: JsonObject, { fields, cut }: IndexDefinition): readonly (readonly string[])[] {
  let all: readonly (readonly string[])[] = [[]];
  for (const { path, normaliser } of fields) {
    const found =
      cut.kind === "value"
        ? formsAt(document, path, normaliser)
        : [...new Set(valuesAt(document, path).flatMap((value) => cutForm(cut, normaliser, value) ?? []))];
    // Half of a surrogate pair is in a document as it was given, and is looked for by nobody.
    const forms = found.filter((form) => form.isWellFormed());
    if (all.length * forms.length > MAX_TAGS) throw tooMany(path);
    all = all.flatMap((before) => forms.map((form) => [...before, form]));
  }
  return all;
}

/** The error for a document with more values than a record may be found by. */
export function tooMany(path: string): VaultError {
  return new VaultError("document-unfit", `It has more values at ${path} than a record is found by (${MAX_TAGS})`, {
    problems: [{ field: path, kind: "too-many-to-find" }],
  });
}

function cutForm(cut: Cut, normaliser: Normaliser, value: JsonValue): string | null {
  if (cut.kind === "prefix") {
    const form = formOf(normaliser, value);
    return form === null ? null : prefixForm(searchText(normaliser, form), cut.length);
  }
  return cut.kind === "buckets" ? bucketForm(cut.width, normaliser, value) : null;
}

/**
 * The characters of a form, as prefixes are compared: without what says whether it is of the kind, and in small
 * letters, since the beginning of an address is not of the kind yet and has not had its letters made small.
 */
export function searchText({ kind }: Pick<Normaliser, "kind">, form: string): string {
  const text = kind !== "exact" ? form.slice(1) : form.startsWith('"') ? (JSON.parse(form) as string) : form;
  return kind === "exact" ? text : text.toLowerCase().normalize("NFC");
}

/** The first characters; null: there are fewer. */
export function prefixForm(text: string, length: number): string | null {
  const first = Array.from(text.slice(0, 2 * length)).slice(0, length);
  return first.length < length ? null : first.join("");
}

/** How wide the ranges are. */
export type Width = Extract<Cut, { readonly kind: "buckets" }>["width"];

/** Characters of a day `2026-11-28` that a range has in common. */
const DATE_LENGTH: Readonly<Record<"day" | "month" | "year", number>> = { day: 10, month: 7, year: 4 };

/** The range that a value is in; null: it is no number, or no day. */
export function bucketForm(width: Width, normaliser: Normaliser, value: unknown): string | null {
  if (typeof width === "number") {
    if (typeof value !== "number" || !Number.isFinite(value)) return null;
    const range = Math.floor(value / width);
    return Number.isSafeInteger(range) ? String(range) : null;
  }
  return dayOf(normaliser, value)?.slice(0, DATE_LENGTH[width]) ?? null;
}

/** A day, as `2026-11-28`; null: it is none. */
export function dayOf(normaliser: Normaliser, value: unknown): string | null {
  const form = formOf(normaliser, value);
  return form?.startsWith("=") === true ? form.slice(1) : null;
}

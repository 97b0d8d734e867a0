// Which field of a record holds the number that a double would change: the vault's parser refuses the record and, being
// the service's as well, names no field.
import { parseJson } from "@strongroom/vault";

/** Stands where such a number was. */
const INEXACT = Symbol("a number that a double changes");

/** The field as `--id` takes it, or null. The text must be valid JSON and of bounded depth. */
export function inexactNumberField(text: string): string | null {
  const revive = (_name: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === "number" && context?.source !== undefined && !isExact(context.source) ? INEXACT : value;
  const field = pathOf(JSON.parse(text, revive));
  return field === null ? null : field.map((name) => name.replaceAll(".", "\\.")).join(".");
}

function isExact(literal: string): boolean {
  try {
    parseJson(Buffer.from(literal));
    return true;
  } catch {
    return false;
  }
}

function pathOf(value: unknown): readonly string[] | null {
  if (value === INEXACT) return [];
  if (typeof value !== "object" || value === null) return null;
  for (const [name, inner] of Object.entries(value)) {
    const path = pathOf(inner);
    if (path !== null) return [name, ...path];
  }
  return null;
}

/**
 * Documents whose declared fields are sealed values, so that a log line of a record tells nothing of a person.
 */
import type { FieldOptions } from "../collections/fields.ts";
import type { JsonObject, JsonValue } from "../records/document.ts";
import type { ShownRecord } from "../roles/shown.ts";
import { Sealed } from "./sealed.ts";

/** A value of a document with its declared fields sealed. */
export type SealedValue = JsonValue | Sealed<JsonValue> | readonly SealedValue[] | SealedObject;
/** Such a document. */
export interface SealedObject {
  readonly [key: string]: SealedValue;
}

/** A record with its declared fields sealed, and whom it is about as well. */
export interface SealedRecord extends Omit<ShownRecord, "document" | "subject" | "about"> {
  readonly subject: Sealed<string | null>;
  readonly about?: Sealed<readonly string[]>;
  readonly document: SealedObject;
}

/**
 * A document whose fields of these paths are sealed, in lists those of each member.
 *
 * @example
 * ```ts
 * import { sealFields } from "@strongroom/vault";
 *
 * const customer = { email: "ada@example.com", plan: "free", phones: [{ number: "030 1", kind: "work" }] };
 * console.log(JSON.stringify(sealFields(customer, ["email", "phones.number"])));
 * // prints: {"email":"[sealed]","plan":"free","phones":[{"number":"[sealed]","kind":"work"}]}
 * ```
 */
export function sealFields(document: JsonObject, paths: Iterable<string>): SealedObject {
  return sealedObject(document, "", new Set(paths));
}

/** The record of `get` with `sealed`. */
export function sealedFields(record: ShownRecord, fields: ReadonlyMap<string, FieldOptions>): SealedRecord {
  const { about, subject, document, ...told } = record;
  return {
    ...told,
    subject: new Sealed(subject),
    ...(about === undefined ? {} : { about: new Sealed(about) }),
    document: sealFields(document, fields.keys()),
  };
}

function sealedObject(value: JsonObject, path: string, paths: ReadonlySet<string>): SealedObject {
  const members = Object.entries(value).map(([name, member]) => {
    const at = path === "" ? name : `${path}.${name}`;
    return [name, paths.has(at) ? new Sealed(member) : sealedMember(member, at, paths)] as const;
  });
  return Object.fromEntries(members);
}

function sealedMember(value: JsonValue, path: string, paths: ReadonlySet<string>): SealedValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((one) => sealedMember(one, path, paths));
  if (typeof value !== "object" || value === null) return value;
  return sealedObject(value as JsonObject, path, paths);
}

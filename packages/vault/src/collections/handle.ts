/**
 * A declared collection as a value: its name, its options, and the types of its documents and of what they are found
 * by, so that whoever has it writes, reads and finds typed documents.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { VaultError } from "../errors.ts";
import { isCollection } from "../records/address.ts";
import type { JsonObject } from "../records/document.ts";
import type { CollectionOptions } from "./declaration.ts";

/** A declared collection, whatever its types are. */
export interface AnyCollection {
  /** `[a-z][a-z0-9_-]{0,62}`. */
  readonly name: string;
  readonly options: CollectionOptions;
}

/**
 * A declared collection.
 *
 * `Document` is what is read, `Input` what is written (a schema may add defaults), `Found` the paths that are declared
 * with `find`.
 */
export interface CollectionHandle<
  Document extends object = JsonObject,
  Input extends object = Document,
  Found extends string = never,
> extends AnyCollection {
  /** For the compiler alone: no value has it. */
  readonly types?: { readonly document: Document; readonly input: Input; readonly found: Found };
}

/** What documents of a schema are: of a JSON Schema, whatever JSON holds. */
export type DocumentOf<Schema> =
  Schema extends StandardSchemaV1<unknown, infer Output extends object> ? Output : JsonObject;

/** What may be written where a schema adds the rest. */
export type InputOf<Schema> =
  Schema extends StandardSchemaV1<infer Input, object>
    ? Input extends object
      ? Input
      : DocumentOf<Schema>
    : JsonObject;

/** Paths of the fields that records are found by. */
export type FoundBy<Fields> = {
  [Path in keyof Fields & string]: Fields[Path] extends { readonly find: object } ? Path : never;
}[keyof Fields & string];

/**
 * Declares a collection. Nothing is made by it: give it to `openVault` (`collections`), and to `vault.collection`.
 *
 * @throws VaultError `collection-invalid`. What is wrong with the options the vault says when it is opened.
 * @example
 * ```ts
 * import { defineCollection } from "@strongroom/vault";
 * import { email } from "@strongroom/vault/normalisers";
 *
 * const customers = defineCollection("customers", { fields: { email: { find: email(), unique: true } } });
 * console.log(customers.name); // prints: customers
 * ```
 */
export function defineCollection<const Options extends CollectionOptions>(
  name: string,
  options: Options,
): CollectionHandle<DocumentOf<Options["schema"]>, InputOf<Options["schema"]>, FoundBy<Options["fields"]>> {
  if (!isCollection(name))
    throw new VaultError("collection-invalid", "A collection is declared under a name that none has");
  return Object.freeze({ name, options });
}

/** Whether a value is a declared collection. */
export function isHandle(value: unknown): value is AnyCollection {
  if (typeof value !== "object" || value === null) return false;
  return typeof Reflect.get(value, "name") === "string" && Object.hasOwn(value, "options");
}

/**
 * Documents against a JSON Schema, by Ajv. It compiles a schema to code: schemas come out of the configuration of
 * whoever runs the vault, and never over a wire.
 */
import { Ajv as Draft07 } from "ajv";
import type { ErrorObject, ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { VaultError } from "../errors.ts";
import type { FieldProblem } from "../errors.ts";
import { fieldOf } from "./field-path.ts";

/** A JSON Schema as it is written down, of draft 2020-12 where its `$schema` does not say draft-07. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What is wrong with documents.
 *
 * @throws VaultError `vault-option-invalid` with what is wrong with the schema
 */
export function jsonSchemaCheck(
  schema: JsonSchema,
  collection: string,
): (document: unknown) => readonly FieldProblem[] {
  const check = compiled(schema, collection);
  return (document) => (check(document) ? [] : (check.errors ?? []).map(problemOf));
}

function compiled(schema: JsonSchema, collection: string): ValidateFunction {
  // A keyword that is misspelt is a condition that is not in force: strict refuses it.
  const options = { strict: true, allErrors: true, validateFormats: true, messages: false } as const;
  const dialect = schema["$schema"];
  const ajv = typeof dialect === "string" && dialect.includes("draft-07") ? new Draft07(options) : new Ajv2020(options);
  try {
    formats.default(ajv);
    const check = ajv.compile(schema);
    if ("$async" in check) throw new Error("$async");
    return check;
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : "it is none";
    throw new VaultError("vault-option-invalid", `The JSON Schema of ${collection} is not valid: ${why}`);
  }
}

function problemOf({ instancePath, keyword, params }: ErrorObject): FieldProblem {
  const segments = instancePath
    .split("/")
    .slice(1)
    .map((one) => one.replaceAll("~1", "/").replaceAll("~0", "~"));
  // What is missing is named by the schema; what is too much by the document, and that may be anything.
  const missing: unknown =
    keyword === "required" ? (params as Readonly<Record<string, unknown>>)["missingProperty"] : undefined;
  return { field: fieldOf(typeof missing === "string" ? [...segments, missing] : segments), kind: keyword };
}

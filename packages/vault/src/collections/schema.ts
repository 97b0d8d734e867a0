/**
 * What documents of a collection must be like: a Standard Schema (zod, valibot, arktype …) or a JSON Schema. What does
 * not fit is told field by field. The messages of the libraries are not told: some of them quote the value.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { VaultError } from "../errors.ts";
import type { FieldProblem } from "../errors.ts";
import type { JsonObject } from "../records/json.ts";
import { fieldOf } from "./field-path.ts";
import type { JsonSchema } from "./json-schema.ts";

export type { JsonSchema } from "./json-schema.ts";

/** What a collection may declare. A Standard Schema must validate at once: a promise is refused. */
export type SchemaInput = StandardSchemaV1<unknown, object> | JsonSchema;

/** What a document must be like. */
export interface DocumentSchema {
  /**
   * The document as it is to be stored: as the schema gives it back, with its defaults.
   *
   * @throws VaultError `document-unfit`
   */
  fit(document: JsonObject): JsonObject;
}

/** Most problems that are told of one document. */
const MOST_PROBLEMS = 20;

/**
 * Whether it is a schema of either kind, as far as can be told before it is used.
 *
 * @example
 * ```ts
 * import { isSchemaInput } from "@strongroom/vault";
 *
 * console.log(isSchemaInput({ type: "object", required: ["email"] })); // prints: true
 * console.log(isSchemaInput("email")); // prints: false
 * ```
 */
export const isSchemaInput = (value: unknown): value is SchemaInput =>
  isStandard(value) || (typeof value === "object" && value !== null && !Array.isArray(value));

/**
 * Makes it ready.
 *
 * @throws VaultError `vault-option-invalid` for a JSON Schema that is none
 */
export async function documentSchema(given: SchemaInput, collection: string): Promise<DocumentSchema> {
  if (isStandard(given)) return ofStandard(given, collection);
  // Whoever declares no JSON Schema does not wait for its library.
  const { jsonSchemaCheck } = await import("./json-schema.ts");
  const problemsOf = jsonSchemaCheck(given, collection);
  return {
    fit: (document) => {
      requireNone(problemsOf(document), collection);
      return document;
    },
  };
}

function isStandard(value: unknown): value is StandardSchemaV1<unknown, object> {
  // Schemas of arktype are functions.
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard: unknown = Reflect.get(value, "~standard");
  return typeof standard === "object" && standard !== null && typeof Reflect.get(standard, "validate") === "function";
}

function ofStandard(schema: StandardSchemaV1<unknown, object>, collection: string): DocumentSchema {
  return {
    fit: (document) => {
      const result = schema["~standard"].validate(document);
      if (result instanceof Promise) {
        result.catch(() => undefined);
        throw new VaultError("vault-option-invalid", `The schema of ${collection} validates later, and not at once`);
      }
      requireNone(result.issues?.map(problemOf) ?? [], collection);
      // What JSON cannot hold, such as a date, is refused when it is encoded.
      return (result as StandardSchemaV1.SuccessResult<object>).value as JsonObject;
    },
  };
}

function problemOf(issue: StandardSchemaV1.Issue): FieldProblem {
  const segments = (issue.path ?? []).map((one) => (typeof one === "object" ? one.key : one));
  return { field: fieldOf(segments), kind: kindOf(issue) };
}

/** Where the libraries say in a word what is asked for: `code` of zod and arktype, `type` of valibot. */
function kindOf(issue: object): string {
  for (const name of ["code", "type"]) {
    const word: unknown = Reflect.get(issue, name);
    if (typeof word === "string" && /^[A-Za-z][\w-]{0,40}$/.test(word)) return word;
  }
  return "unfit";
}

/** @throws VaultError `document-unfit` */
export function requireNone(problems: readonly FieldProblem[], collection: string): void {
  if (problems.length === 0) return;
  const told = problems.slice(0, MOST_PROBLEMS);
  const list = told.map(({ field, kind }) => (field === "" ? kind : `${field}: ${kind}`)).join("; ");
  const more = problems.length > told.length ? `; and ${problems.length - told.length} more` : "";
  throw new VaultError("document-unfit", `It does not fit what ${collection} declares: ${list}${more}`, {
    problems: told,
  });
}

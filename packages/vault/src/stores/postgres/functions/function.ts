/**
 * A function as the migrations make it. Every name in it is written with its schema, and `search_path` is set for it:
 * nothing of the caller's is run. A function is never changed once it is released: a program that needs another makes
 * one with the next number, and those that run on use theirs.
 */
import type { SchemaName } from "../schema-name.ts";

/** A function as the migrations make it. */
export interface StoreFunction {
  readonly name: string;
  /** As the catalog tells its arguments and what it returns. */
  readonly takes: string;
  readonly returns: string;
  readonly body: (schema: SchemaName) => string;
  readonly create: (schema: SchemaName) => string;
}

/**
 * What is set while a function runs. Statements are planned once a session: for arrays of one element the planner would
 * do it anew with each call, which takes longer than the work. A plan that was made when the tables were small must not
 * read whole tables when they have grown.
 */
const SETTINGS = [
  ["search_path", "pg_catalog, pg_temp"],
  ["plan_cache_mode", "force_generic_plan"],
  ["enable_seqscan", "off"],
  ["enable_hashjoin", "off"],
  ["enable_mergejoin", "off"],
] as const;

/** The same, as the catalog tells it. */
export const FUNCTION_SETTINGS: string = SETTINGS.map(([setting, value]) => `${setting}=${value}`).join(" ");

export function storeFunction(
  name: string,
  signature: { readonly takes: string; readonly returns: string },
  body: (schema: SchemaName) => string,
): StoreFunction {
  const takes = signature.takes.replace(/\s+/g, " ");
  return {
    name,
    takes,
    returns: signature.returns,
    body,
    create: (schema) =>
      `create function ${schema}.${name}(${takes}) returns ${signature.returns} language plpgsql volatile ` +
      `${SETTINGS.map(([setting, value]) => `set ${setting} to ${value}`).join(" ")} as $body$${body(schema)}$body$`,
  };
}

/**
 * A function of one statement, which is one for its plan: outside of a function a session keeps the plan that it made
 * when the tables were small, and reads all of them when they have grown.
 */
export const readFunction = (
  name: string,
  takes: string,
  returns: string,
  body: (schema: SchemaName) => string,
): StoreFunction =>
  storeFunction(
    name,
    { takes, returns: `TABLE(${returns})` },
    (schema) => `
#variable_conflict use_column
begin
  ${body(schema)}
end`,
  );

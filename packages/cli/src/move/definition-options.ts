// What moves, as it is typed: --columns and the rest of the options of `move plan` and `move start`.
import type { MoveDefinition } from "@strongroom/vault/moving";
import { CliError } from "../errors.ts";

/** Options as they were given. */
export interface DefinitionOptions {
  readonly table: string | undefined;
  readonly key: string | undefined;
  readonly column: readonly string[] | undefined;
  readonly messages: readonly string[] | undefined;
  readonly mixed: readonly string[] | undefined;
  readonly asText: readonly string[] | undefined;
  readonly collection: string | undefined;
  readonly subject: string | undefined;
  readonly context: readonly string[] | undefined;
  readonly withoutContext: boolean;
}

/** Reads them. @throws CliError `usage` */
export function definitionOf(name: string, given: DefinitionOptions): MoveDefinition {
  const { table, key, collection, subject, context } = given;
  if (table === undefined || key === undefined || collection === undefined)
    throw new CliError("usage", {
      detail: "What moves must be said: --table, --key and --collection.",
      remedy:
        "For example: strongroom move plan people --from sqlite:app.db --table people --key id --column name " +
        "--collection people",
    });
  if (context !== undefined && given.withoutContext)
    throw new CliError("usage", { detail: "--context and --without-context exclude each other." });
  const asText = new Set(given.asText ?? []);
  const of = (holds: "values" | "messages" | "mixed", names: readonly string[] = []): MoveDefinition["columns"] =>
    names.map((one) => ({ name: one, holds, ...(asText.has(one) ? { as: "text" as const } : {}) }));
  return {
    name,
    table,
    key,
    collection,
    columns: [...of("values", given.column), ...of("messages", given.messages), ...of("mixed", given.mixed)],
    ...(subject === undefined ? {} : { subject }),
    ...(context === undefined ? (given.withoutContext ? { context: {} } : {}) : { context: pairs(context) }),
  };
}

function pairs(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1)
        throw new CliError("usage", { detail: "--context is NAME=VALUE, and {column} in VALUE a column's text." });
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

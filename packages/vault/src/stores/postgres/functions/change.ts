/**
 * Functions that take rows away. They ask first whether this is the vault that was opened, and whether this program may
 * write to it: a statement beside which that is selected has done its work when the answer comes.
 */
import type { SchemaName } from "../schema-name.ts";
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";
import { ENTER, GATE_VARIABLES, holdGate } from "./statements.ts";

/**
 * Answers `done`, and how many rows went; or `no-gate`, `replaced`, `newer`.
 *
 * @param body its statements, of which the last sets `changed`
 */
export const changeFunction = (
  name: string,
  takes: string,
  { variables = "", body }: { readonly variables?: string; readonly body: (schema: SchemaName) => string },
): StoreFunction =>
  storeFunction(
    name,
    {
      takes: `p_vault text, p_writer integer, p_lock_ms integer, ${takes}`,
      returns: "TABLE(result text, changed bigint)",
    },
    (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}${variables}
begin${ENTER}
  ${holdGate(schema, "false", (refusal) => `return query select '${refusal}'::text, 0::bigint; return;`)}
  ${body(schema)}
  result := 'done';
  return next;
end`,
  );

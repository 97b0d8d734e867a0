/**
 * Makes the rows of people, and raises their ordinals, ahead of a transaction in which others would wait for it.
 * Answers `done`; or `no-gate`, `replaced`, `newer`.
 */
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";
import { holdPeople, PEOPLE_VARIABLES, raisePeople } from "./people.ts";
import { ENTER, GATE_VARIABLES, holdGate } from "./statements.ts";

const UNITS = "array_fill(1, array[cardinality(p_people)])";

export const AHEAD: StoreFunction = storeFunction(
  "ahead_v1",
  {
    takes: "p_vault text, p_writer integer, p_lock_ms integer, p_people text[], p_scopes text[], p_ordinals bigint[]",
    returns: "TABLE(result text)",
  },
  (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}${PEOPLE_VARIABLES}
begin${ENTER}
  ${holdGate(schema, "false", (refusal) => `return query select '${refusal}'::text; return;`)}
${holdPeople(schema, { of: UNITS, makeRows: "true" })}
  if v_is_raised then${raisePeople(schema, { of: UNITS, isMade: "true" })}
  end if;
  return query select 'done'::text;
end`,
);

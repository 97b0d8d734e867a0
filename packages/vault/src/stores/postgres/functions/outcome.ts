/**
 * Settles what became of writes.
 */
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";
import { ENTER, GATE_VARIABLES, holdGate, lockHeads, prune } from "./statements.ts";

/**
 * What became of writes, written down for good: `made`, or `void`, and then they never will be. The locks are those
 * that a write takes before it looks: one that is under way is waited for, and one that comes later finds it settled.
 */
export const OUTCOME: StoreFunction = storeFunction(
  "outcome_v1",
  {
    takes: "p_vault text, p_writer integer, p_lock_ms integer, p_write_ids text[], p_collections text[], p_ids text[]",
    returns: "TABLE(result text)",
  },
  (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}
  v_fresh bigint[];
  v_results text[];
begin${ENTER}
  ${holdGate(schema, "false", (refusal) => `return query select '${refusal}'::text; return;`)}
  with made as (
    insert into ${schema}.records (collection, id)
    select distinct u.collection collate "C", u.id collate "C" from unnest(p_collections, p_ids) u(collection, id)
    where not exists (select from ${schema}.records r where r.collection = u.collection and r.id = u.id)
    order by 1, 2
    on conflict do nothing
    returning key)
  select array_agg(made.key) into v_fresh from made;
  perform from unnest(p_collections, p_ids) u(collection, id)
    join ${schema}.records r on r.collection = u.collection and r.id = u.id
    where not exists (select from ${schema}.heads h where h.record = r.key)
    order by r.collection, r.id
    for update of r;
${lockHeads(schema)}
  select array_agg(case
      when s.outcome is not null then s.outcome
      when h.write_id = u.write_id then 'made'
      when exists (
        select from ${schema}.versions v where v.record = r.key and v.write_id = u.write_id collate "C") then 'made'
      else 'void' end order by u.n)
    into v_results
    from unnest(p_write_ids, p_collections, p_ids) with ordinality u(write_id, collection, id, n)
    left join ${schema}.records r on r.collection = u.collection and r.id = u.id
    left join ${schema}.heads h on h.record = r.key
    left join ${schema}.settled s on s.write_id = u.write_id collate "C";
  insert into ${schema}.settled (write_id, outcome, at)
    select u.write_id, u.result, v_now from unnest(p_write_ids, v_results) u(write_id, result)
    order by u.write_id collate "C"
    on conflict do nothing;
  delete from ${schema}.records r where r.key = any(v_fresh);${prune(schema)}
  return query select t.result from unnest(v_results) with ordinality t(result, n) order by t.n;
end`,
);

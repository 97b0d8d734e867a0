/**
 * Tags outside of units: a build adds them, an erasure and a purge take them away.
 */
import { changeFunction } from "./change.ts";
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";
import { ENTER, GATE_VARIABLES, holdGate, lockHeads } from "./statements.ts";
import { claimTags, dropTags, insertTags, OPEN_UNITS, sortTags, TAG_VARIABLES } from "./tags.ts";

/**
 * Puts the tags of records under one index each in the place of those that they had under it. Answers for each in its
 * place: `made`, `overtaken`, `gate-moved`, `taken`; or with one row for all: `no-gate`, `replaced`, `newer`,
 * `short-tag`.
 *
 * The head is written as it is: a caller's transaction whose snapshot is older would otherwise replace the tags that it
 * sees, and leave these.
 */
export const FILL: StoreFunction = storeFunction(
  "fill_v1",
  {
    takes: `p_vault text, p_writer integer, p_lock_ms integer, p_collections text[], p_ids text[], p_indexes text[],
    p_seen bigint[], p_epochs bigint[], p_tag_units integer[], p_tags bytea[],
    p_job text, p_partition text, p_fence bigint`,
    returns: "TABLE(result text)",
  },
  (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}
  v_is_ours boolean := true;
  v_keys bigint[];
  v_results text[];
  v_own integer[];${TAG_VARIABLES}
begin${ENTER}
  ${holdGate(schema, "true", (refusal) => `return query select '${refusal}'::text; return;`)}
  if p_job is not null then
    perform from ${schema}.job_partitions j
      where j.job = p_job and j.partition = p_partition and j.fence = p_fence and j.held
      for share;
    v_is_ours := found;
  end if;
${lockHeads(schema)}
  select array_agg(r.key order by u.n), array_agg(i.key order by u.n),
      array_agg(case when u.epoch <> v_gate.epoch then 'gate-moved'
        when v_is_ours and i.key is not null and h.state = 'live' and h.version = u.seen then 'made'
        else 'overtaken' end order by u.n)
    into v_keys, v_own, v_results
    from unnest(p_collections, p_ids, p_indexes, p_seen, p_epochs) with ordinality
      u(collection, id, index, seen, epoch, n)
    left join ${schema}.records r on r.collection = u.collection and r.id = u.id
    left join ${schema}.heads h on h.record = r.key
    left join ${schema}.indexes i on i.id = u.index and i.collection = u.collection and i.state <> 'dropped';
  if array_length(p_tags, 1) > 0 then${sortTags(
    `unnest(p_tag_units, p_tags) with ordinality u(unit, tag, n) join ${schema}.indexes i on i.key = v_own[u.unit]`,
    "return query select 'short-tag'::text; return;",
  )}
  end if;${claimTags(schema)}${OPEN_UNITS}
  if true = any(v_open) then${["tags", "unique_tags"]
    .map(
      (table) => `
    delete from ${schema}.${table} t
      using (select v_keys[o.n] as key, v_own[o.n] as index from unnest(v_open) with ordinality o(open, n) where o.open) g
      where t.record = g.key and t.index = g.index and (t.record, t.index, t.tag) not in (
        select v_keys[u.unit], v_own[u.unit], u.tag from unnest(p_tag_units, p_tags) u(unit, tag) where v_open[u.unit]);`,
    )
    .join("")}${insertTags(schema)}
    update ${schema}.heads h set state = h.state where h.record in (
      select v_keys[o.n] from unnest(v_open) with ordinality o(open, n) where o.open);
  end if;
  return query select t.result from unnest(v_results) with ordinality t(result, n) order by t.n;
end`,
);

/** Takes all tags of records away. */
export const FORGET: StoreFunction = changeFunction("forget_tags_v1", "p_collections text[], p_ids text[]", {
  variables: `
  v_gone bigint[];`,
  body: (schema) => `${lockHeads(schema).trim()}
  select array_agg(r.key) into v_gone
    from unnest(p_collections, p_ids) u(collection, id)
    join ${schema}.records r on r.collection = u.collection and r.id = u.id;${dropTags(schema, "v_gone")}
  changed := 0;`,
});

const purged = (schema: string, table: string): string => `
      delete from ${schema}.${table} t where (t.index, t.tag, t.record) in (
        select o.index, o.tag, o.record from ${schema}.${table} o where o.index = v_index.key
        limit p_limit - changed for update skip locked);
      get diagnostics v_count = row_count;
      changed := changed + v_count;`;

/**
 * Takes tags of a dropped index away, then its row. What somebody else takes is left to him, and waited for only where
 * nothing else is left, one row at a time: who waits here holds no other. Answers also `not-dropped`.
 */
export const PURGE: StoreFunction = changeFunction("purge_tags_v1", "p_index text, p_limit bigint", {
  variables: `
  v_index record;
  v_count bigint;`,
  body: (schema) => `changed := 0;
  -- Whoever changes the index waits for this to end.
  select i.key, i.state into v_index from ${schema}.indexes i where i.id = p_index for update;
  if v_index.key is not null then
    if v_index.state <> 'dropped' then return query select 'not-dropped'::text, 0::bigint; return; end if;
    loop${purged(schema, "tags")}${purged(schema, "unique_tags")}
      exit when changed > 0;
      perform from ${schema}.tags t where t.index = v_index.key limit 1 for update;
      continue when found;
      perform from ${schema}.unique_tags t where t.index = v_index.key limit 1 for update;
      continue when found;
      exit when not exists (select from ${schema}.tags t where t.index = v_index.key)
        and not exists (select from ${schema}.unique_tags t where t.index = v_index.key);
    end loop;
    if changed = 0 then delete from ${schema}.indexes i where i.key = v_index.key; end if;
  end if;`,
});

/**
 * Kept messages: one is put back in the place of its version's, or is let go of. The version's row is locked before
 * the kept one, by whoever needs both.
 */
import { changeFunction } from "./change.ts";
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";
import { ENTER, GATE_VARIABLES, holdGate, holdLease } from "./statements.ts";

/** Answers as `rewrap_v2` does. What holds what no vault writes, a set of no row or no message, is not put back. */
export const RESTORE: StoreFunction = storeFunction(
  "restore_v1",
  {
    takes: `p_vault text, p_writer integer, p_lock_ms integer, p_epoch bigint,
    p_collection text, p_id text, p_version bigint, p_seen_set integer, p_seen_revision bigint,
    p_at bigint, p_job text, p_partition text, p_fence bigint`,
    returns: "TABLE(result text, epoch bigint)",
  },
  (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}
  v_key bigint;
begin${ENTER}
  ${holdGate(schema, "true", (refusal) => `return query select '${refusal}'::text, 0::bigint; return;`)}
  if v_gate.epoch <> p_epoch then return query select 'gate-moved'::text, v_gate.epoch; return; end if;${holdLease(schema)}
  update ${schema}.versions v
    set wrap_set = k.wrap_set, since = p_at, message = k.message, revision = v.revision + 1
    from ${schema}.records r, ${schema}.kept k
    where r.collection = p_collection and r.id = p_id and v.record = r.key and v.version = p_version
      and v.wrap_set = p_seen_set and v.revision = p_seen_revision
      and k.record = v.record and k.version = v.version and octet_length(k.message) > 0
      and exists (select from ${schema}.wrap_sets w where w.id = k.wrap_set)
    returning v.record into v_key;
  if v_key is null then return query select 'overtaken'::text, v_gate.epoch; return; end if;
  delete from ${schema}.kept k where k.record = v_key and k.version = p_version;
  delete from ${schema}.failures f where f.record = v_key and f.version = p_version;
  return query select 'made'::text, v_gate.epoch;
end`,
);

/** By their versions' names, and by their own keys. Answers `overtaken` as well. */
export const DROP_KEPT: StoreFunction = changeFunction(
  "drop_kept_v1",
  `p_collections text[], p_ids text[], p_versions bigint[], p_records bigint[], p_numbers bigint[],
    p_job text, p_partition text, p_fence bigint`,
  {
    body: (schema) => `${holdLease(schema, ", 0::bigint").trimStart()}
  with gone as materialized (
    select r.key, u.version from unnest(p_collections, p_ids, p_versions) u(collection, id, version)
      join ${schema}.records r on r.collection = u.collection and r.id = u.id
    union
    select u.record, u.number from unnest(p_records, p_numbers) u(record, number)),
  held as materialized (
    select k.record, k.version from gone join ${schema}.kept k on k.record = gone.key and k.version = gone.version
    order by k.record, k.version
    for update of k)
  delete from ${schema}.kept k using held where k.record = held.record and k.version = held.version;
  get diagnostics changed = row_count;`,
  },
);
